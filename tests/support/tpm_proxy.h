// A TCP proxy before a Swtpm: counts commands by their code and does them harm. Unlike swtpm it
// serves many clients at a time, through one connection of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/net.h"
#include "tests/support/swtpm.h"

namespace keyscope::test {

// What happens to a command.
struct Harm {
  enum class Kind {
    Answer,     // the TPM does not see it; the answer is `code`
    CutBefore,  // the TPM does not see it; the client's connection is closed
    CutAfter,   // the TPM does it; the client's connection is closed instead of the answer
    Truncate,   // the TPM does it; half of the answer comes, then the connection is closed
    Garbage,    // the TPM does it; the answer is of the right size and otherwise nonsense
    Flip,       // the TPM does it; one bit of the last byte behind the answer's header is changed
    Hold,       // the TPM does it; the answer comes when the test lets it go
  };
  Kind kind = Kind::Answer;
  uint32_t code = 0;
};

class TpmProxy {
 public:
  explicit TpmProxy(const Swtpm& swtpm);
  ~TpmProxy();
  TpmProxy(const TpmProxy&) = delete;
  TpmProxy& operator=(const TpmProxy&) = delete;

  std::string tcti() const;

  // Commands since the last Reset, by TPM_CC, and all.
  std::map<uint32_t, int> Counts();
  int Total();
  void Reset();

  // The command after `skip` others that are counted from now on suffers `harm`, `times` in a row.
  void Inject(int skip, Harm harm, int times = 1);
  // Whether all of it has happened.
  bool Injected();

  // With Harm::Kind::Hold: waits until an answer is held; false when there is none in 20 seconds.
  bool AwaitHeld();
  // Lets it go. False when that was done after 20 seconds already: somebody waited for it.
  bool LetGo();

  // Appends all commands and answers to a file from now on, as somebody on the TPM's bus sees them;
  // with an empty path no longer.
  void Record(const std::string& path);

  // A command of the test's own; not counted, not harmed. Empty when the TPM is not there.
  Bytes Ask(ByteView command);
  // Leaves the TPM to another client, until the next command.
  void Disconnect();
  // Handles of transient objects and of loaded sessions in the TPM.
  std::vector<uint32_t> LoadedHandles();

 private:
  struct Client {
    Socket socket;
    std::atomic<bool> done = false;
    std::jthread thread;
  };

  void Accept(const Socket& listening, void (TpmProxy::*serve)(const Socket&));
  void ServeCommands(const Socket& client);
  void ServeControl(const Socket& client);
  std::optional<Harm> Count(ByteView command);
  std::optional<Bytes> Forward(ByteView command);
  void Suffer(const Socket& client, const Harm& harm, ByteView command);
  void HoldUntilLetGo();
  void Keep(ByteView frame);  // in the record

  const uint16_t tpm_port_;
  const uint16_t port_;
  const Socket commands_, control_;

  std::mutex upstream_mutex_;
  Socket upstream_;

  std::mutex mutex_;  // guards the rest
  std::map<uint32_t, int> counts_;
  int skip_ = 0, times_ = 0;
  Harm harm_;
  std::ofstream record_;
  bool held_ = false;
  std::condition_variable held_changed_;
  std::list<Client> clients_;
  bool stopping_ = false;
  std::vector<std::jthread> acceptors_;
};

}  // namespace keyscope::test
