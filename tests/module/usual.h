// For each mechanism a parameter that works, and a key that it works with.
#pragma once

#include "tests/module/operations.h"

namespace keyscope::test {

// With a parameter of the usual kind: an IV, PSS with a salt that fits every key, the given peer's
// point.
Mechanism Usual(CK_MECHANISM_TYPE type, ByteView peer_point = {});

enum class KeySize { Usual, Smallest, Largest };

// One key of each type, of the session, with every use permitted. The smallest and the largest ones
// are those of C_GetMechanismInfo.
class UsualKeys {
 public:
  explicit UsualKeys(CK_SESSION_HANDLE session, KeySize size = KeySize::Usual);
  // The pair's halves, or the secret key twice. Both 0 for a digest.
  KeyPair For(CK_MECHANISM_TYPE type) const;
  const Bytes& point() const { return point_; }

 private:
  KeyPair rsa_, ec_, aes_, generic_;
  Bytes point_;
};

}  // namespace keyscope::test
