#!/bin/sh
# Anna leaves. What depends on her login is found, her Pages go to Ben, what she granted is revoked, and her
# label is forgotten.
#
#   sh examples/rotation/somebody-left.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and `pasted`
# out.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
printf 'PAGE_TOKEN=\n' >"$folder/empty/.env"
pasted ANNA | metatoken $sandbox add anna --type user --pages all --owner anna@agency.example
pasted BEN | metatoken $sandbox add ben --type user --owner ben@agency.example
metatoken $sandbox add shop --type page --parent ben --page-id 2000000000000003 --deliver .env#PAGE_TOKEN

# All that depends on her, also what the config no longer declares.
metatoken $sandbox status --owner anna@agency.example --all
# What would die with it; then it does. The number says that you have read the list.
metatoken $sandbox revoke --owner anna@agency.example --all --dry-run
metatoken $sandbox revoke --owner anna@agency.example --all --yes=3
metatoken $sandbox forget --owner anna@agency.example --undeclare --yes=3

metatoken $sandbox status --all
metatoken $sandbox check
cat "$folder/empty/.env"
