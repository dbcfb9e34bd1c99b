#include "tests/module/must.h"

#include <stdexcept>
#include <string>

namespace keyscope::test {

void Must(const char* what, CK_RV rv) {
  if (rv != CKR_OK) throw std::runtime_error(std::string(what) + ": " + std::to_string(rv));
}

Bytes ReadAttribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  Must("C_GetAttributeValue", C_GetAttributeValue(session, object, &attribute, 1));
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  Must("C_GetAttributeValue", C_GetAttributeValue(session, object, &attribute, 1));
  return value;
}

}  // namespace keyscope::test
