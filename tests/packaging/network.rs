//! `allow_http` on a network of its own, with a private and a public address on a real interface: by plain
//! HTTP a message leaves this machine for the private one, whatever its name, and for no other.

use std::process::{Command, Stdio};

use crate::common::World;
use crate::{cannot_mount, lacking, skip};

/// Brings the network up, with a server on it, and runs a command there.
const HOSTS: &str = include_str!("network/hosts.sh");

/// A channel a line: its name, its address, and how the test of it ends.
const CHANNELS: [(&str, &str, &str); 5] = [
    ("address", "10.20.30.40", "webhook, sent; see that it arrived"),
    ("short", "nas", "webhook, sent; see that it arrived"),
    ("long", "chat.lan", "webhook, sent; see that it arrived"),
    (
        "both",
        "both.lan",
        "webhook, failed: `both.lan` has the public address 203.0.113.5, to which nothing is sent by plain `http`",
    ),
    (
        "away",
        "away",
        "webhook, failed: `away` has the public address 203.0.113.5, to which nothing is sent by plain `http`",
    ),
];

#[test]
fn plain_http_leads_to_private_addresses_and_to_no_other() {
    let test = "packaging::network::plain_http_leads_to_private_addresses_and_to_no_other";
    if let Some(why) = lacking(&["unshare", "ip", "perl"]).or_else(cannot_mount) {
        return skip(test, &why);
    }
    let mut probe = Command::new("unshare");
    probe.args(["--net", "ip", "link", "add", "probe", "type", "veth", "peer", "name", "other"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        return skip(test, "it cannot have a network of its own");
    }
    let channel = |(name, host, _): &(&str, &str, &str)| {
        format!(
            "[[notify]]\nname = \"{name}\"\nwebhook = \"http://{host}:8123/{name}\"\nallow_http = true\n"
        )
    };
    let channels = CHANNELS.iter().map(channel).collect::<Vec<_>>().concat();
    let beat = "[[notify]]\nname = \"beat\"\nping = \"http://nas:8123/beat\"\nallow_http = true\n";
    let world = World::new().config(&format!("{channels}{beat}"));
    let usual = world.command(&["notify", "--test"]);
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["sh", "-c", HOSTS, "sh"])
        .arg(world.path("."))
        .arg(usual.get_program())
        .args(usual.get_args())
        .env_clear()
        .envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let expected = CHANNELS.map(|(name, _, ends)| format!("{name}: {ends}\n")).concat();
    world
        .finish(command.spawn().unwrap())
        .stderr("")
        .code(1)
        .stdout(&format!("{expected}beat: ping, sent as after a good run\n"));
    let heard = std::fs::read_to_string(world.path("heard")).unwrap();
    let mut heard: Vec<&str> = heard.lines().collect();
    heard.sort_unstable();
    assert_eq!(
        heard,
        [
            "10.20.30.40 GET /beat HTTP/1.1 empty",
            "10.20.30.40 POST /address HTTP/1.1 told",
            "10.20.30.40 POST /long HTTP/1.1 told",
            "10.20.30.40 POST /short HTTP/1.1 told",
        ]
    );
}
