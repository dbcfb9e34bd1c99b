#include "base/ossl.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>

#include "base/error.h"

namespace keyscope::ossl {
namespace {

template <typename T>
struct Fetched {
  const std::string name;
  T* const algorithm;  // nullptr: OpenSSL has none
  const Fetched* const next;
};

// While something is fetched or made that stays. Leaked on purpose.
std::mutex& Mutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

// One list per kind of algorithm, of a dozen at most; it only grows, so that looking takes no lock.
// Leaked on purpose.
template <typename T, T* (*Fetch)(OSSL_LIB_CTX*, const char*, const char*)>
T* Cached(const char* name) {
  static std::atomic<const Fetched<T>*> first = nullptr;
  const auto find = [name] {
    const Fetched<T>* found = first;
    while (found != nullptr && found->name != name) found = found->next;
    return found;
  };
  if (const Fetched<T>* found = find()) return found->algorithm;
  OSSL_LIB_CTX* const context = Context();
  std::lock_guard lock(Mutex());
  if (const Fetched<T>* found = find()) return found->algorithm;
  T* fetched = Fetch(context, name, nullptr);
  if (fetched == nullptr) ERR_clear_error();
  first = new Fetched<T>{name, fetched, first};
  return fetched;
}

constexpr size_t kMostRandom = 1 << 16;  // one request's limit

OSSL_LIB_CTX* NewContext() {
  OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
  if (context == nullptr || OSSL_PROVIDER_load(context, "default") == nullptr)
    throw Error(Fault::Internal, "OpenSSL's default provider does not load: " + TakeError());
  return context;
}

}  // namespace

OSSL_LIB_CTX* Context() {
  static std::atomic<OSSL_LIB_CTX*> context = nullptr;
  if (OSSL_LIB_CTX* made = context) return made;
  std::lock_guard lock(Mutex());
  if (context == nullptr) context = NewContext();
  return context;
}

void LockForFork() { Mutex().lock(); }
void UnlockAfterFork() { Mutex().unlock(); }

void Prepare() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_Digest("", 0, digest, nullptr, Digest("SHA2-256"), nullptr);
}

const EVP_MD* Digest(const char* name) { return Cached<EVP_MD, EVP_MD_fetch>(name); }
const EVP_CIPHER* Cipher(const char* name) { return Cached<EVP_CIPHER, EVP_CIPHER_fetch>(name); }
EVP_MAC* Mac(const char* name) { return Cached<EVP_MAC, EVP_MAC_fetch>(name); }

std::string TakeError() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

void ThrowFailed(const char* what, Where where) {
  throw Error(Fault::Internal, std::string(what) + " failed in OpenSSL: " + TakeError(), 0, where);
}

Bn Number(ByteView bytes) {
  Bn number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  Check(number != nullptr, "BN_bin2bn");
  return number;
}

Bytes Random(size_t n) {
  Bytes random(n);
  // Not RAND_bytes_ex, which asks the process's default engine first.
  EVP_RAND_CTX* generator = RAND_get0_private(Context());
  for (size_t done = 0; done < n;) {
    const size_t some = std::min(n - done, kMostRandom);
    if (generator == nullptr ||
        EVP_RAND_generate(generator, random.data() + done, some, 0, 0, nullptr, 0) != 1)
      throw Error(Fault::Internal, "OpenSSL's random generator failed: " + TakeError());
    done += some;
  }
  return random;
}

}  // namespace keyscope::ossl
