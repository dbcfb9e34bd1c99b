#include "tpm/tss/facts.h"

#include <algorithm>
#include <map>
#include <set>

#include "tpm/tss/algorithms.h"
#include "tpm/tss/commands.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

// All values of one capability from `first` on. `take` puts one answer's values away and returns
// the last one's number, from which the next question goes on.
template <typename Take>
void AskAll(const Channel& channel, TPM2_CAP capability, uint32_t first, uint32_t count,
            Take take) {
  TPMS_CAPABILITY_DATA data{};
  bool more = true;
  while (more) {
    more = GetCapability(channel, capability, first, count, data);
    const uint32_t last = take(data.data);
    if (last < first) return;  // nothing new
    first = last + 1;
  }
}

using Properties = std::map<uint32_t, uint32_t>;

Properties AskProperties(const Channel& channel, uint32_t first) {
  Properties properties;
  TPMS_CAPABILITY_DATA data{};
  GetCapability(channel, TPM2_CAP_TPM_PROPERTIES, first, TPM2_PT_GROUP, data);
  const TPML_TAGGED_TPM_PROPERTY& list = data.data.tpmProperties;
  for (uint32_t i = 0; i < list.count && i < std::size(list.tpmProperty); ++i)
    properties[list.tpmProperty[i].property] = list.tpmProperty[i].value;
  return properties;
}

std::set<TPM2_ALG_ID> AskAlgorithms(const Channel& channel) {
  std::set<TPM2_ALG_ID> all;
  AskAll(channel, TPM2_CAP_ALGS, TPM2_ALG_FIRST, TPM2_MAX_CAP_ALGS, [&](const auto& data) {
    const TPML_ALG_PROPERTY& list = data.algorithms;
    uint32_t last = 0;
    for (uint32_t i = 0; i < list.count && i < std::size(list.algProperties); ++i) {
      last = list.algProperties[i].alg;
      all.insert(list.algProperties[i].alg);
    }
    return last;
  });
  return all;
}

std::set<TPM2_CC> AskCommands(const Channel& channel) {
  std::set<TPM2_CC> all;
  AskAll(channel, TPM2_CAP_COMMANDS, TPM2_CC_FIRST, TPM2_MAX_CAP_CC, [&](const auto& data) {
    const TPML_CCA& list = data.command;
    uint32_t last = 0;
    for (uint32_t i = 0; i < list.count && i < std::size(list.commandAttributes); ++i) {
      last = list.commandAttributes[i] & TPMA_CC_COMMANDINDEX_MASK;
      all.insert(last);
    }
    return last;
  });
  return all;
}

std::vector<Curve> AskCurves(const Channel& channel) {
  std::vector<Curve> curves;
  AskAll(channel, TPM2_CAP_ECC_CURVES, TPM2_ECC_NIST_P192, TPM2_MAX_ECC_CURVES,
         [&](const auto& data) {
           const TPML_ECC_CURVE& list = data.eccCurves;
           uint32_t last = 0;
           for (uint32_t i = 0; i < list.count && i < std::size(list.eccCurves); ++i) {
             last = list.eccCurves[i];
             if (const auto curve = CurveOf(list.eccCurves[i])) curves.push_back(*curve);
           }
           return last;
         });
  return curves;
}

bool AcceptsRsa(const Channel& channel, unsigned bits) {
  TPMT_PUBLIC_PARMS parms{};
  parms.type = TPM2_ALG_RSA;
  parms.parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
  parms.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
  parms.parameters.rsaDetail.keyBits = static_cast<TPMI_RSA_KEY_BITS>(bits);
  return TestParms(channel, parms);
}

bool AcceptsAes(const Channel& channel, unsigned bits) {
  TPMT_PUBLIC_PARMS parms{};
  parms.type = TPM2_ALG_SYMCIPHER;
  parms.parameters.symDetail.sym = AesOf(bits, TPM2_ALG_NULL);
  return TestParms(channel, parms);
}

template <typename T>
bool HasAll(const std::set<T>& all, std::initializer_list<T> wanted) {
  return std::ranges::all_of(wanted, [&](T one) { return all.contains(one); });
}

// Four characters a property, padded with NUL or blank.
std::string TextOf(const Properties& properties, uint32_t first, uint32_t last) {
  std::string text;
  for (uint32_t property = first; property <= last; ++property) {
    const auto found = properties.find(property);
    if (found == properties.end()) continue;
    for (uint8_t byte : BigEndian32(found->second))
      if (byte >= 0x20 && byte < 0x7f) text += static_cast<char>(byte);
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

Facts AskFacts(const Channel& channel) {
  Facts facts;
  Properties fixed = AskProperties(channel, TPM2_PT_FIXED);
  facts.manufacturer = TextOf(fixed, TPM2_PT_MANUFACTURER, TPM2_PT_MANUFACTURER);
  facts.model = TextOf(fixed, TPM2_PT_VENDOR_STRING_1, TPM2_PT_VENDOR_STRING_4);
  facts.firmware_major = fixed[TPM2_PT_FIRMWARE_VERSION_1] >> 16;
  facts.firmware_minor = fixed[TPM2_PT_FIRMWARE_VERSION_1] & 0xffff;

  const std::set<TPM2_ALG_ID> algorithms = AskAlgorithms(channel);
  for (TPM2_ALG_ID alg : algorithms)
    if (const auto hash = HashOf(alg)) facts.hashes.push_back(*hash);
  if (algorithms.contains(TPM2_ALG_ECDSA) && algorithms.contains(TPM2_ALG_ECDH))
    facts.curves = AskCurves(channel);
  for (unsigned bits : {1024U, 2048U, 3072U, 4096U})
    if (AcceptsRsa(channel, bits)) facts.rsa_bits.push_back(bits);

  const std::set<TPM2_CC> commands = AskCommands(channel);
  facts.raw_rsa = commands.contains(TPM2_CC_RSA_Decrypt) && !facts.rsa_bits.empty();
  // A TPM without one of the modes is treated as one without AES: the keys' other uses would fail.
  if (commands.contains(TPM2_CC_EncryptDecrypt2) &&
      HasAll<TPM2_ALG_ID>(algorithms, {TPM2_ALG_AES, TPM2_ALG_ECB, TPM2_ALG_CBC, TPM2_ALG_CTR,
                                       TPM2_ALG_CFB, TPM2_ALG_OFB}))
    for (unsigned bits : {128U, 192U, 256U})
      if (AcceptsAes(channel, bits)) facts.aes_bits.push_back(bits);
  facts.hmac = algorithms.contains(TPM2_ALG_HMAC) &&
               HasAll<TPM2_CC>(commands, {TPM2_CC_HMAC, TPM2_CC_HMAC_Start, TPM2_CC_SequenceUpdate,
                                          TPM2_CC_SequenceComplete});
  return facts;
}

Lockout AskLockout(const Channel& channel) {
  Properties variable = AskProperties(channel, TPM2_PT_VAR);
  return {.in_lockout = (variable[TPM2_PT_PERMANENT] & TPMA_PERMANENT_INLOCKOUT) != 0,
          .tries_used = variable[TPM2_PT_LOCKOUT_COUNTER],
          .max_tries = variable[TPM2_PT_MAX_AUTH_FAIL],
          .seconds_per_try = variable[TPM2_PT_LOCKOUT_INTERVAL]};
}

}  // namespace keyscope::tpm::tss
