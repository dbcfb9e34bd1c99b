#include "cli/json.h"

namespace keyscope::cli {

Json ParseJson(const std::string& text) {
  constexpr int kDeepest = 8;
  struct TooDeep {};
  try {
    return Json::parse(
        text,
        [](int depth, Json::parse_event_t, const Json&) {
          if (depth > kDeepest) throw TooDeep();
          return true;
        },
        false);
  } catch (const TooDeep&) {
    return {Json::value_t::discarded};
  }
}

}  // namespace keyscope::cli
