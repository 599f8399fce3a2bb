//! Files that are written in place: a kill at any byte, and what the next run makes of it. Files of
//! several names, which are written in place too.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use super::machine::as_nobody;
use super::{ONE, TWO, held, ini, reasons, states, world};
use crate::common::skip;
use crate::common::{ANNA, APP, BRAND, World, day};
use metatoken::sandbox::TokenFixture;

/// A file, the value's key in it, and its text with `@` for the value.
const FILES: [(&str, &str, &str); 6] = [
    ("app.toml", "key = \"meta.token\"\n", "[meta]\ntoken = '@' # kept\nx = 1\n"),
    ("app.ini", "key = \"facebook.token\"\n", "; mine\r\n[facebook]\r\ntoken = @ ; kept\r\n"),
    ("web.env", "key = \"FB_TOKEN\"\n", "# kept\nexport FB_TOKEN='@' # why\nB=x\n"),
    ("app.json", "key = \"meta.token\"\n", "{\"a\":1.0,\t\"meta\": {\"token\": \"@\"}}"),
    ("app.yaml", "key = \"meta.token\"\n", "meta:\n  token: \"@\" # kept\n  list: [1,2]\n"),
    ("token", "format = \"raw\"\n", "@\n"),
];

/// What is there before the first delivery: longer than the access token, as long, shorter.
const BEFORE: [&str; 3] = ["your-placeholder-that-is-much-longer", "YOUR-KEY-HERE", "todo"];

/// `nobody`, everywhere.
const OTHER: u32 = 65534;

const TARGET: &str = "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.ini\"\nkey = \"facebook.token\"\nwrite = \"in-place\"\n";

/// The points at which a write in place is killed.
const POINTS: [&str; 5] = ["overwrite-noted", "overwritten", "cut", "overwrite-synced", "settled"];

/// What is said of a half-written file that somebody has changed, and its remedy.
const CHANGED_SINCE: &str =
    "[DIR]/app.ini: half-written by an interrupted run and changed since; left untouched";
const RESTORE: &str = "run `metatoken deliver --restore brand` to restore the content from before that delivery; copy the file first if its present content is needed";

fn changed_by_hand() -> String {
    format!("# mine\n{}", ini("typed-by-hand"))
}

fn target(file: &str, key: &str) -> String {
    format!(
        "[[token.brand.deliver]]\nname = \"{file}\"\nfile = \"{file}\"\n{key}write = \"in-place\"\n"
    )
}

/// The store as it is, to be brought back.
struct Copy(Vec<(std::path::PathBuf, Vec<u8>)>);

impl Copy {
    fn of(world: &World) -> Self {
        let is_store = |path: &Path| path.file_name().unwrap().to_str().unwrap().contains(".db");
        Self(world.bytes_on_disk().into_iter().filter(|(path, _)| is_store(path)).collect())
    }

    fn bring_back(&self) {
        for (path, bytes) in &self.0 {
            fs::File::create(path).unwrap().write_all(bytes).unwrap();
        }
    }
}

/// A world whose `app.ini` holds a placeholder of that length, and in which the first delivery was
/// stopped at that point.
fn stopped(before: &str, point: &str) -> World {
    let world = world(TARGET);
    world.write("app.ini", ini(before));
    world.killed_at(point, &["refresh"], "");
    world
}

/// What a kill leaves that comes when `k` bytes are written, before the rest is cut off.
fn torn(old: &str, new: &str, k: usize) -> String {
    format!("{}{}", &new[..k], old.get(k..).unwrap_or_default())
}

#[test]
fn a_file_that_was_half_written_is_finished_in_every_format() {
    for (file, key, text) in FILES {
        for before in BEFORE {
            let (old, new) = (text.replace('@', before), text.replace('@', ONE));
            let world = world(&target(file, key));
            world.write(file, &old);
            world.killed_at("overwrite-noted", &["refresh"], "");
            assert_eq!(held(&world, file), old);
            let store = Copy::of(&world);
            let value = text.find('@').unwrap();
            for k in [1, value + 3, new.len()] {
                let about = format!("{file} from {} bytes, stopped at {k}", before.len());
                store.bring_back();
                world.write(file, torn(&old, &new, k));
                if k == value + 3 {
                    let left = held(&world, file);
                    world.run(&["deliver", "--test"]).stdout(&format!(
                        "brand -> {file}: half-written by an interrupted run; would be finished\n"
                    )).stderr("").code(0);
                    assert_eq!(held(&world, file), left, "{about}");
                }
                world.run(&["deliver", "--quiet"]).silent().code(0);
                assert_eq!(held(&world, file), new, "{about}");
            }
            assert_eq!(states(&world.offline("brand")), [format!("{file} in_sync")]);
        }
    }
}

#[test]
fn a_kill_at_any_step_and_again_and_again_ends_with_a_whole_file() {
    for before in BEFORE {
        for first in POINTS {
            let world = stopped(before, first);
            let check = world.run(&["check"]);
            assert_eq!(
                check.code,
                Some(i32::from(first != "settled")),
                "{first}: {}",
                check.stdout
            );
            // While it is finished it is stopped again: where there is anything left to finish.
            for point in ["overwritten", "cut", "overwrite-synced"] {
                if first == "overwritten" && before.len() > ONE.len() {
                    world.write("app.ini", torn(&ini(before), &ini(ONE), 30));
                    world.killed_at(point, &["refresh"], "");
                }
            }
            world.run(&["refresh", "--quiet"]).silent().code(0);
            assert_eq!(held(&world, "app.ini"), ini(ONE), "{first}");
            world.run(&["check"]).code(0);
        }
    }
}

#[test]
fn what_is_half_written_is_shown_and_no_reader_or_rehearsal_finishes_it() {
    let world = stopped(BEFORE[0], "overwritten");
    let left = held(&world, "app.ini");
    assert_eq!(left, torn(&ini(BEFORE[0]), &ini(ONE), ini(ONE).len()));
    world.run(&["refresh", "-n"]).code(0);
    world.run(&["check"]).stdout("
METATOKEN WARNING - brand: works, app may be half-written: a run was interrupted while…; operator: metatoken deliver brand | 'brand'=5184000s;864000:;259200: tokens=1;;;0 ok=0 warning=1 critical=0 unknown=0
WARNING: `brand`: works, `app` may be half-written: a run was interrupted while writing the file, just now
  run `metatoken deliver brand` to finish it. Proof: `metatoken check brand`
").code(1);
    assert_eq!(states(&world.offline("brand")), ["app pending"]);
    assert_eq!(reasons(&world.offline("brand")), ["warning delivery_failed"]);
    world.run(&["status"]).code(0);
    assert_eq!(held(&world, "app.ini"), left, "nothing has touched it");
    world.run(&["deliver"]).code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
    assert_eq!(states(&world.offline("brand")), ["app in_sync"]);
}

#[test]
fn half_an_access_token_is_never_taken_for_a_new_one() {
    // The file is the token's source as well, and holds the end of a longer value.
    let mut world = world("");
    world.reconfigure(&format!(
        "[token.brand]\ntype = \"user\"\naccess_token = {{ file = \"app.ini\", key = \"facebook.token\" }}\n{TARGET}"
    ));
    world.write("app.ini", ini(&world.mint(TokenFixture::user(APP, ANNA).named("brand"))));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let first = world.in_use("brand");
    world.at(day(45));
    world.killed_at("overwrite-noted", &["refresh"], "");
    let second = world.in_use("brand");
    assert_ne!(first, second);
    world.write(
        "app.ini",
        torn(&ini(&first), &ini(&second), ini(&second).find("token =").unwrap() + 15),
    );
    world.calls();
    world.run(&["refresh", "-n"]).code(0);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(world.calls(), [""; 0], "Meta is asked about no half of anything");
    assert_eq!(held(&world, "app.ini"), ini(&second));
}

#[test]
fn it_is_finished_although_a_newer_access_token_came_meanwhile() {
    let mut world = stopped(BEFORE[0], "overwritten");
    let left = held(&world, "app.ini");
    world.at(day(45));
    // Killed again when the newer one is promoted, and the file torn as it was before.
    world.killed_at("promoted", &["refresh"], "");
    assert_eq!(held(&world, "app.ini"), ini(ONE), "finished first");
    assert_ne!(left, ini(ONE));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(TWO));
}

#[test]
fn it_is_finished_although_its_target_is_no_target_any_more() {
    for tables in [BRAND.to_owned(), String::new()] {
        let world = stopped(BEFORE[0], "overwritten");
        world.reconfigure(&tables);
        // The run that finds the label gone says so, and no more.
        world.run(&["refresh", "--quiet"]).stderr("").code(0);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
        // Once it is whole it is nobody's business of ours.
        world.write("app.ini", ini("by-hand"));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini("by-hand"));
    }
}

#[test]
fn a_file_that_went_away_is_delivered_anew() {
    let world = stopped(BEFORE[0], "overwritten");
    fs::rename(world.path("app.ini"), world.path("away")).unwrap();
    let error =
        world.run(&["deliver", "--json"]).code(73).result("brand")["deliveries"][0]["error"]
            .as_str()
            .unwrap()
            .to_owned();
    assert!(error.contains("the file is missing"), "{error}");
    // It comes back as it was, as one that is mounted late.
    fs::rename(world.path("away"), world.path("app.ini")).unwrap();
    world.run(&["deliver", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
}

#[test]
fn what_was_changed_since_is_left_alone_and_each_remedy_works() {
    let (left_alone, remedy) = (CHANGED_SINCE, RESTORE);
    for expected in [ini(BEFORE[0]), changed_by_hand()] {
        let world = stopped(BEFORE[0], "overwritten");
        // Somebody puts it right by hand.
        let changed = changed_by_hand();
        world.write("app.ini", &changed);
        world
            .run(&["deliver", "--test"])
            .stdout(&format!("brand -> app: would fail: {left_alone}\n  hint: {remedy}\n"))
            .stderr("")
            .code(73);
        for _ in 0..2 {
            world
                .run(&["refresh"])
                .stdout(&format!(
                    "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days

warning: `brand`: not delivered to `app`, just now: {left_alone}; {remedy}
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 not due
"
                ))
                .stderr("")
                .code(73);
            assert_eq!(held(&world, "app.ini"), changed);
        }
        world.run(&["deliver", "--force", "brand", "--quiet"]).code(73);
        assert_eq!(held(&world, "app.ini"), changed);
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(BEFORE[0]));
        world.write("app.ini", &expected);
        // What was brought back lacks the access token in use, and that is said.
        world.run(&["refresh", "--quiet"]).code(73);
        assert_eq!(held(&world, "app.ini"), expected);
        world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
        assert_eq!(states(&world.offline("brand")), ["app in_sync"]);
    }
}

/// What a person changes in the torn part is no reason to take the file for whole.
#[test]
fn force_writes_no_value_into_a_torn_file() {
    for (file, key, text) in FILES.into_iter().filter(|(file, ..)| *file != "token") {
        let (old, new) = (text.replace('@', BEFORE[0]), text.replace('@', ONE));
        let world = world(&target(file, key));
        world.write(file, &old);
        world.killed_at("overwritten", &["refresh"], "");
        let left = held(&world, file);
        assert_eq!(left, torn(&old, &new, new.len()));
        let tail = &left[new.len()..];
        for foreign in [
            // In the value, in the old end, behind it, and nothing left at all.
            format!("{}{tail}", text.replace('@', "typed-by-hand")),
            format!("{new}{}", tail.replace(char::is_alphanumeric, "~")),
            format!("{left}# by hand\n"),
            String::new(),
        ] {
            world.write(file, &foreign);
            let ran = world.run(&["deliver", "--force", "brand", "--json"]).code(73);
            let error = ran.result("brand")["deliveries"][0]["error"].as_str().unwrap().to_owned();
            assert!(error.contains(RESTORE) && !error.contains("--force"), "{file}: {error}");
            assert_eq!(held(&world, file), foreign, "{file}");
        }
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, file), old, "{file}");
        world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, file), new, "{file}");
    }
}

#[test]
fn force_writes_into_a_file_that_is_whole_but_for_its_value() {
    for (file, key, text) in FILES {
        let world = world(&target(file, key));
        world.write(file, text.replace('@', BEFORE[0]));
        world.killed_at("overwritten", &["refresh"], "");
        world.write(file, text.replace('@', "typed-by-hand"));
        world.run(&["deliver", "--quiet"]).code(73);
        world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, file), text.replace('@', ONE), "{file}");
        assert_eq!(states(&world.offline("brand")), [format!("{file} in_sync")]);
    }
}

#[test]
fn where_the_old_content_is_lost_force_is_the_remedy() {
    let world = stopped(BEFORE[0], "overwritten");
    world.sql().execute("DELETE FROM replaced", []).unwrap();
    world.write("app.ini", changed_by_hand());
    world.reconfigure(BRAND);
    let former = world.run(&["deliver"]).code(73).stdout;
    let add = "is lost: add the target to the config again, check the file, then run `metatoken deliver --force brand`";
    assert!(former.contains(add), "{former}");
    world.reconfigure(&format!("{BRAND}\n{TARGET}"));
    let ran = world.run(&["deliver", "--json"]).code(73).result("brand");
    let error = ran["deliveries"][0]["error"].as_str().unwrap();
    let remedy = "the content from before that delivery is lost: check the file, then run `metatoken deliver --force brand`";
    assert!(error.contains(remedy), "{error}");
    world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), format!("# mine\n{}", ini(ONE)));
}

/// The config no longer has the target, or the token, and somebody changed the file.
#[test]
fn what_was_changed_since_is_told_although_its_target_is_no_target_any_more() {
    let with_target = format!("{BRAND}\n{TARGET}");
    for tables in [BRAND.to_owned(), String::new()] {
        let world = stopped(BEFORE[0], "overwritten");
        world.write("app.ini", changed_by_hand());
        world.reconfigure(&tables);
        if tables.is_empty() {
            world.run(&["check"]).code(2);
        } else {
            world.run(&["check"]).stdout("
METATOKEN WARNING - brand: app, no longer a target, may be half-written: a run was interrupted…; operator: metatoken deliver | 'brand'=5184000s;864000:;259200: tokens=1;;;0 ok=1 warning=0 critical=0 unknown=0
WARNING: `brand`: `app`, no longer a target, may be half-written: a run was interrupted while writing the file, just now
  run `metatoken deliver` to finish it. Proof: `metatoken check brand`
").stderr("").code(1);
        }
        let told =
            format!("`app`, no longer a target, may be half-written, just now: {CHANGED_SINCE}");
        // The run that finds the label gone says that too.
        world.run(&["deliver"]).code(73);
        for command in ["deliver", "refresh"] {
            let nothing = match (tables.is_empty(), command) {
                (true, "refresh") => "no tokens\n",
                (_, "deliver") => "no targets\n",
                _ => {
                    "TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days
"
                }
            };
            let count = match (tables.is_empty(), command) {
                (false, "refresh") => "\n1 token: 1 not due\n",
                _ => "",
            };
            let said = format!("{nothing}\nwarning: `brand`: {told}\n  hint: {RESTORE}\n{count}");
            world.run(&[command]).stdout(&said).stderr("").code(73);
            world.run(&[command, "--quiet"]).stdout(&said).code(73);
            assert_eq!(held(&world, "app.ini"), changed_by_hand());
        }
        // It comes back.
        world.reconfigure(&with_target);
        let error = world.run(&["deliver", "--json"]).code(73).result("brand");
        let error = error["deliveries"][0]["error"].as_str().unwrap();
        assert!(error.ends_with(&format!("changed since; left untouched; {RESTORE}")), "{error}");
        world.reconfigure(&tables);
        world
            .run(&["deliver", "--restore", "brand"])
            .stdout("")
            .stderr("`app` holds again what it held before the last delivery\n")
            .code(0);
        assert_eq!(held(&world, "app.ini"), ini(BEFORE[0]));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.run(&["deliver", "--restore", "brand", "--quiet"]).code(if tables.is_empty() {
            64
        } else {
            65
        });
    }
}

#[test]
fn a_token_that_is_not_enabled_is_not_judged_by_its_half_written_file() {
    let world = stopped(BEFORE[0], "overwritten");
    world.write("app.ini", changed_by_hand());
    world.reconfigure(&format!("{BRAND}enabled = false\n{TARGET}"));
    world.run(&["deliver", "--quiet"]).silent().code(0);
    world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(BEFORE[0]));
}

#[test]
fn a_target_that_gets_another_file_waits_for_its_half_written_one() {
    let world = stopped(BEFORE[0], "overwritten");
    world.write("app.ini", changed_by_hand());
    world.write("new.ini", ini("x"));
    world.reconfigure(&format!("{BRAND}\n{}", TARGET.replace("app.ini", "new.ini")));
    for command in [&["deliver"] as &[_], &["deliver", "--force", "brand"]] {
        let ran = world.run(&[command, &["--json"]].concat()).code(73);
        let error = ran.result("brand")["deliveries"][0]["error"].as_str().unwrap().to_owned();
        assert!(error.contains(RESTORE), "{error}");
        assert_eq!(held(&world, "new.ini"), ini("x"));
    }
    world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
    assert_eq!((held(&world, "app.ini"), held(&world, "new.ini")), (ini(BEFORE[0]), ini("x")));
    world.run(&["deliver", "--force", "brand", "--quiet"]).silent().code(0);
    assert_eq!((held(&world, "app.ini"), held(&world, "new.ini")), (ini(BEFORE[0]), ini(ONE)));
}

#[test]
fn a_restore_that_was_stopped_is_finished_or_was_never_begun() {
    for (point, restored) in [
        ("overwrite-noted", false),
        ("overwritten", true),
        ("cut", true),
        ("overwrite-synced", true),
    ] {
        let world = world(TARGET);
        world.write("app.ini", ini(BEFORE[0]));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.killed_at(point, &["deliver", "--restore", "brand"], "");
        world.run(&["deliver", "--quiet"]).silent().code(0);
        let expected = if restored { ini(BEFORE[0]) } else { ini(ONE) };
        assert_eq!(held(&world, "app.ini"), expected, "{point}");
        // Whatever became of it, a second one brings the other content.
        let other = if restored { ini(ONE) } else { ini(BEFORE[0]) };
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), other, "{point}");
    }
}

#[test]
fn a_restore_by_another_file_that_was_stopped_loses_nothing() {
    for (point, restored) in [("overwrite-noted", false), ("temp-synced", false), ("renamed", true)]
    {
        let world = super::world(super::APP_INI);
        world.write("app.ini", ini(BEFORE[0]));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.killed_at(point, &["deliver", "--restore", "brand"], "");
        world.run(&["deliver", "--quiet"]).silent().code(0);
        let (now, other) =
            if restored { (ini(BEFORE[0]), ini(ONE)) } else { (ini(ONE), ini(BEFORE[0])) };
        assert_eq!(held(&world, "app.ini"), now, "{point}");
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), other, "{point}");
        assert_eq!(super::left_behind(&world), [""; 0]);
    }
}

#[test]
fn many_tokens_are_written_into_one_file() {
    let labels: Vec<String> = (0..8).map(|n| format!("token{n}")).collect();
    let table = |label: &String| {
        let variable = label.to_uppercase();
        format!(
            "[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n[[token.{label}.deliver]]\nfile = \"all.env\"\nkey = \"{variable}\"\nwrite = \"in-place\"\n"
        )
    };
    let world = labels.iter().fold(World::new(), |world, label| {
        world.token(&label.to_uppercase(), TokenFixture::user(APP, ANNA).named(label))
    });
    world.reconfigure(&labels.iter().map(table).collect::<Vec<_>>().concat());
    let lines = |value: &dyn Fn(&str) -> String| {
        let line = |label: &String| format!("{}={}\n", label.to_uppercase(), value(label));
        labels.iter().map(line).collect::<Vec<_>>().concat()
    };
    world.write("all.env", lines(&|_| "todo".to_owned()));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "all.env"), lines(&|label| world.in_use(label)));
    let open: i64 =
        world.sql().query_row("SELECT count(*) FROM overwrite", [], |row| row.get(0)).unwrap();
    assert_eq!(open, 0);
}

#[test]
fn a_file_of_several_names_is_written_in_place() {
    for writing in ["", "write = \"in-place\"\n"] {
        let world = world(&format!("{}{writing}", super::APP_INI));
        world.write("app.ini", ini(BEFORE[0]));
        fs::hard_link(world.path("app.ini"), world.path("other.ini")).unwrap();
        world.run(&["deliver", "--test"]).code(0);
        world.run(&["refresh", "--quiet"]).silent().code(0);
        for name in ["app.ini", "other.ini"] {
            assert_eq!(held(&world, name), ini(ONE), "{name}");
            assert_eq!(fs::metadata(world.path(name)).unwrap().nlink(), 2);
        }
        assert_eq!(super::left_behind(&world), [""; 0]);
    }
    let world = world(super::APP_INI);
    world.write("app.ini", ini(BEFORE[0]));
    fs::hard_link(world.path("app.ini"), world.path("other.ini")).unwrap();
    world.killed_at("overwritten", &["refresh"], "");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "other.ini"), ini(ONE), "and is finished like any");
    world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "other.ini"), ini(BEFORE[0]));
}

#[test]
fn root_writes_into_no_file_of_several_names_that_is_anothers() {
    if !rustix::process::geteuid().is_root() {
        return skip("deliver: files of several names", "only root can give a file away");
    }
    for writing in ["", "write = \"in-place\"\n"] {
        let world = world(&format!("{}{writing}", super::APP_INI));
        fs::hard_link(world.path("app.ini"), world.path("other.ini")).unwrap();
        chown(world.path("app.ini"), Some(OTHER), Some(OTHER)).unwrap();
        let why = "[DIR]/app.ini: not replaced: the file has 2 names (hard links), and the others would keep the old content; not written in place: user 65534 owns it and may have linked it from elsewhere, so root does not write into it";
        let remedy = "run metatoken as user 65534, or give the file a single name: `cp -p [DIR]/app.ini [DIR]/app.ini.new && mv [DIR]/app.ini.new [DIR]/app.ini`";
        world
            .run(&["deliver", "--test"])
            .stdout(&format!("brand -> app: would fail: {why}\n  hint: {remedy}\n"))
            .stderr("")
            .code(73);
        world
            .run(&["refresh"])
            .stdout(&format!(
                "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

warning: `brand`: not delivered to `app`, just now: {why}; {remedy}
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 adopted
"
            ))
            .stderr("")
            .code(73);
        assert_eq!(held(&world, "other.ini"), ini("YOUR-KEY-HERE"));
        // The second remedy, as it is typed.
        let (app, new) = (world.path("app.ini"), world.path("app.ini.new"));
        let script = format!("cp -p {0} {1} && mv {1} {0}", app.display(), new.display());
        assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
        assert_eq!(held(&world, "other.ini"), ini("YOUR-KEY-HERE"));
        assert_eq!(fs::metadata(&app).unwrap().uid(), OTHER);

        // The first: to its owner it is a file like any.
        let world = super::world(&format!("{}{writing}", super::APP_INI));
        fs::hard_link(world.path("app.ini"), world.path("other.ini")).unwrap();
        as_nobody(&world, &[], &["refresh", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "other.ini"), ini(ONE));
    }
}
