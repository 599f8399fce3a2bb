//! What each way shows.

use serde_json::json;

use super::{CHAT, OTHER, dead, kill, well};
use crate::common::PostOffice;

/// What stands for this machine, which is called something else everywhere.
fn without_host(text: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    text.replace(&format!("metatoken on {host},"), "metatoken on [HOST],")
}

const OWNER: &str = "owner = \"anna@client.example\"\n";

const TEXT: &str = "\
CRITICAL: brand: down, password changed; anna@client.example logs in: sudo -u metatoken metatoken login brand
deadline: passed: programs that use the token fail already
owner: anna@client.example
what to do: anna@client.example logs in to the app again: run `sudo -u metatoken metatoken login brand`
proof: sudo -u metatoken metatoken check brand
Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)
from: metatoken on [HOST], 2026-01-02 00:00 UTC
";

const PREFIX: &str = "[alerts]\nprefix = \"sudo -u metatoken\"\n";

#[test]
fn a_chat_shows_a_text() {
    let (world, hook) = dead(&format!("{OWNER}{PREFIX}{CHAT}"));
    world.run(&["refresh"]).code(77).stderr("");
    let [request] = hook.heard().try_into().unwrap();
    assert_eq!(request.line, "POST /chat");
    assert_eq!(request.header("content-type"), Some("application/json"));
    let text = without_host(&request.text());
    assert_eq!(text, TEXT);
    let content = without_host(request.json()["content"].as_str().unwrap());
    assert_eq!(content, TEXT);
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(hook.lines(), [""; 0]);
}

#[test]
fn teams_and_google_chat_show_the_same_text_in_cards() {
    for (format, first) in [("teams", None), ("google-chat", Some(TEXT.lines().next().unwrap()))] {
        let config = format!("{CHAT}format = \"{format}\"\n");
        let (world, hook) = dead(&format!("{OWNER}{PREFIX}{config}"));
        world.run(&["refresh"]).code(77).stderr("");
        let [request] = hook.heard().try_into().unwrap();
        assert_eq!(request.header("content-type"), Some("application/json"));
        let body = request.json();
        let lines: Vec<String> = match first {
            None => {
                let blocks = body["attachments"][0]["content"]["body"].as_array().unwrap();
                let text = |block: &serde_json::Value| block["inlines"][0]["text"].clone();
                blocks.iter().map(|block| text(block).as_str().unwrap().to_owned()).collect()
            }
            Some(first) => {
                let widget = &body["cardsV2"][0]["card"]["sections"][0]["widgets"][0];
                let html = widget["textParagraph"]["text"].as_str().unwrap();
                let rest = html.split("<br>").map(|line| line.replace("&quot;", "\""));
                assert_eq!(body["text"], first);
                [first.to_owned()].into_iter().chain(rest).collect()
            }
        };
        assert_eq!(without_host(&format!("{}\n", lines.join("\n"))), TEXT, "{format}");
    }
}

#[test]
fn a_program_gets_the_report() {
    let config =
        format!("{OWNER}{PREFIX}{OTHER}[[notify]]\nwebhook = \"[HOOK]/json\"\nformat = \"json\"\n");
    let (world, hook) = dead(&config);
    world.run(&["refresh"]).code(77);
    let all: Vec<_> = hook.heard();
    let of_brand = |it: &&crate::common::Request| it.json()["reason"]["labels"] == json!(["brand"]);
    let request = all.iter().find(of_brand).unwrap();
    let sent = request.json();
    assert_eq!(request.header("idempotency-key"), sent["id"].as_str());
    assert_eq!(sent["version"], 1);
    assert_eq!(sent["event"], "critical");
    assert_eq!(sent["at"], "2026-01-02T00:00:00Z");
    assert_eq!(
        sent["summary"],
        "brand: down, password changed; anna@client.example logs in: sudo -u metatoken metatoken \
         login brand"
    );
    assert_eq!(sent["deadline"], json!(null));
    assert_eq!(sent["owners"], json!(["anna@client.example"]));
    assert_eq!(sent["reason"]["code"], "password_changed");
    assert_eq!(sent["reason"]["severity"], "critical");
    let remedy = sent["reason"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("`sudo -u metatoken metatoken login brand`"), "{remedy}");
    // The report is that of `check` about this token only.
    let tokens = sent["check"]["tokens"].as_array().unwrap();
    let check = world.run(&["check", "brand", "--json"]);
    let mut brand = tokens[0].clone();
    // What a run prints has another word for it.
    brand["fingerprint"] = "fingerprint1".into();
    assert_eq!((tokens.len(), brand), (1, check.token("brand")));
    assert_eq!(sent["check"]["exit_code"], 2);
    assert_eq!(sent["check"]["system"], json!([]));
    assert!(all.iter().all(|it| !it.body.to_lowercase().contains("eaafake")), "{all:?}");
}

/// What the shell adds, and what no secret of that config names.
const OF_THIS_TEST: [&str; 6] = ["PWD=", "SHLVL=", "_=", "INSTA_", "THREADS_", "OTHER="];

#[test]
fn a_command_reads_the_text_and_finds_the_rest_in_its_environment() {
    let (world, _hook) = well("");
    let world = world
        .with("PATH", "/usr/bin:/bin")
        .with("CREDENTIALS_DIRECTORY", "/run/credentials/fake")
        .with("HOOK_URL", "https://hooks.example.org/fakefake")
        .with("KEPT", "yes");
    world.write("tell.sh", "cat > \"${0%/*}/text\"\nenv | sort > \"${0%/*}/variables\"\n");
    let program = world.path("tell.sh").display().to_string();
    world.reconfigure(&format!(
        "{}{OWNER}{PREFIX}[[notify]]\ncommand = [\"/bin/sh\", \"{program}\"]\n\
         [[notify]]\nname = \"elsewhere\"\nwebhook = {{ env = \"HOOK_URL\" }}\nlabels = [\"brand\"]\nevents = [\"reminder\"]\n",
        crate::common::BRAND
    ));
    kill(&world);
    world.run(&["refresh"]).code(77).stderr("");
    let read = |name| std::fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(without_host(&read("text")), TEXT);
    let variables = read("variables");
    let lines: Vec<&str> = variables
        .lines()
        .filter(|line| !OF_THIS_TEST.iter().any(|name| line.starts_with(name)))
        .collect();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let id = lines.iter().find_map(|line| line.strip_prefix("METATOKEN_ID=")).unwrap();
    assert_eq!(
        lines,
        [
            "KEPT=yes",
            "METATOKEN_CODE=password_changed",
            "METATOKEN_DEADLINE=",
            "METATOKEN_EVENT=critical",
            &format!("METATOKEN_HOST={host}"),
            &format!("METATOKEN_ID={id}"),
            "METATOKEN_LABELS=brand",
            "METATOKEN_MESSAGE=password changed",
            "METATOKEN_OWNER=anna@client.example",
            "METATOKEN_REMEDY=anna@client.example logs in to the app again: run `sudo -u metatoken metatoken login brand`",
            "PATH=/usr/bin:/bin",
        ]
    );
}

#[test]
fn a_mail_says_it_in_its_subject_and_the_whole_below() {
    let office = PostOffice::new();
    let (world, _hook) = dead(&format!(
        "{OWNER}{PREFIX}[[notify]]\nemail = [\"ops@example.org\", \"anna@client.example\"]\nfrom = \"metatoken <tokens@example.org>\"\nsmtp = {{ host = \"127.0.0.1\", port = {}, security = \"none\" }}\n",
        office.port
    ));
    world.run(&["refresh"]).code(77).stderr("");
    let heard = office.heard();
    let commands: Vec<&str> =
        heard.iter().map(String::as_str).filter(|it| !it.contains('\n')).collect();
    assert_eq!(
        commands[1..],
        [
            "MAIL FROM:<tokens@example.org>",
            "RCPT TO:<ops@example.org>",
            "RCPT TO:<anna@client.example>",
            "DATA",
        ]
    );
    let mail = without_host(heard.last().unwrap());
    let (headers, body) = mail.split_once("\n\n").unwrap();
    // Lines of a mail end somewhere; where, the reader's program undoes.
    let headers = headers.replace("\n ", " ");
    let headers: Vec<&str> =
        headers.lines().filter(|line| !line.starts_with("Message-ID: ")).collect();
    assert_eq!(
        headers,
        [
            "Date: Fri, 02 Jan 2026 00:00:00 +0000",
            "Subject: metatoken CRITICAL: brand: down, password changed; anna@client.example logs in: sudo -u metatoken metatoken login brand",
            "Auto-Submitted: auto-generated",
            "To: ops@example.org, anna@client.example",
            "From: metatoken <tokens@example.org>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
        ]
    );
    let body = body.replace("=\n", "").replace("=E2=80=A6", "…");
    assert_eq!(body.trim_end(), TEXT.trim_end());
}

#[test]
fn where_nothing_is_to_be_told_nobody_is_connected_to() {
    let office = PostOffice::new();
    let mail = format!(
        "[[notify]]\nemail = \"ops@example.org\"\nsmtp = {{ host = \"127.0.0.1\", port = {}, security = \"none\" }}\n",
        office.port
    );
    let never = "[[notify]]\ncommand = [\"/bin/false\"]\n";
    let (world, hook) = well(&format!("{CHAT}{mail}{never}"));
    for arguments in [&["refresh"][..], &["refresh", "brand"], &["check", "--notify"], &["status"]]
    {
        world.run(arguments).code(0).stderr("");
    }
    assert!(hook.everything().is_empty() && office.heard().is_empty());
    assert_eq!(world.sql().query_row("SELECT count(*) FROM channel", [], |row| row.get(0)), Ok(0));
}

#[test]
fn who_only_looks_rehearses_or_exchanges_tells_nobody() {
    let (world, hook) = dead(CHAT);
    for arguments in
        [&["refresh", "-n"][..], &["status", "--live"], &["check"], &["check", "--live"]]
    {
        let _ = world.run(arguments);
    }
    super::logs_in_again(&world);
    assert_eq!(hook.lines(), [""; 0]);
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.lines(), [""; 0], "it was never told that anything was wrong");
}
