# Run by `sh` as the first process of namespaces of its own: $1 is the binary, $2 a folder with the config.
# The folders are those of the pod: the config a file of root's in a folder of root's, the volume root's,
# open to the pod's group, and all else not to be written.
set -eu
mount -t tmpfs -o mode=755 pod /mnt
cp "$1" /mnt/metatoken
mkdir /mnt/etc
install -m 444 "$2/metatoken.toml" /mnt/etc/metatoken.toml
mount -t tmpfs -o mode=755 pod /var/lib
mkdir -m 2775 /var/lib/metatoken
chgrp 65532 /var/lib/metatoken

run() {
    name=$1
    code=0
    shift
    setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
        env -i METATOKEN_CONFIG=/mnt/etc/metatoken.toml APP_SECRET=fakesecretofthemainapp \
        STORE_KEY=0707070707070707070707070707070707070707070707070707070707070707 \
        FIRST_TOKEN=EAAFAKEfakefake12 /mnt/metatoken "$@" > /mnt/said 2>&1 || code=$?
    echo "$name: $code"
    cat /mnt/said >&2
}
run 'config check' config check
run refresh refresh --scheduled --log-format=json
stat --format '%a %u %g %n' /var/lib/metatoken/store /var/lib/metatoken/store/metatoken.db
run 'check --system' check --system
