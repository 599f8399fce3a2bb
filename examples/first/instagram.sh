#!/bin/sh
# An Instagram creator's token in the `.env` of a program.
#
#   sh examples/first/instagram.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and
# `pasted` out: the access token is the one that the app's dashboard shows under *Instagram, API setup
# with Instagram login*.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
printf 'IG_TOKEN=\nPORT=8080\n' >"$folder/empty/.env"

pasted DORA | metatoken $sandbox add creator --type instagram --deliver .env#IG_TOKEN --owner dora@creator.example

metatoken $sandbox status
cat "$folder/empty/.env"
