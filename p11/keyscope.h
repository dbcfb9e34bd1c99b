/* Keyscope's vendor-defined attributes, mechanisms and return values. Plain C; include a PKCS#11
 * header (pkcs11.h) first.
 *
 * Statements are what the TPM itself signs: TPMS_ATTEST structures (TPM 2.0 Part 2, section 10.12)
 * with their TPMT_SIGNATURE (section 11.3.4). A remote party that trusts an attestation key (AK)
 * learns from them which TPM a key lives in, which AK vouches for it, and which scope it has. */
#ifndef KEYSCOPE_KEYSCOPE_H
#define KEYSCOPE_KEYSCOPE_H

/* All vendor values lie above this one ("KS"): CKA_VENDOR_DEFINED, CKR_VENDOR_DEFINED | 0x4B530000.
 */
#define KEYSCOPE_VENDOR_BASE (0x80000000UL | 0x4B530000UL)

/* ---- Attributes ---- */

/* CK_ULONG, of keys and certificates: to whom the key belongs, one of KEYSCOPE_SCOPE_*. Of a key:
 * always the slot's; in a template it must agree with it, else CKR_TEMPLATE_INCONSISTENT. Of a
 * certificate: the scope of the key that it is for, which may be in the other slot; unset, that of
 * the slot it is stored in. */
#define CKA_KEYSCOPE_SCOPE (KEYSCOPE_VENDOR_BASE | 0x0001UL)
#define KEYSCOPE_SCOPE_MACHINE 1UL /* to the machine, whoever runs the process */
#define KEYSCOPE_SCOPE_USER 2UL    /* to one account only */

/* CK_BBOOL, in the private template of C_GenerateKeyPair: make an attestation key. RSA-2048
 * (RSASSA, SHA-256) or P-256 (ECDSA, SHA-256), restricted: it signs statements of the TPM only, and
 * an ordinary signature is CKR_KEY_FUNCTION_NOT_PERMITTED. Its CKA_SIGN and CKA_DECRYPT are true
 * (for the mechanisms below, which alone are in its CKA_ALLOWED_MECHANISMS) and all other uses
 * false; asking for those is CKR_TEMPLATE_INCONSISTENT. Default CK_FALSE. */
#define CKA_KEYSCOPE_ATTESTATION_KEY (KEYSCOPE_VENDOR_BASE | 0x0002UL)

/* Bytes, in the private template of C_GenerateKeyPair: the CKA_UNIQUE_ID of the AK that certifies
 * the key at birth. The key inherits the AK's scope: an AK of the other slot is
 * CKR_TEMPLATE_INCONSISTENT, no such AK CKR_KEYSCOPE_NO_SUCH_AK; together with
 * CKA_KEYSCOPE_ATTESTATION_KEY it is CKR_TEMPLATE_INCONSISTENT. Empty for other keys. */
#define CKA_KEYSCOPE_ATTESTED_BY (KEYSCOPE_VENDOR_BASE | 0x0003UL)

/* Bytes, at most 64, in the private template of C_GenerateKeyPair with one of the two above: goes
 * into the statements of birth as their qualifying data (extraData). */
#define CKA_KEYSCOPE_QUALIFYING_DATA (KEYSCOPE_VENDOR_BASE | 0x0004UL)

/* CK_BBOOL, in the private template of C_GenerateKeyPair with CKA_KEYSCOPE_ATTESTED_BY: the AK
 * states the key's creation only (TPM2_CertifyCreation), which takes one signature of the AK less.
 * CKM_KEYSCOPE_CERTIFY can state the rest as long as there is the AK. CKR_ATTRIBUTE_VALUE_INVALID
 * where the device does not state creations. Default CK_FALSE. */
#define CKA_KEYSCOPE_CREATION_ONLY (KEYSCOPE_VENDOR_BASE | 0x000AUL)

/* CK_BBOOL, in the private template of C_GenerateKeyPair: keep the key at a persistent handle of
 * the TPM. CKR_DEVICE_MEMORY when the TPM has no room. Default CK_FALSE. */
#define CKA_KEYSCOPE_PERSISTENT (KEYSCOPE_VENDOR_BASE | 0x0005UL)
/* CK_ULONG, read-only, of such keys: the handle. */
#define CKA_KEYSCOPE_PERSISTENT_HANDLE (KEYSCOPE_VENDOR_BASE | 0x0006UL)

/* CK_BBOOL, read-only, of private and secret keys: CK_TRUE when the key is used in the TPM,
 * CK_FALSE when it is used in host memory (such secret keys are kept encrypted under a secret that
 * the TPM seals). */
#define CKA_KEYSCOPE_IN_TPM (KEYSCOPE_VENDOR_BASE | 0x0007UL)

/* Text without a terminating zero, in the private template of C_GenerateKeyPair: a bank of the TPM
 * (sha1, sha256, sha384 or sha512) and PCRs of it (0 to 23), as tpm2-tools write them:
 * "sha256:0,7". The key is used (signing, decryption, derivation, unwrapping) only while these PCRs
 * hold the values that they have now; else it is CKR_KEYSCOPE_POLICY_MISMATCH. Its policy in the
 * TPM (Part 1, section 19.7) is TPM2_PolicyPCR with TPM2_PolicyAuthValue, and its userWithAuth is
 * clear. Certifying it does not ask for the values, and states the policy.
 * CKR_ATTRIBUTE_VALUE_INVALID for other text and for what the TPM does not have;
 * CKR_TEMPLATE_INCONSISTENT together with CKA_KEYSCOPE_ATTESTATION_KEY. Read back with the PCRs
 * ascending. This and the next two are not there (CKR_ATTRIBUTE_TYPE_INVALID) in keys that are
 * bound to no PCRs. */
#define CKA_KEYSCOPE_PCR_SELECTION (KEYSCOPE_VENDOR_BASE | 0x0030UL)
/* Bytes, read-only: the values of these PCRs when the key was made, one behind the other. */
#define CKA_KEYSCOPE_PCR_VALUES (KEYSCOPE_VENDOR_BASE | 0x0031UL)
/* Bytes, read-only: the key's authPolicy (SHA-256), which its TPMT_PUBLIC holds, too. */
#define CKA_KEYSCOPE_POLICY_DIGEST (KEYSCOPE_VENDOR_BASE | 0x0032UL)

/* Evidence: bytes, read-only, of private keys; structures as the TPM marshals them.
 * TPMT_PUBLIC, and its Name (Part 1, section 16): */
#define CKA_KEYSCOPE_TPM_PUBLIC (KEYSCOPE_VENDOR_BASE | 0x0010UL)
#define CKA_KEYSCOPE_TPM_NAME (KEYSCOPE_VENDOR_BASE | 0x0011UL)
/* Of AKs and of the keys that they attest, empty for others. TPMS_CREATION_DATA, whose outsideInfo
 * is KEYSCOPE_OUTSIDE_INFO_*; TPMS_ATTEST and TPMT_SIGNATURE of TPM2_CertifyCreation, signed by the
 * AK (an AK signs its own): */
#define CKA_KEYSCOPE_CREATION_DATA (KEYSCOPE_VENDOR_BASE | 0x0012UL)
#define CKA_KEYSCOPE_CREATION_ATTEST (KEYSCOPE_VENDOR_BASE | 0x0013UL)
#define CKA_KEYSCOPE_CREATION_SIGNATURE (KEYSCOPE_VENDOR_BASE | 0x0014UL)
/* Of attested keys, empty for others and with CKA_KEYSCOPE_CREATION_ONLY. TPMS_ATTEST and
 * TPMT_SIGNATURE of TPM2_Certify at birth: */
#define CKA_KEYSCOPE_ATTEST (KEYSCOPE_VENDOR_BASE | 0x0015UL)
#define CKA_KEYSCOPE_SIGNATURE (KEYSCOPE_VENDOR_BASE | 0x0016UL)
/* TPMT_PUBLIC and Name of the AK; they stay when it goes: */
#define CKA_KEYSCOPE_AK_PUBLIC (KEYSCOPE_VENDOR_BASE | 0x0017UL)
#define CKA_KEYSCOPE_AK_NAME (KEYSCOPE_VENDOR_BASE | 0x0018UL)

/* What outsideInfo of the creation data holds: it proves the scope. Text without a terminating
 * zero. */
#define KEYSCOPE_OUTSIDE_INFO_MACHINE "keyscope:machine"
#define KEYSCOPE_OUTSIDE_INFO_USER "keyscope:user"

/* CK_BBOOL, read-only: CK_TRUE for the TPM's endorsement keys (CKO_PUBLIC_KEY, with
 * CKA_KEYSCOPE_TPM_PUBLIC and CKA_KEYSCOPE_TPM_NAME), their certificates and those of the issuers
 * that the TPM holds (CKO_CERTIFICATE), read-only objects of the machine slot. As it takes the TPM
 * time to make them, they are found only by a search that has this attribute, or a CKA_LABEL that
 * begins with KEYSCOPE_ENDORSEMENT_LABEL. A key and its certificate share label and CKA_ID;
 * a certificate that is for another key than its index says has no CKA_ID. */
#define CKA_KEYSCOPE_ENDORSEMENT (KEYSCOPE_VENDOR_BASE | 0x0020UL)
#define KEYSCOPE_ENDORSEMENT_LABEL "Endorsement key"
/* CK_ULONG, read-only, of the keys and their certificates: the NV index that the TCG EK Credential
 * Profile has for the certificate. */
#define CKA_KEYSCOPE_NV_INDEX (KEYSCOPE_VENDOR_BASE | 0x0021UL)

/* In the template of C_CreateObject of a private key (CKO_PRIVATE_KEY), instead of its private
 * parts: a key that other software had the TPM make, which comes into the token's care. Bytes, the
 * DER of a TPM's key file (`TSS2 PRIVATE KEY` in PEM, "ASN.1 Specification for TPM 2.0 Key Files"),
 * loadable or importable; RSA or EC, not restricted, without a policy or a scheme of its own. It
 * must be this TPM's: its parent is the owner's primary, or at a persistent handle, and without
 * authorization. Else CKR_ATTRIBUTE_VALUE_INVALID. CKA_KEY_TYPE and the public half are taken from
 * the file; uses that the key does not have are false. Cannot be read: the key has another
 * authorization then. */
#define CKA_KEYSCOPE_TSS2_KEY (KEYSCOPE_VENDOR_BASE | 0x0008UL)
/* Bytes, with the above: the key's authorization so far. Without it, a file that does not say that
 * there is none is CKR_TEMPLATE_INCOMPLETE. A wrong one is CKR_ATTRIBUTE_VALUE_INVALID, and spends
 * a try of the TPM's lockout when the key was made so: CKR_PIN_LOCKED when none is left. */
#define CKA_KEYSCOPE_TSS2_AUTH (KEYSCOPE_VENDOR_BASE | 0x0009UL)

/* ---- Mechanisms ---- */

/* C_SignInit with an AK: certify another key of its slot (TPM2_Certify). The data are the
 * verifier's fresh nonce, 1 to 64 bytes; an empty one is CKR_DATA_LEN_RANGE. The signature is
 * TPM2B_ATTEST followed by TPMT_SIGNATURE. Parameter: CK_KEYSCOPE_CERTIFY_PARAMS. A size query
 * gives an upper bound, and the buffer must have it. */
#define CKM_KEYSCOPE_CERTIFY (KEYSCOPE_VENDOR_BASE | 0x0001UL)
typedef struct CK_KEYSCOPE_CERTIFY_PARAMS {
  CK_OBJECT_HANDLE hKey; /* a private key in the TPM */
} CK_KEYSCOPE_CERTIFY_PARAMS;

/* C_SignInit with an AK: quote PCRs (TPM2_Quote). Data and signature as above. */
#define CKM_KEYSCOPE_QUOTE (KEYSCOPE_VENDOR_BASE | 0x0002UL)
typedef struct CK_KEYSCOPE_QUOTE_PARAMS {
  CK_MECHANISM_TYPE hashAlg; /* the bank: CKM_SHA_1, CKM_SHA256, CKM_SHA384, CKM_SHA512 */
  CK_ULONG pcrSelect;        /* bit i: PCR i, 0 to 23 */
} CK_KEYSCOPE_QUOTE_PARAMS;

/* C_DecryptInit with an AK: answer a MakeCredential (TPM2_ActivateCredential). The data are
 * TPM2B_ID_OBJECT followed by TPM2B_ENCRYPTED_SECRET, the result is the secret.
 * CKR_ENCRYPTED_DATA_INVALID when they were made for another endorsement key or another AK. */
#define CKM_KEYSCOPE_ACTIVATE_CREDENTIAL (KEYSCOPE_VENDOR_BASE | 0x0003UL)
typedef struct CK_KEYSCOPE_ACTIVATE_PARAMS {
  CK_ULONG endorsementKey; /* for which of the TPM's endorsement keys: CKK_RSA or CKK_EC of the low
                              range, or else its CKA_KEYSCOPE_NV_INDEX */
} CK_KEYSCOPE_ACTIVATE_PARAMS;

/* ---- Return values ---- */

/* C_DestroyObject: the object is gone, but the TPM still holds its key; the erasing is retried
 * later, and by `keyscope erase-pending`. */
#define CKR_KEYSCOPE_PARTIAL_DELETE (KEYSCOPE_VENDOR_BASE | 0x0001UL)
/* C_GenerateKeyPair: CKA_KEYSCOPE_ATTESTED_BY names no AK of the slot. */
#define CKR_KEYSCOPE_NO_SUCH_AK (KEYSCOPE_VENDOR_BASE | 0x0002UL)
/* Any use of a key with CKA_KEYSCOPE_PCR_SELECTION: a PCR has another value than when the key was
 * made. No PIN try is spent, and the key works again when the PCRs have their values. */
#define CKR_KEYSCOPE_POLICY_MISMATCH (KEYSCOPE_VENDOR_BASE | 0x0003UL)

#endif
