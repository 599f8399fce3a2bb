//! What the README and the pages that it leads to show is what happens.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use metatoken::exit::{Exit, Verdict};
use metatoken::sandbox::TokenFixture;
use metatoken::token::{Expiry, Provider};

use crate::common::{ANNA, APP, APP_SECRET, BAKERY, Ran, World, day};

const README: &str = include_str!("../../README.md");
const EXAMPLES: &str = include_str!("../../examples/README.md");
const EXIT_CODES: &str = include_str!("../../src/help/exit-codes.md");
/// The first config, from the app to the delivered token.
const CHAPTER: &str = "Keep one Page's token alive in config.ini";
/// How long a token of the Graph API Explorer lives.
const HOUR: chrono::TimeDelta = chrono::TimeDelta::hours(1);
const EXIT: &str = include_str!("../../src/exit.rs");

/// What a page has between two marks, without the fence around it.
#[track_caller]
fn block(page: &'static str, mark: &str) -> &'static str {
    let (_, from) = page.split_once(&format!("<!-- {mark} -->\n```text\n")).unwrap();
    let (block, _) = from.split_once("```\n<!-- end -->").unwrap();
    block
}

/// The fenced blocks of that language under a heading of the README, without their indentation.
#[track_caller]
fn fenced(heading: &str, language: &str) -> Vec<String> {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let section = section.replace("\n   ", "\n");
    let fence = format!("\n```{language}\n");
    let blocks = section.split(&fence).skip(1);
    let blocks: Vec<String> =
        blocks.map(|from| from.split("```\n").next().unwrap().to_owned()).collect();
    assert!(!blocks.is_empty(), "no {language} under `{heading}`");
    blocks
}

/// The indented lines of a help topic that begin with a table of the config.
#[track_caller]
fn tables_of(topic: &str) -> String {
    let blocks = topic.split("\n\n").filter(|block| block.starts_with("    ["));
    let mut text = String::new();
    for block in blocks {
        text.push_str(&block.replace("\n    ", "\n")[4..]);
        text.push_str("\n\n");
    }
    assert!(!text.is_empty(), "no table in\n{topic}");
    text
}

/// What the binary prints in a sandbox, with nothing in its environment.
#[track_caller]
fn sandboxed(folder: &Path, arguments: &[&str]) -> String {
    let sandbox = format!("--sandbox={}", folder.join("sandbox").display());
    let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .arg(sandbox)
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(ran.status.code(), Some(0));
    String::from_utf8(ran.stdout).unwrap()
}

/// What the doc comments say of each code: the last sentence before a variant, and its number.
fn documented(codes: &str) -> BTreeMap<u8, String> {
    let (variants, _) = EXIT.split_once(&format!("impl {codes} {{")).unwrap();
    let (_, variants) = variants.split_once(&format!("pub enum {codes} {{")).unwrap();
    let (variants, _) = variants.split_once("\n}").unwrap();
    let (_, numbers) = EXIT.split_once(&format!("impl {codes} {{")).unwrap();
    let lines: Vec<&str> =
        variants.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines
        .chunks(2)
        .map(|pair| {
            let name = pair[1].trim_end_matches(',');
            let (_, number) = numbers.split_once(&format!("Self::{name} => ")).unwrap();
            let (number, _) = number.split_once(',').unwrap();
            (number.parse().unwrap(), spoken(pair[0].trim_start_matches("/// ")))
        })
        .collect()
}

/// A doc comment's sentence as a table has it.
fn spoken(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

#[test]
fn the_last_three_weeks_are_told_so() {
    let world = crate::common::folder();
    let ran = Command::new("sh")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/last-three-weeks.sh"))
        .arg(world.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder_of_the_binary()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), block(EXAMPLES, "last-three-weeks"));
}

fn folder_of_the_binary() -> &'static str {
    Path::new(env!("CARGO_BIN_EXE_metatoken")).parent().unwrap().to_str().unwrap()
}

#[test]
fn the_table_of_exit_codes_is_the_one_of_the_code() {
    let table: BTreeMap<u8, String> = EXIT_CODES
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
        })
        .collect();
    assert_eq!(table, documented("Exit"));
    assert!(Exit::BY_WEIGHT.iter().all(|exit| table.contains_key(&exit.code())));
    let verdicts = [Verdict::Ok, Verdict::Warning, Verdict::Critical, Verdict::Unknown];
    assert_eq!(verdicts.map(Verdict::code), [0, 1, 2, 3]);
    assert!(EXIT_CODES.contains("`check` exits with 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, "));
}

#[test]
fn the_status_of_the_sandbox_begins_so() {
    let folder = crate::common::folder();
    let commands = fenced("Try it", "sh").concat();
    let typed: Vec<&str> = commands.lines().collect();
    assert_eq!(
        typed,
        ["refresh", "status"].map(|it| format!("cargo run --release -- --sandbox {it}"))
    );
    let refresh = sandboxed(folder.path(), &["refresh"]);
    assert!(refresh.contains("\n11 tokens: "), "{refresh}");
    let status = sandboxed(folder.path(), &["status"]);
    let shown = block(README, "status");
    assert!(status.starts_with(shown), "the README shows\n{shown}\nand it prints\n{status}");
    let (counts, rows) = (3, 5);
    assert_eq!(shown.lines().count(), counts + rows, "{shown}");
    assert_eq!(status.lines().count() - shown.lines().count(), 6, "{status}");
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    assert!(README.lines().count() <= 150, "{} lines", README.lines().count());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (place, page) in [(folder.to_owned(), README), (folder.join("examples"), EXAMPLES)] {
        for link in page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            assert!(link.starts_with("https://") || place.join(file).exists(), "{link}");
        }
    }
    for topic in README.split("`metatoken help ").skip(1).chain(README.split("`help ").skip(1)) {
        let topic = topic.split('`').next().unwrap();
        assert!(metatoken::cli::TOPICS.iter().any(|it| it.name == topic), "{topic}");
    }
}

/// The chapter is followed word for word, except that `init` is told where Graph is and where the
/// user's config belongs, the program's file is in the world's folder, and the clock is the world's.
#[test]
fn one_page_is_kept_alive_by_the_three_commands_of_the_readme() {
    let world = World::new();
    let hour = Expiry::At(day(0) + HOUR);
    let scopes = ["pages_show_list", "pages_read_engagement", "pages_manage_posts"];
    let first = world.mint(TokenFixture::user(APP, ANNA).scopes(scopes).ending(hour));
    let ini = "; of the shop\n[facebook]\naccess_token = changeme ; kept\npage = 1\n";
    world.write("config.ini", ini);
    let place = world.path("config.ini").display().to_string();
    let steps = fenced(CHAPTER, "sh");
    let [app, person, page] = steps.as_slice() else { panic!("{steps:?}") };
    let (secret, init) = app.split_once('\n').unwrap();
    let commands = [init, person, page].map(str::trim);
    assert!(commands.iter().all(|it| it.starts_with("metatoken ") && !it.contains('\n')));
    assert!(README.contains("Three commands and about five minutes"));

    let began = std::time::Instant::now();
    in_a_shell(&world, secret, APP_SECRET).silent().exit(Exit::Ok);
    let host = |it: &Provider| format!(" --endpoint {it}={}", world.graph.endpoint(*it));
    let hosts = Provider::ALL.iter().map(host).collect::<Vec<_>>().concat();
    let ran = in_a_shell(&world, &format!("{} --dir ~/.config/metatoken{hosts}", init.trim()), "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let ran = in_a_shell(&world, person, &first);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    // The Page's id is in the answer.
    assert!(ran.stderr.contains(&format!("Bakery ({BAKERY})")), "{}", ran.stderr);
    assert!(page.contains(BAKERY) && page.contains("/srv/app/config.ini#"), "{page}");
    let ran = in_a_shell(&world, &page.replace("/srv/app/config.ini", &place), "");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    // The machine's part; the rest of the five minutes is Meta's pages.
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_mins(1), "{took:?}");

    let delivered = std::fs::read_to_string(&place).unwrap();
    let (_, value) = delivered.split_once("access_token = ").unwrap();
    let value = value.split_whitespace().next().unwrap();
    assert_eq!(delivered, ini.replace("changeme", value));
    let printed = in_a_shell(&world, "metatoken token page\n", "");
    assert_eq!(printed.stdout.trim_end(), value);
    let ran = in_a_shell(&world, "metatoken refresh --quiet --scheduled\n", "");
    ran.silent().exit(Exit::Ok);
    let ran = in_a_shell(&world, "metatoken config check\n", "");
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{}", ran.stdout);
    let store = world.path("home/.local/state/metatoken");
    assert!(store.join("metatoken.db").exists() && store.join("metatoken.key").exists());
    // Both are sealed: neither is anywhere in the clear but where it was delivered.
    for (path, bytes) in world.bytes_on_disk() {
        let text = String::from_utf8_lossy(&bytes);
        let may_hold_it = path.ends_with("config.ini");
        assert!(may_hold_it || !text.contains(value), "{}", path.display());
        assert!(!text.contains(&first), "{}", path.display());
    }
}

/// What the README types for one Page is what its script rehearses.
#[test]
fn the_script_of_one_page_types_what_the_readme_does() {
    let script = include_str!("../../examples/first/one-page.sh").replace("$sandbox ", "");
    let steps = fenced(CHAPTER, "sh").concat();
    let added = steps.lines().filter(|line| line.starts_with("metatoken add "));
    let added: Vec<&str> = added.map(|line| line.split("  #").next().unwrap().trim()).collect();
    assert_eq!(added.len(), 2);
    for line in added {
        let line = line.replace("/srv/app/", "");
        assert!(script.contains(&line), "{line}");
    }
}

/// Types these lines in the folder of the config, in a home of the world's own.
#[track_caller]
fn in_a_shell(world: &World, lines: &str, input: &str) -> Ran {
    let usual = world.command(&[]);
    let now = usual.get_args().last().unwrap().to_str().unwrap().to_owned();
    std::fs::create_dir_all(world.path("home/.config/metatoken")).unwrap();
    let mut command = Command::new("sh");
    let script = format!(
        "set -e\nmetatoken() {{ command metatoken --now {now} \"$@\"; }}\n\
         cd ~/.config/metatoken\n{lines}"
    );
    command
        .args(["-c", &script])
        .env_clear()
        .env("HOME", world.path("home"))
        .env("PATH", format!("{}:/usr/bin:/bin", folder_of_the_binary()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Where there is no input nothing reads, and the shell may have ended.
    if !input.is_empty() {
        std::io::Write::write_all(&mut stdin, format!("{input}\n").as_bytes()).unwrap();
    }
    drop(stdin);
    world.finish(child)
}

#[test]
fn every_table_that_is_shown_is_a_config() {
    let first = include_str!("../../examples/one-user.toml").to_owned();
    is_good(&first);
    is_good(&format!("{first}\n{}", fenced("Alerts", "toml").concat()));
    let topic = tables_of(include_str!("../../src/help/config.md"));
    is_good(&topic);
    is_good(&format!("{topic}\n{}", tables_of(include_str!("../../src/help/monitoring.md"))));
    let delivery = tables_of(include_str!("../../src/help/delivery.md"));
    let page = "[token.brand-page]\ntype = \"page\"\nparent = \"me\"\npage_id = \"2\"\n";
    is_good(&format!("{first}\n{page}{delivery}"));
}

#[track_caller]
fn is_good(text: &str) {
    let folder = crate::common::folder();
    let config = folder.path().join("metatoken.toml");
    let file = std::fs::File::create(&config).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    std::io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .args(["config", "show", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(ran.status.code(), Some(0));
}
