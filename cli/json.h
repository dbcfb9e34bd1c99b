// JSON as the command writes it: fields stay in the order in which they were put.
#pragma once

#include <nlohmann/json.hpp>

namespace keyscope::cli {

using Json = nlohmann::ordered_json;

}  // namespace keyscope::cli
