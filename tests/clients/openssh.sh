#!/bin/bash
# openssh.sh MODULE SLOT bare|abrmd: public keys by ssh-keygen -D, and logins to a real sshd on 127.0.0.1,
# with the module in ssh itself and in ssh-agent.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need ssh ssh-keygen ssh-agent sshd
[[ $(id -u) == 0 ]] || skip "only root can start an sshd that lets somebody in"

ssh_to() { # OPTIONS... COMMAND...
  ssh -F none -p "$PORT" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o IdentityFile=none -o PreferredAuthentications=publickey "$@"
}
public_keys() {
  ssh-keygen -D "$MODULE" >keys && cat keys && (($(grep -c . keys) == 2)) &&
    cp keys authorized_keys && chmod 600 authorized_keys
}
start_sshd() {
  ssh-keygen -q -t ed25519 -N '' -f host_key
  mkdir -p /run/sshd
  cat >sshd_config <<EOF
Port $PORT
ListenAddress 127.0.0.1
HostKey $WORK/host_key
PidFile none
AuthorizedKeysFile $WORK/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
EOF
  "$(command -v sshd)" -D -e -f sshd_config >sshd.log 2>&1 &
  at_exit "kill $!"
  wait_for 10 port_open "$PORT"
}
login() { # KEY ALGORITHM
  says "logged in with $1" ssh_to -o PKCS11Provider="$MODULE" -o PubkeyAcceptedAlgorithms="$2" \
    root@127.0.0.1 echo "logged in with $1"
}
agent_login() {
  ssh-add -s "$MODULE" && ssh-add -L >agent_keys &&
    diff <(cut -d' ' -f2 keys | sort) <(cut -d' ' -f2 agent_keys | sort) && ssh-add -T keys &&
    says 'by agent' ssh_to root@127.0.0.1 echo 'by agent' && ssh-add -e "$MODULE" && ! ssh-add -L
}

with_tpm
init_token
as_user --keypairgen --key-type rsa:2048 --id 71 --label r1 --usage-sign >/dev/null 2>&1
as_user --keypairgen --key-type EC:prime256v1 --id 72 --label e1 --usage-sign >/dev/null 2>&1
PORT=$(free_port)
printf '#!/bin/sh\necho %s\n' "$USERPIN" >askpass
chmod +x askpass
export SSH_ASKPASS=$WORK/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=:0
unset SSH_AUTH_SOCK

check public_keys public_keys
check start_sshd start_sshd
check login_rsa login RSA rsa-sha2-256
check login_ec login EC ecdsa-sha2-nistp256
eval "$(ssh-agent -P "$MODULE")" >/dev/null
at_exit "kill $SSH_AGENT_PID"
check agent_login agent_login
finish
