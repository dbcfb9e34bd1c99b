// The life of an operation: begun, fed, finished; ended by every error but CKR_BUFFER_TOO_SMALL
// (section 5.1).
#include "token/key_use.h"
#include "token/refuse.h"
#include "token/secret_key.h"
#include "token/session.h"

namespace keyscope::token {

Session::ActiveOp Session::Make(OpKind kind, const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key) {
  const OpKindRule& row = RuleOf(kind);
  const MechanismRule& rule = token_.Mechanism(mechanism.mechanism);
  const Maker make = rule.scheme->*row.maker;
  if (make == nullptr) Refuse(CKR_MECHANISM_INVALID, "the mechanism does not do that");

  ActiveOp made;
  std::shared_ptr<const Object> object;
  if (row.takes_key()) {
    const uint64_t login = Generation();
    object = KeyFor(token_, key, rule, {.usage = row.usage});
    if (object->is_private()) made.login = login;
    if (object->attributes.Bool(CKA_ALWAYS_AUTHENTICATE)) made.waits = ++waits_;
  }
  made.operation = make(MaterialsOf(token_, rule, mechanism, object.get()));
  return made;
}

void Session::Begin(OpKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  CheckOpen();
  auto& place = Place(kind);
  if (mechanism == nullptr) {
    if (!place) Refuse(CKR_ARGUMENTS_BAD, "no mechanism was given");
    place.reset();
    return;
  }
  EndWithLogin(place);
  if (place) Refuse(CKR_OPERATION_ACTIVE, "an operation of this kind is active in the session");
  place = Make(kind, *mechanism, key);
}

Session::ActiveOp& Session::Active(OpKind kind) {
  CheckOpen();
  auto& place = Place(kind);
  EndWithLogin(place);
  if (!place) Refuse(CKR_OPERATION_NOT_INITIALIZED, "no operation of this kind is active");
  return *place;
}

// Its result is made, and waits for a place that is large enough.
void Session::CheckUnfinished(const ActiveOp& active) {
  if (active.finished) Refuse(CKR_OPERATION_ACTIVE, "the operation is at its end: call its Final");
}

template <typename Step>
CK_RV Session::Run(OpKind kind, Step step) {
  ActiveOp& active = Active(kind);
  try {
    if (active.waits != 0)
      Refuse(CKR_USER_NOT_LOGGED_IN, "the key wants a login for each use (CKU_CONTEXT_SPECIFIC)");
    const Outcome outcome = step(active);
    if (outcome == Outcome::Ended) Place(kind).reset();
    return outcome == Outcome::TooSmall ? CKR_BUFFER_TOO_SMALL : CKR_OK;
  } catch (...) {
    Place(kind).reset();
    throw;
  }
}

CK_RV Session::Once(OpKind kind, Input in, Output out) {
  return Run(kind, [&](ActiveOp& active) {
    const ByteView data = in.view();
    out.Check();
    if (active.fed) Refuse(CKR_OPERATION_ACTIVE, "a multi-part operation is finished by its Final");
    const size_t bound = active.operation->OnceBound(data.size());
    const bool asks = out.data == nullptr;
    if (asks || (active.operation->exact() && *out.size < bound)) {
      *out.size = static_cast<CK_ULONG>(bound);
      return asks ? Outcome::Active : Outcome::TooSmall;
    }
    const SecretBytes result = active.operation->Once(data);
    return out.Put(result.view()) ? Outcome::Ended : Outcome::TooSmall;
  });
}

void Session::Feed(OpKind kind, Input in) {
  Run(kind, [&](ActiveOp& active) {
    CheckUnfinished(active);
    active.operation->Feed(in.view());
    active.fed = true;
    return Outcome::Active;
  });
}

void Session::DigestKey(CK_OBJECT_HANDLE handle) {
  Run(OpKind::Digest, [&](ActiveOp& active) {
    const auto key = KeyObject(token_.objects(), handle, CKR_KEY_HANDLE_INVALID);
    if ((key->kind & kSecret) == 0 || !key->attributes.Bool(CKA_EXTRACTABLE))
      Refuse(CKR_KEY_INDIGESTIBLE, "only extractable secret keys are digested");
    active.operation->Feed(HostValue(*token_.objects().KeyOf(*key)).view());
    active.fed = true;
    return Outcome::Active;
  });
}

CK_RV Session::Update(OpKind kind, Input in, Output out) {
  return Run(kind, [&](ActiveOp& active) {
    CheckUnfinished(active);
    const ByteView part = in.view();
    out.Check();
    const size_t bound = active.operation->UpdateBound(part.size());
    const bool asks = out.data == nullptr;
    if (asks || *out.size < bound) {
      *out.size = static_cast<CK_ULONG>(bound);
      return asks ? Outcome::Active : Outcome::TooSmall;
    }
    active.fed = true;
    out.Put(active.operation->Update(part).view());
    return Outcome::Active;
  });
}

CK_RV Session::Final(OpKind kind, Output out) {
  return Run(kind, [&](ActiveOp& active) {
    out.Check();
    const size_t bound =
        active.finished ? active.finished->size() : active.operation->FinishBound();
    const bool asks = out.data == nullptr;
    if (asks || ((active.operation->exact() || active.finished) && *out.size < bound)) {
      *out.size = static_cast<CK_ULONG>(bound);
      return asks ? Outcome::Active : Outcome::TooSmall;
    }
    if (!active.finished) active.finished = active.operation->Finish();
    return out.Put(active.finished->view()) ? Outcome::Ended : Outcome::TooSmall;
  });
}

void Session::VerifyOnce(Input data, Input signature) {
  Run(OpKind::Verify, [&](ActiveOp& active) {
    if (active.fed) Refuse(CKR_OPERATION_ACTIVE, "a multi-part operation is finished by its Final");
    active.operation->Feed(data.view());
    active.operation->Check(signature.view());
    return Outcome::Ended;
  });
}

void Session::VerifyFinal(Input signature) {
  Run(OpKind::Verify, [&](ActiveOp& active) {
    active.operation->Check(signature.view());
    return Outcome::Ended;
  });
}

template <typename Work>
CK_RV Session::Together(OpKind feed, OpKind kind, Work work) {
  Active(feed);
  Active(kind);
  try {
    Run(feed, [](ActiveOp&) { return Outcome::Active; });  // whether it may go on
    return work();
  } catch (...) {
    Place(feed).reset();
    Place(kind).reset();
    throw;
  }
}

CK_RV Session::FeedAndEncrypt(OpKind feed, Input in, Output out) {
  return Together(feed, OpKind::Encrypt, [&] {
    const bool asks = out.data == nullptr;
    const SecretBytes part(asks ? ByteView() : in.view());
    const CK_RV rv = Update(OpKind::Encrypt, in, out);
    if (rv == CKR_OK && !asks) Feed(feed, {part.view().data(), static_cast<CK_ULONG>(part.size())});
    return rv;
  });
}

CK_RV Session::DecryptAndFeed(OpKind feed, Input in, Output out) {
  return Together(feed, OpKind::Decrypt, [&] {
    const CK_RV rv = Update(OpKind::Decrypt, in, out);
    if (rv == CKR_OK && out.data != nullptr) Feed(feed, {out.data, *out.size});
    return rv;
  });
}

void Session::Cancel(CK_FLAGS flags) {
  CheckOpen();
  for (size_t i = 0; i < std::size(kOpKinds); ++i) {
    if ((flags & kOpKinds[i].flag) != 0) operations_[i].reset();
    if ((flags & kOpKinds[i].message_flag) != 0) messages_[i].reset();
  }
  if ((flags & CKF_FIND_OBJECTS) != 0) search_.reset();
}

}  // namespace keyscope::token
