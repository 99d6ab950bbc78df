# From the empty project ${project} to an Argo CD that reconciles ${repository}.
# What is there already is left as it is: run it again after an error or an interruption.
#
#   bash ${path}             about 25 minutes, most of them for the cluster
#   bash ${path} --dry-run   prints every command and changes nothing
set -euo pipefail
cd "$$(dirname "$$0")/../.."

dry_run=
case "$${1-}" in
  '') ;;
  --dry-run) dry_run=yes ;;
  *) echo "usage: bash ${path} [--dry-run]" >&2 && exit 2 ;;
esac

fail() { echo "$$*" >&2 && exit 1; }

step() { printf '\n== %s\n' "$$*"; }

run() {
  printf '+'
  printf ' %q' "$$@"
  printf '\n'
  [ -n "$$dry_run" ] || "$$@"
}

# Whether it is there; in a dry run nothing is.
there() { [ -z "$$dry_run" ] && "$$@" >/dev/null 2>&1; }

# The same for what takes minutes: an interrupted run leaves it half made, and what failed is for people to look at.
ready() {
  while there "$$@"; do
    case $$("$$@" --format='value(status)') in
      PROVISIONING | RECONCILING | STOPPING) echo 'Google is still at work on it' && sleep 20 ;;
      ERROR) fail "failed when it was made: look at it with: $$*, delete it, and run this again" ;;
      *) return 0 ;;
    esac
  done
  return 1
}

check() {
  local tool token asked may permission lacking=
  for tool in ${tools}; do
    command -v "$$tool" >/dev/null || fail "$$tool is missing; python gen.py doctor ${name} says more"
  done
  token=$$(gcloud auth print-access-token) || fail 'no login; log in with: gcloud auth login'
  asked=$$(printf '"%s",' "$$@")
  # The token comes by standard input: every user of the machine can see command lines.
  may=$$(printf 'header = "Authorization: Bearer %s"\n' "$$token" |
    curl -q --silent --show-error --fail --config - --header 'Content-Type: application/json' \
      --data "{\"permissions\": [$${asked%,}]}" ${projects}/${project}:testIamPermissions) ||
    fail 'project ${project} cannot be asked; python gen.py doctor ${name} says more'
  for permission in "$$@"; do
    [[ $$may == *"\"$$permission\""* ]] || lacking+="  $$permission"$$'\n'
  done
  [ -z "$$lacking" ] ||
    fail "In project ${project} this account lacks:"$$'\n'"$${lacking}python gen.py doctor ${name} names the roles"
}

step 'Tools and permissions'
[ -n "$$dry_run" ] || check \
${permissions}
