// The kinds of operation of which a session can have one each at a time (section 5.1.7), and what
// each asks of a mechanism and a key.
#pragma once

#include <cstddef>
#include <cstdint>

#include "token/mechanism_rules.h"

namespace keyscope::token {

enum class OpKind : uint8_t { Digest, Encrypt, Decrypt, Sign, Verify, SignRecover, VerifyRecover };

struct OpKindRule {
  Maker Scheme::*maker;
  CK_ATTRIBUTE_TYPE usage;  // that the key must have; 0: it takes no key
  CK_FLAGS flag;            // of the mechanism's information, and to cancel it with
  CK_FLAGS message_flag;    // that of its message-based form (version 3.0); 0: it has none

  constexpr bool takes_key() const { return usage != 0; }
};

// In the order of OpKind.
inline constexpr OpKindRule kOpKinds[] = {
    {&Scheme::digest, 0, CKF_DIGEST, 0},
    {&Scheme::encrypt, CKA_ENCRYPT, CKF_ENCRYPT, CKF_MESSAGE_ENCRYPT},
    {&Scheme::decrypt, CKA_DECRYPT, CKF_DECRYPT, CKF_MESSAGE_DECRYPT},
    {&Scheme::sign, CKA_SIGN, CKF_SIGN, CKF_MESSAGE_SIGN},
    {&Scheme::verify, CKA_VERIFY, CKF_VERIFY, CKF_MESSAGE_VERIFY},
    {&Scheme::sign_recover, CKA_SIGN_RECOVER, CKF_SIGN_RECOVER, 0},
    {&Scheme::verify_recover, CKA_VERIFY_RECOVER, CKF_VERIFY_RECOVER, 0},
};
constexpr const OpKindRule& RuleOf(OpKind kind) { return kOpKinds[static_cast<size_t>(kind)]; }

}  // namespace keyscope::token
