#include "cli/output.h"

#include <algorithm>

namespace keyscope::cli {
namespace {

constexpr size_t kIndent = 2;

// Labels come from the store, and texts from others' evidence: control characters must not reach a
// terminal.
std::string Printable(std::string text) {
  constexpr char kC1 = '\xC2';  // U+0080 to U+009F in UTF-8: this, and a byte below 0xA0
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte >= 0x80 && byte < 0xA0 && i > 0 && text[i - 1] == kC1;
    if ((byte < 0x20 && byte != '\n') || byte == 0x7F || c1) text[i] = '?';
    if (c1) text[i - 1] = '?';
  }
  return text;
}

std::string Scalar(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "unknown";
  return value.is_string() ? Printable(value.get<std::string>()) : value.dump();
}

bool IsSimpleList(const Json& value) {
  return value.is_array() &&
         std::ranges::none_of(value, [](const Json& one) { return one.is_structured(); });
}

std::string Pad(size_t width) { return std::string(width, ' '); }

// A text of several lines starts on a line of its own.
std::string Lines(const std::string& text, size_t indent) {
  if (text.find('\n') == std::string::npos) return text;
  std::string all = "\n";
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    all += Pad(indent) + text.substr(at, end - at) + (end + 1 < text.size() ? "\n" : "");
    at = end + 1;
  }
  return all;
}

void Render(const Json& value, size_t indent, std::string& to);

void RenderList(const Json& list, size_t indent, std::string& to) {
  bool first = true;
  for (const Json& one : list) {
    if (!first && one.is_structured()) to += "\n";
    first = false;
    Render(one, indent, to);
  }
}

void RenderObject(const Json& object, size_t indent, std::string& to) {
  size_t width = 0;
  for (const auto& [key, value] : object.items())
    if (!value.is_structured() || IsSimpleList(value)) width = std::max(width, key.size());
  for (const auto& [key, value] : object.items()) {
    std::string label = key;
    std::ranges::replace(label, '_', ' ');
    if (value.is_structured() && value.empty()) continue;
    if (IsSimpleList(value)) {
      std::string gap = label + Pad(width - key.size() + 2);
      for (const Json& one : value) {
        to += Pad(indent) + gap + OneLine(Scalar(one)) + "\n";
        gap = Pad(width + 2);
      }
    } else if (value.is_structured()) {
      to += Pad(indent) + label + ":\n";
      Render(value, indent + kIndent, to);
    } else {
      to += Pad(indent) + label + Pad(width - key.size() + 2) +
            Lines(Scalar(value), indent + kIndent) + "\n";
    }
  }
}

void Render(const Json& value, size_t indent, std::string& to) {
  if (value.is_object())
    RenderObject(value, indent, to);
  else if (value.is_array())
    RenderList(value, indent, to);
  else
    to += Pad(indent) + Lines(Scalar(value), indent) + "\n";
}

}  // namespace

std::string OneLine(std::string text) {
  std::string line = Printable(std::move(text));
  std::ranges::replace(line, '\n', '?');
  return line;
}

std::string AsText(const Json& value) {
  std::string text;
  Render(value, 0, text);
  return text;
}

std::string AsJsonText(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace keyscope::cli
