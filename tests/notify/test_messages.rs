//! `notify --test`: whether a message reaches its people, asked before anything is wrong.

use serde_json::json;

use super::{CHAT, dead, well};
use crate::common::{PostOffice, Reply};

const PING: &str = "[[notify]]\nname = \"watch\"\nping = \"[HOOK]/ping\"\n";
const JSON: &str = "[[notify]]\nname = \"app\"\nwebhook = \"[HOOK]/json\"\nformat = \"json\"\nevents = [\"critical\"]\n";

#[test]
fn each_channel_gets_one_message_and_nothing_is_stored() {
    let office = PostOffice::new();
    let mail = format!(
        "[[notify]]\nname = \"post\"\nemail = \"ops@example.org\"\nsmtp = {{ host = \"127.0.0.1\", port = {}, security = \"none\" }}\n",
        office.port
    );
    // What stands against a token is not told by a test.
    let (world, hook) = dead(&format!("{CHAT}{JSON}{PING}{mail}"));
    hook.lines();
    world
        .run(&["notify", "--test"])
        .code(0)
        .stdout(
            "\
chat: webhook, sent; see that it arrived
app: webhook, sent; see that it arrived
watch: ping, sent as after a good run
post: email, sent; see that it arrived
",
        )
        .stderr("");
    let mut heard = hook.heard();
    heard.sort_by_key(|request| request.line.clone());
    let lines: Vec<&str> = heard.iter().map(|it| it.line.as_str()).collect();
    assert_eq!(lines, ["GET /ping", "POST /chat", "POST /json"]);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!(
        heard[1].text(),
        format!(
            "TEST: channel chat works, no action needed\nfrom: metatoken on {host}, \
             2026-01-02 00:00 UTC, sent by `metatoken notify --test`\n"
        )
    );
    let sent = heard[2].json();
    assert_eq!((&sent["event"], &sent["version"]), (&json!("test"), &json!(1)));
    assert_eq!(sent["reason"]["labels"], json!([]));
    let mails = office.heard();
    assert!(
        mails.last().unwrap().contains("Subject: metatoken TEST: channel post works, no action")
    );
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table} WHERE channel <> ''");
        world.sql().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    assert_eq!(count("notice"), 0, "a test is no notification");
    // The next run notifies as if there had been no test.
    world.run(&["refresh"]).code(77);
    assert!(hook.lines().iter().any(|line| line == "POST /chat"));
}

#[test]
fn one_that_fails_says_why_and_is_no_failed_notification() {
    let gone = "[[notify]]\ncommand = [\"/bin/false\"]\n";
    let unset = "[[notify]]\nname = \"unset\"\nwebhook = { env = \"NO_SUCH_URL\" }\n";
    let (world, hook) = well(&format!("{CHAT}{gone}{unset}{PING}"));
    hook.reply("/chat", Reply::Status(404, "no_service"));
    world
        .run(&["notify", "--test"])
        .code(1)
        .stdout(
            "\
chat: webhook, failed: the webhook is gone: HTTP 404 of `127.0.0.1`: no_service
/bin/false: command, failed: `/bin/false` exited with 1
unset: webhook, failed: its secret cannot be read: the environment variable `NO_SUCH_URL` is not set
watch: ping, sent as after a good run
",
        )
        .stderr("");
    world.run(&["notify", "--test", "--quiet", "watch"]).code(0).silent();
    let said = world.run(&["notify", "--test", "chat", "--json"]).code(1).stderr("").json();
    assert_eq!(
        said,
        json!({"version": 1, "channels": [{
            "channel": "chat", "kind": "webhook", "sent": false,
            "error": "the webhook is gone: HTTP 404 of `127.0.0.1`: no_service",
        }]})
    );
    world.run(&["check"]).code(0).stderr("");
}

#[test]
fn a_channel_that_is_not_there_is_named_beside_those_that_are() {
    let (world, _hook) = well(&format!("{CHAT}{PING}"));
    world
        .run(&["notify", "--test", "caht"])
        .code(64)
        .stdout("")
        .stderr("error: caht: no channel has this name\nhint: the config has `chat` and `watch`\n");
    world.run(&["notify"]).code(64);
    let (world, _hook) = well("");
    world.run(&["notify", "--test"]).code(78).stdout("").stderr(
        "\
error: the config has no `[[notify]]`, so no notification is sent
hint: add a channel to the config: `metatoken help monitoring` shows each kind
",
    );
}
