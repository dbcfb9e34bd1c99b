"""pykcs11.py MODULE SLOT PIN: a key pair's life through PyKCS11. Leaves message, rsa.pem and rsa.sig."""
import base64
import sys

from PyKCS11 import PyKCS11, Mechanism, PyKCS11Error, PyKCS11Lib
from PyKCS11.LowLevel import *  # the CK constants

SHA256_RSA = Mechanism(CKM_SHA256_RSA_PKCS)
MESSAGE = b'a message'
ID = (0x21,)
P256 = bytes.fromhex('06082a8648ce3d030107')


def refused(code, call, *args):
    try:
        call(*args)
    except PyKCS11Error as error:
        assert error.value == code, f'{error}, not {PyKCS11.CKR[code]}'
    else:
        raise AssertionError(f'not refused with {PyKCS11.CKR[code]}')


def generate(session, mechanism, public, private):
    common = [(CKA_TOKEN, True), (CKA_ID, ID), (CKA_LABEL, 'python')]
    return session.generateKeyPair(common + public, common + private, Mechanism(mechanism))


def rsa(session):
    public, private = generate(
        session, CKM_RSA_PKCS_KEY_PAIR_GEN,
        [(CKA_MODULUS_BITS, 2048), (CKA_PUBLIC_EXPONENT, (1, 0, 1)), (CKA_VERIFY, True),
         (CKA_ENCRYPT, True)],
        [(CKA_SIGN, True), (CKA_DECRYPT, True), (CKA_PRIVATE, True), (CKA_SENSITIVE, True)])
    signature = bytes(session.sign(private, MESSAGE, SHA256_RSA))
    assert session.verify(public, MESSAGE, signature, SHA256_RSA)
    assert not session.verify(public, b'another', signature, SHA256_RSA)
    oaep = PyKCS11.RSAOAEPMechanism(CKM_SHA256, CKG_MGF1_SHA256)
    cipher = session.encrypt(public, MESSAGE, oaep)
    assert bytes(session.decrypt(private, cipher, oaep)) == MESSAGE
    return public, private, signature


def ec(session):
    public, private = generate(session, CKM_EC_KEY_PAIR_GEN, [(CKA_EC_PARAMS, P256), (CKA_VERIFY, True)],
                               [(CKA_SIGN, True)])
    signature = session.sign(private, MESSAGE, Mechanism(CKM_ECDSA_SHA256))
    assert session.verify(public, MESSAGE, signature, Mechanism(CKM_ECDSA_SHA256))
    return public, private


def attributes(session, public, private):
    names = [CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_LOCAL,
             CKA_ALWAYS_SENSITIVE]
    assert session.getAttributeValue(private, names) == [
        CKO_PRIVATE_KEY, CKK_RSA, 'python', True, False, True, True]
    # What is sensitive, and what a class does not have, comes back as None.
    assert session.getAttributeValue(private, [CKA_PRIVATE_EXPONENT, CKA_ID]) == [None, ID]
    refused(CKR_ATTRIBUTE_READ_ONLY, session.setAttributeValue, private, [(CKA_LOCAL, False)])
    session.setAttributeValue(private, [(CKA_LABEL, 'renamed')])
    assert len(session.findObjects([(CKA_LABEL, 'renamed')])) == 1
    spki = bytes(session.getAttributeValue(public, [CKA_PUBLIC_KEY_INFO])[0])
    return '-----BEGIN PUBLIC KEY-----\n' + base64.encodebytes(spki).decode() + '-----END PUBLIC KEY-----\n'


def main(module, slot, pin):
    lib = PyKCS11Lib()
    lib.load(module)
    assert lib.getSlotList(tokenPresent=True) == [0, 1]
    session = lib.openSession(int(slot), CKF_SERIAL_SESSION | CKF_RW_SESSION)
    refused(CKR_PIN_INCORRECT, session.login, 'wrong')
    session.login(pin)
    public, private, signature = rsa(session)
    pem = attributes(session, public, private)
    ec_public, ec_private = ec(session)
    assert len(session.findObjects([(CKA_ID, ID)])) == 4
    for name, content in (('message', MESSAGE), ('rsa.sig', signature), ('rsa.pem', pem.encode())):
        with open(name, 'wb') as file:
            file.write(content)
    for key in (public, private, ec_public, ec_private):
        session.destroyObject(key)
    assert not session.findObjects([(CKA_ID, ID)])
    refused(CKR_OBJECT_HANDLE_INVALID, session.destroyObject, private)
    session.logout()
    session.closeSession()


main(*sys.argv[1:])
