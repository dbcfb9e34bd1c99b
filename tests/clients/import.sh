#!/bin/bash
# import.sh MODULE SLOT bare|abrmd: keys of OpenSSL's files, of tpm2-openssl and of tpm2-tools come into the token
# with `keyscope key import`; pkcs11-tool signs and decrypts with them, also after the TPM was restarted. What
# another TPM made, or what is not to be used so, is refused.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need tpm2_encodeobject tpm2_duplicate
with_tpm
init_token
echo 'a message' >message
SCOPE=$([[ $SLOT == 0 ]] && echo machine || echo user)
export KEYSCOPE_MODULE=$MODULE KEYSCOPE_PIN=$USERPIN

keyscope() { "$(dirname "$MODULE")/keyscope" "$@"; }
id_of() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; } # pkcs11-tool signs by id only
import() { keyscope key import "$1" --label "$2" --id "$(id_of "$2")" --scope "$SCOPE" "${@:3}" </dev/null; }
# refused TEXT COMMAND...: with exit code 1.
refused() {
  local text=$1 code=0
  shift
  setsid "$@" >refused.log 2>&1 || code=$?
  cat refused.log
  ((code == 1)) && grep -qF -- "$text" refused.log
}
import_refused() { refused "$1" "$(dirname "$MODULE")/keyscope" key import "$2" --label x --scope "$SCOPE" "${@:3}"; }
# The TPM's other users. Without a resource manager they clean up themselves.
tools() {
  local code=0
  TPM2TOOLS_TCTI=$TCTI TPM2OPENSSL_TCTI=$TCTI "$@" || code=$?
  [[ $RESOURCE_MANAGER == abrmd ]] || TPM2TOOLS_TCTI=$TCTI tpm2_flushcontext -t
  return $code
}
tries() { tools tpm2_getcap properties-variable | sed -n 's/^TPM2_PT_LOCKOUT_COUNTER: *0x//p'; }
signs() { # LABEL ec|rsa PUBLIC
  local mechanism=SHA256-RSA-PKCS
  [[ $2 == rsa ]] || mechanism=ECDSA-SHA256
  as_user --sign -m "$mechanism" --signature-format openssl --id "$(id_of "$1")" -i message -o signature &&
    openssl dgst -sha256 -verify "$3" -signature signature message
}
decrypts() { # LABEL PUBLIC
  openssl pkeyutl -encrypt -pubin -inkey "$2" -in message -out cipher &&
    as_user --decrypt -m RSA-PKCS --id "$(id_of "$1")" -i cipher -o plain && cmp message plain
}
not_local() { as_user --list-objects --type privkey --label "$1" | tee list && ! grep -qw local list; }

# OpenSSL's own.
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out ec.pem
for type in rsa ec; do
  openssl pkey -in $type.pem -pubout -out $type.pub
  check "import_$type" import $type.pem $type
  check "sign_$type" signs $type $type $type.pub
  check "not_local_$type" not_local $type
done
check decrypt_rsa decrypts rsa rsa.pub

# tpm2-openssl's: under the owner's primary, and under the TPM's dictionary-attack protection.
made=()
if tools openssl list -providers -provider tpm2 >/dev/null 2>&1; then
  generate() { tools openssl genpkey -provider tpm2 -provider default "$@"; }
  generate -algorithm EC -pkeyopt group:P-256 -out t-ec.pem 2>/dev/null
  generate -algorithm RSA -pkeyopt bits:2048 -pkeyopt user-auth:secret -out t-rsa.pem 2>/dev/null
  printf secret >passphrase
  printf wrong >wrong
  public() { tools openssl pkey -provider tpm2 -provider default -in "$1" -passin pass:secret -pubout -out "$2"; }
  for type in ec rsa; do public t-$type.pem t-$type.pub; done
  check import_tpm2_openssl_ec import t-ec.pem t-ec
  check sign_tpm2_openssl_ec signs t-ec ec t-ec.pub
  before=$(tries)
  check wrong_passphrase import_refused CKR_ATTRIBUTE_VALUE_INVALID t-rsa.pem --passphrase-file wrong
  check spends_one_try test "$(tries)" == $((before + 1))
  no_passphrase() { ! setsid "$(dirname "$MODULE")/keyscope" key import t-rsa.pem --label x --scope "$SCOPE" >no.log 2>&1 && grep -q "is protected" no.log; }
  check no_passphrase no_passphrase
  check import_tpm2_openssl_rsa import t-rsa.pem t-rsa --passphrase-file passphrase
  for _ in 1 2 3 4 5; do check sign_tpm2_openssl_rsa signs t-rsa rsa t-rsa.pub; done
  check decrypt_tpm2_openssl_rsa decrypts t-rsa t-rsa.pub
  check spends_no_more_tries test "$(tries)" == $((before + 1))
  made+=(t-ec:ec t-rsa:rsa)
else
  echo "tpm2-openssl is not installed; its keys are left out"
fi

# tpm2-tools': under a parent of their own at a persistent handle, and importable ones.
tools tpm2_createprimary -Q -C o -G rsa -c parent.ctx
tools tpm2_evictcontrol -Q -C o -c parent.ctx 0x81000123
tools tpm2_readpublic -Q -c 0x81000123 -o parent.pub
der() { # TAG HEX: the DER of a value, in hexadecimal
  local size=$((${#2} / 2))
  local form='%s82%04x%s'
  if ((size < 128)); then form='%s%02x%s'; elif ((size < 256)); then form='%s81%02x%s'; fi
  # shellcheck disable=SC2059
  printf "$form" "$1" "$size" "$2"
}
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
# key_file NAME TYPE FIELDS: NAME.tpub and NAME.tpriv as a key file of that type (3 loadable, 4 importable).
key_file() {
  local body
  body=$(der 06 6781050a010"$2")$3$(der 02 0081000123)$(der 04 "$(hex "$1.tpub")")$(der 04 "$(hex "$1.tpriv")")
  echo "-----BEGIN TSS2 PRIVATE KEY-----"
  der 30 "$body" | sed 's/../\\x&/g' | xargs -0 printf '%b' | base64
  echo "-----END TSS2 PRIVATE KEY-----"
}
EMPTY_AUTH=$(der a0 0101ff)
create() { tools tpm2_create -Q -C 0x81000123 -u "$1.tpub" -r "$1.tpriv" "${@:2}"; }
encode() { tools tpm2_encodeobject -C 0x81000123 -u "$1.tpub" -r "$1.tpriv" -o "$1.pem" "${@:2}"; }
public_of() { tools tpm2_print -t TPM2B_PUBLIC -f pem "$1.tpub" >"$1.pub"; }
create p-ec -G ecc
create p-rsa -G rsa2048 -p secret
create p-sign -G ecc -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign'
create p-scheme -G ecc256:ecdsa-sha256
create p-restricted -G ecc256:ecdsa-sha256:null -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'
create p-rsa-sign -G rsa2048 -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
tools tpm2_startauthsession -Q -S policy.ctx
tools tpm2_policycommandcode -Q -S policy.ctx -L policy TPM2_CC_Sign
tools tpm2_flushcontext policy.ctx
create p-policy -G ecc -L policy -a 'fixedtpm|fixedparent|sensitivedataorigin|sign'
printf '' >empty
printf secret >passphrase
for key in p-ec p-rsa p-sign; do
  check "encode_$key" encode $key
  public_of $key
done
# tpm2_encodeobject takes none of these.
for key in p-scheme p-restricted p-rsa-sign p-policy; do key_file $key 3 "$EMPTY_AUTH" >$key.pem; done
check import_tpm2_tools_ec import p-ec.pem p-ec --passphrase-file empty
check import_tpm2_tools_rsa import p-rsa.pem p-rsa --passphrase-file passphrase
check import_tpm2_tools_sign import p-sign.pem p-sign --passphrase-file empty
for key in p-ec:ec p-rsa:rsa p-sign:ec; do check "sign_${key%:*}" signs "${key%:*}" "${key#*:}" "${key%:*}.pub"; done
check decrypt_p-rsa decrypts p-rsa p-rsa.pub
check scheme_refused import_refused "bound to one scheme" p-scheme.pem
check restricted_refused import_refused "is restricted" p-restricted.pem
check policy_refused import_refused "bound to a policy" p-policy.pem
check rsa_without_decrypt_refused import_refused "decrypt" p-rsa-sign.pem
made+=(p-ec:ec p-rsa:rsa p-sign:ec)

# An importable key file, which tpm2_duplicate wraps.
tools tpm2_duplicate -Q -U parent.pub -G ecc -k ec.pem -u i.tpub -r i.tpriv -s i.seed --tcti none || true
if [[ -s i.seed ]]; then
  key_file i 4 "$EMPTY_AUTH$(der a2 "$(der 04 "$(hex i.seed)")")" >i.pem
  check import_importable import i.pem i
  check sign_importable signs i ec ec.pub
  made+=(i:ec)
  cp ec.pub i.pub
else
  echo "FAIL tpm2_duplicate made nothing"
  FAILED=$((FAILED + 1))
fi

# Only this TPM takes them.
sed 's/TSS2 PRIVATE/OTHER/' p-ec.pem >no.pem
check no_key import_refused "no private key" no.pem
restart_tpm
for key in "${made[@]}"; do
  check "after_restart_sign_${key%:*}" signs "${key%:*}" "${key#*:}" "${key%:*}.pub"
done
mv "$WORK/tpm" "$WORK/first-tpm" 2>/dev/null
stop_abrmd
stop_swtpm
rm -rf "$WORK/tpm"
with_tpm
rm -rf "$KEYSCOPE_MACHINE_DIR" "$KEYSCOPE_USER_DIR"
init_token
check another_tpm_p import_refused "nothing is at the persistent handle" p-ec.pem --passphrase-file empty
[[ ! -s t-ec.pem ]] || check another_tpm_t import_refused "another TPM" t-ec.pem
finish
