#!/bin/sh
# One Page's token, kept alive in `config.ini`.
#
#   sh examples/first/one-page.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and
# `pasted` out: `metatoken add` asks for the access token that you copied from the Graph API Explorer.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
printf '[facebook]\naccess_token = changeme\n' >"$folder/empty/config.ini"

pasted ANNA | metatoken $sandbox add anna --type user --owner anna@example.org
metatoken $sandbox add page --type page --parent anna --page-id 2000000000000001 --deliver config.ini#facebook.access_token

metatoken $sandbox status
cat "$folder/empty/config.ini"
