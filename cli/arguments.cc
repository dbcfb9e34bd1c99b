#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "cli/error.h"

namespace keyscope::cli {
namespace {

std::string EmptyIsWrong(const std::string& value) { return value.empty() ? "an empty value" : ""; }

}  // namespace

Option Option::Required() { return Option(*option_->required()); }
Option Option::Needs(Option other) { return Option(*option_->needs(other.option_)); }
Option Option::Excludes(Option other) { return Option(*option_->excludes(other.option_)); }
Option Option::ShowDefault() { return Option(*option_->capture_default_str()); }
Option Option::OneOf(const std::vector<std::string>& values) {
  return Option(*option_->check(CLI::IsMember(values)));
}

Option Arguments::Add(const char* name, std::string& value, const char* what) {
  return Option(*app_->add_option(name, value, what)->check(EmptyIsWrong));
}

Option Arguments::Add(const char* name, std::vector<std::string>& values, const char* what) {
  return Option(*app_->add_option(name, values, what)->check(EmptyIsWrong));
}

Option Arguments::Add(const char* name, std::vector<int64_t>& values, const char* what) {
  return Option(*app_->add_option(name, values, what));
}

Option Arguments::AddFlag(const char* name, bool& value, const char* what) {
  return Option(*app_->add_flag(name, value, what));
}

Option Arguments::AddFlag(const char* name, std::optional<bool>& value, const char* what) {
  return Option(*app_->add_flag(name, value, what));
}

Arguments Arguments::AddChoice(const char* name) {
  CLI::Option_group& choice = *app_->add_option_group(name);
  choice.require_option(1);
  return Arguments(choice);
}

Arguments Arguments::AddCommand(const char* name, const char* what) {
  return Arguments(*app_->add_subcommand(name, what));
}

void Arguments::Call(std::function<void()> run) { app_->callback(std::move(run)); }

Arguments Arguments::AddGroup(const char* name, const char* what) {
  return Arguments(*app_->add_subcommand(name, what)->require_subcommand(1));
}

Program::Program(const char* name, const char* what, const char* version, const char* footer)
    : app_(std::make_unique<CLI::App>(what, name)) {
  app_->allow_windows_style_options(false);  // a path may begin with a slash
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->fallthrough();  // the program's options may also come after the command
  app_->footer(footer);
}

Program::~Program() = default;

void Program::Run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& answered) {
    app_->exit(answered);
  } catch (const CLI::ExtrasError&) {
    std::string wrong;  // not the words behind a mistyped option: one may be a PIN
    for (const std::string& word : app_->remaining(true))
      if (word.starts_with("-"))
        wrong += " " + word.substr(0, word.starts_with("--") ? word.find('=') : 2);
    throw UsageError((wrong.empty() ? "the line has more words than the command takes"
                                    : "there is no option" + wrong) +
                     std::string(" (see --help)"));
  } catch (const CLI::ParseError& error) {
    throw UsageError(std::string(error.what()) + " (see --help)");
  }
}

}  // namespace keyscope::cli
