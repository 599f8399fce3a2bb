# Run by `sh` as the first process of namespaces of its own: $1 is a package. The root is this machine's
# with a layer above it, into which all is written, and which is gone with the namespace. Ends with 99
# where there can be no such layer.
set -eu
mount -t tmpfs machine /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root || exit 99
mount --rbind /proc /mnt/root/proc
mount --rbind /dev /mnt/root/dev
mount -t tmpfs machine /mnt/root/tmp
chmod 1777 /mnt/root/tmp
mkdir -p /mnt/root/packages
cp "$1" /mnt/root/packages/new.deb
# The same under an older version.
dpkg-deb -R "$1" /mnt/older
sed -i 's/^Version: .*/Version: 0.0.1/' /mnt/older/DEBIAN/control
dpkg-deb --root-owner-group -Zxz -z0 --build /mnt/older /mnt/root/packages/old.deb > /dev/null

cat > /mnt/root/packages/inside.sh <<'INSIDE'
set -eu
cd /packages
rm -rf /etc/metatoken /var/lib/metatoken
dpkg() { command dpkg --force-depends "$@" > log 2>&1 < /dev/null || { cat log; exit 1; }; }
said() { sed -n '/^metatoken is installed/,/^  systemctl/p; /^metatoken: /p' log; }
state() {
    now=$(cd / && find etc/metatoken var/lib/metatoken -type f ! -name '*-wal' ! -name '*-shm' \
        -exec sha256sum {} + -exec stat --format '%a %U %G %n' {} + | sort)
    [ "$now" = "$then" ] && echo 'state: the same' || printf '%s\n' 'state:' "$now" 'and was' "$then"
}

echo '== installed'
dpkg -i old.deb
said
stat --format '%a %U %G %n' /etc/metatoken /var/lib/metatoken
grep ^ExecStart= /lib/systemd/system/metatoken-refresh.service
ls /usr/share/man/man1/metatoken-refresh.1.gz
ls /usr/share/bash-completion/completions/metatoken
ls /usr/share/zsh/vendor-completions/_metatoken
ls /usr/share/fish/vendor_completions.d/metatoken.fish
enabled=$(find /etc/systemd/system -name 'metatoken-*')
echo "enabled: ${enabled:-none}"
cat > /etc/metatoken/metatoken.toml <<'CONFIG'
[app.main]
id = "1000000000000001"
secret = { env = "APP_SECRET" }

[endpoints]
facebook = "http://127.0.0.1:9"

[http]
attempts = 1

[token.brand]
type = "user"
access_token = { env = "BRAND" }
CONFIG
chgrp metatoken /etc/metatoken/metatoken.toml
chmod 640 /etc/metatoken/metatoken.toml
printf 'completed: '
METATOKEN_COMPLETE=fish metatoken -- metatoken status br
echo '== used'
code=0
su --shell /bin/sh metatoken --command 'APP_SECRET=fakesecretofthemainapp BRAND=EAAFAKEfakefake12 metatoken refresh' \
    > log 2>&1 || code=$?
[ $code = 69 ] || { cat log; exit 1; }
stat --format '%a %U %G %n' /var/lib/metatoken/metatoken.db /var/lib/metatoken/metatoken.key
then=
then=$(state | sed '/^state:$/d; /^and was$/,$d')
[ -n "$then" ]

echo '== upgraded'
dpkg -i new.deb
said
command dpkg -V metatoken
state
echo '== removed'
dpkg -r metatoken
said
[ ! -e /usr/bin/metatoken ]
state
echo '== installed again'
dpkg -i new.deb
said
state
su --shell /bin/sh metatoken --command 'metatoken status --offline' | grep -o '^brand'
echo '== purged'
dpkg -P metatoken
said
state
echo '== purged as told'
dpkg -i new.deb
touch /var/lib/metatoken/delete-on-purge
dpkg -P metatoken
said
for path in /etc/metatoken /var/lib/metatoken /etc/logrotate.d/metatoken; do
    [ -e $path ] && echo "$path: there" || echo "$path: gone"
done
getent passwd metatoken > /dev/null && echo 'user: kept'
INSIDE
chroot /mnt/root sh /packages/inside.sh
