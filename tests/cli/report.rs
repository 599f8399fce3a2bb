//! `report --html` and `[alerts] page`: one file that needs nothing else, holds no secret, and takes every
//! name for text.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use metatoken::exit::Exit;
use metatoken::sandbox::{
    Invalidation, Listing, PageFixture, TokenFixture, UserFixture, WhatsappFixture,
};

use crate::common::{
    ANNA, APP, APP_SECRET, BAKERY, CAFE, Nobody, ROBOT, World, can_be_another_user, day, ends, mode,
};

const CONFIG: &str = r#"
[token.brand]
type = "user"
pages = "all"
access_token = { env = "BRAND" }
owner = "anna@client.example"

[token.shop]
type = "user"
access_token = { env = "SHOP" }
owner = "Sam"

[[token.shop.deliver]]
file = "app/config.ini"
key = "facebook.token"
create = true
"#;

/// Without the second the Pages of a person are not listed.
const SCOPES: [&str; 2] = ["public_profile", "pages_show_list"];

const PAGE: &str = "[alerts]\npage = \"www/index.html\"\nrun_every = \"1h\"\n";

/// A world in which two tokens, the Pages of one and a file were kept on day 0.
fn kept(more: &str) -> World {
    let user = |words: &str| TokenFixture::user(APP, ANNA).named(words).scopes(SCOPES);
    let world = World::new()
        .config(&format!("{CONFIG}{more}"))
        .token("BRAND", user("brand"))
        .token("SHOP", user("shop"));
    fs::create_dir(world.path("app")).unwrap();
    fs::create_dir(world.path("www")).unwrap();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world
}

/// The page as `report` prints it.
#[track_caller]
fn page(world: &World) -> String {
    let ran = world.run(&["report", "--html", "-"]).code(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

/// What stands between tags, without the tags.
fn text_of(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        text.push_str(part.split_once('>').unwrap().1);
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The contents of every element of that name.
fn elements<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    page.split(&open).skip(1).map(|rest| rest.split_once(&close).unwrap().0).collect()
}

/// Every file of a folder with its content, but for SQLite's notes of who reads.
fn files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = world.bytes_on_disk();
    files.retain(|(path, _)| !path.to_str().unwrap().ends_with("-shm"));
    files.sort();
    files
}

#[test]
fn what_is_wrong_comes_first_with_the_command_to_copy() {
    let mut world = kept("");
    let well = page(&world);
    assert!(well.contains("</span> All is well</h1>"), "{well}");
    assert!(!well.contains("What needs a person"), "{well}");
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.at(day(1));
    let _ = world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded);
    let ill = page(&world);
    assert!(ill.contains("<title>4 tokens: 1 critical, 3 ok - metatoken</title>"), "{ill}");
    assert!(ill.contains("</span> 1 thing needs a person</h1>"), "{ill}");
    let order = [
        "<h1>",
        "What needs a person</h2>",
        "metatoken login shop",
        ">Tokens</h2>",
        "The last 30 days",
    ];
    let places: Vec<usize> =
        order.iter().map(|it| ill.find(it).unwrap_or_else(|| panic!("{it}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    let text = text_of(&ill);
    for said in [
        "✖ critical shop: down, revoked Deadline: now Sam logs in metatoken login shop",
        "Token State Time line",
        "Next deadline (UTC) Owner app main",
        "down: revoked 1",
        "in sync 1 of 1",
        "not over yet 1, the longest for 0 seconds",
        "last finished 2026-01-02 00:00 UTC, now",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // What hangs on one person stands together, the worst first.
    let table = ill.split_once("<tbody>").unwrap().1;
    let places =
        ["<summary>shop<", "<summary>brand<", "<summary>Bakery<"].map(|it| table.find(it).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(
        table.contains("<td>Sam</td>") && table.contains("<td>anna@<wbr>client.example</td>"),
        "{table}"
    );
}

#[test]
fn the_same_values_as_status_and_the_same_page_each_time() {
    let mut world = kept("");
    world.at(day(41));
    let _ = world.run(&["refresh", "--quiet"]);
    let first = page(&world);
    assert_eq!(first, page(&world));
    let status = world.run(&["status", "--offline", "--json"]).json();
    for token in status["tokens"].as_array().unwrap() {
        let health = token["health"].as_str().unwrap();
        let label = token["label"].as_str().unwrap();
        if label.contains('/') {
            continue;
        }
        let row = first
            .split("<tr class=")
            .find(|row| row.contains(&format!("<summary>{label}<")))
            .unwrap();
        assert!(row.starts_with(&format!("\"{health}")), "{label}: {row}");
        let until = &token["expires_at"].as_str().unwrap()[..10];
        assert!(row.contains(&format!("expires {until}")), "{label}: {row}");
    }
    assert!(first.contains("1 new access token in 30 days"), "{first}");
}

#[test]
fn it_writes_the_file_and_nothing_else_whole_or_not_at_all() {
    let world = kept("");
    let before = files(&world);
    world.run(&["report", "--html", "-"]).code(0);
    assert_eq!(files(&world), before);
    world.calls();
    world.run(&["report", "--html", "page.html"]).silent().code(0);
    assert!(world.calls().is_empty(), "nobody is asked");
    assert_eq!(mode(&world.path("page.html")), 0o640);
    let written = fs::read_to_string(world.path("page.html")).unwrap();
    fs::remove_file(world.path("page.html")).unwrap();
    assert_eq!(files(&world), before);
    assert!(written.starts_with("<!doctype html>") && written.ends_with("</html>\n"), "{written}");
    // An older one is replaced, anything else is not.
    world.write("page.html", "<!doctype html>\n<!-- metatoken report -->\nold");
    world.run(&["report", "--html", "page.html"]).silent().code(0);
    assert_eq!(fs::read_to_string(world.path("page.html")).unwrap(), written);
    for (name, why, step) in [
        ("metatoken.db", "something else has its name", "name another file, or move that one away"),
        (
            "metatoken.toml",
            "something else has its name",
            "name another file, or move that one away",
        ),
        ("app", "something else has its name", "name another file, or move that one away"),
        ("none/page.html", "its folder is not there", "`mkdir -p none`"),
    ] {
        world
            .run(&["report", "--html", name])
            .stdout("")
            .stderr(&format!(
                "error: {name}: the page cannot be written: {why}\n\
                 hint: {step}; then run `metatoken report --html {name}`\n"
            ))
            .code(74);
    }
    world.run(&["report"]).stdout("").code(64);
    world.run(&["report", "--html", "-", "--json"]).code(64);
}

#[test]
fn before_the_first_run_there_is_a_page_too() {
    let world = World::new().config(CONFIG);
    let text = text_of(&page(&world));
    assert!(text.contains("2 tokens: 2 unknown"), "{text}");
    assert!(text.contains("runs in 30 days 0") && text.contains("last finished never"), "{text}");
    world.reconfigure("");
    let text = text_of(&page(&world));
    assert!(text.contains("no tokens"), "{text}");
    world.reconfigure("nonsense");
    world.run(&["report", "--html", "-"]).stdout("").code(78);
}

#[test]
fn names_are_text_and_nothing_comes_from_elsewhere() {
    const EVIL: &str = "<script>alert(1)</script>\"'& onload=x";
    let world = World::new()
        .config(
            "[token.brand]\ntype = \"user\"\npages = \"all\"\naccess_token = { env = \"BRAND\" }\n\
             owner = \"<img src=//evil.example>\"\n\
             [[notify]]\nname = \"chat\"\nwebhook = \"http://127.0.0.1:9/hidden-hook\"\n\
             [[notify]]\nemail = \"hidden-mail@example.org\"\nsmtp = { host = \"127.0.0.1\", port = 9, security = \"none\" }\n",
        )
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES));
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new(BAKERY, EVIL));
        graph.add_page(PageFixture::new(CAFE, "</title><svg onload=alert(1)>"));
    });
    let _ = world.run(&["refresh", "--quiet"]);
    let page = page(&world);
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert_eq!(page.matches("<img").count(), 0);
    for name in [EVIL, "</title><svg onload", "<img src"] {
        assert!(!page.contains(name), "{name}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "{page}");
    // None of it stands in a tag.
    for tag in page.split('<').skip(1).filter_map(|part| part.split_once('>')).map(|(tag, _)| tag) {
        assert!(
            !tag.contains("alert") && !tag.contains("evil") && !tag.contains("onload"),
            "{tag}"
        );
        assert!(!tag.contains("style="), "{tag}");
        let leads_away = tag.contains("src=") || tag.contains("://") || tag.starts_with("a ");
        assert!(!leads_away, "{tag}");
        assert!(
            !tag.contains("href=") || tag.contains("href=\"#") || tag.contains("href=#"),
            "{tag}"
        );
    }
    assert!(!page.contains("://") && !page.contains("@import") && !page.contains("url("), "{page}");
    for secret in [APP_SECRET, "EAAFAKE", "hidden-hook", "hidden-mail", "127.0.0.1"] {
        assert!(!page.contains(secret), "{secret}");
    }
}

#[test]
fn the_policy_lets_its_own_style_and_script_work_and_no_other() {
    let page = page(&kept(""));
    let hash = |text: &str| {
        format!("'sha256-{}'", BASE64.encode(&metatoken::crypto::hash(text.as_bytes())))
    };
    let [script] = elements(&page, "script").try_into().unwrap();
    let [style] = elements(&page, "style").try_into().unwrap();
    let policy = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; \
         style-src {}; base-uri 'none'; form-action 'none'\">",
        hash(script),
        hash(style)
    );
    assert!(page.replace("&#39;", "'").contains(&policy), "{policy}\n{page}");
    assert!(page.contains("<meta name=\"robots\" content=\"noindex, nofollow\">"));
    // It is old after three times `run_every`, or as runs are.
    assert!(page.contains("data-at=\"1767225600\" data-old=\"93600\""), "{page}");
    assert!(self::page(&kept(PAGE)).contains("data-old=\"10800\""));
}

#[test]
fn a_screen_reader_finds_headings_headers_and_titles() {
    let mut world = kept("");
    world.at(day(3));
    let page = page(&world);
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(page.contains("<html lang=\"en\">"));
    assert!(page.matches("<h2").count() >= 4);
    for heading in ["Token", "State", "Next deadline (UTC)", "Owner"] {
        assert!(page.contains(&format!("<th scope=\"col\">{heading}</th>")), "{heading}");
    }
    for part in page.split("<th").skip(1).filter(|part| !part.starts_with("ead")) {
        assert!(part.starts_with(" scope="), "{part:.40}");
    }
    let drawings = page.matches("<svg role=\"img\"><title>").count();
    assert_eq!(drawings, page.matches("<svg role=\"img\">").count());
    assert_eq!(drawings, 4, "a line for each token");
    for drawing in page.split("<svg").skip(1) {
        assert!(drawing.contains("role=\"img\"") || drawing.contains("aria-hidden=\"true\""));
    }
    // What colour says is said by a word.
    let in_words = "<span class=\"word\"><span aria-hidden=\"true\">!</span> warning</span>";
    assert!(page.contains(in_words), "{page}");
}

/// So many users with a token each, under two owners.
fn fleet(count: i64) -> World {
    let mut world = World::new();
    let mut config = String::new();
    for n in 1..=count {
        let owner = if n % 2 == 0 { "anna@client.example" } else { "ben@client.example" };
        let _ = write!(
            config,
            "[token.customer-{n:04}]\ntype = \"user\"\naccess_token = {{ env = \"T{n}\" }}\nowner = \"{owner}\"\n"
        );
        let token = TokenFixture::user(APP, ANNA).named("token").ending(ends(30 + n % 30));
        world = world.token(&format!("T{n}"), token);
    }
    let world = world.config(&config);
    world.run(&["refresh", "--quiet"]).code(0);
    world
}

#[test]
fn a_thousand_tokens_are_less_than_a_mebibyte_and_a_second() {
    let mut world = fleet(1000);
    for (today, worst) in [(0, "1000 ok"), (40, "critical")] {
        world.at(day(today));
        let began = Instant::now();
        let page = page(&world);
        let took = began.elapsed();
        assert!(page.len() < 1024 * 1024, "{} bytes", page.len());
        // Without optimization, beside other tests, it takes some times as long.
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 1 });
        assert!(took < limit, "{took:?}");
        assert!(page.contains(worst), "{today}");
        assert_eq!(page.matches("<svg role=\"img\">").count(), 1000);
    }
}

#[test]
fn healthy_pages_are_one_row_under_their_parent() {
    let world = World::new()
        .config(
            "[token.brand]\ntype = \"user\"\npages = \"all\"\naccess_token = { env = \"BRAND\" }\n",
        )
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES));
    world.graph.with(|graph| {
        let mut anna = UserFixture::new(ANNA, "Anna");
        for n in 1..=5 {
            let id = format!("200000000000010{n}");
            graph.add_page(PageFixture::new(&id, &format!("Branch {n}")));
            anna = anna.with_page(&id, Listing::Listed);
        }
        graph.add_user(anna);
    });
    world.run(&["refresh", "--quiet"]).code(0);
    let page = page(&world);
    assert!(page.contains("<summary>5 Pages</summary>"), "{page}");
    assert_eq!(page.matches("<svg role=\"img\">").count(), 2);
    assert!(page.contains("<li>Branch 5</li>"), "{page}");
}

#[test]
fn each_run_writes_the_page_of_the_config() {
    let mut world = kept(PAGE);
    let file = world.path("www/index.html");
    assert_eq!(mode(&file), 0o640);
    let first = fs::read_to_string(&file).unwrap();
    for arguments in [&["refresh", "-n"][..], &["check"], &["status"], &["history"]] {
        world.at(day(1));
        let _ = world.run(arguments);
        assert_eq!(fs::read_to_string(&file).unwrap(), first, "{arguments:?}");
    }
    world.at(day(2));
    world.run(&["check", "--notify", "--quiet"]).code(2);
    let second = fs::read_to_string(&file).unwrap();
    assert!(
        second.contains("2026-01-03 00:00 UTC") && second.contains("no recent run"),
        "{second}"
    );
    world.at(day(3));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert!(fs::read_to_string(&file).unwrap().contains("All is well"));
    assert_eq!(fs::read_dir(world.path("www")).unwrap().count(), 1);
}

#[test]
fn by_default_the_page_has_no_address_path_id_or_command() {
    let mut world = kept(PAGE);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    fs::remove_dir_all(world.path("app")).unwrap();
    world.at(day(41));
    let _ = world.run(&["refresh", "--quiet"]);
    let told = fs::read_to_string(world.path("www/index.html")).unwrap();
    let text = text_of(&told);
    assert!(text.contains("brand") && text.contains("password changed"), "{text}");
    assert!(text.contains("its owner logs in again"), "{text}");
    assert!(text.contains("Bakery") && text.contains("Sam"), "{text}");
    // What it says of itself is no address.
    for hidden in
        ["anna@", "app/config.ini", "[DIR]", BAKERY, ANNA, APP, "metatoken login", "facebook.token"]
    {
        assert!(!told.contains(hidden), "{hidden}: {text}");
    }
    let folder = world.path(".");
    assert!(!told.contains(folder.parent().unwrap().to_str().unwrap()), "{text}");
    world.reconfigure(&format!("{CONFIG}{PAGE}page_detail = \"full\"\npage_mode = \"0644\"\n"));
    let _ = world.run(&["refresh", "--quiet"]);
    let full = fs::read_to_string(world.path("www/index.html")).unwrap();
    for shown in ["anna@client.example", "app/config.ini", "metatoken login brand", BAKERY] {
        assert!(full.contains(shown), "{shown}");
    }
    assert_eq!(mode(&world.path("www/index.html")), 0o644);
}

#[test]
fn a_page_that_cannot_be_written_is_a_warning_and_stops_no_run() {
    let world = kept(PAGE);
    let folder = world.path("www");
    let why = |world: &World| {
        let ran = world.run(&["refresh", "--json"]).code(0);
        let system = ran.json()["system"].clone();
        assert_eq!(system.as_array().unwrap().len(), 1, "{system:#}");
        assert_eq!(system[0]["code"], "page_failed");
        assert_eq!(system[0]["severity"], "warning");
        let remedy = system[0]["remedy"].as_str().unwrap().to_owned();
        assert!(remedy.ends_with("; then run `metatoken check --notify`"), "{remedy}");
        (system[0]["message"].as_str().unwrap().to_owned(), remedy)
    };
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let before = fs::read(folder.join("index.html")).unwrap();
    let (message, remedy) = why(&world);
    assert!(message.contains("every user can write its folder"), "{message}");
    assert!(remedy.starts_with("`chmod o-w "), "{remedy}");
    assert_eq!(fs::read(folder.join("index.html")).unwrap(), before);
    let ran = world.run(&["check", "--notify"]).code(1);
    assert!(
        ran.stdout.contains("the page `[DIR]/www/index.html` cannot be written"),
        "{}",
        ran.stdout
    );
    // The remedy works.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o775)).unwrap();
    world.run(&["check", "--notify", "--quiet"]).silent().code(0);
    world.write("www/index.html", "<p>my own page</p>\n");
    assert!(why(&world).0.contains("something else has its name"));
    fs::remove_dir_all(&folder).unwrap();
    assert!(why(&world).0.contains("its folder is not there"));
}

/// The group of the folder is to read the page, and only root and its members can give it to them.
#[test]
fn a_user_outside_the_group_of_its_folder_is_told_so() {
    if !can_be_another_user() {
        return;
    }
    let world = kept(PAGE);
    let mut given = Command::new("chown");
    given.args(["-R", "65534:65534"]).arg(world.path("."));
    assert!(given.status().unwrap().success());
    chown(world.path("www"), None, Some(0)).unwrap();
    let nobody = Nobody::new();
    let before = fs::read(world.path("www/index.html")).unwrap();
    let told = nobody.run(&world, &["refresh", "--json"]).code(0).json()["system"][0].clone();
    let message = told["message"].as_str().unwrap();
    let user = message.rsplit("cannot be written: ").next().unwrap();
    let user = user.strip_suffix(" is not in the group of its folder, root");
    let user = user.unwrap_or_else(|| panic!("{message}"));
    assert_eq!(
        told["remedy"],
        format!(
            "as root, `usermod -aG root {user}`, or set `page_mode = \"0644\"` or \"0600\"; then \
             run `metatoken check --notify`"
        )
    );
    assert_eq!(fs::read(world.path("www/index.html")).unwrap(), before);
    // What everybody or nobody else may read needs no group.
    for mode in [0o644, 0o600] {
        world.reconfigure(&format!("{CONFIG}{PAGE}page_mode = \"0{mode:o}\"\n"));
        nobody.run(&world, &["check", "--notify", "--quiet"]).silent().code(0);
        assert_eq!(self::mode(&world.path("www/index.html")), mode);
    }
}

#[test]
fn settings_of_the_page_that_make_no_sense_are_refused() {
    let world = World::new();
    for (wrong, said) in [
        ("page = \"metatoken.db\"", "is metatoken's own store"),
        ("page = \"metatoken.toml\"", "is this config"),
        ("page = \"m\"\ntextfile = \"./m\"", "is where the metrics go"),
        ("page = \"www/\"", "`page` must name a file"),
        ("page = \"p\"\npage_mode = \"0666\"", "invalid mode `0666`"),
        ("page = \"p\"\npage_mode = \"0040\"", "invalid mode `0040`"),
        ("page = \"p\"\npage_mode = \"rw-r-----\"", "invalid mode `rw-r-----`"),
        ("page = \"p\"\npage_detail = \"all\"", "unknown detail `all`"),
    ] {
        world.reconfigure(&format!("[alerts]\n{wrong}\n"));
        let ran = world.run(&["config", "check"]).code(78);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains(said), "{wrong}: {told}");
    }
}

#[test]
fn each_cause_has_its_deadline() {
    let mut world = kept("");
    world.reconfigure(&CONFIG.replace("[token.brand]", "[token.brand]\nauto_refresh = false"));
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.at(day(50));
    let _ = world.run(&["refresh", "--quiet"]);
    let text = text_of(&page(&world));
    for said in [
        "✖ critical shop: down, revoked Deadline: now Sam logs in",
        "! warning brand: works, expires in 10 days, auto_refresh is off \
         Deadline: by 2026-03-02, in 10 days anna@client.example logs in",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn what_is_opened_tells_of_the_backup_and_of_the_probe() {
    const SPARE: &str = "3000000000000008";
    const NUMBER: &str = "4000000000000001";
    let robot = |user: &str, name: &str| {
        let scopes = ["whatsapp_business_messaging"];
        TokenFixture::system_user(APP, user).named(name).scopes(scopes)
    };
    let world = World::new().config(&format!(
        "[token.bot]\ntype = \"system-user\"\naccess_token = {{ env = \"BOT\" }}\nbackup = \"spare\"\n\
         probe = {{ whatsapp = \"{NUMBER}\" }}\n\
         [token.spare]\ntype = \"system-user\"\naccess_token = {{ env = \"SPARE\" }}\n{PAGE}"
    ));
    world.graph.with(|graph| {
        graph.add_user(UserFixture::new(SPARE, "Spare"));
        graph.add_whatsapp(WhatsappFixture::new(NUMBER, ROBOT));
    });
    fs::create_dir(world.path("www")).unwrap();
    let world = world.token("BOT", robot(ROBOT, "bot")).token("SPARE", robot(SPARE, "spare"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let full = page(&world);
    for fact in [
        format!(
            "<dt>probe</dt><dd>whatsapp {NUMBER}: ok, now (2026-01-01 00:00 UTC)</dd>\
             <dt>backup</dt><dd>spare, works, of user {SPARE} (metatoken status spare)</dd>"
        ),
        "<dt>generation</dt><dd>1, fingerprint ".to_owned(),
    ] {
        assert!(full.contains(&fact), "{fact}: {full}");
    }
    let told = fs::read_to_string(world.path("www/index.html")).unwrap();
    let facts = "<dt>probe</dt><dd>ok, now (2026-01-01 00:00 UTC)</dd>\
                 <dt>backup</dt><dd>spare, works</dd>";
    assert!(told.contains(facts), "{told}");
    for hidden in [NUMBER, SPARE, "metatoken status"] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
}

#[test]
fn what_is_due_first_comes_first() {
    let mut config = String::new();
    for (label, left) in [("late", 9), ("soon", 5), ("never", 0)] {
        let _ = write!(
            config,
            "[token.{label}]\ntype = \"user\"\nauto_refresh = false\naccess_token = {{ env = \"T{left}\" }}\n"
        );
    }
    let user = |end: i64| TokenFixture::user(APP, ANNA).named("token").ending(ends(end));
    let mut world = World::new()
        .config(&config)
        .token("T9", user(49))
        .token("T5", user(45))
        .token("T0", user(42));
    world.run(&["refresh", "--quiet"]).code(0);
    world.at(day(40));
    let _ = world.run(&["refresh", "--quiet"]);
    let dead = world.in_use("never");
    world.graph.with(|graph| graph.invalidate(&dead, Invalidation::Revoked));
    world.at(day(41));
    let _ = world.run(&["refresh", "--quiet"]);
    let text = text_of(&page(&world));
    let places = ["never: down", "soon: works", "late: works"];
    let places = places.map(|it| text.find(it).unwrap_or_else(|| panic!("{it}: {text}")));
    assert!(places.is_sorted(), "{text}");
}
