#include "tests/contract/statement.h"

#include <stdexcept>

#include "base/ossl.h"
#include "tests/contract/verify.h"
#include "tests/support/byte_reader.h"

namespace keyscope::test {
namespace {

constexpr uint16_t kAlgSha256 = 0x000B, kRsassa = 0x0014, kEcdsa = 0x0018;

// TPML_PCR_SELECTION with one bank, or none.
void TakeSelection(ByteReader& reader, Attested& attested) {
  const uint32_t count = reader.Number(4);
  if (count > 1) throw std::runtime_error("more than one bank");
  if (count == 0) return;
  attested.bank = reader.U16();
  const Bytes bits = reader.Take(reader.Number(1));
  for (size_t i = 0; i < bits.size(); ++i) attested.pcrs |= uint32_t{bits[i]} << (8 * i);
}

}  // namespace

Attested ParseAttest(ByteView attest) {
  ByteReader reader(attest);
  Attested attested;
  attested.magic = reader.Number(4);
  attested.type = reader.U16();
  reader.Sized();  // qualifiedSigner
  attested.extra_data = reader.Sized();
  reader.Take(8 + 4 + 4 + 1 + 8);  // clockInfo, firmwareVersion
  switch (attested.type) {
    case kCertify:
      attested.name = reader.Sized();
      reader.Sized();  // qualifiedName
      break;
    case kCreation:
      attested.name = reader.Sized();
      attested.creation_hash = reader.Sized();
      break;
    case kQuote:
      TakeSelection(reader, attested);
      attested.pcr_digest = reader.Sized();
      break;
    default:
      throw std::runtime_error("another type of statement");
  }
  reader.End();
  return attested;
}

Bytes OutsideInfoOf(ByteView creation_data) {
  ByteReader reader(creation_data);
  Attested selection;
  TakeSelection(reader, selection);
  reader.Sized();  // pcrDigest
  reader.Take(1);  // locality
  reader.Take(2);  // parentNameAlg
  reader.Sized();  // parentName
  reader.Sized();  // parentQualifiedName
  Bytes outside_info = reader.Sized();
  reader.End();
  return outside_info;
}

Bytes Sha256(ByteView data) {
  Bytes digest(32);
  if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, ossl::Digest("SHA256"),
                 nullptr) != 1)
    throw std::runtime_error(ossl::TakeError());
  return digest;
}

Bytes NameFor(ByteView tpmt_public) {
  return Concat({Bytes{kAlgSha256 >> 8, kAlgSha256 & 0xff}, Sha256(tpmt_public)});
}

bool IsSignedBy(const tpm::PublicKey& key, const tpm::Statement& statement) {
  ByteReader reader(statement.signature);
  const uint16_t scheme = reader.U16();
  const uint16_t hash = reader.U16();
  const auto* ec = std::get_if<tpm::EcPublic>(&key);
  if (hash != kAlgSha256 || scheme != (ec != nullptr ? kEcdsa : kRsassa)) return false;
  Bytes signature = reader.Sized();
  if (ec != nullptr) {
    const size_t field = FieldSize(ec->curve);
    signature = Concat({PadLeft(signature, field), PadLeft(reader.Sized(), field)});
  }
  reader.End();
  return Verifies(key, tpm::Hash::Sha256, Sha256(statement.attest), signature);
}

}  // namespace keyscope::test
