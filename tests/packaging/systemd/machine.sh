#!/bin/sh
# A machine of its own with a systemd of its own, until standard input ends.
#
#     unshare --mount --propagation private machine.sh BINARY DEPLOYMENT
#
# All that it changes lies in its own namespaces: mounts, processes, network, names, cgroups. Outside
# of them are a cgroup and an empty folder for a mount, which are taken away at the end. Standard input is a pipe from
# the test, so the machine ends with the test however the test ends.
#
# It says the number of its first process, as the caller sees it, in one line on standard output.
set -eu

if [ "${1:-}" != inside ]; then
    trap '' INT TERM HUP
    scratch=$(mktemp -d)
    cgroup=$scratch/cgroup/metatoken-test-$$
    take_down() {
        # Its first process takes all others with it, and is waited for by who started it.
        kill -KILL "$(cat "$scratch/number" || echo "$machine")"
        wait "$machine"
        tries=100
        until find "$cgroup" -depth -type d -exec rmdir {} + || [ "$tries" -eq 0 ]; do
            tries=$((tries - 1))
            sleep 0.05
        done
        umount --recursive "$scratch"
        rmdir "$scratch"
    }
    machine=
    trap 'set +e; take_down > /dev/null 2>&1' EXIT
    mount -t tmpfs none "$scratch"
    mkdir "$scratch/cgroup"
    mount -t cgroup2 none "$scratch/cgroup"
    mkdir "$cgroup"
    # A shell of its own goes in, so that this one stays outside and can take the cgroup away.
    sh -c 'echo 0 > "$0/cgroup.procs" && exec unshare \
        --mount --pid --fork --kill-child --uts --ipc --net --cgroup "$@"' \
        "$cgroup" "$0" inside "$scratch" "$@" < /dev/null &
    machine=$!
    # Whoever waits for a word from the machine is not to wait for this shell.
    exec > /dev/null 2>&1
    cat
    exit
fi

scratch=$2
binary=$3
deployment=$4

# Still the old /proc, where this shell has the number that the caller knows it by.
read -r number rest < /proc/self/stat
echo "$number" > "$scratch/number"

fresh() { mount -t tmpfs -o mode="$2" none "$1"; }

umount "$scratch/cgroup"
# What is shown of the old /etc can be written without consequence.
cp -a /etc "$scratch/etc"
for own in systemd/system systemd/journald.conf sysusers.d tmpfiles.d credstore polkit-1/rules.d; do
    rm -rf "$scratch/etc/$own"
done
mkdir -p "$scratch/etc/systemd/system" "$scratch/usr/local/bin" "$scratch/deployment"
touch "$scratch/usr/local/bin/metatoken"
mount --bind "$binary" "$scratch/usr/local/bin/metatoken"
mount --bind "$deployment" "$scratch/deployment"
# From here on nothing is looked for below /tmp, /mnt or wherever else the scratch lies.
mount --rbind "$scratch" /mnt
mount --rbind /mnt/usr/local /usr/local
mount --bind /mnt/etc /etc
printf '[Journal]\nStorage=volatile\nReadKMsg=no\n' > /etc/systemd/journald.conf
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
echo machine > /etc/hostname

mount -t proc proc /proc
mount -t sysfs -o ro sysfs /sys
fresh /sys/fs/cgroup 755
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# systemd would raise limits that are not this machine's alone.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys

fresh /run 755
fresh /tmp 1777
fresh /var/tmp 1777
fresh /var/log 755
fresh /var/lib 755
fresh /srv 755
# As systemd's own tmpfiles.d has it, or nobody but root could read the journal.
mkdir -p /run/log/journal
chgrp systemd-journal /run/log/journal
chmod 2755 /run/log/journal

# Few units, and no others that this system may have.
lib=/lib/systemd/system
for unit in sysinit.target basic.target timers.target paths.target sockets.target \
    multi-user.target shutdown.target network-online.target time-sync.target \
    systemd-journald.socket systemd-journald.service dbus.socket dbus.service polkit.service; do
    [ ! -e "$lib/$unit" ] || cp "$lib/$unit" /etc/systemd/system/
done
printf '[Unit]\nRequires=systemd-journald.socket dbus.socket timers.target\nAfter=timers.target\n' \
    > /etc/systemd/system/machine.target

# As systemd itself does outside of containers: what it mounts for a unit is made by its children.
mount --make-rshared /

echo "$number"
exec env -i \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    container=metatoken-test \
    SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/system:/run/systemd/transient \
    /lib/systemd/systemd --system --unit=machine.target --show-status=no \
    --log-target=journal > /dev/null
