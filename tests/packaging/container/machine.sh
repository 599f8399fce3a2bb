# Run by `sh` as the first process of namespaces of its own: $1 is the binary, $2 a folder with the config,
# $3 what the recipe runs in the image, without its packages. The image is this machine's root with a layer
# above it; the container is that root, not to be written, with the config and the store as volumes. Ends
# with 99 where there can be no such layer.
set -eu
mount -t tmpfs machine /mnt
mkdir /mnt/upper /mnt/work /mnt/root /mnt/config /mnt/store
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root || exit 99
rm -rf /mnt/root/etc/metatoken /mnt/root/var/lib/metatoken
chroot /mnt/root sh -euc "$3"
install -m 755 "$1" /mnt/root/usr/local/bin/metatoken
stat --format '%a %u %g %n' /mnt/root/etc/metatoken /mnt/root/var/lib/metatoken | sed 's|/mnt/root||'

# What the operator has.
install -m 640 -g 65532 "$2/metatoken.toml" /mnt/config/metatoken.toml
chgrp 65532 /mnt/config
chmod 750 /mnt/config
chown 65532:65532 /mnt/store
chmod 700 /mnt/store

mount --bind /mnt/config /mnt/root/etc/metatoken
mount --bind /mnt/store /mnt/root/var/lib/metatoken
mount --rbind /proc /mnt/root/proc
mount --rbind /dev /mnt/root/dev
mount -t tmpfs -o mode=1777 container /mnt/root/tmp
mount -o remount,bind,ro /mnt/root/etc/metatoken
mount -o remount,ro /mnt/root

run() {
    name=$1
    code=0
    shift
    chroot /mnt/root setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs \
        --bounding-set=-all --inh-caps=-all env -i APP_SECRET=fakesecretofthemainapp \
        FIRST_TOKEN=EAAFAKEfakefake12 /usr/local/bin/metatoken "$@" > /mnt/said 2>&1 || code=$?
    echo "$name: $code"
    cat /mnt/said >&2
}
run sandbox --sandbox=/tmp/sandbox refresh
run 'config check' config check
run refresh refresh --scheduled
run 'check --system' check --system
stat --format '%a %u %g %n' /mnt/store/metatoken.db /mnt/store/metatoken.key | sed 's|/mnt/store|/var/lib/metatoken|'
touch /mnt/root/usr/written 2>/dev/null || echo 'root file system: not written'
