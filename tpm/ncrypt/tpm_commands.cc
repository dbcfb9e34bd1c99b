#include "tpm/ncrypt/tpm_commands.h"

#include "tpm/ncrypt/structures.h"

namespace keyscope::tpm::ncrypt {
namespace {

// TPM_CC (section 6.5.2), TPM_ST (6.9), TPM_RH (7.4), TPM_CAP (6.12)
constexpr uint32_t kCertify = 0x148, kQuote = 0x158, kReadPublic = 0x173, kStirRandom = 0x146,
                   kGetCapability = 0x17A, kGetRandom = 0x17B;
constexpr uint16_t kNoSessions = 0x8001, kSessions = 0x8002;
constexpr uint32_t kPassword = 0x40000009;
constexpr uint32_t kCapAlgs = 0, kCapProperties = 6;
constexpr uint8_t kContinueSession = 1;
constexpr size_t kMostProperties = 64;

Bytes Command(uint16_t tag, uint32_t code, ByteView body) {
  Bytes command;
  command.reserve(10 + body.size());
  AppendNumber(command, tag, 2);
  AppendNumber(command, static_cast<uint32_t>(10 + body.size()), 4);
  AppendNumber(command, code, 4);
  Append(command, body);
  return command;
}

// A command whose handles are authorized with passwords: over TBS they stay in this machine.
Statement State(const Provider& provider, uint32_t code, const char* what,
                std::initializer_list<Authorized> objects, ByteView parameters) {
  // At their full size from the start: bytes that grow leave copies of secrets behind.
  Bytes body, area;
  body.reserve(512);
  area.reserve(256);
  for (const Authorized& object : objects) {
    AppendNumber(body, object.handle, 4);
    AppendNumber(area, kPassword, 4);
    AppendNumber(area, 0, 2);  // nonce
    AppendNumber(area, kContinueSession, 1);
    AppendSized(area, object.auth);
  }
  AppendNumber(body, static_cast<uint32_t>(area.size()), 4);
  Append(body, area);
  Append(body, parameters);
  Bytes command = Command(kSessions, code, body);
  struct Wiper {
    Bytes& one;
    ~Wiper() { Wipe(one.data(), one.size()); }
  } wipers[] = {{body}, {area}, {command}};
  const Bytes response = provider.Submit(command, what);
  Reader reader(response);
  Reader answer(reader.Take(reader.Number(4)));
  Statement statement{Copy(answer.Sized()), {}};
  statement.signature = Copy(answer.rest());
  return statement;
}

// TPMS_CAPABILITY_DATA after its selector.
Bytes Ask(const Provider& provider, uint32_t capability, uint32_t first, uint32_t count) {
  Bytes body;
  for (uint32_t part : {capability, first, count}) AppendNumber(body, part, 4);
  const Bytes response =
      provider.Submit(Command(kNoSessions, kGetCapability, body), "TPM2_GetCapability");
  Reader reader(response);
  reader.Take(1 + 4);  // moreData, capability
  return Copy(reader.rest());
}

}  // namespace

Properties AskProperties(const Provider& provider, uint32_t first) {
  const Bytes answer = Ask(provider, kCapProperties, first, kMostProperties);
  Reader reader(answer);
  Properties properties;
  for (uint32_t left = reader.Number(4); left > 0; --left) {
    const uint32_t property = reader.Number(4);
    properties[property] = reader.Number(4);
  }
  return properties;
}

std::set<uint16_t> AskAlgorithms(const Provider& provider) {
  const Bytes answer = Ask(provider, kCapAlgs, 0, 127);
  Reader reader(answer);
  std::set<uint16_t> algorithms;
  for (uint32_t left = reader.Number(4); left > 0; --left) {
    algorithms.insert(reader.U16());
    reader.Number(4);  // attributes
  }
  return algorithms;
}

Bytes ReadPublic(const Provider& provider, uint32_t handle) {
  Bytes body;
  AppendNumber(body, handle, 4);
  const Bytes response =
      provider.Submit(Command(kNoSessions, kReadPublic, body), "TPM2_ReadPublic");
  Bytes area;
  AppendSized(area, Reader(response).Sized());
  return area;
}

SecretBytes GetRandom(const Provider& provider, size_t size) {
  Bytes body;
  AppendNumber(body, static_cast<uint32_t>(size), 2);
  Bytes response = provider.Submit(Command(kNoSessions, kGetRandom, body), "TPM2_GetRandom");
  SecretBytes random(Reader(response).Sized());
  Wipe(response.data(), response.size());
  return random;
}

void StirRandom(const Provider& provider, ByteView seed) {
  Bytes body;
  AppendSized(body, seed);
  provider.Submit(Command(kNoSessions, kStirRandom, body), "TPM2_StirRandom");
}

Statement Certify(const Provider& provider, const Authorized& key, const Authorized& ak,
                  ByteView nonce) {
  Bytes parameters;
  AppendSized(parameters, nonce);
  AppendNumber(parameters, kAlgNull, 2);
  return State(provider, kCertify, "TPM2_Certify", {key, ak}, parameters);
}

Statement Quote(const Provider& provider, const Authorized& ak, uint16_t bank, uint32_t pcrs,
                ByteView nonce) {
  Bytes parameters;
  AppendSized(parameters, nonce);
  AppendNumber(parameters, kAlgNull, 2);
  AppendNumber(parameters, 1, 4);
  AppendNumber(parameters, bank, 2);
  AppendNumber(parameters, 3, 1);
  for (int byte = 0; byte < 3; ++byte) AppendNumber(parameters, pcrs >> (8 * byte) & 0xff, 1);
  return State(provider, kQuote, "TPM2_Quote", {ak}, parameters);
}

}  // namespace keyscope::tpm::ncrypt
