// A row of the store, as whoever can write the file may have left it: it decodes to an object, or
// is Corrupt.
#include "base/error.h"
#include "tests/fuzz/input.h"
#include "token/object.h"

namespace {

using namespace keyscope;

store::ObjectRow TakeRow(fuzz::Input& in) {
  store::ObjectRow row;
  row.id = 1;
  row.uid = Copy(in.Take(in.OneIn(8) ? in.Byte() : 16));
  row.scope = in.OneIn(2) ? KeyScope::Machine : KeyScope::User;
  row.object_class = static_cast<int64_t>(in.Number());
  row.is_private = in.OneIn(2);
  if (in.OneIn(2))
    row.material = store::KeyMaterialRow{.public_area = Copy(in.Chunk()),
                                         .private_area = Copy(in.Chunk()),
                                         .auth = Copy(in.Chunk()),
                                         .handle = static_cast<int64_t>(in.Number()),
                                         .name = Copy(in.Chunk())};
  row.body = Copy(in.Rest());
  return row;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const token::Vault vault(SecretBytes(Bytes(32, 7)));
  const store::ObjectRow row = TakeRow(in);
  try {
    const token::Object object = token::FromRow(row, row.is_private ? &vault : nullptr);
    token::ToRow(object, KeyScope::User, &vault);
  } catch (const Error& error) {
    if (!error.Is(Fault::Corrupt)) throw;
  }
  return 0;
}
