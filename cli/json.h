// JSON as the command writes it: fields stay in the order in which they were put.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace keyscope::cli {

using Json = nlohmann::ordered_json;

// Discarded (is_discarded()) when it is no JSON, or nested deeper than evidence ever is: copies of
// it recurse.
Json ParseJson(const std::string& text);

}  // namespace keyscope::cli
