//! What people see: tables and messages at 80 columns, a page about one token, what was delivered.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Listing, PageFixture, Rule, TokenFixture, UserFixture};

use crate::common::{self, ANNA, APP, World, day, ends};

/// The binary in a sandbox.
fn sandboxed(folder: &Path, scenario: &str, arguments: &[&str]) -> Command {
    let sandbox = format!("--sandbox={}", folder.display());
    let mut inner = Command::new(env!("CARGO_BIN_EXE_metatoken"));
    inner.args([&sandbox, "--scenario", scenario]).args(arguments).env("NO_COLOR", "1");
    inner
}

/// What the binary prints at a terminal of 80 columns, in a sandbox.
fn seen(folder: &Path, scenario: &str, arguments: &[&str]) -> String {
    let inner = sandboxed(folder, scenario, arguments);
    let ran = common::terminal(80, "\"$@\"", &inner).output().unwrap();
    String::from_utf8(ran.stdout).unwrap().replace("\r\n", "\n")
}

/// What it prints into a pipe.
fn piped(folder: &Path, scenario: &str, arguments: &[&str]) -> String {
    let ran = sandboxed(folder, scenario, arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(!complaint.contains("unexpected argument"), "{arguments:?}: {complaint}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Whether a line that is longer than the terminal cannot be broken: one word, or a command or a path
/// between backticks, which would no longer be found or copied.
fn is_unbreakable(line: &str) -> bool {
    let bare = line.trim();
    let is_quoted = bare.starts_with('`') && bare.ends_with('`');
    !bare.contains(' ')
        || is_quoted
        || bare.split_whitespace().any(|word| word.chars().count() > 60)
}

/// The rows of another program, good and bad.
const ROWS: &str = "label,type,access_token\nanna,user,EAAFAKEnobody1\nben,usr,EAAFAKEnobody2\n\
                    cut,user,EAAcut…\na-label-that-is-long,instagram,IGAAFAKEnobody3\n";

/// What is typed in every scenario, about this label and these rows.
fn every_command<'a>(label: &'a str, rows: &'a str) -> Vec<Vec<&'a str>> {
    let page = "2000000000000001";
    [
        &["refresh", "--dry-run"][..],
        &["refresh"],
        &["status"],
        &["status", "--all", "--live"],
        &["status", "--problems", "--within", "60d"],
        &["status", label],
        &["exchange", "--stored", "--dry-run"],
        &["exchange", "--stored"],
        &["import", rows, "--dry-run"],
        &["import", rows],
        &["add", "another", "--type", "page", "--parent", label, "--page-id", page, "--dry-run"],
        &["add", "another", "--type", "page", "--parent", label, "--page-id", page],
        &["pages", label],
        &["refresh", "--now", "+45d"],
        &["status", "--offline"],
        &["history"],
        &["history", "--failed"],
        &["history", "--summary"],
        &["history", "--runs"],
        &["deliver", "--dry-run"],
        &["deliver"],
        &["deliver", "--test"],
        &["forget", label, "--dry-run"],
        &["config", "check"],
        &["refresh", "no-such-label"],
        &["nonsense"],
    ]
    .map(<[&str]>::to_vec)
    .into()
}

const SCENARIOS: [&str; 6] = ["healthy", "troubles", "outage", "throttled", "ending", "empty"];

/// Types every command in every scenario, and looks at what is printed.
fn in_every_scenario(
    print: fn(&Path, &str, &[&str]) -> String,
    look: impl Fn(&str, &[&str], &str),
) {
    for scenario in SCENARIOS {
        let folder = crate::common::folder();
        let rows = folder.path().join("rows.csv").display().to_string();
        std::fs::File::create(&rows).unwrap().write_all(ROWS.as_bytes()).unwrap();
        let label = if scenario == "troubles" { "missing-scope" } else { "brand" };
        for arguments in every_command(label, &rows) {
            let text = print(&folder.path().join("sandbox"), scenario, &arguments);
            look(scenario, &arguments, &text);
        }
    }
}

/// What is printed by every command, in every scenario.
#[test]
fn at_80_columns_no_line_is_longer() {
    if let Some(why) = common::lacking(&["script", "stty"]) {
        return common::skip("tables::at_80_columns_no_line_is_longer", &why);
    }
    let seen_lines = std::cell::Cell::new(0);
    in_every_scenario(seen, |scenario, arguments, text| {
        for line in text.lines() {
            // A bar that was wiped or drawn over is seen no more.
            let line = line.rsplit("\u{1b}[2K").next().unwrap_or_default();
            let line = line.rsplit('\r').next().unwrap_or_default();
            let width = line.chars().count();
            assert!(
                width <= 80 || is_unbreakable(line),
                "{scenario} {arguments:?}: {width} columns: {line}\n{text}"
            );
            seen_lines.set(seen_lines.get() + 1);
        }
    });
    let seen_lines = seen_lines.get();
    let folder = crate::common::folder();
    for topic in [
        "refresh",
        "status",
        "check",
        "config",
        "exit-codes",
        "json",
        "logs",
        "sandbox",
        "monitoring",
        "meta",
    ] {
        for line in seen(folder.path(), "healthy", &["help", topic]).lines() {
            assert!(line.chars().count() <= 80 || is_unbreakable(line), "{topic}: {line}");
        }
    }
    assert!(seen_lines > 1000, "{seen_lines}");
}

/// A table that goes to a file, a mail of cron or `less` is no wider.
#[test]
fn in_a_pipe_no_table_is_wider_than_80_columns() {
    let tables = std::cell::Cell::new(0);
    in_every_scenario(piped, |scenario, arguments, text| {
        let is_heading = |line: &&str| line.split("  ").all(|word| word == word.to_uppercase());
        let rows = text.lines().skip_while(|line| !is_heading(line) || line.is_empty());
        for line in rows.take_while(|line| !line.is_empty()) {
            let width = line.chars().count();
            let is_note = line.starts_with(' ') && line.contains("deliver");
            assert!(
                width <= 80 || is_unbreakable(line) || is_note,
                "{scenario} {arguments:?}: {width} columns: {line}\n{text}"
            );
            tables.set(tables.get() + 1);
        }
    });
    assert!(tables.get() > 300, "{}", tables.get());
}

/// Twenty tokens with the widest of everything, piped as cron mails it.
#[test]
fn a_table_of_twenty_tokens_fits_80_columns() {
    let mut world = World::new();
    let mut config = String::new();
    for number in 0..20 {
        let (label, variable) = (format!("a-label-of-{number:02}-lett"), format!("T{number}"));
        write!(
            config,
            "[token.{label}]\ntype = \"user\"\nrequired_scopes = [\"nothing\"]\naccess_token = {{ env = \"{variable}\" }}\n"
        )
        .unwrap();
        let token = TokenFixture::user(APP, ANNA).named(&format!("t{number}"));
        world = world.token(&variable, token.ending(ends(40 + number)));
    }
    let mut world = world.config(&config);
    let ran = world.run(&["refresh"]);
    world.at(day(1));
    for ran in [ran, world.run(&["status", "--offline"]), world.run(&["history"])] {
        let table = ran.stdout.split("\ncritical: ").next().unwrap();
        let widest = table.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?}\n{table}");
        assert!(table.lines().count() >= 20, "{table}");
    }
}

const FLEET: &str = "
[token.brand]
type = \"user\"
pages = \"all\"
access_token = { env = \"BRAND\" }

[token.shop]
type = \"user\"
access_token = { env = \"SHOP\" }
owner = \"sam@shop.example\"
";

/// A person with four Pages, and another whose token expires soon.
fn fleet() -> World {
    let world = World::new().config(FLEET);
    let pages = ["2000000000000011", "2000000000000012", "2000000000000013", "2000000000000014"];
    world.graph.with(|graph| {
        let mut user = UserFixture::new("3000000000000002", "Bea");
        for page in pages {
            graph.add_page(PageFixture::new(page, "A Page"));
            user = user.with_page(page, Listing::Listed);
        }
        graph.add_user(user);
    });
    let world = world
        .token(
            "BRAND",
            TokenFixture::user(APP, "3000000000000002").named("brand").scopes(["pages_show_list"]),
        )
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world
}

#[test]
fn healthy_pages_are_one_row_and_the_worst_comes_first() {
    let world = fleet();
    let status = world.run(&["status", "--offline"]).exit(Exit::Ok).stderr("");
    let status = status.stdout(
        "
6 tokens: 6 ok                                              2026-01-01 00:00 UTC

TOKEN    TYPE  STATE   EXPIRES     DATA ACCESS  CHECKED   NEXT
brand    user  works   2026-03-02  2026-04-01   just now  renew 2026-02-10
brand/*  page  4 work  never       2026-04-01   just now  -
shop     user  works   2026-03-02  2026-04-01   just now  renew 2026-02-10
",
    );
    assert_eq!(status.stdout.lines().count(), 6);
    let all = world.run(&["status", "--offline", "--all"]).exit(Exit::Ok).stdout;
    assert_eq!(all.lines().filter(|line| line.starts_with("brand/2")).count(), 4, "{all}");
    let named = world.run(&["status", "--offline", "brand*"]).exit(Exit::Ok).stdout;
    assert_eq!(named.lines().filter(|line| line.starts_with("brand/2")).count(), 4, "{named}");
}

#[test]
fn what_expires_soon_can_be_picked_and_sorted() {
    let mut world = fleet();
    world.graph.with(|graph| graph.set_now(day(30)));
    world.at(day(30));
    let labels = |arguments: &[&str]| -> Vec<String> {
        let arguments = [&["status", "--offline"], arguments].concat();
        let text = world.run(&arguments).exit(Exit::Ok).stdout;
        let rows = text.lines().skip_while(|line| !line.starts_with("TOKEN ")).skip(1);
        let rows = rows.take_while(|line| !line.is_empty());
        rows.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(&["--within", "29d"]), Vec::<String>::new());
    assert_eq!(labels(&["--within", "30d"]), ["brand", "shop"]);
    assert_eq!(labels(&["--sort", "expiry", "--all"])[..2], ["brand", "shop"]);
    assert_eq!(labels(&["--sort", "config"])[0], "brand");
    let json = world.run(&["status", "--offline", "--within", "30d", "--json"]).json();
    assert_eq!(json["tokens"].as_array().unwrap().len(), 2);
    world
        .run(&["status", "--within", "soon"])
        .stdout("")
        .stderr(
            "
error: invalid duration `soon`
hint: write `90s`, `15m`, `6h`, `7d` or `2w`
",
        )
        .exit(Exit::Usage);
}

#[test]
fn one_label_is_a_page_about_it() {
    let world = fleet();
    world
        .run(&["status", "brand", "--offline"])
        .stdout(
            "
brand: user token of 3000000000000002, app main (1000000000000001)

  state         works
  checked       2026-01-01 00:00 UTC
  expires       2026-03-02 00:00 UTC
  data access   2026-04-01 00:00 UTC
  next          due 2026-02-10 00:00 UTC, in 40 days
  issued        2026-01-01 00:00 UTC
  generation    1, fingerprint fingerprint1
  application   Main App
  permissions   pages_show_list
  pages         4, all work (`metatoken status 'brand/*'`)

  2026-01-01 00:00  adopted, expires 2026-03-02 (manual)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn refresh_says_what_it_delivered_and_a_dry_run_what_it_would() {
    let config = format!(
        "{FLEET}\n[[token.shop.deliver]]\nname = \"config.ini\"\nfile = \"config.ini\"\nkey = \"facebook.access_token\"\n"
    );
    let world = fleet();
    world.reconfigure(&config);
    world.write("config.ini", "[facebook]\naccess_token =\n");
    let of_shop = |text: &str| -> Vec<String> {
        let rows = text.lines().skip_while(|line| !line.starts_with("shop "));
        rows.take(2).map(str::to_owned).collect()
    };
    let dry = world.run(&["refresh", "--dry-run"]).stderr("").exit(Exit::Ok).stdout;
    assert_eq!(
        of_shop(&dry)[1].trim(),
        "would be delivered to config.ini ([DIR]/config.ini)",
        "{dry}"
    );
    let real = world.run(&["refresh"]).stderr("").exit(Exit::Ok).stdout;
    assert_eq!(of_shop(&real)[1].trim(), "delivered to config.ini", "{real}");
    let again = world.run(&["refresh"]).stderr("").exit(Exit::Ok).stdout;
    assert!(!again.contains("delivered"), "{again}");
}

#[test]
fn progress_goes_away_when_the_run_is_interrupted() {
    if let Some(why) = common::lacking(&["script", "stty", "timeout"]) {
        return common::skip("tables::progress_goes_away_when_the_run_is_interrupted", &why);
    }
    for arguments in [&["refresh"][..], &["status", "--live"]] {
        let mut world = fleet();
        world.at(day(41));
        let hang = FaultInjection::Slow(std::time::Duration::from_secs(3));
        world.graph.misbehave(Rule::any(), hang);
        let inner = world.command(arguments);
        let line = "timeout --foreground -s INT 2 \"$@\"; echo \"code $?\"";
        let ran = world.finish(common::terminal(80, line, &inner).spawn().unwrap());
        let (before, after) = ran
            .stdout
            .rsplit_once(" tokens, ")
            .unwrap_or_else(|| panic!("no bar was shown by {arguments:?}: {:?}", ran.stdout));
        assert!(before.contains('/'), "{before:?}");
        assert!(after.contains("\u{1b}[2K"), "{arguments:?}: {after:?}");
    }
}
