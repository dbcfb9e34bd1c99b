#include "store/token_row.h"

#include "base/error.h"

namespace keyscope::store {

std::optional<TokenRow> ReadToken(Database& database) {
  Statement query = database.Prepare(
      "SELECT epoch, label, serial, root_handle, root_public, root_name, so_public, so_private,"
      " user_public, user_private, login_required, so_pin_tries, user_pin_tries FROM token");
  if (!query.Step()) return std::nullopt;
  TokenRow row;
  row.epoch = query.Blob(0);
  row.label = query.Text(1);
  row.serial = query.Text(2);
  row.root_handle = query.Int(3);
  row.root_public = query.Blob(4);
  row.root_name = query.Blob(5);
  row.so_pin = {query.Blob(6), query.Blob(7)};
  if (!query.IsNull(8)) row.user_pin = {query.Blob(8), query.Blob(9)};
  row.login_required = query.Int(10) != 0;
  row.so_pin_tries = query.Int(11);
  row.user_pin_tries = query.Int(12);
  Statement facts = database.Prepare("SELECT name, value FROM tpm_fact");
  while (facts.Step()) row.facts.emplace(facts.Text(0), facts.Text(1));
  return row;
}

void WriteToken(Database& database, const TokenRow& row, KeyScope scope) {
  const SealedRow* user_pin = row.user_pin ? &*row.user_pin : nullptr;
  const Bytes* user_public = user_pin != nullptr ? &user_pin->public_area : nullptr;
  const Bytes* user_private = user_pin != nullptr ? &user_pin->private_area : nullptr;
  database.Run(
      "REPLACE INTO token(only_row, scope, epoch, label, serial, root_handle, root_public, "
      "root_name,"
      " so_public, so_private, user_public, user_private, login_required, so_pin_tries, "
      "user_pin_tries)"
      " VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
      static_cast<int64_t>(scope), row.epoch, row.label, row.serial, row.root_handle,
      row.root_public, row.root_name, row.so_pin.public_area, row.so_pin.private_area, user_public,
      user_private, row.login_required, row.so_pin_tries, row.user_pin_tries);
  database.Run("DELETE FROM tpm_fact");
  for (const auto& [name, value] : row.facts)
    database.Run("INSERT INTO tpm_fact(name, value) VALUES(?1, ?2)", name, value);
}

void RequireEpoch(Database& database, ByteView epoch) {
  Statement query = database.Prepare("SELECT epoch FROM token");
  if (query.Step() && Equal(query.Blob(0), epoch)) return;
  throw Error(Fault::KeyGone,
              "store " + database.path() +
                  ": the token is gone or was initialized anew meanwhile: log in again");
}

}  // namespace keyscope::store
