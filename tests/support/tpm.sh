# shellcheck shell=bash disable=SC2034
# Software TPMs for shell tests and the demo. Source it; what it started is stopped when the shell ends.
#
#   start_swtpm DIR        a software TPM with its state in DIR; TCTI is its TCTI string
#   stop_swtpm             shuts it down in good order (else the lockout counter rises at the next start)
#   restart_swtpm DIR      with the resource manager, if there was one
#   start_abrmd DIR        the resource manager before it, on a D-Bus of its own; TCTI changes
#   stop_abrmd
#   at_exit COMMAND        also run COMMAND at exit, first
SWTPM_PID='' ABRMD_PID='' DBUS_PID='' TCTI='' SWTPM_TCTI=''
PATH=$PATH:/usr/sbin:/sbin
AT_EXIT=()

at_exit() { AT_EXIT=("$*" "${AT_EXIT[@]}"); }

stop_all() {
  local code=$? command
  trap - EXIT
  set +e
  stop_abrmd
  stop_swtpm
  for command in "${AT_EXIT[@]}"; do eval "$command"; done
  exit "$code"
}
trap stop_all EXIT
trap 'exit 130' INT TERM HUP

# wait_for SECONDS COMMAND...
wait_for() {
  local tenths=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    ((tenths-- > 0)) || return 1
    sleep 0.1
  done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The TPM at port N, its control channel at N + 1, as tpm2-tss expects.
start_swtpm() {
  local dir=$1 port
  mkdir -p "$dir"
  for _ in 1 2 3 4 5; do
    port=$((20000 + (RANDOM % 5000) * 2))
    if port_open "$port" || port_open $((port + 1)); then continue; fi
    swtpm socket --tpm2 --tpmstate "dir=$dir" --server "type=tcp,port=$port,bindaddr=127.0.0.1" \
      --ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" \
      --flags not-need-init,startup-clear >"$dir/swtpm.log" 2>&1 &
    SWTPM_PID=$!
    SWTPM_TCTI="swtpm:host=127.0.0.1,port=$port"
    TCTI=$SWTPM_TCTI
    if wait_for 5 port_open $((port + 1)) && wait_for 5 port_open "$port" && kill -0 "$SWTPM_PID" 2>/dev/null; then return 0; fi
    kill "$SWTPM_PID" 2>/dev/null
    wait "$SWTPM_PID" 2>/dev/null
    SWTPM_PID=''
  done
  echo "swtpm does not start: $(tail -1 "$dir/swtpm.log")" >&2
  return 1
}

stop_swtpm() {
  [[ -n $SWTPM_PID ]] || return 0
  timeout 10 tpm2_shutdown -T "$SWTPM_TCTI" -c >/dev/null 2>&1
  kill "$SWTPM_PID" 2>/dev/null
  wait "$SWTPM_PID" 2>/dev/null
  SWTPM_PID=''
}

restart_swtpm() {
  local with_abrmd=$ABRMD_PID
  stop_abrmd
  stop_swtpm
  start_swtpm "$1" || return 1
  [[ -z $with_abrmd ]] || start_abrmd "$1"
}

abrmd_ready() {
  dbus-send --session --dest=org.freedesktop.DBus --print-reply /org/freedesktop/DBus \
    org.freedesktop.DBus.NameHasOwner string:com.intel.tss2.Tabrmd | grep -q 'boolean true'
}

start_abrmd() {
  local dir=$1 root=()
  [[ $(id -u) != 0 ]] || root=(--allow-root)
  { read -r DBUS_SESSION_BUS_ADDRESS && read -r DBUS_PID; } < <(
    dbus-daemon --session --fork --print-address=1 --print-pid=1 2>"$dir/dbus.log")
  export DBUS_SESSION_BUS_ADDRESS
  tpm2-abrmd --session "${root[@]}" --tcti="$SWTPM_TCTI" >"$dir/abrmd.log" 2>&1 &
  ABRMD_PID=$!
  TCTI=tabrmd:bus_type=session
  wait_for 10 abrmd_ready && return 0
  echo "tpm2-abrmd does not start: $(tail -1 "$dir/abrmd.log")" >&2
  return 1
}

stop_abrmd() {
  if [[ -n $ABRMD_PID ]]; then
    kill "$ABRMD_PID" 2>/dev/null
    wait "$ABRMD_PID" 2>/dev/null
    ABRMD_PID=''
  fi
  if [[ -n $DBUS_PID ]]; then
    kill "$DBUS_PID" 2>/dev/null
    DBUS_PID=''
  fi
}
