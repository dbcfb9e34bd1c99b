// What a command takes on its line. CLI11 reads it; since each file that includes CLI11 takes
// seconds to compile, arguments.cc alone does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace keyscope::cli {

// An option or flag that was added, to say more of it.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option Required();
  Option Needs(Option other);
  Option Excludes(Option other);
  Option ShowDefault();  // the value that it has now, in --help
  Option OneOf(const std::vector<std::string>& values);

 private:
  CLI::Option* option_;
};

// The options and subcommands of one command: a handle, which is copied freely. The variables must
// outlive the parse.
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(&app) {}

  // `name`: "--option", or "name" for a positional one. A value that is given must not be empty, or
  // an unset variable of a script would count as an option that was left out.
  Option Add(const char* name, std::string& value, const char* what);
  Option Add(const char* name, std::vector<std::string>& values, const char* what);
  Option Add(const char* name, std::vector<int64_t>& values, const char* what);
  Option AddFlag(const char* name, bool& value, const char* what);
  // "--flag,!--no-flag"; neither leaves it unset.
  Option AddFlag(const char* name, std::optional<bool>& value, const char* what);
  // Options of which exactly one must be given.
  Arguments AddChoice(const char* name);

  // A command that does `run`.
  Arguments AddCommand(const char* name, const char* what);
  void Call(std::function<void()> run);
  // A command of which one subcommand must be given.
  Arguments AddGroup(const char* name, const char* what);

 private:
  CLI::App* app_;
};

// The whole command line.
class Program {
 public:
  Program(const char* name, const char* what, const char* version, const char* footer);
  ~Program();

  Arguments arguments() { return Arguments(*app_); }
  // Calls the command that is given, or answers --help and --version. UsageError for a line that
  // is wrong.
  void Run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace keyscope::cli
