// The message-based operations of version 3.0: begun with a key, and ended when the caller or a
// logout does it, not by an error in a message.
#include "token/key_use.h"
#include "token/refuse.h"
#include "token/secret_key.h"
#include "token/session.h"

namespace keyscope::token {
namespace {

MessageCipher CipherFor(OpKind kind, const Materials& materials) {
  if (materials.mechanism.ulParameterLen != 0)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "the parameters come with each message");
  const auto direction =
      kind == OpKind::Encrypt ? crypto::Direction::Encrypt : crypto::Direction::Decrypt;
  return {direction, AesOf(materials)};
}

// Each message's operation is made anew from the mechanism, whose parameter is kept: those of the
// mechanisms that sign messages point to nothing.
MessageSigner SignerFor(Maker maker, std::shared_ptr<const Object> object,
                        const MechanismRule& rule, const CK_MECHANISM& mechanism, Token& token) {
  const Input parameter{mechanism.pParameter, mechanism.ulParameterLen};
  MessageSigner::Maker make = [=, &rule, &token, parameter = Copy(parameter.view())] {
    const CK_MECHANISM own{rule.type, const_cast<uint8_t*>(parameter.data()),
                           static_cast<CK_ULONG>(parameter.size())};
    return maker(MaterialsOf(token, rule, own, object.get()));
  };
  make();  // a bad parameter is told now
  return MessageSigner(std::move(make));
}

}  // namespace

void Session::BeginMessages(OpKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  CheckOpen();
  auto& place = Messages(kind);
  if (mechanism == nullptr) {
    if (!place) Refuse(CKR_ARGUMENTS_BAD, "no mechanism was given");
    place.reset();
    return;
  }
  EndWithLogin(place);
  if (place) Refuse(CKR_OPERATION_ACTIVE, "messages are being processed already in the session");
  const OpKindRule& row = RuleOf(kind);
  const MechanismRule& rule = token_.Mechanism(mechanism->mechanism);
  if ((InfoOf(rule, *token_.facts()).flags & row.message_flag) == 0)
    Refuse(CKR_MECHANISM_INVALID, "the mechanism takes no messages");
  const uint64_t login = Generation();
  const auto object = KeyFor(token_, key, rule, {.usage = row.usage, .in_one_call = true});
  const auto bound = object->is_private() ? std::optional(login) : std::nullopt;
  if (kind == OpKind::Encrypt || kind == OpKind::Decrypt)
    place.emplace(ActiveMessages{
        CipherFor(kind, MaterialsOf(token_, rule, *mechanism, object.get())), bound});
  else
    place.emplace(ActiveMessages{
        SignerFor(rule.scheme->*row.maker, object, rule, *mechanism, token_), bound});
}

Session::ActiveMessages& Session::ActiveMessagesOf(OpKind kind) {
  CheckOpen();
  auto& place = Messages(kind);
  EndWithLogin(place);
  if (!place) Refuse(CKR_OPERATION_NOT_INITIALIZED, "C_Message...Init comes first");
  return *place;
}

MessageCipher& Session::Cipher(OpKind kind) {
  return std::get<MessageCipher>(ActiveMessagesOf(kind).with);
}

MessageSigner& Session::Signer(OpKind kind) {
  return std::get<MessageSigner>(ActiveMessagesOf(kind).with);
}

void Session::EndMessages(OpKind kind) {
  ActiveMessagesOf(kind);
  Messages(kind).reset();
}

}  // namespace keyscope::token
