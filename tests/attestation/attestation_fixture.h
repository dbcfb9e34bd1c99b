// Both slots with the user logged in, and what the tests of attestation and deletion look at.
#pragma once

#include "p11/cryptoki.h"
#include "p11/keyscope.h"
#include "tests/module/operations.h"
#include "tpm/types.h"

namespace keyscope::test {

enum class Algorithm { Rsa, Ec };
inline constexpr Algorithm kAlgorithms[] = {Algorithm::Rsa, Algorithm::Ec};
inline constexpr CK_SLOT_ID kSlots[] = {kMachineSlot, kUserSlot};

inline Bytes Text(std::string_view text) { return Copy(AsBytes(text)); }

// The evidence of a private key, as a remote party gets it.
struct Evidence {
  Bytes public_area;  // TPMT_PUBLIC
  Bytes creation_data;
  tpm::Statement creation, certification;
};
Evidence EvidenceOf(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);
// What CKM_KEYSCOPE_CERTIFY and CKM_KEYSCOPE_QUOTE give.
tpm::Statement ParseStatement(ByteView signature);

Mechanism CertifyMechanism(CK_OBJECT_HANDLE key);
Mechanism QuoteMechanism(CK_MECHANISM_TYPE bank, CK_ULONG pcrs);
Mechanism ActivateMechanism(CK_KEY_TYPE endorsement_key);

class Attestation : public Module {
 protected:
  void SetUp() override;
  void TearDown() override;  // also takes out what a test left at handles

  // Token keys: RSA-2048 or P-256. The attributes go to the private template.
  static CK_RV TryMake(CK_SESSION_HANDLE session, Algorithm algorithm, const Attributes& asked,
                       KeyPair& pair);
  static CK_OBJECT_HANDLE Make(CK_SESSION_HANDLE session, Algorithm algorithm,
                               const Attributes& asked = {});
  static CK_OBJECT_HANDLE MakeAk(CK_SESSION_HANDLE session, Algorithm algorithm = Algorithm::Ec) {
    return Make(session, algorithm, {{CKA_KEYSCOPE_ATTESTATION_KEY, true}});
  }
  // Asks for a key that `ak`, an object of `of`, attests.
  static Attributes By(CK_SESSION_HANDLE of, CK_OBJECT_HANDLE ak) {
    return {{CKA_KEYSCOPE_ATTESTED_BY, Get(of, ak, CKA_UNIQUE_ID)}};
  }
  static Bytes Sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);  // by the key's own algorithm

  CK_SESSION_HANDLE In(CK_SLOT_ID slot) const { return sessions_[slot]; }
  CK_SESSION_HANDLE session() const { return sessions_[kMachineSlot]; }
  void Restart();  // C_Finalize, C_Initialize, and new sessions

  std::string StorePath(CK_SLOT_ID slot) const;
  // The first number of the result.
  int64_t Sql(CK_SLOT_ID slot, const std::string& sql) const;
  int64_t Rows(CK_SLOT_ID slot) const { return Sql(slot, "SELECT count(*) FROM object"); }
  int64_t PendingErases(CK_SLOT_ID slot) const {
    return Sql(slot, "SELECT count(*) FROM pending_erase");
  }
  static std::vector<uint32_t> PersistentHandles();  // those of Keyscope's range
  // All that must not have grown after a refusal.
  std::vector<int64_t> Traces() const;
  // What the module has logged since the last call.
  std::string TakeLog() const;

 private:
  void OpenSessions();

  CK_SESSION_HANDLE sessions_[2] = {};
};

}  // namespace keyscope::test
