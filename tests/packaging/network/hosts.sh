# Run by `sh` as the first process of namespaces of its own, with a network that has nobody else on it: $1
# is a folder for what the server hears, what follows is the command. Two addresses are this network's, one
# private and one that is not, and a server answers on both.
set -eu
said=$1
shift
ip link set lo up
ip link add office type veth peer name street
ip link set street up
ip address add 10.20.30.40/24 dev office
ip address add 203.0.113.5/24 dev office
ip link set office up
cat > "$said/hosts" <<'HOSTS'
127.0.0.1 localhost
10.20.30.40 nas
10.20.30.40 chat.lan
10.20.30.40 both.lan
203.0.113.5 both.lan
203.0.113.5 away
HOSTS
mount --bind "$said/hosts" /etc/hosts
perl -MIO::Socket::INET -e '
    my $listener = IO::Socket::INET->new(LocalAddr => "0.0.0.0:8123", Listen => 8, ReuseAddr => 1) or die;
    open(my $ready, ">", "$ARGV[0]/ready"); close($ready);
    while (my $client = $listener->accept) {
        my ($head, $body) = ("", "");
        while (my $line = <$client>) { last if $line eq "\r\n"; $head .= $line; }
        read($client, $body, $1) if $head =~ /^content-length: (\d+)/mi;
        open(my $heard, ">>", "$ARGV[0]/heard");
        print $heard join(" ", $client->sockhost, (split /\r\n/, $head)[0], length($body) > 0 ? "told" : "empty"), "\n";
        close($heard);
        print $client "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        close($client);
    }
' "$said" &
for _ in $(seq 100); do
    [ -e "$said/ready" ] && break
    sleep 0.05
done
"$@"
