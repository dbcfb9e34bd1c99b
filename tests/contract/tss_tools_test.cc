// What tpm2-tools make of our statements, and we of their credentials.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/contract/tss_subject.h"

namespace keyscope::test {
namespace {

using tpm::Hash;
using tpm::KeyRef;

class TssTools : public TssTest {
 protected:
  TssTools() {
    std::string folder = std::filesystem::temp_directory_path() / "keyscope-tools-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  ~TssTools() override { std::filesystem::remove_all(folder_); }

  void SetUp() override {
    if (!Runs("command -v tpm2_checkquote tpm2_print tpm2_makecredential tpm2_createek"))
      GTEST_SKIP() << "no tpm2-tools here";
  }

  void Write(const char* name, ByteView bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << AsString(bytes);
  }
  Bytes Read(const char* name) {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool Runs(const std::string& command) {
    const std::string line = "cd '" + folder_.string() + "' && TPM2TOOLS_TCTI='" + proxy.tcti() +
                             "' " + command + " > out 2> err";
    return std::system(line.c_str()) == 0;
  }

  std::filesystem::path folder_;
};

TEST_F(TssTools, QuotesAreChecked) {
  const Bytes nonce(20, 0xab);
  for (const tpm::KeySpec* spec : {&kEcAk, &kRsaAk}) {
    const KeyRef ak = NewAk(backend, root, "ak", *spec);
    const tpm::Statement quote = backend.Quote(root, ak, Hash::Sha256, 0x81, nonce);
    Write("ak", ak.blob.public_area);
    Write("attest", quote.attest);
    Write("signature", quote.signature);
    const std::string check = "tpm2_checkquote -u ak -m attest -s signature -g sha256 -q ";
    EXPECT_TRUE(Runs(check + Hex(nonce))) << AsString(Read("err"));
    EXPECT_FALSE(Runs(check + Hex(Bytes(20, 0xac))));
    backend.Release({});
  }
}

TEST_F(TssTools, QuotesAndPublicAreasArePrinted) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  Write("attest", backend.Quote(root, ak, Hash::Sha256, 1, Bytes(4, 0xcd)).attest);
  ASSERT_TRUE(Runs("tpm2_print -t TPMS_ATTEST attest")) << AsString(Read("err"));
  const std::string quote = AsString(Read("out"));
  EXPECT_NE(quote.find("type: 8018"), quote.npos) << quote;
  EXPECT_NE(quote.find("extraData: cdcdcdcd"), quote.npos) << quote;
  Write("area", backend.TpmtPublicOf(ak.blob));
  ASSERT_TRUE(Runs("tpm2_print -t TPMT_PUBLIC area")) << AsString(Read("err"));
  const std::string area = AsString(Read("out"));
  EXPECT_NE(area.find("fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign"),
            area.npos)
      << area;
  EXPECT_NE(area.find("value: ecdsa"), area.npos) << area;
}

TEST_F(TssTools, TheirEndorsementKeysAreOursAndTheirCredentialsAreAnswered) {
  const KeyRef ak = NewAk(backend, root, "ak", kRsaAk);
  const Bytes secret(32, 0x42);
  Write("secret", secret);
  for (const tpm::Endorsement& ek : backend.Endorsements()) {
    const std::string algorithm = ek.type == tpm::EkType::Rsa ? "rsa" : "ecc";
    backend.Release({});  // room for theirs
    ASSERT_TRUE(Runs("tpm2_createek -c ek.ctx -G " + algorithm + " -u ek"))
        << AsString(Read("err"));
    const Bytes theirs = Read("ek");  // TPM2B_PUBLIC
    EXPECT_EQ(Hex(ByteView(theirs).subspan(2)), Hex(ek.public_area));

    ASSERT_TRUE(Runs("tpm2_makecredential -T none -u ek -s secret -o credential -n " +
                     Hex(backend.NameOf(ak.blob))))
        << AsString(Read("err"));
    // A header of eight bytes, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET.
    const Bytes file = Read("credential");
    const ByteView credential = ByteView(file).subspan(8);
    const size_t id_size = 2 + (size_t{credential[0]} << 8 | credential[1]);
    const SecretBytes answer = backend.ActivateCredential(
        root, ak, ek.type, credential.first(id_size), credential.subspan(id_size));
    EXPECT_EQ(Hex(answer.view()), Hex(secret));
  }
}

}  // namespace
}  // namespace keyscope::test
