#include "cli/pin.h"

#include <fstream>

#include "base/environment.h"
#include "base/path.h"
#include "cli/error.h"
#include "cli/terminal.h"

namespace keyscope::cli {
namespace {

constexpr size_t kLargestFile = 64 << 10;

SecretBytes WithoutLineEnd(SecretBytes text) {
  ByteView line = text.view();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line = line.first(line.size() - 1);
  return SecretBytes(line);
}

std::optional<SecretBytes> Ask(const std::string& prompt) {
  std::optional<SecretBytes> line = AskSilently(prompt + ": ");
  if (line) line = WithoutLineEnd(std::move(*line));
  return line;
}

}  // namespace

SecretBytes ReadSecret(const std::string& path) {
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // a buffer would keep a copy
  file.open(PathOf(path == "-" ? "/dev/stdin" : path), std::ios::binary);
  SecretBytes contents(kLargestFile + 1);
  file.read(reinterpret_cast<char*>(contents.data()), static_cast<ptrdiff_t>(contents.size()));
  if (!file.is_open() || file.bad()) throw UsageError("the file " + path + " cannot be read");
  const auto size = static_cast<size_t>(file.gcount());
  if (size > kLargestFile) throw UsageError("the file " + path + " is too long");
  return SecretBytes(contents.view().first(size));
}

std::optional<SecretBytes> FindGiven(const PinSource& source) {
  if (!source.value.empty()) return SecretBytes(AsBytes(source.value));
  if (!source.file.empty()) return WithoutLineEnd(ReadSecret(source.file));
  if (const auto value = FindEnvironment(source.variable)) return SecretBytes(AsBytes(*value));
  return std::nullopt;
}

std::optional<SecretBytes> FindPin(const PinSource& source) {
  if (auto given = FindGiven(source)) return given;
  return Ask(source.prompt);
}

std::optional<SecretBytes> FindNewPin(const PinSource& source) {
  if (auto given = FindGiven(source)) return given;
  std::optional<SecretBytes> first = Ask(source.prompt);
  if (!first) return std::nullopt;
  const std::optional<SecretBytes> again = Ask(source.prompt + " again");
  if (!again || !ConstantTimeEqual(first->view(), again->view()))
    throw UsageError("the two PINs differ");
  return first;
}

}  // namespace keyscope::cli
