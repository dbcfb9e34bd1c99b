#include "token/session.h"

#include <cstring>

#include "base/ossl.h"
#include "token/create.h"
#include "token/mechanism_rules.h"
#include "token/random.h"
#include "token/read.h"
#include "token/refuse.h"
#include "token/template.h"
#include "token/token.h"

namespace keyscope::token {

Session::Session(Token& token, CK_SESSION_HANDLE id, CK_FLAGS flags)
    : token_(token), id_(id), flags_(flags & (CKF_RW_SESSION | CKF_SERIAL_SESSION)) {
  ossl::Prepare();
  token.NeedTpm();
  token.login().Refresh();
  token.login().SessionOpened((flags & CKF_RW_SESSION) != 0);
}

void Session::Close() noexcept {
  if (closed_.exchange(true)) return;
  token_.objects().DropSessionObjects(id_);
  if (!token_.login().SessionClosed((flags_ & CKF_RW_SESSION) != 0)) return;
  token_.objects().ForgetPrivate();
  token_.backend().Release({});
}

uint64_t Session::Generation() const { return token_.login().generation(); }

void Session::CheckOpen() const {
  if (closed_) Refuse(CKR_SESSION_HANDLE_INVALID, "the session was closed meanwhile");
}

CK_SESSION_INFO Session::Info() {
  CheckOpen();
  const bool read_write = (flags_ & CKF_RW_SESSION) != 0;
  CK_STATE state = read_write ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
  switch (token_.login().state()) {
    case Login::State::Public:
      break;
    case Login::State::User:
      state = read_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
      break;
    case Login::State::So:
      state = CKS_RW_SO_FUNCTIONS;
      break;
  }
  return {token_.slot(), state, flags_, 0};
}

void Session::InitPin(Input pin) {
  CheckOpen();
  token_.login().InitPin(pin);
}

void Session::SetPin(Input old_pin, Input new_pin) {
  CheckOpen();
  if ((flags_ & CKF_RW_SESSION) == 0)
    Refuse(CKR_SESSION_READ_ONLY, "changing a PIN needs a read-write session");
  token_.login().SetPin(old_pin, new_pin);
}

void Session::Login(CK_USER_TYPE user, Input pin) {
  CheckOpen();
  if (user != CKU_CONTEXT_SPECIFIC) {
    token_.login().Enter(user, pin);
    token_.erasure().Retry();
    return;
  }
  // One login is for one use: of the operation that was begun last.
  ActiveOp* waiting = nullptr;
  for (auto& place : operations_)
    if (place && place->waits != 0 && (waiting == nullptr || place->waits > waiting->waits))
      waiting = &*place;
  if (waiting == nullptr)
    Refuse(CKR_OPERATION_NOT_INITIALIZED, "no operation waits for its own login");
  token_.login().CheckAgain(pin);
  waiting->waits = 0;
}

void Session::Logout() {
  CheckOpen();
  token_.Logout();
}

void Session::CheckWritable(const AttributeSet& attributes) const {
  if (attributes.Bool(CKA_TOKEN) && (flags_ & CKF_RW_SESSION) == 0)
    Refuse(CKR_SESSION_READ_ONLY, "token objects are changed in read-write sessions only");
}

void Session::CheckMayCreate(const AttributeSet& attributes) {
  CheckWritable(attributes);
  if (attributes.Bool(CKA_PRIVATE) && !token_.login().SeesPrivate())
    Refuse(CKR_USER_NOT_LOGGED_IN, "private objects need the user to be logged in");
}

std::vector<CK_OBJECT_HANDLE> Session::Keep(std::vector<Object> objects) {
  const bool stays = objects.front().attributes.Bool(CKA_TOKEN);
  auto handles = token_.objects().Add(std::move(objects), id_);
  if (!closed_) return handles;
  // Closed meanwhile by another thread: nobody would drop them any more.
  token_.objects().DropSessionObjects(id_);
  if (!stays) Refuse(CKR_SESSION_HANDLE_INVALID, "the session was closed meanwhile");
  return handles;
}

CK_OBJECT_HANDLE Session::Keep(Object object) {
  std::vector<Object> objects;
  objects.push_back(std::move(object));
  return Keep(std::move(objects)).front();
}

CK_OBJECT_HANDLE Session::CreateObject(Template attributes) {
  CheckOpen();
  Object object = NewObject(ParseTemplate(attributes), Purpose::Create, token_);
  CheckMayCreate(object.attributes);
  CompleteCreated(object, token_);
  return Keep(std::move(object));
}

CK_OBJECT_HANDLE Session::CopyObject(CK_OBJECT_HANDLE handle, Template attributes) {
  CheckOpen();
  const auto source = token_.objects().Get(handle);
  if (!source->attributes.Bool(CKA_COPYABLE))
    Refuse(CKR_ACTION_PROHIBITED, "the object says that it is not to be copied");
  Object copy = CopyOf(*source, ParseTemplate(attributes), token_);
  CheckMayCreate(copy.attributes);
  CompleteCopy(copy, *source, token_);
  return Keep(std::move(copy));
}

void Session::DestroyObject(CK_OBJECT_HANDLE handle) {
  CheckOpen();
  try {
    const auto object = token_.objects().Get(handle);
    CheckWritable(object->attributes);
    if (!object->attributes.Bool(CKA_DESTROYABLE))
      Refuse(CKR_ACTION_PROHIBITED, "the object says that it is not to be destroyed");
  } catch (const Error& error) {
    // What cannot be read can be deleted still, in a session that may write.
    if (!error.Is(Fault::Corrupt) || (flags_ & CKF_RW_SESSION) == 0) throw;
  }
  token_.objects().Destroy(handle);
}

CK_ULONG Session::ObjectSize(CK_OBJECT_HANDLE handle) {
  CheckOpen();
  const auto object = token_.objects().Get(handle);
  size_t size = Encode(object->attributes).size();
  if (object->material)
    size += object->material->public_area.size() + object->material->private_area.size() +
            object->material->auth.size();
  return static_cast<CK_ULONG>(size);
}

CK_RV Session::GetAttributes(CK_OBJECT_HANDLE handle, std::span<CK_ATTRIBUTE> attributes) {
  CheckOpen();
  const auto object = token_.objects().Get(handle);
  CK_RV worst = CKR_OK;
  for (CK_ATTRIBUTE& attribute : attributes) {
    const CK_RV rv = ReadAttribute(*object, token_, attribute);
    if (rv != CKR_OK) worst = rv;
  }
  return worst;
}

void Session::SetAttributes(CK_OBJECT_HANDLE handle, Template attributes) {
  CheckOpen();
  const AttributeSet changes = ParseTemplate(attributes);
  const auto before = token_.objects().Get(handle);
  CheckWritable(before->attributes);
  if (!before->attributes.Bool(CKA_MODIFIABLE))
    Refuse(CKR_ACTION_PROHIBITED, "the object says that it is not to be modified");
  const bool is_so = token_.login().IsSo();
  token_.objects().Change(handle,
                          [&](Object& object) { ApplyChanges(object, changes, false, is_so); });
}

void Session::FindInit(Template attributes) {
  CheckOpen();
  if (search_) Refuse(CKR_OPERATION_ACTIVE, "a search is active; C_FindObjectsFinal ends it");
  auto wanted = ParseSearch(attributes);
  if (wanted) token_.NeedDeviceObjects(*wanted);
  search_ = Search{.wanted = std::move(wanted)};
}

size_t Session::Find(std::span<CK_OBJECT_HANDLE> found) {
  CheckOpen();
  if (!search_) Refuse(CKR_OPERATION_NOT_INITIALIZED, "no search is active");
  try {
    return token_.objects().Next(*search_, found);
  } catch (...) {
    search_.reset();
    throw;
  }
}

void Session::FindFinal() {
  CheckOpen();
  if (!search_) Refuse(CKR_OPERATION_NOT_INITIALIZED, "no search is active");
  search_.reset();
}

void Session::SeedRandom(Input seed) {
  CheckOpen();
  token_.backend().StirRandom(seed.view());
}

void Session::GenerateRandom(std::span<uint8_t> random) {
  CheckOpen();
  if ((random.data() == nullptr && !random.empty()) || random.size() > kMaxLength)
    Refuse(CKR_ARGUMENTS_BAD, "a NULL pointer with a length, or an absurd length");
  const SecretBytes bytes = Random(token_.backend(), random.size());
  if (!random.empty()) std::memcpy(random.data(), bytes.view().data(), random.size());
}

}  // namespace keyscope::token
