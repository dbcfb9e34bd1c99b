#include "p11/config.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "base/environment.h"
#include "base/file.h"
#include "base/path.h"
#include "base/percent.h"
#include "p11/places.h"

// toml++ 3.3 asserts on some files that are no TOML ("[[["), and with NDEBUG goes on into undefined
// behaviour. Here it throws.
#undef NDEBUG
namespace {
struct NotToml {};
constexpr void RequireToml(bool expected) {
  if (!expected) throw NotToml();
}
}  // namespace
#define TOML_ASSERT(expr) RequireToml(static_cast<bool>(expr))
#include <toml++/toml.h>

namespace keyscope::p11 {
namespace {

// One setter a kind of value; each throws invalid_argument with what is wrong.
template <auto Member>
void SetText(Config& config, const std::string& text) {
  config.*Member = text;
}

// Windows has paths in UTF-16, and refuses what is not UTF-8 here.
template <auto Member>
void SetPath(Config& config, const std::string& text) {
  try {
    static_cast<void>(PathOf(text));
  } catch (const std::exception&) {
    throw std::invalid_argument("not UTF-8");
  }
  config.*Member = text;
}

void SetLevel(Config& config, const std::string& text) {
  using log::Level;
  static constexpr std::pair<const char*, Level> kLevels[] = {
      {"error", Level::Error}, {"warn", Level::Warn},   {"info", Level::Info},
      {"debug", Level::Debug}, {"trace", Level::Trace},
  };
  auto found = std::ranges::find(kLevels, text, [](auto& level) { return level.first; });
  if (found == std::end(kLevels))
    throw std::invalid_argument("'" + text + "' is none of error, warn, info, debug, trace");
  config.log = found->second;
}

// "hex:<digits>", "file:<path>" (a line end after the value does not count), or the value itself:
// the forms of tpm2-tools.
template <auto Member>
void SetAuth(Config& config, const std::string& text) {
  if (text.starts_with("hex:")) {
    if (text.size() % 2 != 0) throw std::invalid_argument("an odd number of hexadecimal digits");
    auto bytes = FromHexOfEitherCase(std::string_view(text).substr(4));
    if (!bytes) throw std::invalid_argument("not a hexadecimal number");
    config.*Member = SecretBytes(std::move(*bytes));
  } else if (text.starts_with("file:")) {
    const auto contents = ReadFile(PathOf(text.substr(5)));
    if (!contents) throw std::invalid_argument("cannot read " + text.substr(5));
    std::string_view value = *contents;
    value = value.substr(0, value.find_last_not_of("\r\n") + 1);
    config.*Member = SecretBytes(AsBytes(value));
  } else {
    config.*Member = SecretBytes(AsBytes(text));
  }
}

struct Setting {
  const char* key;
  const char* variable;  // null: none, for a secret does not belong in the environment
  void (*set)(Config&, const std::string&);
};
constexpr Setting kSettings[] = {
    {"tcti", "KEYSCOPE_TCTI", SetText<&Config::tcti>},
    {"machine_dir", "KEYSCOPE_MACHINE_DIR", SetPath<&Config::machine_dir>},
    {"user_dir", "KEYSCOPE_USER_DIR", SetPath<&Config::user_dir>},
    {"log", "KEYSCOPE_LOG", SetLevel},
    {"log_file", "KEYSCOPE_LOG_FILE", SetPath<&Config::log_file>},
    {"owner_auth", nullptr, SetAuth<&Config::owner_auth>},
    {"endorsement_auth", nullptr, SetAuth<&Config::endorsement_auth>},
};

Config Defaults() {
  Config config;
  const Places places = DefaultPlaces();
  config.machine_dir = places.machine_dir;
  config.user_dir = places.user_dir;
  return config;
}

// toml++ 3.3 runs into undefined behaviour on characters beyond ASCII where it expects none, so it
// sees none at all: they are percent-encoded, and '%', too.
std::string Encoded(const std::string& path, std::string_view text) {
  for (const char* percent : {"\\u0025", "\\U00000025"})  // would come out like one of ours
    if (text.find(percent) != text.npos)
      throw std::invalid_argument(path + ": write % instead of " + percent);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark that Windows puts there
  std::string encoded;
  int line = 1;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') ++line;
    if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F)
      throw std::invalid_argument(path + ":" + std::to_string(line) + ": a control character");
    if (byte < 0x80 && c != '%')
      encoded += c;
    else
      encoded += '%' + Hex({&byte, 1});
  }
  return encoded;
}

std::string At(const std::string& path, const toml::source_region& where) {
  return path + ":" + std::to_string(where.begin.line) + ": ";
}

void ApplyOne(Config& config, const std::string& key, const toml::node& value) {
  auto setting = std::ranges::find(kSettings, key, &Setting::key);
  if (setting == std::end(kSettings)) throw std::invalid_argument("unknown key '" + key + "'");
  const auto text = value.value_exact<std::string>();
  if (!text) throw std::invalid_argument("'" + key + "' is not a string");
  try {
    setting->set(config, FromPercent(*text).value());
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(key + ": " + error.what());
  }
}

// Every setting that is right; then the first that is wrong is told.
void Apply(Config& config, const std::string& path, const toml::table& table) {
  std::string wrong;
  for (const auto& entry : table) {
    try {
      ApplyOne(config, FromPercent(entry.first.str()).value(), entry.second);
    } catch (const std::invalid_argument& error) {
      if (wrong.empty()) wrong = At(path, entry.first.source()) + error.what();
    }
  }
  if (!wrong.empty()) throw std::invalid_argument(wrong);
}

toml::table Parse(const std::string& path, const std::string& text) try {
  return toml::parse(Encoded(path, text), path);
} catch (const toml::parse_error& error) {
  throw std::invalid_argument(At(path, error.source()) + std::string(error.description()));
} catch (const NotToml&) {
  throw std::invalid_argument(path + ": it is not TOML");
}

// The file's settings over the defaults; or the defaults and a problem, told where the file wants
// its log.
Config FromFile(const std::string& path) {
  Config config = Defaults();
  try {
    const auto text = ReadFile(PathOf(path));
    if (!text) throw std::invalid_argument(path + ": cannot be read");
    Apply(config, path, Parse(path, *text));
  } catch (const std::invalid_argument& error) {
    Config defaults = Defaults();
    defaults.log = config.log;
    defaults.log_file = config.log_file;
    config = std::move(defaults);
    config.problems.push_back(std::string(error.what()) +
                              "; the whole file is left out, its defaults apply");
  }
  return config;
}

}  // namespace

Config LoadConfig() {
  std::string named = Environment("KEYSCOPE_CONF");
  std::string path = named.empty() ? DefaultPlaces().file : named;
  std::error_code unreachable;
  bool expected = !named.empty() || std::filesystem::exists(PathOf(path), unreachable);
  Config config = expected ? FromFile(path) : Defaults();

  for (const Setting& setting : kSettings) {
    if (setting.variable == nullptr) continue;
    std::string value = Environment(setting.variable);
    if (value.empty()) continue;
    try {
      setting.set(config, value);
    } catch (const std::invalid_argument& error) {
      config.problems.push_back(std::string(setting.variable) + ": " + error.what());
      config.log = std::max(config.log, log::Level::Warn);  // somebody wanted a log
    }
  }
  return config;
}

}  // namespace keyscope::p11
