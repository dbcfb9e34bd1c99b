#include "tests/module/attributes.h"

#include <algorithm>

namespace keyscope::test {
namespace {

Mechanism::Owned Own(std::vector<Bytes> parts) {
  return std::make_shared<const std::vector<Bytes>>(std::move(parts));
}

}  // namespace

Mechanism Pss(CK_MECHANISM_TYPE type, const HashRow& hash, const HashRow& mgf, CK_ULONG salt) {
  return {type, BytesOf(CK_RSA_PKCS_PSS_PARAMS{hash.mechanism, mgf.mgf, salt})};
}

Mechanism Oaep(const HashRow& hash, const HashRow& mgf, ByteView label) {
  const auto owned = Own({Copy(label)});
  const CK_RSA_PKCS_OAEP_PARAMS parameters{hash.mechanism, mgf.mgf, CKZ_DATA_SPECIFIED,
                                           Mutable((*owned)[0]), (*owned)[0].size()};
  return {CKM_RSA_PKCS_OAEP, BytesOf(parameters), owned};
}

Mechanism Gcm(ByteView iv, ByteView aad, CK_ULONG tag_bits) {
  const auto owned = Own({Copy(iv), Copy(aad)});
  const GcmParams parameters{Mutable((*owned)[0]), iv.size(),  iv.size() * 8,
                             Mutable((*owned)[1]), aad.size(), tag_bits};
  return {CKM_AES_GCM, BytesOf(parameters), owned};
}

Mechanism Ctr(ByteView block, CK_ULONG counter_bits) {
  CK_AES_CTR_PARAMS parameters{counter_bits, {}};
  std::ranges::copy(block, parameters.cb);
  return {CKM_AES_CTR, BytesOf(parameters)};
}

Mechanism Ecdh(CK_EC_KDF_TYPE kdf, ByteView peer, ByteView shared_info, CK_MECHANISM_TYPE type) {
  const auto owned = Own({Copy(shared_info), Copy(peer)});
  const CK_ECDH1_DERIVE_PARAMS parameters{kdf, (*owned)[0].size(), Mutable((*owned)[0]),
                                          (*owned)[1].size(), Mutable((*owned)[1])};
  return {type, BytesOf(parameters), owned};
}

Mechanism CounterKdf(CK_MECHANISM_TYPE prf, ByteView before, CK_ULONG counter_bits, ByteView after,
                     const CK_SP800_108_DKM_LENGTH_FORMAT* length) {
  std::vector<Bytes> values = {Copy(before),
                               BytesOf(CK_SP800_108_COUNTER_FORMAT{CK_FALSE, counter_bits}),
                               Copy(after), length == nullptr ? Bytes() : BytesOf(*length)};
  if (counter_bits == 0) values[1].clear();
  constexpr CK_PRF_DATA_TYPE kTypes[] = {CK_SP800_108_BYTE_ARRAY, CK_SP800_108_ITERATION_VARIABLE,
                                         CK_SP800_108_BYTE_ARRAY, CK_SP800_108_DKM_LENGTH};
  Bytes parts;
  for (size_t i = 0; i < std::size(kTypes); ++i)
    if (!values[i].empty())
      Append(parts, BytesOf(CK_PRF_DATA_PARAM{kTypes[i], Mutable(values[i]), values[i].size()}));
  values.push_back(std::move(parts));
  const auto owned = Own(std::move(values));
  const Bytes& all = owned->back();
  const CK_SP800_108_KDF_PARAMS parameters{prf, all.size() / sizeof(CK_PRF_DATA_PARAM),
                                           reinterpret_cast<CK_PRF_DATA_PARAM*>(Mutable(all)), 0,
                                           nullptr};
  return {CKM_SP800_108_COUNTER_KDF, BytesOf(parameters), owned};
}

Mechanism Hkdf(const HashRow& hash, bool extract, bool expand, ByteView salt, ByteView info) {
  const auto owned = Own({Copy(salt), Copy(info)});
  CK_HKDF_PARAMS parameters{};
  parameters.bExtract = extract ? CK_TRUE : CK_FALSE;
  parameters.bExpand = expand ? CK_TRUE : CK_FALSE;
  parameters.prfHashMechanism = hash.mechanism;
  parameters.ulSaltType = salt.empty() ? CKF_HKDF_SALT_NULL : CKF_HKDF_SALT_DATA;
  parameters.pSalt = Mutable((*owned)[0]);
  parameters.ulSaltLen = (*owned)[0].size();
  parameters.pInfo = Mutable((*owned)[1]);
  parameters.ulInfoLen = (*owned)[1].size();
  return {CKM_HKDF_DERIVE, BytesOf(parameters), owned};
}

Mechanism HkdfSaltedBy(const HashRow& hash, CK_OBJECT_HANDLE salt, ByteView info) {
  const auto owned = Own({Copy(info)});
  CK_HKDF_PARAMS parameters{};
  parameters.bExtract = parameters.bExpand = CK_TRUE;
  parameters.prfHashMechanism = hash.mechanism;
  parameters.ulSaltType = CKF_HKDF_SALT_KEY;
  parameters.hSaltKey = salt;
  parameters.pInfo = Mutable((*owned)[0]);
  parameters.ulInfoLen = (*owned)[0].size();
  return {CKM_HKDF_DERIVE, BytesOf(parameters), owned};
}

}  // namespace keyscope::test
