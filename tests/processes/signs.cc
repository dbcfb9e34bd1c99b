// One process that signs and signs, and one that is idle beside it with its key loaded.
#include <unistd.h>

#include <cstdio>

#include "tests/processes/client.h"

namespace keyscope::processes {
namespace {

constexpr char kSigner[] = "key";

void MakeIfAbsent(Client& client) {
  if (client.Count(kSigner) == 0) client.Generate(kSigner);
}

}  // namespace

int Sign(const std::string& module, int count) {
  Client client(module);
  MakeIfAbsent(client);
  for (int n = 1; n <= count; ++n) {
    const Bytes signature = client.Sign(kSigner);
    if (n % 1000 == 0 || n == count)
      if (!client.Verifies(kSigner, signature)) return 1;
  }
  std::printf("%d signs\n", count);
  return 0;
}

// Until its standard input ends; then the key is used again.
int Idle(const std::string& module) {
  Client client(module);
  MakeIfAbsent(client);
  for (int n = 0; n < 3; ++n) client.Sign(kSigner);
  std::printf("idle\n");
  std::fflush(stdout);
  char end;
  while (::read(STDIN_FILENO, &end, 1) > 0) continue;
  return client.Verifies(kSigner, client.Sign(kSigner)) ? 0 : 1;
}

}  // namespace keyscope::processes
