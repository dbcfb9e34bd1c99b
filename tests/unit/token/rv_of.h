// What a caller of the C ABI would get of a call.
#pragma once

#include "token/fault_to_rv.h"

namespace keyscope::token {

template <typename Call>
CK_RV RvOf(Call call) {
  try {
    call();
    return CKR_OK;
  } catch (const Error& error) {
    return ToRv(error);
  }
}

}  // namespace keyscope::token
