// The few TPM 2.0 structures that this backend reads and writes (Part 2): tss2-mu is not there on
// Windows.
#pragma once

#include "tpm/types.h"

namespace keyscope::tpm::ncrypt {

// TPM_ALG_ID (section 6.3)
inline constexpr uint16_t kAlgRsa = 0x0001, kAlgSha1 = 0x0004, kAlgSha256 = 0x000B,
                          kAlgSha384 = 0x000C, kAlgSha512 = 0x000D, kAlgNull = 0x0010,
                          kAlgRsassa = 0x0014, kAlgEcdaa = 0x001A, kAlgEcc = 0x0023;
uint16_t AlgOf(Hash hash);  // kAlgNull: not one of this backend

// Throws Fault::Corrupt for bytes that are not there.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  uint32_t Number(size_t size);  // big-endian
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  ByteView Take(size_t size);
  ByteView Sized() { return Take(U16()); }  // of a TPM2B_
  ByteView rest() const { return rest_; }
  void End() const;

 private:
  ByteView rest_;
};

void AppendNumber(Bytes& to, uint32_t number, size_t size);  // big-endian
void AppendSized(Bytes& to, ByteView bytes);                 // as a TPM2B_

// TPMT_PUBLIC (section 12.2.4) of an RSA or EC key.
struct PublicArea {
  bool restricted = false, decrypts = false, signs = false;
  PublicKey key;
};
PublicArea ParsePublic(ByteView tpmt_public);
// The TPMT_PUBLIC in a marshalled TPM2B_PUBLIC.
ByteView TpmtOf(ByteView tpm2b_public);
// The Name of the object (Part 1, section 16), whose nameAlg is SHA-256.
Bytes NameOf(ByteView tpmt_public);

// The TPMT_PUBLIC of an endorsement key of the low range (TCG EK Credential Profile 2.x, templates
// L-1 and L-2).
Bytes EndorsementArea(const PublicKey& key);

}  // namespace keyscope::tpm::ncrypt
