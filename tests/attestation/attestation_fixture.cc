#include "tests/attestation/attestation_fixture.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace keyscope::test {
namespace {

// Each test may run in a process of its own, beside the others.
std::string LogFile() {
  return testing::TempDir() + "keyscope-attestation-" + std::to_string(::getpid()) + ".log";
}

}  // namespace

Evidence EvidenceOf(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  auto get = [&](CK_ATTRIBUTE_TYPE type) { return Get(session, key, type); };
  return {get(CKA_KEYSCOPE_TPM_PUBLIC),
          get(CKA_KEYSCOPE_CREATION_DATA),
          {get(CKA_KEYSCOPE_CREATION_ATTEST), get(CKA_KEYSCOPE_CREATION_SIGNATURE)},
          {get(CKA_KEYSCOPE_ATTEST), get(CKA_KEYSCOPE_SIGNATURE)}};
}

tpm::Statement ParseStatement(ByteView signature) {
  const size_t size = signature.size() < 2 ? 0 : signature[0] * 256U + signature[1];
  if (signature.size() < 2 + size) throw std::runtime_error("no TPM2B_ATTEST");
  return {Copy(signature.subspan(2, size)), Copy(signature.subspan(2 + size))};
}

Mechanism CertifyMechanism(CK_OBJECT_HANDLE key) {
  return {CKM_KEYSCOPE_CERTIFY, BytesOf(CK_KEYSCOPE_CERTIFY_PARAMS{key})};
}
Mechanism QuoteMechanism(CK_MECHANISM_TYPE bank, CK_ULONG pcrs) {
  return {CKM_KEYSCOPE_QUOTE, BytesOf(CK_KEYSCOPE_QUOTE_PARAMS{bank, pcrs})};
}
Mechanism ActivateMechanism(CK_KEY_TYPE endorsement_key) {
  return {CKM_KEYSCOPE_ACTIVATE_CREDENTIAL, BytesOf(CK_KEYSCOPE_ACTIVATE_PARAMS{endorsement_key})};
}

void Attestation::SetUp() {
  ::setenv("KEYSCOPE_LOG", "warn", 1);
  ::setenv("KEYSCOPE_LOG_FILE", LogFile().c_str(), 1);
  std::filesystem::remove(LogFile());
  Module::SetUp();
  OpenSessions();
}

void Attestation::TearDown() {
  Module::TearDown();
  std::filesystem::remove(LogFile());
  for (uint32_t handle : PersistentHandles()) {
    // TPM2_EvictControl(TPM_RH_OWNER, handle, handle) with the empty password
    const Bytes answer =
        proxy().Ask(Concat({Bytes{0x80, 2}, BigEndian32(35), BigEndian32(0x120),
                            BigEndian32(0x40000001), BigEndian32(handle), BigEndian32(9),
                            BigEndian32(0x40000009), Bytes(5, 0), BigEndian32(handle)}));
    EXPECT_EQ(Hex(ByteView(answer).subspan(6, 4)), "00000000");
  }
}

void Attestation::OpenSessions() {
  for (CK_SLOT_ID slot : kSlots) sessions_[slot] = OpenLoggedIn(slot);
}

void Attestation::Restart() {
  ASSERT_OK(C_Finalize(nullptr));
  ASSERT_OK(C_Initialize(nullptr));
  OpenSessions();
}

CK_RV Attestation::TryMake(CK_SESSION_HANDLE session, Algorithm algorithm, const Attributes& asked,
                           KeyPair& pair) {
  const Attributes token{{CKA_TOKEN, true}};
  if (algorithm == Algorithm::Rsa)
    return TryGeneratePair(session, CKM_RSA_PKCS_KEY_PAIR_GEN,
                           token.With({{CKA_MODULUS_BITS, 2048}}), token.With(asked), pair);
  return TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, token.With({{CKA_EC_PARAMS, P256().params}}),
                         token.With(asked), pair);
}

CK_OBJECT_HANDLE Attestation::Make(CK_SESSION_HANDLE session, Algorithm algorithm,
                                   const Attributes& asked) {
  KeyPair pair;
  EXPECT_OK(TryMake(session, algorithm, asked, pair));
  return pair.private_key;
}

Bytes Attestation::Sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  const bool rsa = GetUlong(session, key, CKA_KEY_TYPE) == CKK_RSA;
  return Do(kSign, session, rsa ? CKM_SHA256_RSA_PKCS : CKM_ECDSA_SHA256, key, Pattern(50));
}

std::string Attestation::StorePath(CK_SLOT_ID slot) const {
  return folder() + (slot == kMachineSlot ? "/machine/machine.db" : "/user/user.db");
}

int64_t Attestation::Sql(CK_SLOT_ID slot, const std::string& sql) const {
  sqlite3* raw = nullptr;
  sqlite3_open(StorePath(slot).c_str(), &raw);
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, sqlite3_close);
  sqlite3_busy_timeout(raw, 5000);
  int64_t number = 0;
  auto take = [](void* to, int, char** values, char**) {
    if (values[0] != nullptr) *static_cast<int64_t*>(to) = std::atoll(values[0]);
    return 0;
  };
  if (sqlite3_exec(raw, sql.c_str(), take, &number, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(raw));
  return number;
}

std::vector<uint32_t> Attestation::PersistentHandles() {
  // TPM2_GetCapability(TPM_CAP_HANDLES, 0x81008000, 64)
  const Bytes answer =
      proxy().Ask(Concat({Bytes{0x80, 1}, BigEndian32(22), BigEndian32(0x17a), BigEndian32(1),
                          BigEndian32(0x81008000), BigEndian32(64)}));
  if (answer.size() < 19) throw std::runtime_error("no answer about persistent handles");
  std::vector<uint32_t> handles;
  for (size_t at = 19; at + 4 <= answer.size(); at += 4) {
    uint32_t handle = 0;
    for (size_t i = 0; i < 4; ++i) handle = handle << 8 | answer[at + i];
    if (handle <= 0x8100FFFF) handles.push_back(handle);
  }
  return handles;
}

std::vector<int64_t> Attestation::Traces() const {
  std::vector<int64_t> traces;
  for (CK_SLOT_ID slot : kSlots) {
    traces.push_back(Rows(slot));
    traces.push_back(PendingErases(slot));
  }
  for (uint32_t handle : PersistentHandles()) traces.push_back(handle);
  for (uint32_t handle : proxy().LoadedHandles()) traces.push_back(handle);
  return traces;
}

std::string Attestation::TakeLog() const {
  std::ifstream file(LogFile());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::ofstream(LogFile(), std::ios::trunc);
  return text;
}

}  // namespace keyscope::test
