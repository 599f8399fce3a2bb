#!/bin/sh
# The last three weeks of a token that Meta does not extend any more, rehearsed: one run a day, and
# what is new of what cron would mail, Nagios would show, and notifications would say.
#
#   sh examples/last-three-weeks.sh [FOLDER]
#
# Everything happens in FOLDER (a fresh one by default) with fake tokens; nothing is sent anywhere.
set -eu
folder=${1:-$(mktemp -d)}
world=$folder/ending

metatoken() { command metatoken "--sandbox=$folder" --scenario ending "$@" 2>&1 || true; }

# Prints a text under a name, unless it says the same as the day before but for the days left.
new() {
    text=$(printf '%s' "$2" | sed 's/ |.*//')
    said=$(printf '%s' "$text" |
        sed 's/ 00:00 UTC//g; s/, now//g; s/,* in [0-9]* [a-z]*//g; s/, [0-9]* [a-z]* ago//g; s/The current time is [^(]*//; s/  */ /g')
    eval "before=\${$1-}"
    if [ -n "$text" ] && [ "$said" != "$before" ]; then
        printf '%s\n' "$text" | sed "s/^/  $1 | /"
    fi
    eval "$1=\$said"
}

# One day of the timer, of the monitoring, and of notifications.
day() {
    echo "day $1"
    new cron "$(metatoken --now "+${1}d" refresh --quiet --scheduled)"
    new nagios "$(metatoken check | head -n 1)"
    if [ -e "$world/told.txt" ]; then
        sed 's/^/  notice | /' "$world/told.txt"
        rm "$world/told.txt"
    fi
}

for number in $(seq 0 22); do day "$number"; done
echo "Anna logs in; the operator pastes the new access token:"
sed -n 's/^BRAND_AGAIN=//p' "$world/app.env" | metatoken exchange brand | sed 's/^/  /'
day 23
