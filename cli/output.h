// What a command answers: one JSON value, printed as such (--json) or as text for people.
#pragma once

#include <string>

#include "cli/json.h"

namespace keyscope::cli {

// As text: an object's fields one a line, in columns; objects within it indented under their name;
// lists of objects as blocks with a blank line between; true and false as yes and no.
std::string AsText(const Json& value);

// `text` as one line for a terminal: control characters are replaced. It may come from a store or
// from others' evidence, and must look like nothing else.
std::string OneLine(std::string text);

// Bytes that are not UTF-8 (labels may be anything) are replaced.
std::string AsJsonText(const Json& value);

}  // namespace keyscope::cli
