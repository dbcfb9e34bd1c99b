// Looks for secrets in the memory of this very process, as one would in its core dump. The test
// must not hold them in clear either, so it keeps them masked.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"

namespace keyscope::test {

// A secret that is in clear only while an Exposed of it lives.
struct MaskedSecret {
  // Printable and drawn at random; never in clear.
  static MaskedSecret Random(const char* name, size_t size);
  static MaskedSecret Of(const char* name, ByteView clear);

  const char* name;
  Bytes masked;
};

// The secret in clear, in memory that is wiped when it goes.
class Exposed {
 public:
  explicit Exposed(const MaskedSecret& secret);
  uint8_t* data() { return clear_.data(); }
  size_t size() const { return clear_.size(); }
  ByteView view() const { return clear_.view(); }

 private:
  SecretBytes clear_;
};

// Where 16 bytes or more of one of the secrets stand in writable memory: its name, the offset in
// it, and the mapping. Freed memory counts.
std::vector<std::string> FindInMemory(const std::vector<MaskedSecret>& secrets);

// The secrets of which bytes (or their hex digits) stand in the contents of a file.
std::vector<std::string> FindInFile(const std::vector<MaskedSecret>& secrets,
                                    const std::string& path);

}  // namespace keyscope::test
