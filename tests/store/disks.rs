//! Small disks at every level of fullness, with a Graph that keeps the old access token alive
//! after a renewal and with one that ends it.
//!
//! The store, or the targets, lie on a tmpfs of their own, which is filled before a run and freed
//! before the next. No grant may be lost: whatever Graph gave is in the store at the end, every
//! stored access token works, the next run ends as it should, and nothing is left lying about.
//! `METATOKEN_LONG=1 cargo test --locked --test metatoken disks -- --nocapture` tries every level.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use metatoken::sandbox::{FaultInjection, Invalidation, OldString, Rule, TokenFixture};

use crate::common::skip;
use crate::common::{ANNA, APP, BRAND, PostOffice, Ran, World, day, ends, is_long, until};

/// The size of the disk: enough for a store, its room and a filler.
const DISK: u64 = 1024 * 4096;
/// The tokens of a world, all due on the same day.
const TOKENS: [&str; 6] = ["ada", "ben", "cleo", "dora", "emil", "fay"];

/// What the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A tmpfs, whose blocks can be taken ahead.
    Memory,
    /// An ext2 in a file, whose blocks cannot.
    Ext2,
}

/// A small disk in a view of the mounts of its own, which ends with the value.
struct Disk {
    holder: Child,
    folder: PathBuf,
}

impl Disk {
    /// Mounts it at `disk` in the world's folder; `None`, and a word about it, where that cannot be.
    fn mount(world: &World, kind: Kind) -> Option<Self> {
        let folder = world.path("disk");
        fs::create_dir_all(&folder).unwrap();
        let mount = match kind {
            Kind::Memory => format!("mount -t tmpfs -o size={DISK},mode=700 none \"$1\""),
            Kind::Ext2 => {
                fs::File::create(world.path("image")).unwrap().set_len(DISK).unwrap();
                "mkfs.ext2 -q -F -m 0 -b 4096 \"$1/../image\" && \
                 mount -o loop \"$1/../image\" \"$1\" && rmdir \"$1/lost+found\""
                    .to_owned()
            }
        };
        let script = format!("PATH=/usr/sbin:/sbin:$PATH; {mount} && echo up && exec cat");
        let mut words = vec!["--mount", "sh", "-c", &script, "sh", folder.to_str().unwrap()];
        if !rustix::process::geteuid().is_root() {
            words.insert(0, "--map-root-user");
        }
        let holder = Command::new("unshare")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(holder) = holder else {
            skip("disks", "there is no `unshare`");
            return None;
        };
        let mut disk = Self { holder, folder };
        if !disk.is_up() {
            skip("disks", &format!("this machine does not let a disk be mounted: {kind:?}"));
            return None;
        }
        Some(disk)
    }

    fn is_up(&mut self) -> bool {
        use std::io::{BufRead as _, BufReader};
        let mut line = String::new();
        let mut said = BufReader::new(self.holder.stdout.take().unwrap());
        said.read_line(&mut line).is_ok() && line == "up\n" && {
            let mut probe = self.enter();
            probe.arg("true").stderr(Stdio::null());
            probe.status().is_ok_and(|status| status.success())
        }
    }

    /// A command that sees the disk: its words are still to be added.
    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        let namespaces = format!("/proc/{}/ns", self.holder.id());
        if !rustix::process::geteuid().is_root() {
            command.args([&format!("--user={namespaces}/user"), "--preserve-credentials"]);
        }
        command.args([&format!("--mount={namespaces}/mnt"), "--"]);
        command
    }

    /// A path on the disk, as this process reaches it.
    fn path(&self, name: &str) -> PathBuf {
        let inside = self.folder.strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(inside).join(name)
    }

    /// Runs the binary where the disk is seen.
    #[must_use = "a run is worth nothing unless it is looked at"]
    fn run(&self, world: &World, arguments: &[&str]) -> Ran {
        world.finish(self.start(world, arguments))
    }

    /// Starts the binary where the disk is seen.
    fn start(&self, world: &World, arguments: &[&str]) -> Child {
        let template = world.command(arguments);
        let mut command = self.enter();
        command
            .arg(template.get_program())
            .args(template.get_args())
            .env_clear()
            .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn pages_free(&self) -> u64 {
        rustix::fs::statvfs(self.path(".")).unwrap().f_bfree
    }

    /// Leaves so many pages free.
    fn fill(&self, free: u64) {
        let mut filler = fs::File::create(self.path("filler")).unwrap();
        let page = [0; 4096];
        // Page by page only at the end: the first ones of an ext2 cost more than themselves.
        for _ in free + 8..self.pages_free() {
            if filler.write_all(&page).is_err() {
                break;
            }
        }
        filler.sync_data().unwrap();
        while self.pages_free() > free {
            filler.write_all(&page).unwrap();
            // What is not on the disk yet takes no page of an ext2.
            filler.sync_data().unwrap();
        }
    }

    fn empty(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }

    /// Gives back the room that the store has taken, as if no run had ever kept any.
    fn give_room_back(&self) {
        let log = fs::OpenOptions::new().write(true).open(self.path("metatoken.db-wal")).unwrap();
        log.set_len(0).unwrap();
    }

    /// The names of the files on it.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path(".")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Whether the store has taken its room while the disk was roomy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Taken,
    None,
}

/// What became of the runs of one level.
#[derive(Debug, Default)]
struct Tally {
    runs: usize,
    refused: usize,
    lost: usize,
    wedged: usize,
    faults: Vec<String>,
}

impl Tally {
    fn blame(&mut self, what: String) {
        self.faults.push(what);
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.refused += other.refused;
        self.lost += other.lost;
        self.wedged += other.wedged;
        self.faults.extend(other.faults);
    }
}

/// A world whose store lies on a disk of its own, with six tokens that are due on day 45.
fn world(kind: Kind, fate: OldString) -> Option<(World, Disk)> {
    let mut world = with_tokens("disk/metatoken.db");
    let disk = Disk::mount(&world, kind)?;
    disk.run(&world, &["refresh"]).code(0);
    world.graph.with(|graph| graph.set_old_string(fate));
    world.at(day(45));
    Some((world, disk))
}

fn with_tokens(store: &str) -> World {
    let mut world = World::new();
    let store = world.path(store);
    let mut tables = format!("[store]\npath = \"{}\"\n", store.display());
    for label in TOKENS {
        let variable = label.to_uppercase();
        let _ = write!(
            tables,
            "\n[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n"
        );
        // One is in its last days when the others are just due.
        let end = if label == "ada" { ends(47) } else { ends(60) };
        let string = world.mint(TokenFixture::user(APP, ANNA).named(label).ending(end));
        world.set(&variable, &string);
    }
    world.reconfigure(&tables);
    world
}

/// A run on a disk with so many free pages, and one when it is roomy again.
fn fill_and_refresh(kind: Kind, free: u64, fate: OldString, room: Room) -> Option<Tally> {
    let (world, disk) = world(kind, fate)?;
    let what = format!("{kind:?}, {free} pages free, {fate:?}, room {room:?}");
    let mut tally = Tally { runs: 1, ..Tally::default() };
    if room == Room::None {
        disk.give_room_back();
    }
    disk.fill(free);
    let full = disk.run(&world, &["refresh"]);
    if full.code == Some(74) {
        tally.refused += 1;
    } else if full.code != Some(0) {
        tally.blame(format!("{what}: exited with {:?}\n{}{}", full.code, full.stdout, full.stderr));
    }
    disk.empty();
    let after = disk.run(&world, &["refresh"]);
    if after.code != Some(0) {
        tally.wedged += 1;
        tally.blame(format!("{what}: then {:?}\n{}{}", after.code, after.stdout, after.stderr));
    }
    let granted = world.exchanges();
    let (kept, integrity) = look_into(&disk, &world);
    if granted > kept {
        tally.lost += granted - kept;
        tally.blame(format!("{what}: {} of {granted} lost\n{}", granted - kept, full.stderr));
    }
    if integrity != "ok" {
        tally.blame(format!("{what}: {integrity}"));
    }
    for label in TOKENS {
        let token = disk.run(&world, &["status", label, "--live", "--json"]).token(label);
        if token["valid"] != true {
            tally.blame(format!("{what}: `{label}` is {}", token["state"]));
        }
    }
    let files = ["metatoken.db", "metatoken.db-shm", "metatoken.db-wal", "metatoken.db.lock"];
    let names = disk.names();
    let left: Vec<_> = names.iter().filter(|name| !files.contains(&name.as_str())).collect();
    if left != ["metatoken.key"] {
        tally.blame(format!("{what}: {left:?} lie about"));
    }
    Some(tally)
}

/// How many grants the store has kept, and whether it is whole.
fn look_into(disk: &Disk, world: &World) -> (usize, String) {
    for ending in ["", "-wal"] {
        let name = format!("metatoken.db{ending}");
        fs::copy(disk.path(&name), world.path(&format!("copy.db{ending}"))).unwrap();
    }
    let copy = rusqlite::Connection::open(world.path("copy.db")).unwrap();
    let one = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0));
    let kept = one("SELECT count(*) FROM generation WHERE origin IN ('refreshed', 'exchanged')");
    let integrity = one("PRAGMA integrity_check");
    let (Ok(rusqlite::types::Value::Integer(kept)), Ok(rusqlite::types::Value::Text(integrity))) =
        (kept, integrity)
    else {
        panic!("the store cannot be read")
    };
    (usize::try_from(kept).unwrap(), integrity)
}

/// How full the disk is, in free pages: every level at which the first commits of a run meet the
/// end of the disk, and steps up to where there is room for all grants at once.
fn levels() -> Vec<u64> {
    if is_long() { (0..44).chain((44..480).step_by(12)).collect() } else { vec![0, 16, 110, 300] }
}

fn at_every_level(kind: Kind, room: Room) {
    let mut tally = Tally::default();
    for free in levels() {
        for fate in [OldString::Lives, OldString::Dies] {
            let Some(found) = fill_and_refresh(kind, free, fate, room) else { return };
            tally.add(found);
        }
    }
    tally.tell(&format!("{kind:?}, room {room:?}"));
}

impl Tally {
    #[track_caller]
    fn tell(&self, what: &str) {
        let Self { runs, refused, lost, wedged, faults } = self;
        let line = format!(
            "disks: {runs} runs, {refused} without room, {lost} grants lost, {wedged} wedged: {what}\n"
        );
        let _ = std::io::stdout().write_all(line.as_bytes());
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}

#[test]
fn no_grant_is_lost_on_a_full_disk_where_the_store_had_taken_its_room() {
    at_every_level(Kind::Memory, Room::Taken);
}

#[test]
fn no_grant_is_lost_on_a_full_disk_where_no_room_was_taken() {
    at_every_level(Kind::Memory, Room::None);
}

#[test]
fn no_grant_is_lost_on_a_full_disk_where_no_room_can_be_taken() {
    at_every_level(Kind::Ext2, Room::None);
}

/// A disk that stays full: runs go on in the room that was taken while it was not, and when that is
/// used up they say so. Nothing is lost either way.
#[test]
fn a_disk_that_stays_full_loses_nothing_when_the_room_is_used_up() {
    let levels = [(Room::Taken, 0), (Room::None, 110), (Room::None, 200)];
    for (fate, (room, free)) in
        [OldString::Lives, OldString::Dies].into_iter().flat_map(|fate| levels.map(|it| (fate, it)))
    {
        let Some((mut world, disk)) = world(Kind::Memory, fate) else { return };
        if room == Room::None {
            disk.give_room_back();
        }
        disk.fill(free);
        let mut codes = Vec::new();
        // Until a person is needed: data access ends on day 90, critical from day 87.
        for n in (45..87).step_by(if is_long() { 1 } else { 8 }) {
            world.at(day(n));
            codes.push(disk.run(&world, &["refresh"]).code.unwrap());
        }
        assert!(codes.iter().all(|code| [0, 74].contains(code)), "{codes:?}");
        assert!(room == Room::None || codes[0] == 0, "{codes:?}");
        disk.empty();
        let after = disk.run(&world, &["refresh"]);
        let (kept, integrity) = look_into(&disk, &world);
        assert_eq!((world.exchanges(), integrity.as_str()), (kept, "ok"), "{codes:?}");
        let dead = TOKENS.iter().filter(|label| {
            let token = disk.run(&world, &["status", label, "--live", "--json"]).token(label);
            token["state"] == "invalid"
        });
        assert_eq!(dead.count(), 0, "{codes:?}\n{}", after.stdout);
    }
}

/// A text in which no number of KiB stands: they hang on what else lies on the disk.
fn without_sizes(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_size = |at: usize| words.get(at + 1).is_some_and(|next| next.starts_with("KiB"));
    let plain = |(at, word): (usize, &&str)| match (is_size(at), word.starts_with('(')) {
        (true, true) => "(N".to_owned(),
        (true, false) => "N".to_owned(),
        (false, _) => (*word).to_owned(),
    };
    words.iter().enumerate().map(plain).collect::<Vec<_>>().join(" ")
}

/// The world on day 45, on a disk that is full and where the store has taken no room.
fn without_room() -> Option<(World, Disk)> {
    let (world, disk) = world(Kind::Memory, OldString::Lives)?;
    disk.give_room_back();
    disk.fill(44);
    world.calls();
    Some((world, disk))
}

#[test]
fn a_run_without_room_asks_for_no_grant_verifies_and_names_what_has_no_time() {
    let Some((world, disk)) = without_room() else { return };
    let ran = disk.run(&world, &["refresh", "--quiet"]).code(74);
    let said = without_sizes(&ran.stdout);
    let cause = "critical: `ada`, `ben`, `cleo`, `dora`, `emil` and `fay`: \
                 the disk of `[DIR]/disk/metatoken.db` is full (N KiB needed, N KiB free): \
                 no access token is renewed; expiring within `critical_within`: `ada`\n  \
                 hint: free space on the file system of `[DIR]/disk`, then run `metatoken refresh`\n";
    assert!(said.contains(cause), "{said}");
    assert!(said.ends_with("\n6 tokens: 6 failed\n"), "{said}");
    let calls = world.calls();
    assert!(calls.iter().all(|call| call.starts_with("debug_token ")), "{calls:?}");
    assert_eq!(calls.len(), TOKENS.len(), "each was asked about");
    let token = disk.run(&world, &["status", "ada", "--offline", "--json"]).token("ada");
    assert_eq!(token["verified_at"], "2026-02-15T00:00:00Z");

    let check = disk.run(&world, &["check", "--system"]).code(2);
    let said = without_sizes(&check.stdout);
    assert!(said.contains("the disk of `[DIR]/disk/metatoken.db` is full (N KiB needed"), "{said}");

    disk.empty();
    let ran = disk.run(&world, &["refresh", "--json"]).code(0);
    assert!(ran.outcomes().values().all(|outcome| outcome == "refreshed"), "{}", ran.stdout);
    let check = disk.run(&world, &["check", "--system"]);
    assert!(!check.stdout.contains("is full"), "{}", check.stdout);
}

#[test]
fn an_exchange_without_room_is_refused_before_meta_is_asked() {
    let Some((world, disk)) = without_room() else { return };
    world.write("new", world.mint(TokenFixture::user(APP, ANNA).named("ada")));
    let new = world.path("new");
    let ran =
        disk.run(&world, &["exchange", "ada", "--token-file", new.to_str().unwrap()]).code(74);
    assert_eq!(
        without_sizes(&ran.stderr),
        "error: [DIR]/disk/metatoken.db: no room on the disk for a new access token \
         (N KiB needed, N KiB free): Meta was not asked for it\n\
         hint: free space on the file system of this folder, then run the command again\n"
    );
    assert_eq!(world.calls(), [""; 0]);
    disk.empty();
    let again = ["exchange", "ada", "--token-file", new.to_str().unwrap()];
    assert_eq!(disk.run(&world, &again).code, Some(0));
}

#[test]
fn an_import_without_room_is_refused_before_meta_is_asked() {
    let Some((world, disk)) = without_room() else { return };
    let lines = ["yves", "zoe"].map(|name| {
        format!("{name},user,{}\n", world.mint(TokenFixture::user(APP, ANNA).named(name)))
    });
    world.write("tokens.csv", format!("label,type,access_token\n{}", lines.concat()));
    let tokens = world.path("tokens.csv").display().to_string();
    let ran = disk.run(&world, &["import", &tokens]).code(74);
    assert_eq!(
        without_sizes(&ran.stderr),
        "error: [DIR]/disk/metatoken.db: no room on the disk for a new access token \
         (N KiB needed, N KiB free): Meta was not asked for it\n\
         hint: free space on the file system of this folder, then run the command again\n"
    );
    assert_eq!(world.calls(), [""; 0]);
    assert!(!world.path("tokens.d").exists());
    disk.empty();
    let again = disk.run(&world, &["import", &tokens, "--json"]).code(0);
    assert_eq!(again.json()["summary"]["imported"], 2);
}

#[test]
fn an_add_without_room_is_refused_before_meta_is_asked() {
    let Some((world, disk)) = without_room() else { return };
    let zoe = |world: &World| {
        world.write("new", world.mint(TokenFixture::user(APP, ANNA).named("zoe")));
        world.path("new").display().to_string()
    };
    let new = zoe(&world);
    let typed = ["add", "zoe", "--type", "user", "--token-file", &new];
    let ran = disk.run(&world, &typed).code(74);
    assert_eq!(
        without_sizes(&ran.stderr),
        "error: [DIR]/disk/metatoken.db: no room on the disk for a new access token \
         (N KiB needed, N KiB free): Meta was not asked for it\n\
         hint: free space on the file system of this folder, then run the command again\n"
    );
    assert_eq!(world.calls(), [""; 0]);
    assert!(!world.path("tokens.d").exists());

    // Nor where there is room for the access token, and none for the file that declares it.
    let world = World::new();
    let Some(disk) = Disk::mount(&world, Kind::Memory) else { return };
    std::os::unix::fs::symlink(world.path("disk"), world.path("tokens.d")).unwrap();
    disk.fill(0);
    let new = zoe(&world);
    let typed = ["add", "zoe", "--type", "user", "--token-file", &new];
    disk.run(&world, &typed)
        .stdout("")
        .stderr(
            "
error: [DIR]/tokens.d/zoe.toml: cannot be written
  caused by: No space left on device (os error 28)
hint: put that right, then run the same again; Meta was not asked
",
        )
        .code(74);
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(disk.names(), ["filler"]);
    disk.empty();
    disk.run(&world, &typed).code(0);
    assert_eq!(disk.names(), ["zoe.toml"]);
}

/// Where the targets lie, and what each holds around the access token: more than a page.
fn targets() -> [(&'static str, &'static str, String, String); 4] {
    let padding = "# a line of the application\n".repeat(200);
    [
        ("app.env", "TOKEN", format!("{padding}TOKEN="), "\n".to_owned()),
        ("app.ini", "a.token", format!("{padding}[a]\ntoken = "), "\n".to_owned()),
        ("place.env", "TOKEN", "TOKEN=".to_owned(), format!("\n{padding}")),
        (
            "app.json",
            "token",
            format!("{{\"padding\": \"{}\", \"token\": \"", "x".repeat(5000)),
            "\"}\n".to_owned(),
        ),
    ]
}

/// A run whose targets lie on a disk with so many free pages, and one when it is roomy again.
fn fill_and_deliver(free: u64) -> Option<Tally> {
    let mut world = World::new().token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let disk = Disk::mount(&world, Kind::Memory)?;
    let mut tables = BRAND.to_owned();
    let holds = |string: &str| targets().map(|(_, _, before, after)| before + string + &after);
    for ((name, key, ..), content) in targets().iter().zip(holds("")) {
        let write = if *name == "place.env" { "write = \"in-place\"\n" } else { "" };
        let path = world.path("disk").join(name);
        let _ = write!(
            tables,
            "[[token.brand.deliver]]\nfile = \"{}\"\nkey = \"{key}\"\n{write}",
            path.display()
        );
        fs::File::create(disk.path(name)).unwrap().write_all(content.as_bytes()).unwrap();
    }
    world.reconfigure(&tables);
    disk.run(&world, &["refresh"]).code(0);
    world.at(day(45));
    disk.fill(free);
    let what = format!("targets, {free} pages free");
    let mut tally = Tally { runs: 1, ..Tally::default() };
    let held = || targets().map(|(name, ..)| fs::read_to_string(disk.path(name)).unwrap());
    let full = disk.run(&world, &["refresh", "--json"]);
    let [old, new] = ["EAAFAKEBrand1", "EAAFAKEBrand2"].map(holds);
    match full.code {
        Some(0) if held() == new => {}
        Some(73) => tally.refused += 1,
        code => {
            tally.blame(format!("{what}: exited with {code:?}\n{}{}", full.stdout, full.stderr));
        }
    }
    for (at, content) in held().into_iter().enumerate() {
        if content != old[at] && content != new[at] {
            tally.blame(format!("{what}: {} is torn", targets()[at].0));
        }
    }
    let mut expected: Vec<String> = targets().map(|(name, ..)| name.to_owned()).into();
    expected.extend(["filler".to_owned()]);
    expected.sort();
    if disk.names() != expected {
        tally.blame(format!("{what}: {:?} lie about", disk.names()));
    }
    disk.empty();
    let after = disk.run(&world, &["refresh", "--quiet"]);
    if after.code != Some(0) || held() != new {
        tally.wedged += 1;
        tally.blame(format!("{what}: then {:?}\n{}{}", after.code, after.stdout, after.stderr));
    }
    Some(tally)
}

#[test]
fn targets_on_a_full_disk_stay_whole_and_get_it_from_the_next_run() {
    let mut tally = Tally::default();
    for free in if is_long() { (0..44).collect() } else { vec![0, 1, 2, 3, 5, 8] } {
        let Some(found) = fill_and_deliver(free) else { return };
        tally.add(found);
    }
    assert!(tally.refused > 0, "no level was full enough");
    tally.tell("targets");
}

/// Blocks behind a file's end are given out beyond such a limit, and to write there ends the
/// process: room that was taken is no room then.
#[test]
fn a_limit_for_the_length_of_a_file_is_a_full_disk() {
    let mut refused = 0;
    for (number, kib) in [16, 100, 130, 160, 240, 600, 1200, 2400, 4800].into_iter().enumerate() {
        let fate = [OldString::Dies, OldString::Lives][number % 2];
        let mut world = with_tokens("metatoken.db");
        world.run(&["refresh"]).code(0);
        world.graph.with(|graph| graph.set_old_string(fate));
        world.at(day(45));
        let limited = |arguments: &[&str]| {
            let command = world.command(arguments);
            let mut limited = Command::new("sh");
            // A unit of this is half a KiB or a whole one, which is all the same here.
            limited
                .args(["-c", &format!("ulimit -f {kib} && exec \"$0\" \"$@\"")])
                .arg(command.get_program())
                .args(command.get_args())
                .env_clear()
                .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
                .current_dir(world.path("."))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            world.finish(limited.spawn().unwrap())
        };
        let ran = limited(&["refresh"]);
        assert!(matches!(ran.code, Some(0 | 74)), "{kib}: {:?} {:?}", ran.code, ran.signal);
        if ran.code == Some(74) {
            refused += 1;
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains("full"), "{kib}: {said}");
        }
        let backup = limited(&["store", "backup", world.path("copy.db").to_str().unwrap()]);
        assert!(matches!(backup.code, Some(0 | 74)), "{kib}: {:?}", backup.signal);
        world.run(&["refresh"]).code(0);
        for label in TOKENS {
            let token = world.run(&["status", label, "--live", "--json"]).token(label);
            assert_eq!(token["valid"], true, "{kib}, {fate:?}: {label} {token:#}");
        }
        let store = rusqlite::Connection::open(world.path("metatoken.db")).unwrap();
        let kept: i64 = store
            .query_row(
                "SELECT count(*) FROM generation WHERE origin IN ('refreshed', 'exchanged')",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(usize::try_from(kept).unwrap(), world.exchanges(), "{kib}, {fate:?}");
    }
    assert!(refused > 1, "{refused}");
}

/// Writes what Meta's dialog answers to a login into a file, and returns its path.
fn answered_dialog(world: &World, disk: &Disk) -> String {
    let address = disk.run(world, &["login", "ada", "--print-url"]);
    let address = match address.code {
        Some(0) => address.stdout,
        // Not even the state of a login can be written down.
        code => panic!("{code:?}: {}", address.stderr),
    };
    let url = format!("127.0.0.1:{}", world.graph.url().rsplit(':').next().unwrap());
    let address = address.replace("127.0.0.1:[PORT]", &url);
    let ticked = "&grant=public_profile&page=2000000000000001&page=2000000000000002";
    let form = format!("as={ANNA}&decision=allow{ticked}");
    world.write("answer", world.play(&address, &form));
    world.path("answer").display().to_string()
}

/// A code is good for one try: a disk that is too full for what it gives is found before it is spent.
#[test]
fn a_login_without_room_leaves_its_code_unspent() {
    let Some((world, disk)) = without_room() else { return };
    let answer = answered_dialog(&world, &disk);
    let typed = ["login", "ada", "--answer", &answer, "--replace"];
    world.calls();
    let ran = disk.run(&world, &typed).code(74);
    let said = without_sizes(&ran.stderr);
    assert!(said.contains("no room on the disk for a new access token"), "{said}");
    assert!(said.contains("free space on the file system of this folder"), "{said}");
    assert!(!world.calls().iter().any(|call| call.starts_with("oauth")), "the code is unspent");
    let before = disk.run(&world, &["token", "ada"]).stdout;
    disk.empty();
    disk.run(&world, &typed).code(0);
    assert_ne!(disk.run(&world, &["token", "ada"]).stdout, before);
}

/// Room is taken before a code is spent, so that a disk that fills up after it costs no login.
#[test]
fn a_disk_that_fills_up_once_a_code_is_spent_costs_no_login() {
    let Some((world, disk)) = world(Kind::Memory, OldString::Lives) else { return };
    let answer = answered_dialog(&world, &disk);
    let before = disk.run(&world, &["token", "ada"]).stdout;
    let slowly = FaultInjection::Slow(Duration::from_millis(4));
    world.graph.misbehave(Rule::on("/oauth/access_token"), slowly);
    let spent = world.exchanges();
    let login = disk.start(&world, &["login", "ada", "--answer", &answer, "--replace"]);
    until("its code is spent", || world.exchanges() > spent);
    disk.fill(0);
    let _ = world.finish(login).code(0);
    world.graph.behave();
    assert_eq!(disk.pages_free(), 0);
    assert_ne!(disk.run(&world, &["token", "ada"]).stdout, before);
}

/// A token that is dead on day 2, whose owner is written to, with the store on a disk of its own.
fn owned(kind: Kind, office: &PostOffice) -> Option<(World, Disk)> {
    let mut world = World::new().token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let store = world.path("disk/metatoken.db");
    world.reconfigure(&format!(
        "[store]\npath = \"{}\"\n{BRAND}owner = \"anna@client.example\"\n\
         [[notify]]\nemail = \"owner\"\nfrom = \"ops@agency.example\"\n\
         smtp = {{ host = \"127.0.0.1\", port = {}, security = \"none\" }}\n",
        store.display(),
        office.port
    ));
    let disk = Disk::mount(&world, kind)?;
    disk.run(&world, &["refresh"]).code(0);
    let access_token = disk.run(&world, &["token", "brand"]).stdout;
    let password_changed = Invalidation::PasswordChanged;
    world.graph.with(|graph| graph.invalidate(access_token.trim(), password_changed));
    world.at(day(2));
    Some((world, disk))
}

/// Room for the note is taken before a mail is sent, so that it is neither sent twice nor lost.
#[test]
fn a_disk_that_fills_up_once_an_owner_has_his_mail_repeats_none() {
    for kind in [Kind::Memory, Kind::Ext2] {
        let office = PostOffice::new();
        let Some((world, disk)) = owned(kind, &office) else { return };
        let held = office.hold();
        let run = disk.start(&world, &["refresh", "--quiet"]);
        until("the mail has come", || office.mails() == 1);
        disk.fill(0);
        drop(held);
        let ran = world.finish(run).code(77);
        assert!(!ran.stdout.contains("notifications"), "{kind:?}: {}", ran.stdout);
        let _ = disk.run(&world, &["refresh", "--quiet"]);
        assert_eq!(office.mails(), 1, "{kind:?}, while it is full");
        disk.empty();
        disk.run(&world, &["refresh", "--quiet"]).code(77);
        assert_eq!(office.mails(), 1, "{kind:?}");
    }
}

#[test]
fn an_owners_mail_waits_while_the_disk_is_full() {
    let mut held_back = 0;
    for free in [0, 16, 44, 90] {
        let office = PostOffice::new();
        let Some((world, disk)) = owned(Kind::Memory, &office) else { return };
        disk.give_room_back();
        disk.fill(free);
        for _ in 0..2 {
            let _ = disk.run(&world, &["refresh", "--quiet"]);
        }
        let sent = office.mails();
        assert!(sent <= 1, "{free} pages free: sent {sent} times");
        held_back += usize::from(sent == 0);
        disk.empty();
        disk.run(&world, &["refresh", "--quiet"]).code(77);
        assert_eq!(office.mails(), 1, "{free} pages free");
    }
    assert!(held_back > 1, "{held_back}");
}
