#!/usr/bin/env bash
# Stands for gcloud, kubectl and the like, under their names: writes down how it was called, and answers by
#   $WORLD  new: nothing is there yet; old: everything is; forbidden: any call is wrong
#   $BROKEN what a call must contain to fail
name=${0##*/}
printf '%s\n' "$name$(printf ' %q' "$@")" >>"$CALLS" # at once: the programs of a pipeline write at the same time
[ "$WORLD" != forbidden ] || exit 97
[ -z "${BROKEN-}" ] || [[ "$name $*" != *"$BROKEN"* ]] || exit 1
case "$name $*" in
  'gcloud projects describe '*) ;;
  *' describe default-pool '*) [ "$WORLD" = new ] ;; # GKE makes it with the cluster
  *' describe '* | *' get secret '*) [ "$WORLD" = old ] ;;
  'gcloud storage cat '*) cat "$BUNDLE" ;;
  'gcloud secrets versions access '*) echo token ;;
  *' --data-file=-') cat >>"$CALLS.secret" ;;
  *' apply '*'-f -'* | *'/dev/stdin'*) cat >/dev/null ;;
  'ssh-keygen '*) touch "${*: -1}" "${*: -1}.pub" ;;
esac
