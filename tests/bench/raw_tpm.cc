#include "tests/bench/raw_tpm.h"

#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <stdexcept>

namespace keyscope::bench {
namespace {

void Must(TSS2_RC rc, const char* call) {
  if (rc != TSS2_RC_SUCCESS)
    throw std::runtime_error(std::string(call) + " fails: " + std::to_string(rc));
}

constexpr uint16_t kAuthSize = 32;

TSS2L_SYS_AUTH_COMMAND Password(uint16_t size) {
  TSS2L_SYS_AUTH_COMMAND auths{};
  auths.count = 1;
  auths.auths[0].sessionHandle = TPM2_RS_PW;
  auths.auths[0].hmac.size = size;
  std::fill_n(auths.auths[0].hmac.buffer, size, uint8_t{0x41});
  return auths;
}

TPM2B_PUBLIC SigningKey(TPMI_ALG_PUBLIC type) {
  TPM2B_PUBLIC key{};
  TPMT_PUBLIC& area = key.publicArea;
  area.type = type;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT |
                          TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
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

}  // namespace

RawTpm::RawTpm(const std::string& tcti) {
  Must(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "Tss2_TctiLdr_Initialize");
  const size_t size = Tss2_Sys_GetContextSize(0);
  memory_ = std::make_unique<std::byte[]>(size);
  sys_ = reinterpret_cast<TSS2_SYS_CONTEXT*>(memory_.get());
  TSS2_ABI_VERSION version = TSS2_ABI_VERSION_CURRENT;
  Must(Tss2_Sys_Initialize(sys_, size, tcti_, &version), "Tss2_Sys_Initialize");
  ec_ = NewKey(TPM2_ALG_ECC);
  rsa_ = NewKey(TPM2_ALG_RSA);
}

RawTpm::~RawTpm() {
  for (TPM2_HANDLE key : {ec_, rsa_}) Tss2_Sys_FlushContext(sys_, key);
  Tss2_Sys_Finalize(sys_);
  Tss2_TctiLdr_Finalize(&tcti_);
}

TPM2_HANDLE RawTpm::NewKey(TPMI_ALG_PUBLIC type) {
  const TSS2L_SYS_AUTH_COMMAND owner = Password(0);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth.size = kAuthSize;
  std::fill_n(sensitive.sensitive.userAuth.buffer, kAuthSize, uint8_t{0x41});
  const TPM2B_PUBLIC wanted = SigningKey(type);
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2_HANDLE key = 0;
  TSS2L_SYS_AUTH_RESPONSE answer{};
  Must(Tss2_Sys_CreatePrimary(sys_, TPM2_RH_OWNER, &owner, &sensitive, &wanted, &outside, &pcrs,
                              &key, nullptr, nullptr, nullptr, nullptr, nullptr, &answer),
       "TPM2_CreatePrimary");
  return key;
}

void RawTpm::Sign(TPM2_HANDLE key, TPMI_ALG_SIG_SCHEME scheme) {
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
  TSS2L_SYS_AUTH_RESPONSE answer{};
  Must(Tss2_Sys_Sign(sys_, key, &password, &digest, &with, &ticket, &signature, &answer),
       "TPM2_Sign");
}

void RawTpm::Random() {
  TPM2B_DIGEST bytes{};
  Must(Tss2_Sys_GetRandom(sys_, nullptr, 32, &bytes, nullptr), "TPM2_GetRandom");
}

std::function<void()> RawTpm::Doing(Work work) {
  switch (work) {
    case Work::SignEc:
    case Work::SignEc8Threads: {
      const int times = work == Work::SignEc ? 1 : kThreads * kSignsPerThread;
      return [this, times] {
        for (int i = 0; i < times; ++i) Sign(ec_, TPM2_ALG_ECDSA);
      };
    }
    case Work::SignRsa:
      return [this] { Sign(rsa_, TPM2_ALG_RSASSA); };
    case Work::Random:
      return [this] { Random(); };
    default:
      return {};
  }
}

}  // namespace keyscope::bench
