#!/bin/sh
# A System User's token that never expires, rotated twice a year: a new one is made by an admin's token
# while the old one works, every program gets it, and a week later the old one is revoked.
#
#   sh examples/rotation/six-monthly.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens, and half a year passes in a second. For
# your own, leave `sandbox`, `--now` and `pasted` out. Without an admin's token, `metatoken exchange
# whatsapp` takes what Meta Business settings generate, in the place of `mint`.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }
printf 'WHATSAPP_TOKEN=\nPORT=8080\n' >"$folder/empty/.env"
printf '\n[defaults]\nrotate_after = "180d"\n' >>"$folder/empty/metatoken.toml"

pasted WHATSAPP | metatoken $sandbox add whatsapp --type system-user --deliver .env#WHATSAPP_TOKEN
# What makes new ones is itself given to no program.
pasted ADMIN | metatoken $sandbox add admin --type system-user
printf 'use = "mint"\nrotate_after = "400d"\n' >>"$folder/empty/tokens.d/admin.toml"

old=1
for month in 6 12; do
    # Every timer's run asks about it; after half a year the check says that it is time.
    day=$((month * 30 + 2))
    metatoken $sandbox --now "+${day}d" refresh --quiet
    metatoken $sandbox --now "+${day}d" check --tokens || true
    # A new one, in every place at once, beside the old one.
    metatoken $sandbox --now "+${day}d" mint whatsapp --from admin
    metatoken $sandbox status whatsapp
    # A week for whatever was forgotten. Then the old one goes, and Meta is asked whether it is dead.
    day=$((day + 8))
    metatoken $sandbox --now "+${day}d" refresh --quiet
    metatoken $sandbox --now "+${day}d" revoke whatsapp --generation $old --yes=whatsapp
    old=$((old + 1))
done

metatoken $sandbox check
cat "$folder/empty/.env"
