// Keyscope's own mechanisms (p11/keyscope.h): what an AK does.
#include "token/key_use.h"
#include "token/objects.h"
#include "token/parameters.h"
#include "token/refuse.h"
#include "token/schemes.h"

namespace keyscope::token {
namespace {

constexpr size_t kLongestNonce = 64;
// More than TPM2B_ATTEST and TPMT_SIGNATURE of an AK ever have: names and digests of at most 66
// bytes, a signature of 2048 bits.
constexpr size_t kLongestStatement = 1024;
constexpr size_t kLongestSecret = 64;        // a credential's: the size of the largest digest
constexpr size_t kLongestCredential = 1024;  // TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET

// The device's own "that value is wrong", in the words of the operation.
template <typename Call>
auto BadInputIs(CK_RV rv, Call call) {
  try {
    return call();
  } catch (const Error& error) {
    if (!error.Is(Fault::BadInput)) throw;
    Refuse(rv, error.what());
  }
}

// TPM2B_ATTEST followed by TPMT_SIGNATURE (TPM 2.0 Part 2, section 10.12.13).
Bytes Marshal(const tpm::Statement& statement) {
  const size_t size = statement.attest.size();
  const uint8_t prefix[] = {static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)};
  return Concat({prefix, statement.attest, statement.signature});
}

// An operation that answers a verifier's nonce with a statement.
template <typename State>
std::unique_ptr<Operation> Statement(State state) {
  return std::make_unique<SignOperation>(
      tpm::Hash::None, kLongestStatement, [state = std::move(state)](ByteView nonce) {
        if (nonce.empty() || nonce.size() > kLongestNonce)
          Refuse(CKR_DATA_LEN_RANGE, "the data are a fresh nonce of 1 to 64 bytes");
        return Marshal(BadInputIs(CKR_DATA_LEN_RANGE, [&] { return state(nonce); }));
      });
}

std::unique_ptr<Operation> Certify(const Materials& materials) {
  const auto certified =
      KeyObject(materials.objects, CertifiedKeyOf(materials.mechanism), CKR_KEY_HANDLE_INVALID);
  if ((certified->kind & kPrivate) == 0)
    Refuse(CKR_KEY_TYPE_INCONSISTENT, "private keys in the TPM are certified, nothing else");
  return Statement([backend = &materials.backend, root = materials.root, ak = materials.key,
                    key = materials.objects.KeyOf(*certified)](ByteView nonce) {
    return backend->Certify(*root, *ak, *key, nonce);
  });
}

std::unique_ptr<Operation> Quote(const Materials& materials) {
  return Statement([backend = &materials.backend, root = materials.root, ak = materials.key,
                    quote = QuoteOf(materials.mechanism)](ByteView nonce) {
    return backend->Quote(*root, *ak, quote.bank, quote.pcrs, nonce);
  });
}

// A TPM2B at the start of `data`, with its size; what is behind it stays in `data`.
ByteView TakeSized(ByteView& data) {
  const size_t size = data.size() < 2 ? 0 : size_t{2} + (data[0] << 8 | data[1]);
  if (size <= 2 || size > data.size())
    Refuse(CKR_ENCRYPTED_DATA_LEN_RANGE,
           "the data are a TPM2B_ID_OBJECT followed by a TPM2B_ENCRYPTED_SECRET");
  const ByteView sized = data.first(size);
  data = data.subspan(size);
  return sized;
}

std::unique_ptr<Operation> Activate(const Materials& materials) {
  return std::make_unique<TransformOperation>(
      TransformOperation::Size::AtMost, kLongestSecret, CKR_ENCRYPTED_DATA_LEN_RANGE,
      [backend = &materials.backend, root = materials.root, ak = materials.key,
       type = EndorsementKeyOf(materials.mechanism)](ByteView data) {
        const ByteView id_object = TakeSized(data), encrypted_secret = TakeSized(data);
        if (!data.empty() || id_object.size() + encrypted_secret.size() > kLongestCredential)
          Refuse(CKR_ENCRYPTED_DATA_LEN_RANGE, "more data than a credential has");
        return BadInputIs(CKR_ENCRYPTED_DATA_INVALID, [&] {
          return backend->ActivateCredential(*root, *ak, type, id_object, encrypted_secret);
        });
      });
}

}  // namespace

constexpr Scheme kCertify{.sign = Certify};
constexpr Scheme kQuote{.sign = Quote};
constexpr Scheme kActivateCredential{.decrypt = Activate};

}  // namespace keyscope::token
