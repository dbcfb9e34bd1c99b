// A store with a damaged page, through the C ABI: whatever the page, nothing crashes, and what is
// lost is told by a code, by the log, or at the latest by the doctor. Put back, the store is as it
// was.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>

#include "base/error.h"
#include "store/integrity.h"
#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

constexpr size_t kPage = 4096;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void WriteAll(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

struct Damage {
  const char* name;
  void (*to)(std::string& file, size_t page, std::mt19937& random);
};
const Damage kDamages[] = {
    {"overwritten",
     [](std::string& file, size_t page, std::mt19937& random) {
       for (size_t i = 0; i < kPage; ++i) file[page + i] = static_cast<char>(random());
     }},
    {"zeroed",
     [](std::string& file, size_t page, std::mt19937&) { file.replace(page, kPage, kPage, 0); }},
    {"its first half lost", [](std::string& file, size_t page,
                               std::mt19937&) { file.replace(page, kPage / 2, kPage / 2, 0); }},
    {"one byte of its head changed",
     [](std::string& file, size_t page, std::mt19937& random) {
       char& byte = file[page + (page == 0 ? 100 : 0) + random() % 12];
       byte = static_cast<char>(byte ^ (1 + random() % 255));
     }},
    {"the file cut off before it",
     [](std::string& file, size_t page, std::mt19937&) { file.resize(page); }},
};

class Corruption : public Torture {
 protected:
  // What can be seen, with the codes of all calls that it took.
  struct Seen {
    Picture picture;
    std::set<CK_RV> codes;
  };

  void SetUp() override {
    Torture::SetUp();
    ASSERT_OK(C_Initialize(nullptr));
    const CK_SESSION_HANDLE session = OpenLoggedIn(kSlot);
    const Attributes token{{CKA_TOKEN, true}};
    for (int n = 0; n < 12; ++n)
      Create(session, token.With({{CKA_CLASS, CKO_DATA},
                                  {CKA_LABEL, "data " + std::to_string(n)},
                                  {CKA_PRIVATE, n % 2 == 0},
                                  {CKA_VALUE, Pattern(static_cast<size_t>(200 + 1500 * n))}}));
    const Attributes pair = token.With({{CKA_LABEL, "pair"}, {CKA_ID, "pair"}});
    GenerateEc(session, P256(), pair, pair);
    ASSERT_OK(C_Finalize(nullptr));
  }

  // As one that goes on as far as it gets.
  Seen Look() {
    Seen seen;
    auto ok = [&](CK_RV rv) { return seen.codes.insert(rv), rv == CKR_OK; };
    if (!ok(C_Initialize(nullptr))) return seen;
    CK_TOKEN_INFO info{};
    ok(C_GetTokenInfo(kSlot, &info));
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    if (ok(C_OpenSession(kSlot, kReadWrite, nullptr, nullptr, &session)) &&
        ok(Login(session, CKU_USER, kUserPin))) {
      if (ok(C_FindObjectsInit(session, nullptr, 0))) {
        std::vector<CK_OBJECT_HANDLE> found(100);
        CK_ULONG count = 0;
        // A failure ends the search.
        if (ok(C_FindObjects(session, found.data(), found.size(), &count)))
          ok(C_FindObjectsFinal(session));
        found.resize(count);
        for (CK_OBJECT_HANDLE object : found) seen.picture.insert(Describe(session, object, ok));
      }
      ok(TryCreate(session, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}, {CKA_LABEL, "new"}}));
    }
    EXPECT_OK(C_Finalize(nullptr));
    return seen;
  }

  template <typename Ok>
  static std::string Describe(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, Ok ok) {
    CK_OBJECT_CLASS object_class = 0;
    Bytes label(64), value(40000);
    CK_ATTRIBUTE both[] = {{CKA_CLASS, &object_class, sizeof object_class},
                           {CKA_LABEL, label.data(), label.size()}};
    if (!ok(C_GetAttributeValue(session, object, both, 2))) return "unreadable";
    label.resize(both[1].ulValueLen);
    const std::string name = AsString(label);
    if (object_class == CKO_PRIVATE_KEY)
      return ok(Try(kSign, session, CKM_ECDSA, object, Pattern(32))) ? name + " signs" : name;
    if (object_class != CKO_DATA) return name;
    CK_ATTRIBUTE one{CKA_VALUE, value.data(), value.size()};
    if (!ok(C_GetAttributeValue(session, object, &one, 1))) return name;
    value.resize(one.ulValueLen);
    return name + (value == Pattern(value.size()) ? " " + std::to_string(value.size()) : " bad");
  }
};

// Whether the log has more than that there is no configuration file.
bool Tells(const std::string& log) {
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    if (line.find(": C_Initialize: ") == std::string::npos) return true;
  return false;
}

// A page can lose entries and still look like one. What `keyscope doctor` asks finds that.
bool DoctorTells(const std::string& path) {
  try {
    store::CheckIntegrity(path, KeyScope::User);
    return false;
  } catch (const Error& error) {
    return error.Is(Fault::Corrupt);
  }
}

const std::set<CK_RV> kAllowed = {CKR_OK, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY,
                                  CKR_TOKEN_NOT_RECOGNIZED};

TEST_F(Corruption, OfAnyPageIsTold) {
  const std::string path = StorePath(kSlot), good = ReadAll(path);
  const Seen whole = Look();
  ASSERT_EQ(whole.codes, std::set<CK_RV>{CKR_OK});
  ASSERT_EQ(whole.picture.size(), 14U);
  TakeLog();

  std::mt19937 random(1);
  const size_t pages = good.size() / kPage;
  const size_t stride = std::max<size_t>(1, pages * 4 / (static_cast<size_t>(HarmsPerJob()) * 16));
  size_t harms = 0, told = 0;
  for (const Damage& damage : kDamages)
    for (size_t page = 0; page < pages && !HasFailure(); page += stride, ++harms) {
      SCOPED_TRACE("page " + std::to_string(page + 1) + " of " + std::to_string(pages) + ": " +
                   damage.name);
      std::string bad = good;
      damage.to(bad, page * kPage, random);
      WriteAll(path, bad);
      ClearLockout();
      const Seen seen = Look();
      const std::string log = TakeLog();
      for (CK_RV rv : seen.codes)
        EXPECT_TRUE(kAllowed.contains(rv)) << testing::PrintToString(Code{rv}) << "\n" << log;
      if (seen.picture != whole.picture) {
        EXPECT_TRUE(Tells(log) || DoctorTells(path))
            << "lost in silence: " << testing::PrintToString(seen.picture);
        ++told;
      }
    }
  std::cout << harms << " damages, " << told << " of them to what is there; " << pages
            << " pages\n";
  EXPECT_GT(told, harms / 4);

  WriteAll(path, good);
  std::filesystem::remove(path + "-journal");
  EXPECT_EQ(Look().picture, whole.picture);
}

}  // namespace
}  // namespace keyscope::test
