// keyscope_bench [--tcti TCTI] [--json] [--module PATH [--slot N] [--pin PIN]]...
//
// Each subject does each row in turn, so that what else the machine does hits all alike. The raw
// TPM (--tcti) is the measure of the others, which need software TPMs of their own: swtpm serves
// one client at a time.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "tests/bench/module.h"
#include "tests/bench/raw_tpm.h"
#include "tests/bench/report.h"

namespace keyscope::bench {
namespace {

constexpr const char* kDefaultModule = "build/release/keyscope-pkcs11.so";

struct Options {
  std::string tcti;
  bool json = false;
  std::vector<ModuleOptions> modules;
};

Options Parse(std::vector<std::string> words) {
  Options options;
  auto module = [&options]() -> ModuleOptions& {
    if (options.modules.empty()) options.modules.push_back({kDefaultModule, {}});
    return options.modules.back();
  };
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--json") {
      options.json = true;
      continue;
    }
    if (i + 1 == words.size()) throw std::runtime_error("no such option, or no value: " + words[i]);
    const std::string& value = words[i + 1];
    if (words[i] == "--module") {
      options.modules.push_back({value, {}});
    } else if (words[i] == "--slot") {
      module().slot = std::stoul(value);
    } else if (words[i] == "--pin") {
      module().pin = value;
    } else if (words[i] == "--tcti") {
      options.tcti = value;
    } else {
      throw std::runtime_error("no such option: " + words[i]);
    }
    ++i;
  }
  module();
  return options;
}

double Microseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

double Median(std::vector<double> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

struct Runner {
  std::string subject;
  std::function<void()> work;
  std::vector<double> times;
  std::string error;

  void Once() {
    if (!error.empty()) return;
    try {
      times.push_back(Microseconds(work));
    } catch (const std::exception& failure) {
      error = failure.what();
    }
  }
};

std::map<std::string, Cell> Measure(const Row& row,
                                    const std::vector<std::unique_ptr<Subject>>& subjects) {
  std::map<std::string, Cell> cells;
  std::vector<Runner> runners;
  for (const auto& subject : subjects) {
    try {
      if (auto work = subject->Doing(row.work))
        runners.push_back({subject->name(), std::move(work), {}, {}});
    } catch (const std::exception& failure) {
      cells[subject->name()].error = failure.what();
    }
  }
  for (Runner& runner : runners) runner.Once();  // the first one is not counted
  for (Runner& runner : runners) runner.times.clear();
  for (int round = 0; round < row.rounds; ++round)
    for (Runner& runner : runners) runner.Once();
  for (Runner& runner : runners) {
    const bool done = runner.error.empty();
    cells[runner.subject] = {done ? Median(std::move(runner.times)) / row.repetitions : 0,
                             std::move(runner.error)};
  }
  return cells;
}

Report Run(const std::vector<std::unique_ptr<Subject>>& subjects) {
  Report report;
  for (const auto& subject : subjects) report.subjects.push_back(subject->name());
  bool warm = false;
  for (const Row& row : kRows) {
    if (!row.cold && !warm)
      for (const auto& subject : subjects) subject->Warm();
    warm = !row.cold;
    report.cells[row.work] = Measure(row, subjects);
  }
  return report;
}

int Main(const Options& options) {
  std::vector<std::unique_ptr<Subject>> subjects;
  if (!options.tcti.empty()) subjects.push_back(std::make_unique<RawTpm>(options.tcti));
  for (const ModuleOptions& module : options.modules)
    subjects.push_back(std::make_unique<Module>(module));
  const Report report = Run(subjects);
  options.json ? report.WriteJson(std::cout) : report.WriteTable(std::cout);
  return 0;
}

}  // namespace
}  // namespace keyscope::bench

int main(int argc, char** argv) {
  try {
    return keyscope::bench::Main(keyscope::bench::Parse({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
