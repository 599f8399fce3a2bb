#!/bin/sh
# A token with another one in reserve, of another System User. At night it dies, and a run puts the
# reserve in its place; by day a person does the same before anything has died. Each time the reserve is
# filled again.
#
#   sh examples/rotation/backup.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens, and two months pass in a second. For your
# own, leave `sandbox`, `--now` and `pasted` out, and what only makes the token die.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
tokens="$folder/empty/tokens.d"
printf 'WHATSAPP_TOKEN=\nPORT=8080\n' >"$folder/empty/.env"

pasted WHATSAPP | metatoken $sandbox add whatsapp --type system-user --deliver .env#WHATSAPP_TOKEN
pasted SPARE | metatoken $sandbox add spare --type system-user
sed -i 's/^type = .*/&\nbackup = "spare"\npromote = "auto"/' "$tokens/whatsapp.toml"
# An admin's token makes new ones, and is itself given to no program.
pasted ADMIN | metatoken $sandbox add admin --type system-user
printf 'use = "mint"\n' >>"$tokens/admin.toml"
# Whose the reserve is shows before it is needed.
metatoken $sandbox status whatsapp

# Here it dies because nothing renews an access token of 60 days: yours may be revoked by a colleague.
metatoken $sandbox mint whatsapp --from admin --replace
metatoken $sandbox revoke whatsapp --generation 1 --yes=whatsapp
sed -i 's/^type = .*/&\nauto_refresh = false/' "$tokens/whatsapp.toml"
# One verdict may be a mistake. The next timer's run gets it again, and promotes without waiting for a person.
metatoken $sandbox --now 2026-03-03T02:00:00Z refresh || true
metatoken $sandbox --now 2026-03-03T02:15:00Z refresh
metatoken $sandbox check --tokens || true

# In the morning the reserve is filled again: with an access token of the System User whose one died.
printf 'user_id = "3000000000000006"\n' >>"$tokens/spare.toml"
metatoken $sandbox --now 2026-03-03T09:00:00Z mint spare --from admin

# By hand, and while it works: its System User is to go. The other one takes its place first.
metatoken $sandbox promote whatsapp
# The same access token is still written down as the first of `spare`: both are listed, and the number says
# that you have read it.
metatoken $sandbox revoke whatsapp --generation 3 --yes=2
sed -i 's/^user_id = .*/user_id = "3000000000000008"/' "$tokens/spare.toml"
metatoken $sandbox mint spare --from admin

metatoken $sandbox history whatsapp
metatoken $sandbox check
cat "$folder/empty/.env"
