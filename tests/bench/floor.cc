#include "tests/bench/floor.h"

#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace keyscope::bench {
namespace {

void Must(TSS2_RC rc, const char* call) {
  if (rc != TSS2_RC_SUCCESS)
    throw std::runtime_error(std::string(call) + " fails: " + std::to_string(rc));
}

constexpr uint16_t kAuthSize = 32;
const Bytes kAuth(kAuthSize, 0x41);

TSS2L_SYS_AUTH_COMMAND Password(uint16_t size) {
  TSS2L_SYS_AUTH_COMMAND auths{};
  auths.count = 1;
  auths.auths[0].sessionHandle = TPM2_RS_PW;
  auths.auths[0].hmac.size = size;
  std::copy_n(kAuth.begin(), size, auths.auths[0].hmac.buffer);
  return auths;
}

TPM2B_PUBLIC KeyTemplate(TPMI_ALG_PUBLIC type) {
  TPM2B_PUBLIC key{};
  TPMT_PUBLIC& area = key.publicArea;
  area.type = type;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT |
                          TPMA_OBJECT_DECRYPT | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA;
  area.parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
  area.parameters.asymDetail.scheme.scheme = TPM2_ALG_NULL;
  if (type == TPM2_ALG_ECC) {
    area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  } else {
    area.parameters.rsaDetail.keyBits = 2048;
  }
  return key;
}

TPM2B_PUBLIC ParentTemplate() {
  TPM2B_PUBLIC key = KeyTemplate(TPM2_ALG_ECC);
  TPMT_PUBLIC& area = key.publicArea;
  area.objectAttributes &= ~TPMA_OBJECT_SIGN_ENCRYPT;
  area.objectAttributes |= TPMA_OBJECT_RESTRICTED;
  area.parameters.eccDetail.symmetric = {TPM2_ALG_AES, {.aes = 128}, {.aes = TPM2_ALG_CFB}};
  return key;
}

TPM2B_SENSITIVE_CREATE Sensitive() {
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth.size = kAuthSize;
  std::ranges::copy(kAuth, sensitive.sensitive.userAuth.buffer);
  return sensitive;
}

const TPM2B_DATA kOutside{};
const TPML_PCR_SELECTION kPcrs{};

}  // namespace

Floor::Floor(const std::string& tcti) {
  Must(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "Tss2_TctiLdr_Initialize");
  const size_t size = Tss2_Sys_GetContextSize(0);
  memory_ = std::make_unique<std::byte[]>(size);
  sys_ = reinterpret_cast<TSS2_SYS_CONTEXT*>(memory_.get());
  TSS2_ABI_VERSION version = TSS2_ABI_VERSION_CURRENT;
  Must(Tss2_Sys_Initialize(sys_, size, tcti_, &version), "Tss2_Sys_Initialize");
  parent_ = NewPrimary(ParentTemplate());
  ec_ = NewPrimary(KeyTemplate(TPM2_ALG_ECC));
  rsa_ = NewPrimary(KeyTemplate(TPM2_ALG_RSA));
  session_.emplace(sys_);
}

Floor::~Floor() {
  session_.reset();
  for (const Key& key : {parent_, ec_, rsa_})
    if (key.handle != 0) Tss2_Sys_FlushContext(sys_, key.handle);
  Tss2_Sys_Finalize(sys_);
  Tss2_TctiLdr_Finalize(&tcti_);
}

Floor::Key Floor::NewPrimary(const TPM2B_PUBLIC& area) {
  const TSS2L_SYS_AUTH_COMMAND owner = Password(0);
  const TPM2B_SENSITIVE_CREATE sensitive = Sensitive();
  Key key;
  TSS2L_SYS_AUTH_RESPONSE answer{};
  Must(Tss2_Sys_CreatePrimary(sys_, TPM2_RH_OWNER, &owner, &sensitive, &area, &kOutside, &kPcrs,
                              &key.handle, nullptr, nullptr, nullptr, nullptr, &key.name, &answer),
       "TPM2_CreatePrimary");
  return key;
}

// A TPM wants a free place for the new key: the other two of its three are given back.
void Floor::Create(TPMI_ALG_PUBLIC type) {
  for (Key* key : {&ec_, &rsa_})
    if (key->handle != 0)
      Must(Tss2_Sys_FlushContext(sys_, std::exchange(key->handle, 0)), "TPM2_FlushContext");
  const TSS2L_SYS_AUTH_COMMAND password = Password(kAuthSize);
  const TPM2B_SENSITIVE_CREATE sensitive = Sensitive();
  const TPM2B_PUBLIC area = KeyTemplate(type);
  TPM2B_PRIVATE private_area{};
  TPM2B_PUBLIC public_area{};
  TPM2B_CREATION_DATA data{};
  TPM2B_DIGEST hash{};
  TPMT_TK_CREATION ticket{};
  TSS2L_SYS_AUTH_RESPONSE answer{};
  Must(Tss2_Sys_Create(sys_, parent_.handle, &password, &sensitive, &area, &kOutside, &kPcrs,
                       &private_area, &public_area, &data, &hash, &ticket, &answer),
       "TPM2_Create");
}

void Floor::Decrypt() {
  const TSS2L_SYS_AUTH_COMMAND password = Password(kAuthSize);
  TPM2B_PUBLIC_KEY_RSA cipher{}, plain{};
  cipher.size = 256;
  cipher.buffer[255] = 2;
  TPMT_RSA_DECRYPT scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  const TPM2B_DATA label{};
  TSS2L_SYS_AUTH_RESPONSE answer{};
  Must(
      Tss2_Sys_RSA_Decrypt(sys_, rsa_.handle, &password, &cipher, &scheme, &label, &plain, &answer),
      "TPM2_RSA_Decrypt");
}

void Floor::Derive() {
  // The base point of P-256.
  constexpr uint8_t kX[] = {0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
                            0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb,
                            0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96};
  constexpr uint8_t kY[] = {0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
                            0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
                            0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
  const TSS2L_SYS_AUTH_COMMAND password = Password(kAuthSize);
  TPM2B_ECC_POINT peer{}, shared{};
  peer.point.x.size = peer.point.y.size = sizeof kX;
  std::ranges::copy(kX, peer.point.x.buffer);
  std::ranges::copy(kY, peer.point.y.buffer);
  TSS2L_SYS_AUTH_RESPONSE answer{};
  Must(Tss2_Sys_ECDH_ZGen(sys_, ec_.handle, &password, &peer, &shared, &answer), "TPM2_ECDH_ZGen");
}

void Floor::Sign(const Key& key, TPMI_ALG_SIG_SCHEME scheme, bool in_session) {
  const TSS2L_SYS_AUTH_COMMAND password = Password(kAuthSize);
  TPM2B_DIGEST digest{};
  digest.size = 32;
  TPMT_SIG_SCHEME with{};
  with.scheme = scheme;
  with.details.any.hashAlg = TPM2_ALG_SHA256;
  TPMT_TK_HASHCHECK ticket{};
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  TPMT_SIGNATURE signature;
  Must(Tss2_Sys_Sign_Prepare(sys_, key.handle, &digest, &with, &ticket), "TPM2_Sign");
  if (in_session)
    session_->Authorize(TPM2_CC_Sign, key.name, kAuth);
  else
    Must(Tss2_Sys_SetCmdAuths(sys_, &password), "TPM2_Sign");
  Must(Tss2_Sys_Execute(sys_), "TPM2_Sign");
  if (in_session) session_->Answered();
  Must(Tss2_Sys_Sign_Complete(sys_, &signature), "TPM2_Sign");
}

// Whatever the number of threads: a TPM does one thing at a time.
std::function<void()> Floor::Signing(const Row& row, const Key& key, TPMI_ALG_SIG_SCHEME scheme) {
  return Repeating(row,
                   [this, &key, scheme, many = row.repetitions > 1] { Sign(key, scheme, many); });
}

void Floor::Random() {
  TPM2B_DIGEST bytes{};
  Must(Tss2_Sys_GetRandom(sys_, nullptr, 32, &bytes, nullptr), "TPM2_GetRandom");
}

std::function<void()> Floor::Doing(const Row& row) {
  switch (row.work) {
    case Work::SignEc:
      return Signing(row, ec_, TPM2_ALG_ECDSA);
    case Work::SignRsa:
      return Signing(row, rsa_, TPM2_ALG_RSASSA);
    case Work::DecryptRsa:
      return [this] { Decrypt(); };
    case Work::DeriveEc:
      return [this] { Derive(); };
    case Work::Random:
      return [this] { Random(); };
    case Work::GenerateEc:
      return [this] { Create(TPM2_ALG_ECC); };
    case Work::GenerateRsa:
      return [this] { Create(TPM2_ALG_RSA); };
    case Work::VerifyEc:
      return [this] { openssl_.Verify(); };
    case Work::Digest:
      return Repeating(row, [this, data = Bytes(row.size)] { openssl_.Digest(data); });
    default:
      return {};
  }
}

}  // namespace keyscope::bench
