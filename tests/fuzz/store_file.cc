// Whole store files: the input is a patch of a good store (position and bytes, over and over), so
// that what SQLite checks first does not keep the rest from being reached; or it is the file.
#include "base/error.h"
#include "store/object_store.h"
#include "tests/fuzz/files.h"
#include "tests/fuzz/input.h"

namespace {

using namespace keyscope;

const Bytes kEpoch(16, 0xE0);

store::TokenRow NewToken(Bytes epoch) {
  store::TokenRow token;
  token.epoch = std::move(epoch);
  return token;
}

store::ObjectRow NewObject(uint8_t number) {
  store::ObjectRow row;
  row.uid = Bytes(16, number);
  row.object_class = 3;
  row.body = Bytes(number * 20u, number);
  row.index.push_back({0x102, Bytes(8, number)});
  return row;
}

Bytes GoodStore(const std::string& path) {
  store::ObjectStore store(path, KeyScope::User);
  store.InitToken(NewToken(kEpoch));
  for (uint8_t i = 1; i < 20; ++i) {
    store::ObjectRow row = NewObject(i);
    if (i % 2 == 0) row.material = store::KeyMaterialRow{Bytes(40, 1), Bytes(90, 2), Bytes(48, 3)};
    store.Insert(kEpoch, {&row});
  }
  store.NotePendingErase({.uid = Bytes(16, 1), .reason = "fuzz"});
  return fuzz::Read(path);
}

Bytes TakeFile(fuzz::Input& in, const Bytes& good) {
  if (in.OneIn(16)) return Copy(in.Rest());
  Bytes file = good;
  if (in.OneIn(8)) file.resize(in.Number() % file.size());
  while (!in.Done() && !file.empty()) {
    const size_t at = (size_t{in.Byte()} << 8 | in.Byte()) % file.size();
    const ByteView patch = in.Take(1 + in.Byte() % 8);
    std::ranges::copy(patch.first(std::min(patch.size(), file.size() - at)),
                      file.begin() + static_cast<ptrdiff_t>(at));
  }
  return file;
}

template <typename Call>
void Try(Call call) {
  try {
    call();
  } catch (const Error& error) {
    if (!std::holds_alternative<Fault>(error.cause()) || error.Is(Fault::Busy)) abort();
  }
}

void Use(store::ObjectStore& store) {
  Try([&] { store.LoadToken(); });
  Try([&] { store.Find({.with_private = true}, 0, 100); });
  Try([&] { store.Find({.object_class = 3, .all_of = {{{0x102, Bytes(8, 5)}}}}, 0, 100); });
  for (int64_t id : {1, 6, 19}) Try([&] { store.Load(id); });
  Try([&] { store.PendingErases(); });
  Try([&] { store.Change(3, [](store::ObjectRow& row) { row.body.assign(3000, 9); }); });
  Try([&] { store.Delete(4); });
  store::ObjectRow row = NewObject(99);
  Try([&] { store.Insert(kEpoch, {&row}); });
  Try([&] { store.InitToken(NewToken(Bytes(16, 1))); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::Folder folder;
  static const Bytes good = GoodStore(folder / "good.db");
  const std::string path = folder / "user.db";
  fuzz::Input in(data, size);
  fuzz::Write(path, TakeFile(in, good));
  {
    store::ObjectStore store(path, KeyScope::User);
    Use(store);
  }
  for (const char* name : {"user.db", "user.db-journal"}) std::filesystem::remove(folder / name);
  return 0;
}
