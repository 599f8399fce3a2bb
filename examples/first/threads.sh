#!/bin/sh
# A Threads profile's token in the JSON settings of a program.
#
#   sh examples/first/threads.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and
# `pasted` out: the access token comes from the app's dashboard, *Use cases, Threads API, Settings*.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
printf '{"threads": {"token": ""}}\n' >"$folder/empty/settings.json"

pasted EMIL | metatoken $sandbox add notes --type threads --deliver settings.json#threads.token --owner emil@notes.example

metatoken $sandbox status
cat "$folder/empty/settings.json"
