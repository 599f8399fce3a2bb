//! What people see: tables and messages at 80 columns, a page about one token, what was delivered.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Listing, PageFixture, Rule, TokenFixture, UserFixture};

use crate::common::{self, ANNA, APP, World, day, ends};

/// What is typed in every scenario, in this order. `{label}` is a token, `{page}` a Page's id, `{rows}`
/// a file of rows to import, and `{folder}` a folder of its own.
const TYPED: [&str; 104] = [
    "status --offline",
    "check",
    "history",
    "config check",
    "config check --live",
    "config show",
    "doctor",
    "refresh --dry-run",
    "refresh",
    "refresh",
    "status",
    "status --all --live",
    "status --problems --within 60d",
    "status --due --sort expiry",
    "status {label}",
    "status {label} --offline",
    "status ads",
    "status --owner anna@brand.example",
    "status --user 3000000000000001",
    "status --app main",
    "status --app nonsense",
    "status --token-file {folder}/token",
    "check",
    "check --live",
    "check --system",
    "check {label} --perfdata all",
    "check --textfile {folder}/metrics.prom",
    "history {label} --limit 5",
    "token {label}",
    "token {label} --generation 9",
    "token no-such-label",
    "exec {label} -- true",
    "exec {label} -- ./no-such-program",
    "exec --env TOKEN=nobody {label} -- true",
    "pages {label}",
    "pages {label} --offline",
    "pages ads",
    "report --html {folder}/page.html",
    "report --html {folder}",
    "exchange {label}",
    "exchange {label} --token-file {folder}/token",
    "exchange {label} --token-file {folder}/none",
    "exchange --stored --dry-run",
    "exchange --stored",
    "import {rows} --dry-run",
    "import {rows}",
    "import {folder}/token",
    "import {folder}/none",
    "add another --type page --parent {label} --page-id {page} --dry-run",
    "add another --type page --parent {label} --page-id {page}",
    "add another --type page --parent {label} --page-id {page} --deliver none.ini#a.b",
    "add more --type page --parent {label}",
    "add more --type user",
    "add more --type user --token-file {folder}/token",
    "login {label}",
    "login {label} --print-url",
    "login {label} --answer {folder}/token",
    "login creator --listen",
    "login ads",
    "dialog https://127.0.0.1/dialog --cancel",
    "refresh --now +45d",
    "refresh --force {label}",
    "status --offline",
    "history",
    "history --failed",
    "history --summary",
    "history --runs",
    "history --since 30d --event refreshed",
    "deliver --dry-run",
    "deliver",
    "deliver --test",
    "deliver --restore {label}",
    "deliver --force {label}",
    "rollback {label} --dry-run",
    "rollback {label}",
    "rollback {label} --generation 9",
    "rollback shop-page",
    "promote {label} --dry-run",
    "promote {label}",
    "mint {label}",
    "mint ads",
    "mint ads --from {label}",
    "revoke {label} --all --dry-run",
    "revoke {label} --all",
    "revoke {label} --generation 1 --dry-run",
    "revoke ads --generation 1 --dry-run",
    "revoke --owner anna@brand.example --all --dry-run",
    "revoke {label} --all --yes={label}",
    "forget {label} --dry-run",
    "forget another --undeclare --dry-run",
    "forget another --undeclare",
    "forget --owner anna@brand.example --dry-run",
    "key rotate --finish",
    "key rotate --new {folder}/token",
    "key rotate",
    "key export",
    "store backup {folder}/copy.db",
    "store backup {folder}/copy.db",
    "notify --test",
    "notify --test nonsense",
    "man {folder}/man",
    "refresh no-such-label",
    "help nonsense",
    "nonsense",
];

/// The same without the sandbox, which has a config already.
const OUTSIDE: [&str; 6] = [
    "init",
    "init --sandbox",
    "init --dir {folder}/empty --app-id 1 --app-secret-file {folder}/token",
    "init --dir {folder}/empty --app-id 1 --app-secret-file {folder}/secret --type page --label shop --page-id 501 --deliver {folder}/none.ini#a.b",
    "init --dir {folder}/empty --app-id 1 --app-secret-file {folder}/secret --type page --label shop --page-id 501 --deliver {folder}/none.ini#a.b --create --endpoint facebook=http://127.0.0.1:9",
    "completions nonsense",
];

/// What has no words for people: a script for a shell.
const FOR_PROGRAMS: [&str; 1] = ["completions bash"];

/// The rows of another program, good and bad.
const ROWS: &str = "label,type,access_token\nanna,user,EAAFAKEnobody1\nben,usr,EAAFAKEnobody2\n\
                    cut,user,EAAcut…\na-label-that-is-long,instagram,IGAAFAKEnobody3\n";

/// Those in which every command is typed, and the others.
const SCENARIOS: [&str; 6] = ["healthy", "troubles", "outage", "throttled", "ending", "empty"];

/// A folder with a sandbox and the files that are named to it.
struct Rehearsal {
    folder: tempfile::TempDir,
    scenario: &'static str,
}

impl Rehearsal {
    fn new(scenario: &'static str) -> Self {
        let folder = crate::common::folder();
        for (name, text) in
            [("rows.csv", ROWS), ("token", "EAAFAKEnobody4\n"), ("secret", "fakesecretofnobody\n")]
        {
            let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        Self { folder, scenario }
    }

    /// The words of a line as they are typed here.
    fn words(&self, line: &str) -> Vec<String> {
        let folder = self.folder.path().display().to_string();
        let label = if self.scenario == "troubles" { "missing-scope" } else { "brand" };
        let is_outside = OUTSIDE.contains(&line);
        let sandbox = [
            format!("--sandbox={folder}/sandbox"),
            "--scenario".to_owned(),
            self.scenario.to_owned(),
        ];
        let begin = sandbox.into_iter().filter(|_| !is_outside);
        let typed = line.split(' ').map(|word| {
            word.replace("{label}", label)
                .replace("{page}", "2000000000000001")
                .replace("{rows}", &format!("{folder}/rows.csv"))
                .replace("{folder}", &folder)
        });
        begin.chain(typed).collect()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
        command.args(self.words(line)).envs(self.variables());
        command
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        let home = self.folder.path().join("home").display().to_string();
        [("NO_COLOR", "1".to_owned()), ("HOME", home)]
    }

    /// What each line prints at a terminal of 80 columns, with nothing to read.
    fn seen(&self, lines: &[impl AsRef<str>]) -> Vec<String> {
        let program = env!("CARGO_BIN_EXE_metatoken");
        let mut script = String::from("#!/bin/sh\n");
        for line in lines {
            let words: Vec<String> =
                self.words(line.as_ref()).iter().map(|word| format!("'{word}'")).collect();
            writeln!(script, "'{program}' {} < /dev/null\nprintf '\\036'", words.join(" "))
                .unwrap();
        }
        let path = self.folder.path().join("typed.sh");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(script.as_bytes()).unwrap();
        let mut inner = Command::new("sh");
        inner.arg(path).envs(self.variables());
        let ran = common::terminal(80, "\"$@\"", &inner).output().unwrap();
        let shown = String::from_utf8(ran.stdout).unwrap().replace("\r\n", "\n");
        let texts: Vec<String> = shown.split('\u{1e}').map(str::to_owned).collect();
        assert_eq!(texts.len(), lines.len() + 1, "{shown}");
        texts
    }

    /// What a line prints into a pipe.
    fn piped(&self, line: &str) -> String {
        let ran = self.command(line).stdin(std::process::Stdio::null()).output().unwrap();
        let complaint = String::from_utf8_lossy(&ran.stderr);
        assert!(!complaint.contains("unexpected argument"), "{line}: {complaint}");
        String::from_utf8(ran.stdout).unwrap()
    }
}

/// What is typed in a scenario: all of it in two, and in the others, where the same words come again,
/// only if there is time.
fn typed_in(scenario: &str) -> Vec<&'static str> {
    let all = || TYPED.into_iter().chain(OUTSIDE);
    if common::is_long() || ["healthy", "troubles"].contains(&scenario) {
        return all().collect();
    }
    let first = ["status", "refresh", "check", "history", "pages", "add", "import", "login"];
    all().filter(|line| first.iter().any(|word| line.starts_with(word))).collect()
}

/// Whether a line that is longer than the terminal cannot be broken: one word, or a command or a path
/// between backticks, which would no longer be found or copied.
fn is_unbreakable(line: &str) -> bool {
    let bare = line.trim();
    let is_quoted = bare.starts_with('`') && bare.ends_with('`');
    // A setting of `config show`, to be copied into the config.
    let is_setting = bare.contains(" = ") && !bare.contains("  # ");
    // A command that `init` names, on a line of its own.
    let is_command = bare.starts_with("next: metatoken ");
    !bare.contains(' ')
        || is_quoted
        || is_setting
        || is_command
        || bare.split_whitespace().any(|word| word.chars().count() > 60)
}

/// A command that `help` lists cannot be forgotten here.
#[test]
fn every_command_is_typed() {
    let typed: Vec<&str> = TYPED.into_iter().chain(OUTSIDE).chain(FOR_PROGRAMS).collect();
    for name in metatoken::cli::GROUPS.iter().flat_map(|(_, names)| *names) {
        let is_of = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        assert!(typed.iter().any(is_of), "`{name}` is not typed");
    }
}

/// What is printed by every command, in every scenario.
#[test]
fn at_80_columns_no_line_is_longer() {
    if let Some(why) = common::lacking(&["script", "stty"]) {
        return common::skip("tables::at_80_columns_no_line_is_longer", &why);
    }
    let (mut lines, mut wide) = (0, String::new());
    let mut look = |scenario: &str, typed: &str, text: &str| {
        for line in text.lines() {
            // A bar that was wiped or drawn over is seen no more.
            let line = line.rsplit("\u{1b}[2K").next().unwrap_or_default();
            let line = line.rsplit('\r').next().unwrap_or_default();
            let width = line.chars().count();
            if width > 80 && !is_unbreakable(line) {
                writeln!(wide, "{scenario}: {typed}: {width} columns: {line}").unwrap();
            }
            lines += 1;
        }
    };
    for scenario in SCENARIOS {
        let typed = typed_in(scenario);
        for (line, text) in typed.iter().zip(Rehearsal::new(scenario).seen(&typed)) {
            look(scenario, line, &text);
        }
    }
    let commands = metatoken::cli::GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
    let topics = metatoken::cli::TOPICS.iter().map(|topic| topic.name);
    let asked = commands.chain(topics).chain(["help", "dialog", "key", "store"]);
    let mut help: Vec<String> = asked.map(|name| format!("help {name}")).collect();
    help.push("help".to_owned());
    for (line, text) in help.iter().zip(Rehearsal::new("healthy").seen(&help)) {
        look("healthy", line, &text);
    }
    assert!(wide.is_empty(), "{wide}");
    assert!(lines > 3_000, "{lines}");
}

/// A table that goes to a file, a mail of cron or `less` is no wider.
#[test]
fn in_a_pipe_no_table_is_wider_than_80_columns() {
    let mut tables = 0;
    let scenarios = if common::is_long() { &SCENARIOS[..] } else { &SCENARIOS[..2] };
    let without =
        ["check", "config", "doctor", "help", "man", "key", "store", "init", "token", "exec"];
    for &scenario in scenarios {
        let rehearsal = Rehearsal::new(scenario);
        for line in typed_in(scenario) {
            if without.iter().any(|word| line.starts_with(word)) {
                continue;
            }
            let text = rehearsal.piped(line);
            let is_heading = |line: &&str| line.split("  ").all(|word| word == word.to_uppercase());
            let rows = text.lines().skip_while(|line| !is_heading(line) || line.is_empty());
            for row in rows.take_while(|row| !row.is_empty()) {
                let width = row.chars().count();
                let is_note = row.starts_with(' ') && row.contains("deliver");
                assert!(
                    width <= 80 || is_unbreakable(row) || is_note,
                    "{scenario} {line}: {width} columns: {row}\n{text}"
                );
                tables += 1;
            }
        }
    }
    assert!(tables > 300, "{tables}");
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
        let line = "timeout --foreground -s INT 3 \"$@\"; echo \"code $?\"";
        let ran = world.finish(common::terminal(80, line, &inner).spawn().unwrap());
        let (before, after) = ran
            .stdout
            .rsplit_once(" tokens, ")
            .unwrap_or_else(|| panic!("no bar was shown by {arguments:?}: {:?}", ran.stdout));
        assert!(before.contains('/'), "{before:?}");
        assert!(after.contains("\u{1b}[2K"), "{arguments:?}: {after:?}");
    }
}
