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

step 'Tools and permissions'
for tool in ${tools}; do
  command -v "$$tool" >/dev/null || fail "$$tool is missing; python gen.py doctor ${name} says more"
done
[ -n "$$dry_run" ] || gcloud projects describe ${project} --format='value(projectId)' >/dev/null || 
  fail 'project ${project} cannot be read; log in with: gcloud auth login'
