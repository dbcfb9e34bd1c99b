#include "tests/processes/client.h"

#include <algorithm>
#include <stdexcept>

#include "base/secret.h"

namespace keyscope::processes {
namespace {

using cli::Attributes;

constexpr std::string_view kSoPin = "87654321", kPin = "123456";
constexpr std::string_view kLabel = "shared                          ";
// No destructor may run while a thread still signs.
constexpr std::string_view kDigestText = "thirty-two bytes of a digest ...";
const ByteView kDigest = AsBytes(kDigestText);
const Bytes kP256{0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

CK_BYTE* Mutable(ByteView bytes) { return const_cast<CK_BYTE*>(bytes.data()); }
CK_BYTE* Mutable(std::string_view text) { return Mutable(AsBytes(text)); }
SecretBytes Pin(std::string_view pin) { return SecretBytes(Copy(AsBytes(pin))); }

}  // namespace

void InitToken(const std::string& path) {
  const cli::Module module(path);
  const CK_SLOT_ID slot = cli::SlotOf(KeyScope::Machine);
  module.Check(module.call().C_InitToken(slot, Mutable(kSoPin), kSoPin.size(), Mutable(kLabel)),
               "C_InitToken");
  cli::Session session(module, KeyScope::Machine);
  session.Login(CKU_SO, Pin(kSoPin));
  module.Check(module.call().C_InitPIN(session.handle(), Mutable(kPin), kPin.size()), "C_InitPIN");
}

Client::Client(const std::string& module) : module_(module), session_(module_, KeyScope::Machine) {
  session_.Login(CKU_USER, Pin(kPin));
}

void Client::Generate(const std::string& label) {
  Attributes publics, privates;
  publics.AddBool(CKA_TOKEN, true).Add(CKA_LABEL, label).Add(CKA_EC_PARAMS, kP256);
  privates.AddBool(CKA_TOKEN, true).Add(CKA_LABEL, label);
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE made[2];
  const auto first = publics.Template(), second = privates.Template();
  module_.Check(
      module_.call().C_GenerateKeyPair(session_.handle(), &mechanism, first.data(), first.size(),
                                       second.data(), second.size(), &made[0], &made[1]),
      "C_GenerateKeyPair");
}

std::vector<CK_OBJECT_HANDLE> Client::All(const std::string& label) {
  Attributes wanted;
  wanted.Add(CKA_LABEL, label);
  return session_.Find(wanted);
}

size_t Client::Count(const std::string& label) { return All(label).size(); }

void Client::Destroy(const std::string& label) {
  for (CK_OBJECT_HANDLE object : All(label))
    if (session_.Destroy(object)) throw std::runtime_error("the TPM still holds " + label);
}

CK_OBJECT_HANDLE Client::The(const std::string& label, CK_OBJECT_CLASS object_class) {
  Attributes wanted;
  wanted.Add(CKA_LABEL, label).AddUlong(CKA_CLASS, object_class);
  const auto found = session_.Find(wanted);
  if (found.size() != 1)
    throw std::runtime_error(std::to_string(found.size()) + " objects of class " +
                             std::to_string(object_class) + " are called " + label);
  return found[0];
}

Bytes Client::Sign(const std::string& label) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  module_.Check(
      module_.call().C_SignInit(session_.handle(), &mechanism, The(label, CKO_PRIVATE_KEY)),
      "C_SignInit");
  Bytes signature(64);
  CK_ULONG size = signature.size();
  module_.Check(module_.call().C_Sign(session_.handle(), Mutable(kDigest), kDigest.size(),
                                      signature.data(), &size),
                "C_Sign");
  return signature;
}

bool Client::Verifies(const std::string& label, ByteView signature) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  module_.Check(
      module_.call().C_VerifyInit(session_.handle(), &mechanism, The(label, CKO_PUBLIC_KEY)),
      "C_VerifyInit");
  const CK_RV rv = module_.call().C_Verify(session_.handle(), Mutable(kDigest), kDigest.size(),
                                           Mutable(signature), signature.size());
  if (rv != CKR_SIGNATURE_INVALID) module_.Check(rv, "C_Verify");
  return rv == CKR_OK;
}

}  // namespace keyscope::processes
