#!/bin/sh
# An access token was seen where it does not belong: in a log, a repository, a chat. It is replaced first
# and revoked at once, so that the program does not stop.
#
#   sh examples/rotation/after-exposure.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and `pasted`
# out.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
printf 'WHATSAPP_TOKEN=\nPORT=8080\n' >"$folder/empty/.env"
pasted WHATSAPP | metatoken $sandbox add whatsapp --type system-user --deliver .env#WHATSAPP_TOKEN
pasted ADMIN | metatoken $sandbox add admin --type system-user
printf 'use = "mint"\n' >>"$folder/empty/tokens.d/admin.toml"

# Which one it is, what it may do, and who uses it.
metatoken $sandbox status whatsapp
# Nothing is revoked while a program has it.
metatoken $sandbox revoke whatsapp --generation 1 --yes=whatsapp && exit 1
metatoken $sandbox mint whatsapp --from admin
metatoken $sandbox revoke whatsapp --generation 1 --yes=whatsapp
# If it is not known which one was seen: `metatoken revoke whatsapp --all`, then `mint` or `exchange`.

metatoken $sandbox history whatsapp
metatoken $sandbox check
cat "$folder/empty/.env"
