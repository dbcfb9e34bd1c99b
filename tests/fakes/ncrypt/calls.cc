#include <cstdio>
#include <mutex>
#include <sstream>

#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {
namespace {

std::recursive_mutex mutex;
std::string faults;                // the variable as it was at the last call
std::map<std::string, int> calls;  // since it changed

[[noreturn]] void Die() {
  TerminateProcess(GetCurrentProcess(), 9);
  abort();
}

struct Verdict {
  Status status = 0;
  bool die = false, die_after = false;
};

Verdict Judge(const std::string& function) {
  const std::string now = Setting("KEYSCOPE_DOUBLE_FAULT");
  if (now != faults) {
    faults = now;
    calls.clear();
  }
  ++calls[function];
  ++calls["*"];
  Verdict verdict;
  std::istringstream words(now);
  for (std::string word; words >> word;) {
    const size_t first = word.find(':'), second = word.find(':', first + 1);
    const std::string of = word.substr(0, first), what = word.substr(second + 1);
    const int n = std::stoi(word.substr(first + 1));
    if ((of != "*" && of != function) || calls[of] != n) continue;
    if (what == "die")
      verdict.die = true;
    else if (what == "die-after")
      verdict.die_after = true;
    else
      verdict.status = static_cast<Status>(std::stoul(what, nullptr, 16));
  }
  return verdict;
}

}  // namespace

std::string Setting(const char* name) {
  char value[1024];
  const DWORD size = GetEnvironmentVariableA(name, value, sizeof value);
  return size < sizeof value ? std::string(value, size) : std::string();
}

std::string Hex(uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(number));
  return text;
}

std::string Utf8(const wchar_t* text) {
  if (text == nullptr) return "(none)";
  std::string utf8;
  for (; *text != 0; ++text) utf8 += *text < 0x80 ? static_cast<char>(*text) : '?';
  return utf8;
}

Status Run(const char* function, const std::string& arguments, const std::function<void()>& body) {
  std::lock_guard lock(mutex);
  const Verdict verdict = Judge(function);
  if (verdict.die) {
    AppendLine(L"calls", std::string("die before ") + function);
    Die();
  }
  Status status = verdict.status;
  try {
    if (status == 0) body();
  } catch (const Failure& failure) {
    status = failure.status;
  } catch (const std::exception& error) {
    AppendLine(L"calls", std::string("the double is broken: ") + error.what());
    status = 0x80090020;  // NTE_FAIL
  }
  AppendLine(L"calls", std::string(function) + " " + arguments + " = " + Hex(status));
  if (verdict.die_after) Die();
  return status;
}

}  // namespace keyscope::ncrypt_double
