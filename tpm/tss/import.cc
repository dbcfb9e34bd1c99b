#include "tpm/tss/import.h"

#include "base/ossl.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/shared_secret.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

// TPM2_Import does not look at it: a wrong prime would be found out at the first use of the key.
bool Divides(ByteView prime, ByteView modulus) {
  const ossl::BnCtx context(BN_CTX_secure_new_ex(ossl::Context()));
  const ossl::Bn p = ossl::Number(prime);
  const ossl::Bn n = ossl::Number(modulus);
  const ossl::Bn rest(BN_new());
  return !BN_is_zero(p.get()) && BN_mod(rest.get(), n.get(), p.get(), context.get()) == 1 &&
         BN_is_zero(rest.get());
}

void FillSensitive(TPMT_SENSITIVE& sensitive, const RsaPrivate& key) {
  if (!Divides(key.prime.view(), key.public_key.modulus))
    throw Error(Fault::BadInput, "the prime is not one of the RSA modulus");
  sensitive.sensitiveType = TPM2_ALG_RSA;
  Fill(sensitive.sensitive.rsa, key.prime.view());
}

void FillSensitive(TPMT_SENSITIVE& sensitive, const EcPrivate& key) {
  sensitive.sensitiveType = TPM2_ALG_ECC;
  Fill(sensitive.sensitive.ecc, key.scalar.view());
}

size_t SymmetricKeySize(const TPMT_PUBLIC& root) {
  const TPMT_SYM_DEF_OBJECT& symmetric = root.type == TPM2_ALG_RSA
                                             ? root.parameters.rsaDetail.symmetric
                                             : root.parameters.eccDetail.symmetric;
  return symmetric.keyBits.aes / 8U;
}

}  // namespace

Duplicate WrapForImport(const TPMT_PUBLIC& root, const PrivateKey& key, const SecretBytes& auth) {
  Duplicate made;
  Wiped<TPM2B_SENSITIVE> sensitive;
  Fill(sensitive.value.sensitiveArea.authValue, auth.view());
  std::visit(
      [&](const auto& one) {
        made.area.publicArea = ImportTemplate(one.public_key);
        FillSensitive(sensitive.value.sensitiveArea, one);
      },
      key);
  const Bytes name = NameOf(made.area.publicArea);
  const Hash hash = *HashOf(root.nameAlg);

  const SharedSecret seed = NewSecretFor(root, "DUPLICATE");
  made.seed = seed.encrypted;
  const SecretBytes cipher_key =
      Kdfa(hash, seed.secret.view(), "STORAGE", name, {}, SymmetricKeySize(root));
  SecretBytes wrapped(Marshal(sensitive.value));
  const Bytes zero_iv(16);
  AesCfb(Direction::Encrypt, cipher_key.view(), zero_iv, {wrapped.data(), wrapped.size()});

  const SecretBytes hmac_key =
      Kdfa(hash, seed.secret.view(), "INTEGRITY", {}, {}, DigestSize(hash));
  const auto integrity = Tpm2b<TPM2B_DIGEST>(Hmac(hash, hmac_key.view(), {wrapped.view(), name}));
  made.sensitive = Tpm2b<TPM2B_PRIVATE>(Concat({Marshal(integrity), wrapped.view()}));
  return made;
}

}  // namespace keyscope::tpm::tss
