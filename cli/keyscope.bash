# bash completion for keyscope(1)

_keyscope() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' group='' one words
  local global='--json --progress --no-progress --module --pin --pin-file --help --version'
  local key='--id --scope --uri' certificate='--id --location --uri'
  local -A options=(
    [status]='' [doctor]='' [erase-pending]='--orphans'
    [init]='--scope --label --so-pin --so-pin-file --no-pin --pin-only --force --storage-root'
    [create]="$key --type --attest-by --creation-only --qualifying-data --persistent --pcrs"
    [list]='--scope --uri --attested-by --offline'
    [show]="$key --evidence --out"
    [delete]="$key --offline --row --all"
    [import]='--label --id --scope --uri --passphrase-file'
    [certify]="$key --nonce --key-authorization --format --chain --out"
    [activate]="$key --credential --ek --out"
    [certificate]="$key --store"
    [certificates]='' [cleanup]='--expired --delete-keys --dry-run --location'
    ['certificate list']="$certificate" ['certificate show']="$certificate" ['certificate delete']="$certificate"
    ['ek show']=''
    [quote]="$key --nonce --pcrs --out"
    [verify]='--nonce --scope --ak-name --ca --pcrs --pcr-digest --pcr'
  )
  local -A groups=(
    [key]='create import list show delete certify certificate'
    [ak]='create list show delete activate certificate'
    [ek]='show certificates'
    [certificate]='list show delete'
  )
  for one in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -z $group && -v groups[$one] ]]; then
      group=$one
    elif [[ -z $command && -v options[$one] ]]; then
      command=$one
    fi
  done
  case $before in
    --scope | --location | --orphans) words='machine user' ;;
    --type) words='rsa2048 rsa3072 rsa4096 p256 p384 p521' ;;
    --format) words='evidence webauthn' ;;
    --ek) words='rsa ec' ;;
    --module | --pin-file | --so-pin-file | --passphrase-file | --out | --chain | --ca | --credential | --store)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    *)
      if [[ $word == -* ]]; then
        words="$global ${options[$group $command]-${options[${command:-status}]}}"
      elif [[ -n $command ]]; then
        [[ $command != @(verify|import) ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
      elif [[ -n $group ]]; then
        words=${groups[$group]}
      else
        words='status doctor init key ak ek certificate quote verify erase-pending cleanup'
      fi
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _keyscope keyscope
