// pkcs11js.js MODULE SLOT PIN: key pairs through pkcs11js; Node's own crypto checks the signatures.
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const {PKCS11, ...ck} = require('pkcs11js');

const [module_, slotIndex, pin] = process.argv.slice(2);
const MESSAGE = Buffer.from('a message');
const ID = Buffer.from([0x31]);
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const CKA_PUBLIC_KEY_INFO = 0x129;  // pkcs11js does not have it
const token = new PKCS11();

const attribute = (type, value) => ({type, value});

function generate(session, mechanism, publicTemplate, privateTemplate) {
  const common = [
    attribute(ck.CKA_TOKEN, true), attribute(ck.CKA_ID, ID), attribute(ck.CKA_LABEL, 'javascript')];
  return token.C_GenerateKeyPair(
      session, {mechanism, parameter: null}, [...common, ...publicTemplate], [...common, ...privateTemplate]);
}

function sign(session, key, mechanism) {
  token.C_SignInit(session, {mechanism, parameter: null}, key);
  token.C_SignUpdate(session, MESSAGE.subarray(0, 4));
  token.C_SignUpdate(session, MESSAGE.subarray(4));
  return token.C_SignFinal(session, Buffer.alloc(256));
}

function publicKey(session, key) {
  const [info] = token.C_GetAttributeValue(session, key, [attribute(CKA_PUBLIC_KEY_INFO)]);
  return crypto.createPublicKey({key: info.value, format: 'der', type: 'spki'});
}

function rsa(session) {
  const keys = generate(session, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, [
    attribute(ck.CKA_MODULUS_BITS, 2048), attribute(ck.CKA_PUBLIC_EXPONENT, Buffer.from([1, 0, 1])),
    attribute(ck.CKA_VERIFY, true), attribute(ck.CKA_ENCRYPT, true),
  ], [attribute(ck.CKA_SIGN, true), attribute(ck.CKA_DECRYPT, true), attribute(ck.CKA_SENSITIVE, true)]);
  const signature = sign(session, keys.privateKey, ck.CKM_SHA256_RSA_PKCS);
  const key = publicKey(session, keys.publicKey);
  assert(crypto.verify('sha256', MESSAGE, key, signature));

  const cipher = crypto.publicEncrypt({key, padding: crypto.constants.RSA_PKCS1_PADDING}, MESSAGE);
  token.C_DecryptInit(session, {mechanism: ck.CKM_RSA_PKCS, parameter: null}, keys.privateKey);
  assert.deepStrictEqual(token.C_Decrypt(session, cipher, Buffer.alloc(256)), MESSAGE);
  assert.throws(
      () => token.C_GetAttributeValue(session, keys.privateKey, [attribute(ck.CKA_PRIVATE_EXPONENT)]),
      {code: ck.CKR_ATTRIBUTE_SENSITIVE});
}

function ec(session) {
  const keys = generate(
      session, ck.CKM_EC_KEY_PAIR_GEN, [attribute(ck.CKA_EC_PARAMS, P256), attribute(ck.CKA_VERIFY, true)],
      [attribute(ck.CKA_SIGN, true)]);
  const key = {key: publicKey(session, keys.publicKey), dsaEncoding: 'ieee-p1363'};
  assert(crypto.verify('sha256', MESSAGE, key, sign(session, keys.privateKey, ck.CKM_ECDSA_SHA256)));
}

function found(session) {
  token.C_FindObjectsInit(session, [attribute(ck.CKA_ID, ID)]);
  const handles = token.C_FindObjects(session, 10);
  token.C_FindObjectsFinal(session);
  return handles;
}

token.load(module_);
token.C_Initialize();
const slot = token.C_GetSlotList(true)[Number(slotIndex)];
const session = token.C_OpenSession(slot, ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION);
assert.throws(() => token.C_Login(session, ck.CKU_USER, 'wrong'), {code: ck.CKR_PIN_INCORRECT});
token.C_Login(session, ck.CKU_USER, pin);
rsa(session);
ec(session);
assert.strictEqual(found(session).length, 4);
for (const handle of found(session)) token.C_DestroyObject(session, handle);
assert.strictEqual(found(session).length, 0);
token.C_Logout(session);
token.C_CloseSession(session);
token.C_Finalize();
token.close();
