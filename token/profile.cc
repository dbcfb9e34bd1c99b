#include "token/profile.h"

#include <string>

#include "token/create.h"

namespace keyscope::token {
namespace {

struct ProfileRow {
  CK_ULONG id;
  const char* label;
};
constexpr ProfileRow kProfiles[] = {
    {CKP_BASELINE_PROVIDER, "Baseline Provider"},
    {CKP_EXTENDED_PROVIDER, "Extended Provider"},
};

}  // namespace

std::vector<Object> ProfileObjects(KeyScope scope) {
  std::vector<Object> objects;
  for (const ProfileRow& row : kProfiles) {
    AttributeSet attributes;
    attributes.SetUlong(CKA_CLASS, CKO_PROFILE);
    attributes.SetUlong(CKA_PROFILE_ID, row.id);
    attributes.Set(CKA_LABEL, AsBytes(row.label));
    objects.push_back(DeviceObject(std::move(attributes), AsBytes(row.label), scope));
  }
  return objects;
}

}  // namespace keyscope::token
