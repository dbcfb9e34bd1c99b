// keyscope_bench [--only TEXT] [--rounds N] [--tcti TCTI] [--shared-tcti TCTI] [--json FILE] [--svg
// FILE]
//                [--module PATH [--slot N] [--pin PIN] [--shared VARIABLE=VALUE]...]...
//
// The floor (--tcti) is the measure of the others, which need software TPMs of their own: swtpm
// serves one client at a time. --shared-tcti and --shared lead to one TPM behind a resource
// manager, which several processes use at once. --only: the rows whose name has this text;
// --rounds: so often each.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "tests/bench/child.h"
#include "tests/bench/floor.h"
#include "tests/bench/fresh.h"
#include "tests/bench/module.h"
#include "tests/bench/report.h"

namespace keyscope::bench {
namespace {

constexpr const char* kDefaultModule = "build/release/keyscope-pkcs11.so";
constexpr int kFreshRounds = 9, kSharedRounds = 3;

struct Options {
  std::string only, tcti, shared_tcti, json, svg;
  int rounds = 0;  // 0: as often as the row says
  std::vector<ModuleOptions> modules;
};

Options Parse(const std::vector<std::string>& words) {
  Options options;
  auto module = [&options]() -> ModuleOptions& {
    if (options.modules.empty()) options.modules.push_back({kDefaultModule});
    return options.modules.back();
  };
  const std::map<std::string, std::function<void(const std::string&)>> known = {
      {"--module", [&](const std::string& value) { options.modules.push_back({value}); }},
      {"--slot", [&](const std::string& value) { module().slot = std::stoul(value); }},
      {"--pin", [&](const std::string& value) { module().pin = value; }},
      {"--shared", [&](const std::string& value) { module().shared.push_back(value); }},
      {"--only", [&](const std::string& value) { options.only = value; }},
      {"--rounds", [&](const std::string& value) { options.rounds = std::stoi(value); }},
      {"--tcti", [&](const std::string& value) { options.tcti = value; }},
      {"--shared-tcti", [&](const std::string& value) { options.shared_tcti = value; }},
      {"--json", [&](const std::string& value) { options.json = value; }},
      {"--svg", [&](const std::string& value) { options.svg = value; }},
  };
  for (size_t i = 0; i < words.size(); i += 2) {
    const auto option = known.find(words[i]);
    if (option == known.end() || i + 1 == words.size())
      throw std::runtime_error("no such option, or no value: " + words[i]);
    option->second(words[i + 1]);
  }
  module();
  return options;
}

using Action = std::function<void(benchmark::State&)>;

// What one subject does for a row.
struct Runner {
  std::string subject;
  Action action;
  std::function<void()> warm_up = {};
  std::string error = {};  // why it does it no more

  // Not SkipWithError: Google Benchmark 1.7 ends the program when only some rounds fail.
  template <typename Work>
  void Try(const Work& work) {
    try {
      if (error.empty()) work();
    } catch (const std::exception& failure) {
      error = failure.what();
    }
  }
};

// What `measure` tells, in `unit`.
Action Told(const char* unit, std::function<double()> measure) {
  return [unit, measure = std::move(measure)](benchmark::State& state) {
    state.counters[unit] = measure();
  };
}

// Takes the medians into a row.
class Medians : public benchmark::BenchmarkReporter {
 public:
  explicit Medians(ReportRow& row) : row_(row) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      // There is no median of a single round.
      if (run.run_type == Run::RT_Aggregate && run.aggregate_name != "median") continue;
      const auto told = run.counters.find(row_.unit);
      row_.cells[run.run_name.function_name].value =
          told != run.counters.end() ? told->second.value : run.GetAdjustedRealTime();
    }
  }

 private:
  ReportRow& row_;
};

// `repetitions`: how much work an action does each time.
void Measure(const Options& options, std::string name, std::string unit, int rounds,
             std::vector<Runner> runners, Report& report, int repetitions = 1) {
  if (name.find(options.only) == std::string::npos || runners.empty()) return;
  if (options.rounds != 0) rounds = options.rounds;
  std::cerr << name << " ...\n";
  ReportRow row{std::move(name), std::move(unit), {}};
  benchmark::ClearRegisteredBenchmarks();
  for (Runner& runner : runners) {
    if (runner.warm_up) runner.Try(runner.warm_up);
    benchmark::RegisterBenchmark(runner.subject.c_str(),
                                 [&runner](benchmark::State& state) {
                                   for (auto iteration : state)
                                     runner.Try([&] { runner.action(state); });
                                 })
        ->Iterations(1)
        ->Repetitions(rounds)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
  Medians medians(row);
  benchmark::RunSpecifiedBenchmarks(&medians, ".");
  for (auto& [subject, cell] : row.cells) cell.value /= repetitions;
  for (Runner& runner : runners) row.cells[runner.subject].error = std::move(runner.error);
  report.rows.push_back(std::move(row));
}

// In processes of their own, so before anything is loaded in this one.
void AddFreshRows(const Options& options, const std::vector<std::string>& names, Report& report) {
  std::vector<Runner> load, initialized, memory;
  for (size_t i = 0; i < names.size(); ++i) {
    const ModuleOptions& module = options.modules[i];
    load.push_back({names[i], Told(kMicroseconds, [&] { return LoadAndInitialize(module); })});
    initialized.push_back({names[i], Told(kKib, [&] { return InitializedKib(module); })});
    memory.push_back({names[i], Told(kKib, [&] { return ResidentKib(module); })});
  }
  Measure(options, "dlopen + C_Initialize", kMicroseconds, kFreshRounds, std::move(load), report);
  Measure(options, "resident memory after C_Initialize", kKib, 3, std::move(initialized), report);
  Measure(options, "resident memory after a signature", kKib, 3, std::move(memory), report);
  if (options.shared_tcti.empty()) return;
  for (int processes : {1, 2, 4, 8}) {
    std::vector<Runner> runners;
    runners.push_back({"floor", Told(kMicroseconds, [&] {
                         return SignInProcesses(processes,
                                                [&] { return FloorSigner(options.shared_tcti); });
                       })});
    for (size_t i = 0; i < names.size(); ++i)
      runners.push_back({names[i], Told(kMicroseconds, [&, i] {
                           return SignInProcesses(processes, [&] {
                             UseShared(options.modules[i]);
                             return ModuleSigner(options.modules[i]);
                           });
                         })});
    Measure(options, "sign P-256, " + std::to_string(processes) + " processes, resource manager",
            kMicroseconds, kSharedRounds, std::move(runners), report);
  }
}

void AddRow(const Options& options, const Row& row,
            const std::vector<std::unique_ptr<Subject>>& subjects, Report& report) {
  std::vector<Runner> runners;
  for (const auto& subject : subjects) {
    try {
      if (auto work = subject->Doing(row))
        runners.push_back({subject->name(), [work](benchmark::State&) { work(); }, work});
    } catch (const std::exception& failure) {
      runners.push_back({subject->name(), {}, {}, failure.what()});
    }
  }
  Measure(options, row.name, kMicroseconds, row.rounds, std::move(runners), report,
          row.repetitions);
}

void WriteFile(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (path.empty()) return;
  std::ofstream file(path);
  write(file);
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

void Main(const Options& options) {
  Report report;
  std::vector<std::string> names;
  for (const ModuleOptions& module : options.modules)
    names.push_back(std::filesystem::path(module.path).stem().string());
  if (!options.tcti.empty()) report.subjects.push_back("floor");
  report.subjects.insert(report.subjects.end(), names.begin(), names.end());
  AddFreshRows(options, names, report);

  std::vector<std::unique_ptr<Subject>> subjects;
  if (!options.tcti.empty()) subjects.push_back(std::make_unique<Floor>(options.tcti));
  for (const ModuleOptions& module : options.modules)
    subjects.push_back(std::make_unique<Module>(module));
  for (const Row& row : kColdRows) AddRow(options, row, subjects, report);
  for (const auto& subject : subjects) subject->Warm();
  for (const Row& row : kWarmRows) AddRow(options, row, subjects, report);

  report.WriteTable(std::cout);
  WriteFile(options.json, [&](std::ostream& out) { report.WriteJson(out); });
  WriteFile(options.svg, [&](std::ostream& out) { report.WriteSvg(out); });
}

}  // namespace
}  // namespace keyscope::bench

int main(int argc, char** argv) {
  try {
    // The subjects' rounds are mixed, so that what else the machine does hits all alike.
    std::string name = *argv, mixed = "--benchmark_enable_random_interleaving=true";
    char* arguments[] = {name.data(), mixed.data(), nullptr};
    int count = 2;
    benchmark::Initialize(&count, arguments);
    keyscope::bench::Main(keyscope::bench::Parse({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
