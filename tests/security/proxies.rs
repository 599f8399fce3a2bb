//! Which requests a proxy sees, and how much of them: a tunnel to a host elsewhere, and nothing of
//! what is sent to this machine.

use std::process::{Command, Stdio};

use metatoken::sandbox::TokenFixture;
use metatoken::token::Provider;

use crate::common::{ANNA, APP, CREATOR, Hook, Reply, THREADS_APP, World};

/// Every variable that names a proxy.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

const TOKENS: &str = r#"
[app.beside]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.brand]
type = "user"
app = "main"
access_token = { env = "BRAND" }

[token.creator]
type = "threads"
access_token = { env = "CREATOR" }
"#;

/// Where the two hosts of Meta's are in a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Loopback,
    Elsewhere,
}

struct Mixed {
    world: World,
    proxy: Hook,
}

impl Mixed {
    fn new(facebook: At, threads: At, channels: &str) -> Self {
        let world = World::new()
            .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
            .token("CREATOR", TokenFixture::threads(THREADS_APP, CREATOR).named("creator"));
        let at = |place, provider: Provider| match place {
            At::Loopback => world.graph.endpoint(provider),
            At::Elsewhere => format!("https://{provider}.invalid"),
        };
        let config = format!(
            "[app.main]\nid = \"{APP}\"\nsecret = {{ env = \"APP_SECRET\" }}\n{TOKENS}\n[http]\n\
             attempts = 1\n[endpoints]\nfacebook = \"{}\"\nthreads = \"{}\"\n{channels}",
            at(facebook, Provider::Facebook),
            at(threads, Provider::Threads),
        );
        world.write("metatoken.toml", config);
        let proxy = Hook::new();
        proxy.reply("", Reply::Status(403, "no way"));
        Self { world, proxy }
    }

    /// Runs `refresh` with these variables beside the secrets; the clock is the machine's, since
    /// another one needs every host on loopback.
    fn refresh(&self, variables: &[(&str, &str)]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
        command
            .env_clear()
            .envs(
                self.world.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))),
            )
            .envs(variables.iter().copied())
            .args(["--config", self.world.path("metatoken.toml").to_str().unwrap(), "refresh"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ran = self.world.finish(command.spawn().unwrap());
        format!("{}{}", ran.stdout, ran.stderr)
    }

    /// What the proxy was asked, each request once, sorted.
    fn asked(&self) -> Vec<String> {
        let mut lines = self.proxy.lines();
        lines.sort();
        lines.dedup();
        lines
    }

    /// Whether the simulated Graph was asked as this host.
    fn graph_was_asked(&self, host: &str) -> bool {
        let calls = self.world.graph.requests();
        calls.iter().any(|call| call.provider.as_str() == host)
    }
}

#[test]
fn the_proxy_is_chosen_by_the_host_of_each_request() {
    use At::{Elsewhere, Loopback};
    let facebook = "CONNECT facebook.invalid:443";
    let threads = "CONNECT threads.invalid:443";
    for (facebook_at, threads_at, asked) in [
        (Loopback, Loopback, &[][..]),
        (Loopback, Elsewhere, &[threads]),
        (Elsewhere, Loopback, &[facebook]),
        (Elsewhere, Elsewhere, &[facebook, threads]),
    ] {
        let mixed = Mixed::new(facebook_at, threads_at, "");
        let proxies: Vec<_> =
            PROXIES.iter().map(|name| (*name, mixed.proxy.origin.as_str())).collect();
        let printed = mixed.refresh(&proxies);
        assert_eq!(mixed.asked(), asked, "{printed}");
        assert_eq!(mixed.graph_was_asked("facebook"), facebook_at == Loopback, "{printed}");
        assert_eq!(mixed.graph_was_asked("threads"), threads_at == Loopback, "{printed}");
    }
}

#[test]
fn only_the_variables_of_https_choose_a_proxy() {
    for (variables, is_asked) in [
        (&[("HTTP_PROXY", "")][..], false),
        (&[("http_proxy", "")], false),
        (&[("HTTPS_PROXY", "")], true),
        (&[("https_proxy", "")], true),
        (&[("ALL_PROXY", "")], true),
        (&[("all_proxy", "")], true),
        (&[("HTTPS_PROXY", ""), ("NO_PROXY", "threads.invalid")], false),
        (&[("https_proxy", ""), ("no_proxy", ".invalid")], false),
        (&[("ALL_PROXY", ""), ("NO_PROXY", "*")], false),
        (&[("HTTPS_PROXY", ""), ("NO_PROXY", "elsewhere.invalid")], true),
        // What a CGI script's client may set is no setting of the operator's.
        (&[("HTTP_PROXY", ""), ("REQUEST_METHOD", "GET")], false),
    ] {
        let mixed = Mixed::new(At::Loopback, At::Elsewhere, "");
        let filled: Vec<_> = variables
            .iter()
            .map(|(name, value)| {
                let value = if value.is_empty() { mixed.proxy.origin.as_str() } else { *value };
                (*name, value)
            })
            .collect();
        let printed = mixed.refresh(&filled);
        let asked = mixed.asked();
        let expected: &[&str] = if is_asked { &["CONNECT threads.invalid:443"] } else { &[] };
        assert_eq!(asked, expected, "{variables:?}\n{printed}");
    }
}

#[test]
fn a_proxy_sees_no_secret_of_a_channel() {
    let hook = Hook::new();
    let channels = format!(
        "[[notify]]\nwebhook = \"{0}/chat-canary\"\n[[notify]]\nping = \"{1}/beat-canary\"\n\
         [[notify]]\nwebhook = \"https://chat.invalid/hook-canary\"\n\
         [[notify]]\nping = \"https://beat.invalid/beat-canary\"\n",
        hook.origin,
        hook.origin.replace("//", "//fakeuser@"),
    );
    let mixed = Mixed::new(At::Elsewhere, At::Elsewhere, &channels);
    let proxies: Vec<_> = PROXIES.iter().map(|name| (*name, mixed.proxy.origin.as_str())).collect();
    let printed = mixed.refresh(&proxies);
    let seen = format!("{:?}", mixed.proxy.everything());
    for secret in ["canary", "EAAFAKE", "THFAKE", "fakesecret", "fakeuser"] {
        assert!(!seen.contains(secret), "{secret}: {seen}\n{printed}");
    }
    let tunnels =
        ["beat", "chat", "facebook", "threads"].map(|host| format!("CONNECT {host}.invalid:443"));
    assert_eq!(mixed.asked(), tunnels, "{printed}");
    assert!(!hook.everything().is_empty(), "loopback channels are reached\n{printed}");
}
