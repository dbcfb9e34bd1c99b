// The TPM commands that come through TBS.
#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {
namespace {

constexpr uint32_t kSuccess = 0, kRcCommandCode = 0x143, kRcHandle = 0x18B, kRcValue = 0x1C4,
                   kRcAuthFail = 0x98E, kRcLockout = 0x921, kRcSize = 0x1D5, kRcScheme = 0x192,
                   kRcHash = 0x5C3;

// A response code: thrown inside.
struct Rc {
  uint32_t code;
};

struct Answer {
  Bytes parameters;
  bool sessions = false;
};

Answer GetCapability(Cursor command) {
  const uint32_t capability = command.Number(4), first = command.Number(4);
  std::vector<std::pair<uint32_t, uint32_t>> list;
  Bytes data;
  Put(data, 0, 1);
  Put(data, capability, 4);
  if (capability == 0) {
    const uint16_t algorithms[] = {0x0001, 0x0004, 0x000B, 0x000C, 0x0018, 0x0019, 0x0023};
    Put(data, std::size(algorithms), 4);
    for (uint16_t one : algorithms) {
      Put(data, one, 2);
      Put(data, 0, 4);
    }
    return {data};
  }
  if (capability != 6) throw Rc{kRcValue};
  if (first == 0x100)
    list = {{0x105, 0x4D534654}, {0x106, 0x446F7562}, {0x107, 0x6C650000}, {0x10B, 0x00070002}};
  else
    list = {{0x200, Tries() >= kMaxTries ? 1U << 9 : 0},
            {0x20E, Tries()},
            {0x20F, kMaxTries},
            {0x210, 600}};
  Put(data, list.size(), 4);
  for (auto [property, value] : list) {
    Put(data, property, 4);
    Put(data, value, 4);
  }
  return {data};
}

Answer ReadPublic(Cursor command) {
  if (command.Number(4) != 0x81000001) throw Rc{kRcHandle};
  Answer answer;
  PutSized(answer.parameters, StorageRootArea());
  PutSized(answer.parameters, NameOf(StorageRootArea()));
  PutSized(answer.parameters, NameOf(StorageRootArea()));
  return answer;
}

Answer GetRandom(Cursor command) {
  Answer answer;
  PutSized(answer.parameters, Random(std::min<uint32_t>(command.Number(2), 32)));
  return answer;
}

Answer StirRandom(Cursor command) {
  if (command.Sized().size() > 128) throw Rc{kRcSize};
  return {};
}

// Takes the keys of `count` handles and checks their passwords.
std::vector<Key*> Authorized(Cursor& command, size_t count) {
  std::vector<Key*> keys;
  for (size_t i = 0; i < count; ++i) {
    Key* key = KeyWithTpmHandle(command.Number(4));
    if (key == nullptr) throw Rc{kRcHandle};
    keys.push_back(key);
  }
  const Bytes area = command.Take(command.Number(4));
  Cursor sessions{area};
  for (Key* key : keys) {
    if (sessions.Number(4) != 0x40000009) throw Rc{kRcValue};
    sessions.Sized();
    sessions.Number(1);
    try {
      CheckAuth(key->auth, sessions.Sized(), kPcpAuthenticationFailed);
    } catch (const Failure& failure) {
      throw Rc{failure.status == kTpmLockout ? kRcLockout : kRcAuthFail};
    }
  }
  return keys;
}

Answer Stated(const Key& ak, const Bytes& nonce, uint32_t type, const Bytes& what) {
  if (nonce.size() > 66) throw Rc{kRcSize};
  if (!ak.identity()) throw Rc{kRcScheme};
  Bytes attest;
  Put(attest, 0xff544347, 4);
  Put(attest, type, 2);
  PutSized(attest, NameOf(ak.area));
  PutSized(attest, nonce);
  attest.resize(attest.size() + 8 + 4 + 4 + 1 + 8);
  attest = Join({attest, what});
  Answer answer{{}, true};
  PutSized(answer.parameters, attest);
  answer.parameters = Join({answer.parameters, SignStatement(ak, attest)});
  return answer;
}

Answer Certify(Cursor command) {
  const auto keys = Authorized(command, 2);
  const Bytes nonce = command.Sized();
  if (command.Number(2) != 0x0010) throw Rc{kRcScheme};
  Bytes what;
  PutSized(what, NameOf(keys[0]->area));
  PutSized(what, NameOf(keys[0]->area));
  return Stated(*keys[1], nonce, 0x8017, what);
}

Answer Quote(Cursor command) {
  const auto keys = Authorized(command, 1);
  const Bytes nonce = command.Sized();
  if (command.Number(2) != 0x0010) throw Rc{kRcScheme};
  const Bytes selection = command.Rest();
  Cursor cursor{selection};
  if (cursor.Number(4) != 1 || cursor.Number(2) != 0x000B) throw Rc{kRcHash};
  size_t selected = 0;
  for (uint8_t byte : cursor.Take(cursor.Number(1)))
    for (int bit = 0; bit < 8; ++bit) selected += byte >> bit & 1;
  Bytes what = selection;  // nobody has extended a PCR
  PutSized(what, Digest("SHA256", Bytes(selected * 32)));
  return Stated(*keys[0], nonce, 0x8018, what);
}

struct Row {
  uint32_t code;
  Answer (*run)(Cursor command);
};
constexpr Row kRows[] = {{0x17A, GetCapability}, {0x173, ReadPublic}, {0x17B, GetRandom},
                         {0x146, StirRandom},    {0x148, Certify},    {0x158, Quote}};

Bytes Response(uint32_t rc, const Answer& answer) {
  Bytes body;
  if (answer.sessions) Put(body, answer.parameters.size(), 4);
  body = Join({body, answer.parameters});
  if (answer.sessions) body = Join({body, Bytes{0, 0, 1, 0, 0}});  // a password's response
  Bytes response;
  Put(response, answer.sessions ? 0x8002 : 0x8001, 2);
  Put(response, 10 + body.size(), 4);
  Put(response, rc, 4);
  return Join({response, body});
}

}  // namespace

Bytes Execute(const Bytes& command) try {
  Cursor cursor{command};
  cursor.Number(2);
  if (cursor.Number(4) != command.size()) return Response(0x142, {});
  const uint32_t code = cursor.Number(4);
  for (const Row& row : kRows)
    if (row.code == code) return Response(kSuccess, row.run(cursor));
  return Response(kRcCommandCode, {});
} catch (const Rc& rc) {
  return Response(rc.code, {});
} catch (const Failure&) {
  return Response(kRcSize, {});
}

}  // namespace keyscope::ncrypt_double
