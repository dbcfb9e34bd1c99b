// The changes that the torture interrupts. "old" things are there before, "new" ones come.
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

constexpr std::string_view kNewPin = "user-pin-2", kNewSoPin = "so-pin-2";

Attributes Labelled(const char* label, bool is_private = false) {
  return {{CKA_TOKEN, true}, {CKA_LABEL, label}, {CKA_PRIVATE, is_private}};
}

CK_RV MakePair(CK_SESSION_HANDLE session, const char* label, const Attributes& extra = {}) {
  KeyPair pair;
  return TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN,
                         Labelled(label).With({{CKA_ID, label}, {CKA_EC_PARAMS, P256().params}}),
                         Labelled(label, true).With({{CKA_ID, label}}).With(extra), pair);
}

CK_RV MakeData(CK_SESSION_HANDLE session, const char* label, bool is_private) {
  return TryCreate(
      session,
      Labelled(label, is_private).With({{CKA_CLASS, CKO_DATA}, {CKA_VALUE, Pattern(5000)}}));
}

// Does `use` to the only object with that label and class. A search that fails is the answer.
CK_RV WithThe(CK_SESSION_HANDLE session, const char* label, CK_OBJECT_CLASS object_class,
              const std::function<CK_RV(CK_OBJECT_HANDLE)>& use) {
  Attributes wanted{{CKA_LABEL, label}, {CKA_CLASS, object_class}};
  CK_RV rv = C_FindObjectsInit(session, wanted.data(), wanted.size());
  if (rv != CKR_OK) return rv;
  CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
  CK_ULONG count = 0;
  rv = C_FindObjects(session, &found, 1, &count);
  C_FindObjectsFinal(session);
  return rv == CKR_OK ? use(found) : rv;
}

CK_RV DestroyThe(CK_SESSION_HANDLE session, const char* label, CK_OBJECT_CLASS object_class) {
  return WithThe(session, label, object_class,
                 [&](CK_OBJECT_HANDLE object) { return C_DestroyObject(session, object); });
}

CK_RV ChangePin(CK_SESSION_HANDLE session, std::string_view from, std::string_view to) {
  return C_SetPIN(session, Mutable(from), from.size(), Mutable(to), to.size());
}

std::function<void(Picture&)> Adds(std::vector<std::string> lines) {
  return [lines](Picture& picture) { picture.insert(lines.begin(), lines.end()); };
}
std::function<void(Picture&)> Takes(std::vector<std::string> lines) {
  return [lines](Picture& picture) {
    for (const std::string& line : lines) picture.erase(picture.find(line));
  };
}
void Nothing(CK_SESSION_HANDLE) {}

std::vector<Job> AllJobs() {
  using As = Job::As;
  using Session = CK_SESSION_HANDLE;
  return {
      {"CreateObject", As::User, Nothing, [](Session s) { return MakeData(s, "new", false); },
       Adds({"data new"})},
      {"CreatePrivateObject", As::User, Nothing, [](Session s) { return MakeData(s, "new", true); },
       Adds({"data new"})},
      {"GenerateKeyPair", As::User, Nothing, [](Session s) { return MakePair(s, "new"); },
       Adds({"public new", "private new signs"})},
      {"GenerateAtAHandle", As::User, Nothing,
       [](Session s) { return MakePair(s, "new", kPersistent); },
       Adds({"public new", "private new signs at a handle"})},
      {"CopyObject", As::User, [](Session s) { EXPECT_OK(MakePair(s, "old")); },
       [](Session s) {
         Attributes changed{{CKA_LABEL, "new"}};
         CK_OBJECT_HANDLE copy;
         return WithThe(s, "old", CKO_PRIVATE_KEY, [&](CK_OBJECT_HANDLE key) {
           return C_CopyObject(s, key, changed.data(), changed.size(), &copy);
         });
       },
       Adds({"private new signs"})},
      {"SetAttributeValue", As::User, [](Session s) { EXPECT_OK(MakeData(s, "old", true)); },
       [](Session s) {
         return WithThe(s, "old", CKO_DATA, [&](CK_OBJECT_HANDLE data) {
           return Set(s, data, {{CKA_LABEL, "new"}, {CKA_VALUE, Pattern(9000)}});
         });
       },
       [](Picture& picture) {
         Takes({"data old"})(picture);
         Adds({"data new"})(picture);
       }},
      {"DestroyObject", As::User, [](Session s) { EXPECT_OK(MakeData(s, "old", false)); },
       [](Session s) { return DestroyThe(s, "old", CKO_DATA); }, Takes({"data old"})},
      {"DestroyAtAHandle", As::User, [](Session s) { EXPECT_OK(MakePair(s, "old", kPersistent)); },
       [](Session s) { return DestroyThe(s, "old", CKO_PRIVATE_KEY); },
       Takes({"private old signs at a handle"})},
      {"SetPIN", As::User, Nothing, [](Session s) { return ChangePin(s, kUserPin, kNewPin); },
       [](Picture& picture) {
         Takes({"user PIN 1"})(picture);
         Adds({"user PIN 2"})(picture);
       }},
      {"SetPINOfTheSo", As::So, Nothing, [](Session s) { return ChangePin(s, kSoPin, kNewSoPin); },
       [](Picture& picture) {
         Takes({"SO PIN 1"})(picture);
         Adds({"SO PIN 2"})(picture);
       }},
      {"InitPIN", As::So, Nothing,
       [](Session s) { return C_InitPIN(s, Mutable(kNewPin), kNewPin.size()); },
       [](Picture& picture) {
         Takes({"user PIN 1"})(picture);
         Adds({"user PIN 2"})(picture);
       }},
      {"InitToken", As::Nobody, [](Session s) { EXPECT_OK(MakePair(s, "old", kPersistent)); },
       [](Session) { return InitToken(kUserSlot); },
       [](Picture& picture) {
         picture = {"SO PIN 1", "no user PIN"};
       }},
  };
}

std::string UserStore() { return std::string(std::getenv("KEYSCOPE_USER_DIR")) + "/user.db"; }

// As version 0 of the store was made by hand.
constexpr char kToVersion0[] = R"sql(
BEGIN;
ALTER TABLE token RENAME TO t;
ALTER TABLE object RENAME TO o;
ALTER TABLE attribute RENAME TO a;
ALTER TABLE key_material RENAME TO k;
CREATE TABLE token AS SELECT label, serial, epoch, root_handle, root_public, root_name, so_public,
  so_private, user_public, user_private, login_required FROM t;
CREATE TABLE object(id INTEGER PRIMARY KEY, uid, class, private, body);
INSERT INTO object SELECT id, uid, class, private, body FROM o;
CREATE TABLE attribute AS SELECT object_id, type, tag FROM a;
CREATE TABLE key_material AS SELECT object_id, public_area, private_area, auth FROM k;
DROP TABLE k; DROP TABLE a; DROP TABLE o; DROP TABLE t;
DROP TABLE tpm_fact; DROP TABLE pending_erase;
PRAGMA application_id = 0; PRAGMA user_version = 0;
COMMIT;
)sql";

void MakeVersion0(CK_SESSION_HANDLE) {
  sqlite3* store = nullptr;
  ASSERT_EQ(sqlite3_open(UserStore().c_str(), &store), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(store, kToVersion0, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(store);
  sqlite3_close(store);
}

CK_RV OpenUserSlot(CK_SESSION_HANDLE) {
  CK_SESSION_HANDLE session;
  return C_OpenSession(kUserSlot, kReadOnly, nullptr, nullptr, &session);
}

}  // namespace

// A first time has nothing to come back to.
const std::vector<Job>& FirstJobs() {
  static const auto& jobs = *new std::vector<Job>{
      {"TheFirstInitToken", Job::As::Nobody,
       [](CK_SESSION_HANDLE) { std::filesystem::remove(UserStore()); },
       [](CK_SESSION_HANDLE) { return InitToken(kUserSlot); },
       [](Picture& picture) {
         picture = {"SO PIN 1", "no user PIN"};
       }},
      {"Migration", Job::As::Nobody, MakeVersion0, OpenUserSlot, [](Picture&) {}},
  };
  return jobs;
}

const std::vector<Job>& Jobs() {
  static const auto& jobs = *new std::vector<Job>(AllJobs());
  return jobs;
}

void PrintTo(const Job& job, std::ostream* out) { *out << job.name; }
std::string NameOf(const testing::TestParamInfo<Job>& job) { return job.param.name; }

}  // namespace keyscope::test
