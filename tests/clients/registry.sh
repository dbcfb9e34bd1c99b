# shellcheck shell=bash
# The module registered with p11-kit by a .module file. p11-kit's folder is one of our own here, in a mount
# namespace: what is registered on the machine neither changes nor disturbs. Source it before common.sh: it starts the
# test again, in that namespace. `register` then registers MODULE.
REGISTRY=/usr/share/p11-kit/modules
if [[ -z ${IN_NAMESPACE:-} ]]; then
  if [[ ! -d $REGISTRY ]] || ! unshare --map-root-user --mount true; then
    echo "skipped: p11-kit is not installed, or this user may make no mount namespace"
    exit 77
  fi
  IN_NAMESPACE=1 exec unshare --map-root-user --mount "$0" "$@"
fi

register() {
  mkdir modules && echo "module: $MODULE" >modules/keyscope.module && mount --bind modules "$REGISTRY"
}
