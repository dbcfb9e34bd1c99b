// The store's file and folder on Windows: who may do what with them, and which ones are refused.
#include <aclapi.h>
#include <sddl.h>
#include <windows.h>

#include <thread>

#include "base/path.h"
#include "store/acl_windows.h"
#include "store/files.h"
#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

constexpr char kSomebody[] = "S-1-5-21-1-2-3-1005";

Descriptor FromText(const std::string& sddl) {
  PSECURITY_DESCRIPTOR made = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl.c_str(), SDDL_REVISION_1, &made,
                                                           nullptr) == 0)
    throw std::runtime_error(sddl + ": " + std::to_string(GetLastError()));
  return Descriptor(made);
}

std::string OwnerPart(KeyScope scope) {
  const std::string text = [&] {
    char* sddl = nullptr;
    const Descriptor made = NewDescriptor(scope);
    ConvertSecurityDescriptorToStringSecurityDescriptorA(
        made.get(), SDDL_REVISION_1, OWNER_SECURITY_INFORMATION, &sddl, nullptr);
    const std::unique_ptr<void, LocalFreed> owned(sddl);
    return std::string(sddl);
  }();
  return text.substr(2);  // "O:"
}

TEST(Acl, WhatIsMadeIsAccepted) {
  for (KeyScope scope : {KeyScope::Machine, KeyScope::User})
    EXPECT_EQ(Objection(NewDescriptor(scope).get(), scope), "");
}

TEST(Acl, OfAUserStoreLetsItsAccountAndAdministratorsWrite) {
  const std::string me = OwnerPart(KeyScope::User), mine = "O:" + me + "D:(A;;FA;;;" + me + ")";
  const auto objection = [](const std::string& text) {
    return Objection(FromText(text).get(), KeyScope::User);
  };
  EXPECT_EQ(objection(mine), "");
  EXPECT_EQ(objection(mine + "(A;;FA;;;SY)(A;;FA;;;BA)"), "");
  EXPECT_EQ(objection("O:BAD:(A;;FA;;;" + me + ")"), "");
  EXPECT_EQ(objection(mine + "(A;;FR;;;WD)"), "") << "reading is no harm: the TPM wrapped it";
  for (const char* writer : {"WD", "AU", "BU", kSomebody})
    for (const char* right : {"FA", "FW", "SD", "WD", "WO", "GW"})
      EXPECT_NE(objection(mine + "(A;;" + right + ";;;" + writer + ")"), "") << writer << right;
  EXPECT_NE(objection("O:" + std::string(kSomebody) + "D:(A;;FA;;;" + me + ")"), "");
}

TEST(Acl, OfAMachineStoreLetsNotEverybodyWrite) {
  const std::string sound = "O:BAD:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FRFX;;;BU)";
  const auto objection = [](const std::string& text) {
    return Objection(FromText(text).get(), KeyScope::Machine);
  };
  EXPECT_EQ(objection(sound), "");
  EXPECT_EQ(objection(sound + "(A;;FA;;;" + kSomebody + ")"), "") << "an administrator's choice";
  EXPECT_EQ(objection("O:SYD:(A;;FA;;;SY)"), "");
  for (const char* writer : {"WD", "AU", "BU", "IU", "BG"})
    EXPECT_NE(objection(sound + "(A;;FW;;;" + writer + ")"), "") << writer;
  EXPECT_NE(objection("O:" + std::string(kSomebody) + "D:(A;;FA;;;BA)"), "")
      << "%ProgramData% lets every account make folders";
}

TEST_F(StoreTest, OddFilesAreRefused) {
  store_.InitToken(NewToken());
  ASSERT_TRUE(CreateHardLinkW(PathOf(path_ + "2").c_str(), PathOf(path_).c_str(), nullptr));
  EXPECT_FAULT(Fault::Denied, Reopen()->LoadToken());
  std::filesystem::remove(path_ + "2");
  EXPECT_TRUE(Reopen()->LoadToken());

  const std::string folder = folder_ + "/folder.db";
  std::filesystem::create_directory(folder);
  EXPECT_FAULT(Fault::Denied, ObjectStore(folder, KeyScope::User).LoadToken());
}

TEST_F(StoreTest, SymbolicLinkIsRefused) {
  ObjectStore(folder_ + "/elsewhere", KeyScope::User).InitToken(NewToken());
  if (GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr)
    GTEST_SKIP() << "Wine opens what a link leads to, also with FILE_FLAG_OPEN_REPARSE_POINT";
  if (CreateSymbolicLinkW(PathOf(path_).c_str(), PathOf(folder_ + "/elsewhere").c_str(), 2) == 0)
    GTEST_SKIP() << "this account may make no symbolic links";
  EXPECT_FAULT(Fault::Denied, store_.LoadToken());
  EXPECT_FAULT(Fault::Denied, store_.InitToken(NewToken()));
}

TEST_F(StoreTest, FileThatEverybodyCanWriteIsRefused) {
  store_.InitToken(NewToken());
  const Descriptor open = FromText("D:(A;;FA;;;WD)");
  BOOL present = FALSE, defaulted = FALSE;
  PACL list = nullptr;
  GetSecurityDescriptorDacl(open.get(), &present, &list, &defaulted);
  std::wstring name = PathOf(path_).native();
  ASSERT_EQ(SetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                  nullptr, list, nullptr),
            0u);
  const Thrown thrown = Catch([&] { Reopen()->LoadToken(); });
  EXPECT_EQ(Name(thrown.fault), Name(Fault::Denied));
  EXPECT_NE(thrown.text.find("icacls"), std::string::npos);
  EXPECT_NE(thrown.text.find("owner "), std::string::npos);
}

TEST_F(StoreTest, AnyLetterMayBeInThePath) {
  for (KeyScope scope : {KeyScope::Machine, KeyScope::User}) {
    const std::string path =
        folder_ + "/Schl\u00fcssel \u9375/" + std::string(Name(scope)) + "/s.db";
    ObjectStore store(path, scope);
    store.InitToken(NewToken());
    ObjectRow row = NewObject(1);
    row.scope = scope;
    Add(store, row);
    EXPECT_TRUE(std::filesystem::exists(PathOf(path)));
    EXPECT_EQ(ObjectStore(path, scope).Count(), 1);
  }
}

TEST_F(StoreTest, RemainsOfTheDeadAreRemovedAndNothingElse) {
  std::vector<std::string> kept = {path_ + ".backup", path_ + ".v0", path_ + ".new-living"};
  for (const std::string& name : kept) Write(name, "mine");
  Write(path_ + ".new-corpse", "dead");
  Write(path_ + ".new-corpse-journal", "dead");
  const HANDLE living =
      CreateFileW(PathOf(kept.back()).c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                  nullptr, OPEN_EXISTING, 0, nullptr);
  store_.InitToken(NewToken());
  CloseHandle(living);
  for (const std::string& name : kept) EXPECT_TRUE(std::filesystem::exists(name)) << name;
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new-corpse"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new-corpse-journal"));
}

TEST_F(StoreTest, MakersAtOnceLeaveOneWholeStore) {
  std::vector<std::thread> makers;
  for (uint8_t maker = 0; maker < 4; ++maker)
    makers.emplace_back([this, maker] { Reopen()->InitToken(NewToken(Bytes(16, maker))); });
  for (std::thread& maker : makers) maker.join();
  EXPECT_TRUE(store_.LoadToken());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace keyscope::store
