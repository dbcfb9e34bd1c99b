// Answers of a TPM that lies: the input is what it says to each command, through a TCTI that takes
// the place of the one that tpm2-tss would load.
#include <time.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include <functional>

#include "base/error.h"
#include "tests/fuzz/input.h"
#include "tpm/backend.h"

namespace {

using namespace keyscope;

fuzz::Input* answers = nullptr;
Bytes answer;

// Success or another code with a body and a right header, so that the body is read; or anything.
Bytes NextAnswer() {
  const uint8_t kind = answers->Byte();
  if (kind % 8 == 7) return Copy(answers->Chunk());
  const uint16_t tag = kind % 2 == 0 ? TPM2_ST_NO_SESSIONS : TPM2_ST_SESSIONS;
  const uint32_t code = kind % 8 < 6 ? TPM2_RC_SUCCESS : static_cast<uint32_t>(answers->Number());
  const ByteView body = answers->Chunk();
  Bytes whole(10);
  size_t at = 0;
  Tss2_MU_TPM2_ST_Marshal(tag, whole.data(), whole.size(), &at);
  Tss2_MU_UINT32_Marshal(static_cast<uint32_t>(whole.size() + body.size()), whole.data(),
                         whole.size(), &at);
  Tss2_MU_UINT32_Marshal(code, whole.data(), whole.size(), &at);
  whole.insert(whole.end(), body.begin(), body.end());
  return whole;
}

TSS2_RC Transmit(TSS2_TCTI_CONTEXT*, size_t, const uint8_t*) {
  if (answers->Done()) return TSS2_TCTI_RC_IO_ERROR;
  answer = NextAnswer();
  return TSS2_RC_SUCCESS;
}

TSS2_RC Receive(TSS2_TCTI_CONTEXT*, size_t* size, uint8_t* response, int32_t) {
  if (response != nullptr && *size < answer.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  *size = answer.size();
  if (response != nullptr) std::ranges::copy(answer, response);
  return TSS2_RC_SUCCESS;
}

template <typename Call>
void Try(Call call) {
  try {
    call();
  } catch (const Error& error) {
    if (!std::holds_alternative<Fault>(error.cause())) abort();
  }
}

// A key as a right answer to TPM2_Create would make it.
const tpm::KeyBlob& Key() {
  static const tpm::KeyBlob key = [&] {
    TPM2B_PUBLIC area{};
    area.publicArea.type = TPM2_ALG_ECC;
    area.publicArea.nameAlg = TPM2_ALG_SHA256;
    area.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    area.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    area.publicArea.unique.ecc.x.size = area.publicArea.unique.ecc.y.size = 32;
    Bytes bytes(sizeof area);
    size_t size = 0;
    Tss2_MU_TPM2B_PUBLIC_Marshal(&area, bytes.data(), bytes.size(), &size);
    bytes.resize(size);
    return tpm::KeyBlob{bytes, {0, 2, 1, 1}};
  }();
  return key;
}

void Use(tpm::Backend& backend, uint8_t first) {
  const SecretBytes auth(Bytes(32, 1));
  tpm::Root root;
  Try([&] { root = backend.EnsureRoot(); });
  if (root.public_area.empty()) root.public_area = Key().public_area;
  tpm::KeyRef key{.uid = Bytes(16, 1), .blob = Key(), .auth = auth.Clone()};
  const std::function<void()> calls[] = {
      [&] { backend.LearnFacts(); },
      [&] { backend.ReadLockout(); },
      [&] { backend.Seal(root, auth, auth); },
      [&] { backend.Unseal(root, key.blob, auth); },
      [&] { backend.Create(root, {.algorithm = tpm::EcSpec{}}, auth); },
      [&] { backend.Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256, Bytes(32, 1)); },
      [&] { backend.RawRsa(root, key, Bytes(256, 1)); },
      [&] { backend.Ecdh(root, key, std::get<tpm::EcPublic>(backend.PublicOf(key.blob))); },
      [&] { backend.Certify(root, key, key, Bytes(8, 1)); },
      [&] { backend.Quote(root, key, tpm::Hash::Sha256, 1, Bytes(8, 1)); },
      [&] { backend.ActivateCredential(root, key, tpm::EkType::Ec, Bytes(60, 1), Bytes(60, 1)); },
      [&] {
        backend.CreateAttested(root, key.uid, {.algorithm = tpm::EcSpec{}}, auth, &key,
                               Bytes(8, 1));
      },
      [&] { backend.Endorsements(); },
      [&] { backend.Persist(root, key, backend.FreePersistentHandle()); },
      [&] { backend.Erase(0x81008000, Bytes(34, 1)); },
      [&] { backend.Random(40); },
  };
  for (size_t i = 0; i < std::size(calls); ++i) Try(calls[(first + i) % std::size(calls)]);
}

}  // namespace

// The loader of TCTIs, in place of the library's.
TSS2_RC Tss2_TctiLdr_Initialize(const char*, TSS2_TCTI_CONTEXT** context) {
  static TSS2_TCTI_CONTEXT_COMMON_V1 tcti{};
  tcti.magic = 0x4655;
  tcti.version = 1;
  tcti.transmit = Transmit;
  tcti.receive = Receive;
  *context = reinterpret_cast<TSS2_TCTI_CONTEXT*>(&tcti);
  return TSS2_RC_SUCCESS;
}
void Tss2_TctiLdr_Finalize(TSS2_TCTI_CONTEXT** context) { *context = nullptr; }

// A TPM that asks for a retry is asked again at once.
int nanosleep(const timespec*, timespec*) { return 0; }
int clock_nanosleep(clockid_t, int, const timespec*, timespec*) { return 0; }

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const uint8_t first = in.Byte();
  answers = &in;
  const auto backend = tpm::MakeBackend({.tcti = "fuzz", .owner_auth = {}, .threads = false});
  Use(*backend, first);
  backend->Release({});
  return 0;
}
