# Run by `sh` as the first process of namespaces of its own: $1 is the folder that has what this
# machine is made of, $2 the binary. All that is mounted here is gone with the namespace.
set -eu
cd "$1"
mount -t tmpfs machine /run
[ ! -e with-systemd ] || mkdir -p /run/systemd/system
for file in passwd group shadow crontab; do
    [ ! -e "/etc/$file" ] || mount --bind "$file" "/etc/$file"
done
mount --bind cron.d /etc/cron.d
mount --bind spool /var/spool/cron
mount --bind log /var/log
mount --bind bin /usr/local/bin
mount --bind "$2" /usr/local/bin/metatoken.real

# The hours, which `@reboot` has taken the place of.
crontab hours
crontab -r

mount --bind sbin /usr/sbin
cron -f &
cron=$!

# Every line has begun when the sentinel was here, and has ended, its mail sent, when no process
# is left but this one and cron.
alone() {
    set -- /proc/[0-9]*
    [ $# -le 2 ]
}
until [ -e begun ] && alone && sleep 0.3 && alone; do sleep 0.05; done
kill "$cron"

if [ -e rotate ]; then
    wait "$cron" || :
    umount /usr/sbin
    logrotate --force --state /run/state rotate
fi
