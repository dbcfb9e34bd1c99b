#!/bin/bash
# luks.sh MODULE SLOT bare|abrmd: systemd-cryptenroll lets an RSA key of the token unlock an encrypted disk, and
# cryptsetup unlocks it with the token's PIN only.
. "$(dirname "$0")/registry.sh"
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need cryptsetup systemd-cryptenroll

format() {
  truncate -s 20M disk && echo -n password >password &&
    cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk password
}
enroll() {
  PASSWORD=password PIN=$USERPIN systemd-cryptenroll "--pkcs11-token-uri=pkcs11:token=$LABEL;id=%01" disk
}
# It asks on a terminal, and again after a wrong PIN.
unlock() { # PIN
  timeout 60 python3 - "$1" <<'EOF'
import os, pty, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("cryptsetup", "cryptsetup open --test-passphrase --token-only --tries 1 disk".split())
said, asked = b"", 0
while True:
    try:
        said += os.read(terminal, 4096)
    except OSError:
        break
    if said.count(b"PIN:") > asked:
        asked += 1
        if asked == 1:
            time.sleep(0.3)  # what is typed before it listens is lost
            os.write(terminal, sys.argv[1].encode() + b"\n")
        else:
            os.kill(pid, signal.SIGKILL)
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0)
EOF
}
refused() {
  unlock 999999
  (($? == 1))
}

with_tpm
init_token
as_user --keypairgen --key-type rsa:2048 --id 01 --label rsa --usage-decrypt >/dev/null 2>&1
register || exit 1
check "certificate of the key" certify 01 rsa
check "a disk" format
check "systemd-cryptenroll" enroll
check "another PIN unlocks nothing" refused
check "cryptsetup unlocks it" unlock "$USERPIN"
finish
