// One writer: arguments there and back, and what it does.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

constexpr int kTellsAt = 3;          // the writer's descriptor for what it tells
constexpr unsigned kPatience = 120;  // seconds, after which a writer that hangs is a failure
constexpr char kBegins = 'b';        // told when it is about to act

const Job& JobOf(std::string_view name) {
  for (const auto* jobs : {&Jobs(), &FirstJobs()})
    for (const Job& job : *jobs)
      if (job.name == name) return job;
  throw std::runtime_error("there is no job " + std::string(name));
}

// Of a Plan, in the order of its members.
std::vector<std::string> ArgumentsOf(const Plan& plan) {
  return {std::to_string(static_cast<int>(plan.way)), std::to_string(plan.calls),
          std::to_string(plan.step), std::to_string(plan.error), std::to_string(plan.lasting)};
}
Plan PlanOf(char** arguments) {
  auto number = [&](int at) { return std::atoi(arguments[at]); };
  return {.way = static_cast<Way>(number(0)),
          .calls = static_cast<unsigned>(number(1)),
          .step = number(2),
          .error = number(3),
          .lasting = number(4) != 0};
}

}  // namespace

int WriterMain(int count, char** arguments) {
  if (count != 6) return 2;
  ::alarm(kPatience);
  const Job& job = JobOf(arguments[0]);
  const Plan plan = PlanOf(arguments + 1);
  Torture::Told told{.acknowledged = true};
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  C_Initialize(nullptr);
  auto open = [] {
    CK_SESSION_HANDLE opened = CK_INVALID_HANDLE;
    C_OpenSession(Torture::kSlot, kReadWrite, nullptr, nullptr, &opened);
    return opened;
  };
  if (job.as != Job::As::Nobody) {
    session = open();
    const bool so = job.as == Job::As::So;
    if (Login(session, so ? CKU_SO : CKU_USER, so ? kSoPin : kUserPin) != CKR_OK) return 3;
  }
  [[maybe_unused]] ssize_t sent = ::write(kTellsAt, &kBegins, 1);
  Arm(plan);
  told.rv = job.act(session);
  told.steps = Disarm();
  if (plan.way == Way::Fail || plan.way == Way::Short)
    told.next = TryCreate(open(), {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}, {CKA_LABEL, "next"}});
  sent = ::write(kTellsAt, &told, sizeof told);
  C_Finalize(nullptr);
  return 0;
}

Torture::Told Torture::Run(const Job& job, const Plan& plan, useconds_t lifetime) {
  std::vector<std::string> arguments{"torture_tests", kWriterFlag, job.name};
  for (std::string& one : ArgumentsOf(plan)) arguments.push_back(std::move(one));
  std::vector<char*> raw;
  for (std::string& one : arguments) raw.push_back(one.data());
  raw.push_back(nullptr);

  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], kTellsAt);
  pid_t writer = 0;
  EXPECT_EQ(::posix_spawn(&writer, "/proc/self/exe", &actions, nullptr, raw.data(), environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  char begins = 0;
  EXPECT_EQ(::read(ends[0], &begins, 1), 1) << "the writer does not come to its job";
  if (lifetime != 0) {
    ::usleep(lifetime);
    ::kill(writer, SIGKILL);
  }
  Told told;
  if (::read(ends[0], &told, sizeof told) != sizeof told) told = {};
  ::close(ends[0]);
  int status = 0;
  ::waitpid(writer, &status, 0);
  EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
              (WIFEXITED(status) && WEXITSTATUS(status) == 0))
      << "the writer's own end: " << status;
  return told;
}

}  // namespace keyscope::test
