#!/bin/bash
# openvpn.sh MODULE SLOT bare|abrmd: OpenVPN (through pkcs11-helper) connects with keys of the token.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need openvpn

VPN=(openvpn --dev null --ifconfig-noexec --ca ca.pem)
id_of() { # LABEL
  openvpn --show-pkcs11-ids "$MODULE" |
    awk -v name="CN=$1" '/DN:/ { mine = $2 == name } /Serialized id:/ && mine { print $3 }'
}
# Gives the client the PIN when its management asks for it.
give_pin() { # PORT
  local line
  exec 4<>"/dev/tcp/127.0.0.1/$1"
  while read -r -t 10 line <&4; do
    [[ $line != *"Need '$LABEL token' password"* ]] || break
  done
  echo "password \"$LABEL token\" $USERPIN" >&4
}
# A server and a client for one connection each.
connect() { # LABEL
  local port management server client code=0
  port=$(free_port)
  management=$(free_port)
  rm -f server.log client.log
  "${VPN[@]}" --proto tcp-server --local 127.0.0.1 --port "$port" --tls-server --dh none --cert server.pem \
    --key server.key --verb 3 >server.log 2>&1 &
  server=$!
  wait_for 10 grep -q 'Listening for incoming' server.log
  "${VPN[@]}" --proto tcp-client --remote 127.0.0.1 "$port" --nobind --tls-client --verb 3 \
    --pkcs11-providers "$MODULE" --pkcs11-id "$(id_of "$1")" \
    --management 127.0.0.1 "$management" --management-query-passwords >client.log 2>&1 &
  client=$!
  wait_for 10 grep -q 'MANAGEMENT: TCP Socket listening' client.log
  give_pin "$management"
  wait_for 15 grep -q 'Initialization Sequence Completed' client.log || code=1
  exec 4>&-
  kill "$server" "$client" 2>/dev/null
  wait "$server" "$client"
  cat client.log
  return $code
}

with_tpm
init_token
as_user --keypairgen --key-type rsa:2048 --id 01 --label rsa --usage-sign >/dev/null 2>&1
as_user --keypairgen --key-type EC:prime256v1 --id 02 --label ec --usage-sign >/dev/null 2>&1
check "certificate of the RSA key" certify 01 rsa
check "certificate of the EC key" certify 02 ec
check "certificate of the server" issue server
check "RSA" connect rsa
check "EC" connect ec
finish
