#!/bin/sh
# An agency: two people who manage Pages for clients, all of whose Pages are kept, also those that
# they get later.
#
#   sh examples/first/agency.sh [FOLDER]
#
# It is rehearsed in the sandbox, in FOLDER, with fake tokens. For your own, leave `sandbox` and
# `pasted` out.
set -eu
folder=${1:-$(mktemp -d)}
sandbox="--sandbox=$folder --scenario empty"
metatoken $sandbox status >/dev/null
pasted() { sed -n "s/^$1_PASTED=//p" "$folder/empty/app.env"; }

pasted ANNA | metatoken $sandbox add anna --type user --pages all --owner anna@agency.example
pasted BEN | metatoken $sandbox add ben --type user --pages all --owner ben@agency.example

metatoken $sandbox status --all
metatoken $sandbox token ben/2000000000000003
