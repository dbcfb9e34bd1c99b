// Disks as they are: one that is mounted read-only, and one that is full. Each in a mount namespace
// of the test's own.
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

const Attributes kToken{{CKA_TOKEN, true}};

class Disk : public Torture {
 protected:
  void SetUp() override {
    Torture::SetUp();
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      GTEST_SKIP() << "no mount namespace for this account: " << std::strerror(errno);
  }
  void TearDown() override {
    C_Finalize(nullptr);
    if (!mounted_.empty()) {
      EXPECT_EQ(::umount2(mounted_.c_str(), MNT_DETACH), 0);
    }
    Torture::TearDown();
  }
  // The user slot's folder from now on.
  void Use(const std::string& folder) { ::setenv("KEYSCOPE_USER_DIR", folder.c_str(), 1); }
  std::string NewFolder(const std::string& name) {
    const std::string path = folder() + "/" + name;
    std::filesystem::create_directory(path);
    return path;
  }

  std::string mounted_;
};

void ExpectSigns(CK_SESSION_HANDLE session, const char* label) {
  const Attributes wanted{{CKA_LABEL, label}};
  const auto keys = Find(session, wanted.With({{CKA_CLASS, CKO_PRIVATE_KEY}}));
  const auto publics = Find(session, wanted.With({{CKA_CLASS, CKO_PUBLIC_KEY}}));
  ASSERT_EQ(keys.size(), 1U);
  ASSERT_EQ(publics.size(), 1U);
  const Bytes signature = Do(kSign, session, CKM_ECDSA, keys[0], Pattern(32));
  EXPECT_OK(Verify(session, CKM_ECDSA, publics[0], Pattern(32), signature));
}

TEST_F(Disk, AReaderOfAReadOnlyMountReadsSignsAndSeesChanges) {
  const std::string writers = folder() + "/user", readers = NewFolder("readers");
  const Job& generate = Jobs()[2];
  Prepare(generate);
  mounted_ = readers;
  ASSERT_EQ(::mount(writers.c_str(), readers.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, readers.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr),
            0);

  Use(readers);
  ASSERT_OK(C_Initialize(nullptr));
  EXPECT_NE(TokenFlags(kSlot) & CKF_WRITE_PROTECTED, 0U);
  const CK_SESSION_HANDLE session = OpenLoggedIn(kSlot);
  ExpectSigns(session, "kept");
  EXPECT_TRUE(Find(session, {{CKA_LABEL, "new"}}).empty());

  Use(writers);
  EXPECT_OK(Run(generate, {.way = Way::Count}).rv);
  ExpectSigns(session, "new");

  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED, TryCreate(session, kToken.With({{CKA_CLASS, CKO_DATA}})));
  KeyPair pair;
  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED,
            TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}}, kToken,
                            pair));
  const auto kept = Find(session, {{CKA_LABEL, "kept"}, {CKA_CLASS, CKO_PRIVATE_KEY}});
  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED, Set(session, kept[0], {{CKA_LABEL, "other"}}));
  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED, C_DestroyObject(session, kept[0]));
  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED, C_SetPIN(session, Mutable(kUserPin), kUserPin.size(),
                                                Mutable(kUserPin), kUserPin.size()));
  ExpectSigns(session, "kept");
  // Session objects need no store.
  EXPECT_OK(TryCreate(session, {{CKA_CLASS, CKO_DATA}}));
  GenerateEc(session);
}

// As many KiB as there is room for.
void Fill(const std::string& file, int most = 1 << 20) {
  std::ofstream filler(file);
  const std::string block(1024, 'x');
  for (int n = 0; n < most && filler << block << std::flush; ++n) continue;
}

TEST_F(Disk, AFullOneLosesNothingAndWorksAgainWhenThereIsRoom) {
  mounted_ = NewFolder("small");
  ASSERT_EQ(::mount("none", mounted_.c_str(), "tmpfs", 0, "size=512k,mode=0700"), 0);
  Use(mounted_);
  Fill(mounted_ + "/others", 64);
  Prepare(Jobs()[0]);
  ASSERT_OK(C_Initialize(nullptr));
  CK_SESSION_HANDLE session = OpenLoggedIn(kSlot);

  int made = 0;
  CK_RV rv = CKR_OK;
  for (; made < 1000 && rv == CKR_OK; ++made)
    rv = TryCreate(session, kToken.With({{CKA_CLASS, CKO_DATA},
                                         {CKA_LABEL, "data " + std::to_string(made)},
                                         {CKA_PRIVATE, made % 2 == 0},
                                         {CKA_VALUE, Pattern(5000)}}));
  --made;  // the last one was refused
  EXPECT_RV(CKR_DEVICE_MEMORY, rv);
  EXPECT_GT(made, 20);
  EXPECT_NE(TakeLog().find("free space"), std::string::npos) << "the log says what to do";

  Fill(mounted_ + "/rest");
  KeyPair pair;
  EXPECT_RV(CKR_DEVICE_MEMORY, TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN,
                                               {{CKA_EC_PARAMS, P256().params}}, kToken, pair));
  EXPECT_RV(CKR_DEVICE_MEMORY,
            C_SetPIN(session, Mutable(kUserPin), kUserPin.size(), Mutable(kSoPin), kSoPin.size()));
  ExpectSigns(session, "kept");

  // Another life on the full disk.
  ASSERT_OK(C_Finalize(nullptr));
  ASSERT_OK(C_Initialize(nullptr));
  session = OpenLoggedIn(kSlot);
  ExpectSigns(session, "kept");
  for (int n = 0; n < made; ++n) {
    const auto found = Find(session, {{CKA_LABEL, "data " + std::to_string(n)}});
    ASSERT_EQ(found.size(), 1U) << n;
    EXPECT_EQ(Get(session, found[0], CKA_VALUE), Pattern(5000)) << n;
  }
  EXPECT_EQ(Find(session, {{CKA_CLASS, CKO_DATA}}).size(), static_cast<size_t>(made));

  std::filesystem::remove(mounted_ + "/others");
  const auto first = Find(session, {{CKA_LABEL, "data 0"}});
  EXPECT_OK(C_DestroyObject(session, first[0]));
  EXPECT_OK(TryCreate(session, kToken.With({{CKA_CLASS, CKO_DATA}, {CKA_LABEL, "again"}})));
  EXPECT_EQ(Find(session, {{CKA_CLASS, CKO_DATA}}).size(), static_cast<size_t>(made));
}

TEST_F(Disk, WithoutRoomNoTokenIsMadeAndThenItIs) {
  mounted_ = NewFolder("small");
  ASSERT_EQ(::mount("none", mounted_.c_str(), "tmpfs", 0, "size=64k,mode=0700"), 0);
  Use(mounted_);
  Fill(mounted_ + "/filler");
  ASSERT_OK(C_Initialize(nullptr));
  EXPECT_RV(CKR_DEVICE_MEMORY, InitToken(kSlot));
  EXPECT_EQ(TokenFlags(kSlot) & CKF_TOKEN_INITIALIZED, 0U);
  ASSERT_EQ(::mount(nullptr, mounted_.c_str(), nullptr, MS_REMOUNT, "size=1m"), 0);
  EXPECT_OK(InitToken(kSlot));
  EXPECT_NE(TokenFlags(kSlot) & CKF_TOKEN_INITIALIZED, 0U);
  const auto files = std::filesystem::directory_iterator(mounted_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 2) << "the store and the filler";
}

}  // namespace
}  // namespace keyscope::test
