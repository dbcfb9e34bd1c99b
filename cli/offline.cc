#include "cli/offline.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/error.h"
#include "token/object.h"
#include "token/public_of.h"

namespace keyscope::cli {
namespace {

constexpr size_t kBatch = 256;

struct ClassRow {
  CK_OBJECT_CLASS object_class;
  const char* name;
};
constexpr ClassRow kClasses[] = {{CKO_PRIVATE_KEY, "private key"},
                                 {CKO_PUBLIC_KEY, "public key"},
                                 {CKO_SECRET_KEY, "secret key"},
                                 {CKO_CERTIFICATE, "certificate"},
                                 {CKO_DATA, "data"}};

std::string NameOfClass(int64_t object_class) {
  const ClassRow* row = std::ranges::find(kClasses, static_cast<CK_OBJECT_CLASS>(object_class),
                                          &ClassRow::object_class);
  return row == std::end(kClasses) ? "object" : row->name;
}

// What tells one public key from another: CKA_PUBLIC_KEY_INFO.
Bytes KeyInfoOf(const tpm::PublicKey& key) {
  token::AttributeSet attributes;
  const bool rsa = std::holds_alternative<tpm::RsaPublic>(key);
  token::SetPublic(attributes, rsa ? token::kRsaPublic : token::kEcPublic, key);
  return Copy(attributes.Get(CKA_PUBLIC_KEY_INFO));
}

// Reads rows one by one; public keys leave their names for the private ones.
class Lister {
 public:
  explicit Lister(Direct& direct) : direct_(direct) {}

  void Read(const store::ObjectRow& row) {
    OfflineObject& object = objects_.emplace_back();
    object.row = row.id;
    object.unique_id = Hex(row.uid);
    object.kind = NameOfClass(row.object_class);
    object.object_class = static_cast<CK_OBJECT_CLASS>(row.object_class);
    object.is_ak = row.ak_id == object.unique_id;
    if (!object.is_ak) object.attested_by = row.ak_id;
    if (object.object_class == CKO_PRIVATE_KEY && row.material)
      object.key_info = KeyInfoOf(
          direct_.backend().PublicOf({row.material->public_area, row.material->private_area}));
    if (row.is_private) return;
    const token::Object known = token::FromRow(row, nullptr);
    object.name = AsString(known.attributes.Get(CKA_LABEL));
    const ByteView info = known.attributes.Get(CKA_PUBLIC_KEY_INFO);
    if (info.empty()) return;
    object.key_info = Copy(info);
    names_[object.key_info] = object.name;
  }
  void Note(int64_t row, const char* why) {
    if (objects_.empty() || objects_.back().row != row) objects_.emplace_back().row = row;
    objects_.back().unreadable = why;
  }
  std::vector<OfflineObject> Take() {
    for (OfflineObject& object : objects_)
      if (auto name = names_.find(object.key_info); name != names_.end() && object.name.empty())
        object.name = name->second;
    return std::move(objects_);
  }

 private:
  Direct& direct_;
  std::vector<OfflineObject> objects_;
  std::map<Bytes, std::string> names_;
};

}  // namespace

std::vector<OfflineObject> ListOffline(const Context& context, Direct& direct, KeyScope scope) {
  store::ObjectStore& store = direct.store(scope);
  Lister lister(direct);
  Progress progress = context.Watch("reading the " + std::string(Name(scope)) + " store",
                                    static_cast<size_t>(store.Count()));
  std::vector<int64_t> ids;
  int64_t after = 0;
  do {
    ids = store.Find({.with_private = true}, after, kBatch);
    for (int64_t id : ids) {
      after = id;
      try {
        if (const auto row = store.Load(id)) lister.Read(*row);
      } catch (const Error& error) {  // one bad row must not hide the others
        if (!error.Is(Fault::Corrupt)) throw;
        lister.Note(id, error.what());
      }
      progress.Step();
    }
  } while (ids.size() == kBatch);
  return lister.Take();
}

bool DeleteOffline(const Context& context, Direct& direct, KeyScope scope,
                   const std::vector<OfflineObject>& objects) {
  Progress progress =
      context.Watch("deleting in the " + std::string(Name(scope)) + " store", objects.size());
  bool pending = false;
  for (const OfflineObject& object : objects) {
    std::optional<store::PendingErase> noted;
    direct.store(scope).Delete(object.row, &noted);
    pending |= noted.has_value();
    progress.Step();
  }
  return pending;
}

}  // namespace keyscope::cli
