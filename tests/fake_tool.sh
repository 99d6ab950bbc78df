#!/usr/bin/env bash
# Stands for gcloud, kubectl and the like, under their names: writes down how it was called, and answers by
#   $WORLD  new: nothing is there yet; old: everything is; forbidden: any call is wrong
#   $BROKEN what a call must contain to fail
#   $STATES what clusters and node pools are, one look after the other
#   $LACKS  a permission that the account does not have
name=${0##*/}
printf '%s\n' "$name$(printf ' %q' "$@")" >>"$CALLS" # at once: the programs of a pipeline write at the same time
[ "$WORLD" != forbidden ] || exit 97
[ -z "${BROKEN-}" ] || [[ "$name $*" != *"$BROKEN"* ]] || exit 1
case "$name $*" in
  'sleep '*) ;;
  'ssh-keygen -y '*) cat >/dev/null && echo 'ssh-ed25519 AAAA' ;;
  'curl '*) cat >/dev/null && echo "${*//\"${LACKS-}\"/}" ;; # what is asked for is granted
  'gcloud container '*' describe '*' --format=value(status)')
    looks=$(grep -c 'value.*status' "$CALLS")
    read -ra states <<<"${STATES-}"
    echo "${states[looks - 1]-RUNNING}"
    ;;
  *' describe default-pool '*) [ "$WORLD" = new ] ;; # GKE makes it with the cluster
  *' get secret '*jsonpath*) echo a2V5 ;;
  *' describe '* | *' get secret '*) [ "$WORLD" = old ] ;;
  'gcloud storage cat '*) cat "$BUNDLE" ;;
  'gcloud secrets versions access '*) echo token ;;
  *' --data-file=-') cat >>"$CALLS.secret" ;;
  *' apply '*'-f -'* | *'/dev/stdin'*) cat >/dev/null ;;
  'ssh-keygen '*) touch "${*: -1}" "${*: -1}.pub" ;;
esac
