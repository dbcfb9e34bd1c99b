// Whole files that people name: configurations, certificates, evidence.
#pragma once

#include <filesystem>
#include <istream>
#include <optional>
#include <string>

namespace keyscope {

// Nullopt: it cannot be read (a folder opens, too), or is larger than 64 MiB.
std::optional<std::string> ReadFile(const std::filesystem::path& path);
std::optional<std::string> ReadFile(std::istream& file);

}  // namespace keyscope
