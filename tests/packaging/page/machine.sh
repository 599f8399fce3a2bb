# Run by `sh` as the first process of namespaces of its own, in a folder like `deployment`: $1 is the
# binary, $2 the time it is given, $3 the lines that install, $4 those that try. The machine is this
# one with copies of the folders that are written to, all gone with the namespace.
set -eu
mount -t tmpfs machine /mnt
cp -a /etc /mnt/etc
rm -f /mnt/etc/cron.d/*
mount --bind /mnt/etc /etc
mount -t tmpfs machine /var/lib
mount -t tmpfs machine /usr/local/bin
: > /usr/local/bin/metatoken.real
mount --bind "$1" /usr/local/bin/metatoken.real
cat > /usr/local/bin/metatoken <<METATOKEN
#!/bin/sh
exec /usr/local/bin/metatoken.real --now '$2' "\$@"
METATOKEN
chmod 755 /usr/local/bin/metatoken
sh -euc "$3" >/dev/null
sh -euc "$4"
cd /
stat --format '%a %U %G %n' etc/cron.d/metatoken etc/metatoken etc/metatoken/metatoken.toml \
    var/lib/metatoken var/lib/metatoken/metatoken.db var/lib/metatoken/metatoken.key
