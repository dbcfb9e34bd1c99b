// What a caller of the C ABI would give a call, and get of it.
#pragma once

#include "token/fault_to_rv.h"
#include "token/io.h"

namespace keyscope::token {

inline Input In(std::string_view text) { return {text.data(), text.size()}; }

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
