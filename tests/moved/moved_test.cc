// A store that another build has made, whose CK_ULONG has another width, and whose TPM is not here:
// what is public moves. `moved_tests --make FILE` makes the one of this build.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "p11/rv_name.h"
#include "tests/moved/samples.h"
#include "tests/moved/tpm.h"

namespace keyscope::test {
namespace {

namespace fs = std::filesystem;

constexpr CK_SLOT_ID kUserSlot = 1;
constexpr std::string_view kSoPin = "so-pin-1", kUserPin = "user-pin-1";
constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

CK_SESSION_HANDLE Open() {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  Must("C_OpenSession", C_OpenSession(kUserSlot, kReadWrite, nullptr, nullptr, &session));
  return session;
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, std::string_view pin) {
  return C_Login(session, user, Mutable(pin), static_cast<CK_ULONG>(pin.size()));
}

// A folder with a store of this build, and a TPM that knows it. The module is finalized.
class Place {
 public:
  Place() {
    std::string name = (fs::temp_directory_path() / "keyscope-moved-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    for (const char* variable : {"KEYSCOPE_CONF", "KEYSCOPE_MACHINE_DIR", "KEYSCOPE_USER_DIR"})
      ::setenv(variable, (folder_ / variable).string().c_str(), 1);
    ::setenv("KEYSCOPE_LOG", "warn", 1);
    ::setenv("KEYSCOPE_LOG_FILE", log().string().c_str(), 1);
    const std::string label(32, ' ');
    Must("C_Initialize", C_Initialize(nullptr));
    Must("C_InitToken",
         C_InitToken(kUserSlot, Mutable(kSoPin), kSoPin.size(), Mutable(std::string_view(label))));
    const CK_SESSION_HANDLE session = Open();
    Must("C_Login", Login(session, CKU_SO, kSoPin));
    Must("C_InitPIN", C_InitPIN(session, Mutable(kUserPin), kUserPin.size()));
    Must("C_Finalize", C_Finalize(nullptr));
  }
  ~Place() {
    C_Finalize(nullptr);  // a test may have thrown
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  fs::path log() const { return folder_ / "log"; }
  fs::path store() const { return folder_ / "KEYSCOPE_USER_DIR" / "user.db"; }

 private:
  Tpm tpm_;
  fs::path folder_;
};

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// PRAGMA user_version: big-endian in the header of the file.
std::string VersionOf(const std::string& store) { return store.substr(60, 4); }

class Moved : public testing::TestWithParam<const char*> {
 protected:
  Moved() {
    const std::string moved = Read(fs::path(KEYSCOPE_MOVED_STORES) / GetParam());
    EXPECT_EQ(VersionOf(moved), VersionOf(Read(place_.store())))
        << GetParam() << " is of an older version: make it anew";
    std::ofstream(place_.store(), std::ios::binary | std::ios::trunc) << moved;
    Restart();
  }
  void Restart() {
    C_Finalize(nullptr);
    Must("C_Initialize", C_Initialize(nullptr));
    session_ = Open();
  }
  Bytes Get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    return ReadAttribute(session_, object, type);
  }
  void ExpectAttributes(CK_OBJECT_HANDLE object, Attributes expected) {
    for (CK_ULONG i = 0; i < expected.size(); ++i) {
      const CK_ATTRIBUTE& one = expected.data()[i];
      if (one.type == CKA_WRAP_TEMPLATE) continue;  // holds pointers
      const auto* value = static_cast<const uint8_t*>(one.pValue);
      EXPECT_EQ(Get(object, one.type), Bytes(value, value + one.ulValueLen)) << one.type;
    }
  }

  Place place_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

CK_OBJECT_CLASS ClassOf(Attributes attributes) {
  CK_OBJECT_CLASS object_class{};
  std::memcpy(&object_class, attributes.data()[0].pValue, sizeof object_class);
  return object_class;
}

TEST_P(Moved, ItsPublicObjectsAreFoundAndRead) {
  for (const Sample& sample : Samples()) {
    SCOPED_TRACE(sample.label);
    const auto object = FindSample(session_, sample.label, ClassOf(sample.given));
    ExpectAttributes(object, sample.given);
    ExpectAttributes(object, sample.more);
  }
}

TEST_P(Moved, ATemplateInAnObjectIsRead) {
  const CK_OBJECT_HANDLE rsa = FindSample(session_, "rsa", CKO_PUBLIC_KEY);
  CK_ULONG numbers[2] = {};
  CK_ATTRIBUTE elements[] = {{CKA_CLASS, &numbers[0], sizeof *numbers},
                             {CKA_KEY_TYPE, &numbers[1], sizeof *numbers}};
  CK_ATTRIBUTE wrap{CKA_WRAP_TEMPLATE, elements, sizeof elements};
  ASSERT_EQ(C_GetAttributeValue(session_, rsa, &wrap, 1), CKR_OK);
  ASSERT_EQ(wrap.ulValueLen, sizeof elements);
  EXPECT_TRUE(std::ranges::equal(numbers, kWrapsOnly));
}

TEST_P(Moved, ItsPublicKeyVerifiesWhatTheOtherTpmSigned) {
  const CK_OBJECT_HANDLE key = FindSample(session_, kPair, CKO_PUBLIC_KEY);
  ExpectAttributes(
      key,
      {{CKA_KEY_TYPE, CKK_EC}, {CKA_LOCAL, true}, {CKA_KEY_GEN_MECHANISM, CKM_EC_KEY_PAIR_GEN}});
  Bytes signature = Get(FindSample(session_, kSignature, CKO_DATA), CKA_VALUE);
  const auto verify = [&] {
    Must("C_VerifyInit", C_VerifyInit(session_, Mechanism(CKM_ECDSA_SHA256).get(), key));
    return C_Verify(session_, Mutable(std::string_view(kSigned)), sizeof kSigned - 1,
                    signature.data(), static_cast<CK_ULONG>(signature.size()));
  };
  EXPECT_EQ(verify(), CKR_OK);
  signature[10] ^= 1;
  EXPECT_EQ(verify(), CKR_SIGNATURE_INVALID);
}

// They are of a TPM that is not here. Nobody is to take that for a wrong PIN.
TEST_P(Moved, ItsPrivateKeysStayBehind) {
  CK_TOKEN_INFO before{}, after{};
  Must("C_GetTokenInfo", C_GetTokenInfo(kUserSlot, &before));
  for (auto [user, pin] : {std::pair(CKU_USER, kUserPin), std::pair(CKU_SO, kSoPin)})
    EXPECT_EQ(p11::RvName(Login(session_, user, pin)), p11::RvName(CKR_DEVICE_ERROR));
  Must("C_GetTokenInfo", C_GetTokenInfo(kUserSlot, &after));
  EXPECT_EQ(after.flags, before.flags);
  EXPECT_NE(Read(place_.log()).find("the TPM was cleared or exchanged"), std::string::npos);
  EXPECT_THROW(FindSample(session_, kPair, CKO_PRIVATE_KEY), std::runtime_error);
}

TEST_P(Moved, ItIsWrittenHereAndReadAgain) {
  const Sample& sample = Samples()[1];
  const CK_OBJECT_HANDLE old = FindSample(session_, sample.label, CKO_CERTIFICATE);
  Attributes change{{CKA_LABEL, "another label"}};
  ASSERT_EQ(C_SetAttributeValue(session_, old, change.data(), change.size()), CKR_OK);
  Attributes fresh =
      Attributes{{CKA_TOKEN, true}, {CKA_PRIVATE, false}, {CKA_LABEL, "fresh"}}.With(sample.given);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  ASSERT_EQ(C_CreateObject(session_, fresh.data(), fresh.size(), &object), CKR_OK);
  Restart();
  for (const char* label : {"another label", "fresh"})
    ExpectAttributes(FindSample(session_, label, CKO_CERTIFICATE), sample.given);
}

INSTANTIATE_TEST_SUITE_P(Stores, Moved, testing::Values("linux.db", "windows.db"),
                         [](const auto& store) {
                           const std::string name = store.param;
                           return name.substr(0, name.find('.'));
                         });

void MakeStore(const fs::path& file) {
  const Place place;
  Must("C_Initialize", C_Initialize(nullptr));
  const CK_SESSION_HANDLE session = Open();
  Must("C_Login", Login(session, CKU_USER, kUserPin));
  MakeSamples(session);
  Must("C_Finalize", C_Finalize(nullptr));
  fs::copy_file(place.store(), file, fs::copy_options::overwrite_existing);
}

}  // namespace
}  // namespace keyscope::test

int main(int count, char** arguments) {
  if (count == 3 && std::string_view(arguments[1]) == "--make") {
    keyscope::test::MakeStore(arguments[2]);
    return 0;
  }
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
