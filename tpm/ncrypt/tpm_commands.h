// The TPM commands that the provider has no function for, sent through TBS (TPM 2.0 Part 3).
#pragma once

#include <map>
#include <optional>
#include <set>

#include "tpm/ncrypt/provider.h"

namespace keyscope::tpm::ncrypt {

// A loaded object's handle and what authorizes its use.
struct Authorized {
  uint32_t handle;
  ByteView auth;
};

using Properties = std::map<uint32_t, uint32_t>;
Properties AskProperties(const Provider& provider, uint32_t first);  // TPM_CAP_TPM_PROPERTIES
std::set<uint16_t> AskAlgorithms(const Provider& provider);          // TPM_CAP_ALGS

// A TPM2B_PUBLIC, marshalled.
Bytes ReadPublic(const Provider& provider, uint32_t handle);
SecretBytes GetRandom(const Provider& provider, size_t size);
void StirRandom(const Provider& provider, ByteView seed);

// With the AK's own scheme.
Statement Certify(const Provider& provider, const Authorized& key, const Authorized& ak,
                  ByteView nonce);
Statement Quote(const Provider& provider, const Authorized& ak, uint16_t bank, uint32_t pcrs,
                ByteView nonce);

}  // namespace keyscope::tpm::ncrypt
