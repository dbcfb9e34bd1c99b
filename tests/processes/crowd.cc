// Many processes in one store. Each makes keys, signs, and destroys some; its neighbour must see
// that as soon as it hears of it.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "tests/processes/client.h"

namespace keyscope::processes {
namespace {

// What a worker tells its neighbour once a round.
struct News {
  int worker = 0, round = 0;
  std::array<uint8_t, 64> signature{};
};

std::string LabelOf(int worker, int round) {
  return "key " + std::to_string(round) + " of " + std::to_string(worker);
}
// In every other round the last one's key goes.
bool Destroys(int round) { return round % 2 == 1; }
bool Stays(int round, int rounds) { return round + 1 == rounds || !Destroys(round + 1); }

void Tell(int fd, const News& news) {
  if (::write(fd, &news, sizeof news) != sizeof news) throw std::runtime_error("nobody listens");
}
News Hear(int fd) {
  News news;
  if (::read(fd, &news, sizeof news) != sizeof news)
    throw std::runtime_error("the neighbour has died");
  return news;
}

void Believe(Client& client, const News& news) {
  const std::string label = LabelOf(news.worker, news.round);
  if (!client.Verifies(label, news.signature))
    throw std::runtime_error("the signature of " + label + " does not verify");
  if (client.Count(label) != 2) throw std::runtime_error(label + " is no pair");
  if (Destroys(news.round) && client.Count(LabelOf(news.worker, news.round - 1)) != 0)
    throw std::runtime_error("what was destroyed before " + label + " is still seen");
}

// What was told has been believed: it may be changed now.
void Nod(int link) {
  if (::write(link, "!", 1) != 1) throw std::runtime_error("the neighbour has died");
}
void AwaitNod(int link) {
  char nod;
  if (::read(link, &nod, 1) != 1) throw std::runtime_error("the neighbour has died");
}

void Work(const std::string& module, int worker, int rounds, int from, int to) {
  Client client(module);
  for (int round = 0; round < rounds; ++round) {
    News news{.worker = worker, .round = round};
    const std::string label = LabelOf(worker, round);
    client.Generate(label);
    const Bytes signature = client.Sign(label);
    std::copy(signature.begin(), signature.end(), news.signature.begin());
    if (Destroys(round)) client.Destroy(LabelOf(worker, round - 1));
    Tell(to, news);
    Believe(client, Hear(from));
    Nod(from);
    AwaitNod(to);
  }
}

// In a ring: each hears from the one before it.
std::vector<pid_t> StartAll(const std::string& module, int workers, int rounds) {
  std::vector<std::array<int, 2>> links(static_cast<size_t>(workers));
  for (auto& ends : links)
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0)
      throw std::runtime_error("no socket pair");
  std::vector<pid_t> started;
  for (int worker = 0; worker < workers; ++worker) {
    const pid_t child = ::fork();
    if (child == 0) {
      const int from = links[static_cast<size_t>(worker)][0];
      const int to = links[static_cast<size_t>((worker + 1) % workers)][1];
      for (const auto& ends : links)
        for (int fd : ends)
          if (fd != from && fd != to) ::close(fd);
      std::signal(SIGPIPE, SIG_IGN);
      int code = 0;
      try {
        Work(module, worker, rounds, from, to);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "process %d: %s\n", worker, error.what());
        code = 1;
      }
      ::_exit(code);
    }
    started.push_back(child);
  }
  for (const auto& ends : links)
    for (int fd : ends) ::close(fd);
  return started;
}

}  // namespace

int Crowd(const std::string& module, int workers, int rounds) {
  int failed = 0;
  for (pid_t worker : StartAll(module, workers, rounds)) {
    int status = 0;
    ::waitpid(worker, &status, 0);
    failed += status != 0 ? 1 : 0;
  }
  Client client(module);
  int wrong = 0;
  for (int worker = 0; worker < workers; ++worker)
    for (int round = 0; round < rounds; ++round) {
      const std::string label = LabelOf(worker, round);
      wrong += client.Count(label) == (Stays(round, rounds) ? 2U : 0U) ? 0 : 1;
      if (Stays(round, rounds) && !client.Verifies(label, client.Sign(label))) ++wrong;
    }
  std::printf("%d processes x %d generations and signs: %d failed; %d wrong keys afterwards\n",
              workers, rounds, failed, wrong);
  return failed + wrong == 0 ? 0 : 1;
}

}  // namespace keyscope::processes
