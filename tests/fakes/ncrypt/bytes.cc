#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {

void Put(Bytes& to, uint64_t number, size_t size) {
  while (size-- > 0) to.push_back(static_cast<uint8_t>(number >> (8 * size)));
}

void PutSized(Bytes& to, const Bytes& bytes) {
  Put(to, bytes.size(), 2);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

Bytes Cursor::Take(size_t size) {
  Require(size <= bytes.size() - at, kBadData);
  Bytes taken(bytes.begin() + static_cast<ptrdiff_t>(at),
              bytes.begin() + static_cast<ptrdiff_t>(at + size));
  at += size;
  return taken;
}

uint32_t Cursor::Number(size_t size) {
  uint32_t number = 0;
  for (uint8_t byte : Take(size)) number = number << 8 | byte;
  return number;
}

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes Digest(const char* hash, const Bytes& data) {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_get_digestbyname(hash), nullptr);
  digest.resize(size);
  return digest;
}

Bytes Hmac(const Bytes& key, const Bytes& data) {
  Bytes mac(32);
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), mac.data(),
       &size);
  return mac;
}

Bytes Random(size_t size) {
  Bytes random(size);
  RAND_bytes(random.data(), static_cast<int>(size));
  return random;
}

}  // namespace keyscope::ncrypt_double
