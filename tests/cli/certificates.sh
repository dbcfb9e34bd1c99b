#!/bin/bash
# Certificates of keys: stored in either slot, found by what tpmkms: URIs say, and cleaned up when they expire.
. "$(dirname "$0")/common.sh"
with_tpm
init_both

openssl req -x509 -newkey rsa:2048 -nodes -subj "/O=Test/CN=The CA" -keyout ca.key -out ca.pem -days 2 2>/dev/null
openssl req -new -newkey rsa:2048 -nodes -subj /CN=any -keyout any.key -out any.csr 2>/dev/null
certify() { # SCOPE KEY SERIAL DAYS OUT: a certificate for a key of the token
  keyscope --json key show "$2" --scope "$1" >shown && field shown "['public_key']" >public.pem
  openssl x509 -req -in any.csr -CA ca.pem -CAkey ca.key -set_serial "$3" -force_pubkey public.pem -days "$4" -out "$5" 2>/dev/null
}
sha1() { openssl x509 -in "$1" -outform DER | sha1sum | cut -d' ' -f1; }

for scope in user machine; do
  check "a key of the $scope" keyscope key create web --scope $scope --type p256
  certify $scope web "0x01$([[ $scope == user ]] && echo aa || echo bb)" 1 $scope.pem
done
cat user.pem ca.pem >chain.pem
check "its chain is stored" keyscope key certificate web --store chain.pem
check "the machine key's goes to the user's slot" keyscope key certificate --store machine.pem \
  --uri "tpmkms:name=web;key-scope=machine;store-location=user"
check "and is found from its key" keyscope key certificate web --scope machine
cp out printed.pem
check "it is the machine key's, with its issuer" cmp printed.pem <(openssl x509 -in machine.pem; openssl x509 -in ca.pem)
check "the user key's is its own" keyscope key certificate web
cp out printed.pem
check "with its issuer" cmp printed.pem <(openssl x509 -in user.pem; openssl x509 -in ca.pem)
refused "another key's is refused" 1 "for another key" keyscope key certificate web --store machine.pem

check "listing tells how far it is" keyscope --progress certificate list
says "of each token" "reading the user token: 3 of 3"
check "all of them" keyscope --json certificate list
if [[ $(field out "['certificates'].__len__()") == 3 ]]; then echo "ok   are listed"; else fail "not 3"; fi
check "none is in the machine's slot" keyscope --json certificate list --location machine
if [[ $(field out "['certificates'].__len__()") == 0 ]]; then echo "ok   for they are in the user's"; else fail "some"; fi
for how in "sha1=$(sha1 machine.pem)" "serial=0x1bb" "serial=01bb" "issuer=The%20CA;serial=1BB" "issuer=CN%3DThe%20CA%2CO%3DTest;serial=1bb"; do
  check "found by $how" keyscope certificate show --uri "tpmkms:$how;store-location=user"
  says "the machine key's" "key scope    machine"
done
refused "none by that" 1 "no such certificate" keyscope certificate show --uri "tpmkms:serial=1cc"
refused "more than one" 1 "choose one by its sha1" keyscope certificate show --uri "tpmkms:issuer=The%20CA"
refused "none named" 2 "name the certificate" keyscope certificate delete
check "one is deleted" keyscope certificate delete --uri "tpmkms:sha1=$(sha1 machine.pem)"
refused "and gone" 1 "no token holds a certificate" keyscope key certificate web --scope machine

# Expiry.
check "a key whose certificate expires" keyscope key create old --type p256 --persistent
certify user old 0x2aa -1 old.pem
check "stored" keyscope key certificate old --store old.pem
certify user web 0x2bb -1 web-old.pem
check "an older one of a key that has another" keyscope key certificate web --store web-old.pem
refused "what to clean up is said" 2 "--expired" keyscope cleanup
check "what would go" keyscope cleanup --expired --delete-keys --dry-run --progress
says "is counted, when asked for" "cleaning up: 2 of 2"
says "is told" "would delete"
says "with the key" "object=old"
says "but not one that has another certificate" "stays: another certificate is for it"
check "nothing has gone" keyscope key certificate old
check "the clean-up" keyscope --json cleanup --expired --delete-keys
if [[ $(field out "['deleted'].__len__()") == 2 ]]; then echo "ok   of two"; else fail "not 2"; fi
refused "the key is gone" 1 "no key 'old'" keyscope key show old
check "the other key is there" keyscope key certificate web
says "with the good one" "$(openssl x509 -in user.pem | sed -n 3p)"
check "nothing more is to be done" keyscope --json cleanup --expired --delete-keys
if [[ $(field out "['deleted'].__len__()") == 0 ]]; then echo "ok   nothing is"; else fail "something"; fi
finish
