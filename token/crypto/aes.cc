#include "token/crypto/aes.h"

#include <array>
#include <string>

#include "token/crypto/check.h"

namespace keyscope::crypto {
namespace {

constexpr std::array kModeNames = {"ECB", "CBC", "CTR", "CFB", "OFB"};  // in the order of AesMode

class InMemory final : public Aes {
 public:
  explicit InMemory(ByteView key) : key_(key) {}
  SecretBytes Run(AesMode mode, Direction direction, Bytes& iv, ByteView data) override {
    const std::string name =
        "AES-" + std::to_string(key_.size() * 8) + "-" + kModeNames.at(static_cast<size_t>(mode));
    const ossl::CipherCtx context(EVP_CIPHER_CTX_new());
    SecretBytes done(data.size());
    if (data.empty()) return done;
    int size = 0;
    Check(
        context != nullptr &&
            EVP_CipherInit_ex2(context.get(), ossl::Cipher(name.c_str()), key_.view().data(),
                               iv.data(), direction == Direction::Encrypt ? 1 : 0, nullptr) == 1 &&
            EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
            EVP_CipherUpdate(context.get(), done.data(), &size, data.data(),
                             static_cast<int>(data.size())) == 1 &&
            EVP_CIPHER_CTX_get_updated_iv(context.get(), iv.data(), iv.size()) == 1,
        name.c_str());
    return done;
  }

 private:
  const SecretBytes key_;
};

}  // namespace

SecretBytes Aes::Encrypt(ByteView block) {
  Bytes none;
  return Run(AesMode::Ecb, Direction::Encrypt, none, block);
}

bool IsAesKeySize(size_t size) { return size == 16 || size == 24 || size == 32; }

std::shared_ptr<Aes> HostAes(ByteView key) {
  return IsAesKeySize(key.size()) ? std::make_shared<InMemory>(key) : nullptr;
}

}  // namespace keyscope::crypto
