#include "tests/unit/store/fixture.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace keyscope::store {
namespace {

std::function<void(sqlite3*)>& Opened() {
  static auto& opened = *new std::function<void(sqlite3*)>;
  return opened;
}

int OnOpen(sqlite3* connection, char** /*error*/, const void* /*api*/) {
  Opened()(connection);
  return SQLITE_OK;
}

}  // namespace

TemporaryFolder::TemporaryFolder() : name(testing::TempDir() + "/keyscope-store.XXXXXX") {
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
}
TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(name); }

StoreTest::StoreTest() : path_(folder_ + "/store.db"), store_(path_, KeyScope::User) {}

TokenRow NewToken(Bytes epoch) {
  TokenRow row;
  row.epoch = std::move(epoch);
  row.label = "label";
  row.serial = "serial";
  row.root_handle = 0x81000001;
  row.root_public = {1, 2, 3};
  row.root_name = {0, 11, 4};
  row.so_pin = {{5}, {6}};
  return row;
}

Bytes Tag(int64_t number) { return Copy(AsBytes("tag " + std::to_string(number))); }

ObjectRow NewObject(int64_t number) {
  ObjectRow row;
  std::string text = "object number " + std::to_string(number);
  row.uid = Copy(AsBytes((std::string(16, '0') + std::to_string(number)).substr(0, 64)));
  row.uid.erase(row.uid.begin(), row.uid.end() - 16);
  row.object_class = 3;
  row.body = Copy(AsBytes(text));
  row.index = {{kIdType, Tag(number)}};
  return row;
}

int64_t Add(ObjectStore& store, ObjectRow row) {
  store.Insert(kEpoch, {&row});
  return row.id;
}

int64_t Sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  sqlite3_open(path.c_str(), &connection);
  sqlite3_exec(connection, "PRAGMA ignore_check_constraints=ON", nullptr, nullptr, nullptr);
  int64_t number = 0;
  auto take = [](void* result, int, char** values, char**) {
    if (values[0] != nullptr) *static_cast<int64_t*>(result) = std::atoll(values[0]);
    return 0;
  };
  char* error = nullptr;
  sqlite3_exec(connection, sql.c_str(), take, &number, &error);
  if (error != nullptr) ADD_FAILURE() << sql << ": " << error;
  sqlite3_free(error);
  sqlite3_close(connection);
  return number;
}

std::string Read(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

void Write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

Thrown Catch(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    if (const Fault* fault = std::get_if<Fault>(&error.cause())) return {*fault, error.what()};
  }
  ADD_FAILURE() << "no Fault was thrown";
  return {Fault::Unsupported, ""};
}

ConnectionHook::ConnectionHook(std::function<void(sqlite3*)> opened) {
  Opened() = std::move(opened);
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(OnOpen));
}
ConnectionHook::~ConnectionHook() {
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(OnOpen));
}

}  // namespace keyscope::store
