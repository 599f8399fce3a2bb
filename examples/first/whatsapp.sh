#!/bin/sh
# A System User's token for the WhatsApp Cloud API, in a file that holds nothing else.
#
#   sh examples/first/whatsapp.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and
# `pasted` out: the access token comes from *Business settings, System users, Generate token*. One
# that never expires is checked and never renewed; one of sixty days is renewed.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
: >"$folder/empty/whatsapp-token"

pasted WHATSAPP | metatoken $sandbox add whatsapp --type system-user --deliver whatsapp-token --owner ops@example.org

metatoken $sandbox status
cat "$folder/empty/whatsapp-token"
