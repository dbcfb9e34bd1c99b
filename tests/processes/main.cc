// process_driver MODULE MODE [ARGUMENTS]
#include <sys/auxv.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tests/processes/client.h"

namespace keyscope::processes {

// What a process sees of the environment that it was started in.
int Look(const std::string& path) {
  const cli::Module module(path);
  const bool present = module.TokenPresent(KeyScope::Machine);
  std::printf("secure %lu, token %s\n", ::getauxval(AT_SECURE),
              present ? cli::Trimmed(module.TokenInfo(KeyScope::Machine).label).c_str() : "absent");
  return 0;
}

namespace {

int Run(int count, char** words) {
  auto word = [&](int at) { return std::string(at < count ? words[at] : ""); };
  auto number = [&](int at) { return std::atoi(word(at).c_str()); };
  const std::string module = word(1), mode = word(2);
  if (mode == "init") return InitToken(module), 0;
  if (mode == "crowd") return Crowd(module, number(3), number(4));
  if (mode == "sign") return Sign(module, number(3));
  if (mode == "idle") return Idle(module);
  if (mode == "reload") return Reload(module, number(3));
  if (mode == "end") return End(module, word(3));
  if (mode == "look") return Look(module);
  std::fprintf(stderr, "no mode %s\n", mode.c_str());
  return 2;
}

}  // namespace
}  // namespace keyscope::processes

int main(int count, char** words) {
  try {
    return keyscope::processes::Run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
