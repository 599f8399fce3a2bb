//! `deployment/README.md`: its lines for cron are run as they stand, and it names every file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use metatoken::sandbox::TokenFixture;

use super::{cannot_mount, lacking, shipped, skip};
use crate::common::{ANNA, APP, BRAND, World};

/// Gives the lines of the page a machine of their own.
const MACHINE: &str = include_str!("page/machine.sh");

/// The first block of commands behind a heading or a sentence of the page.
fn block(behind: &str) -> String {
    let page = shipped("README.md");
    let (_, rest) = page.split_once(behind).unwrap();
    rest.split("```").nth(1).unwrap().strip_prefix("sh\n").unwrap().to_owned()
}

#[test]
fn what_the_page_says_of_cron_installs_it() {
    let why = lacking(&["adduser", "su", "unshare", "run-parts"]).or_else(cannot_mount);
    if let Some(why) = why {
        return skip("packaging::page::what_the_page_says_of_cron_installs_it", &why);
    }
    let world = World::new().config(BRAND).token("BRAND", TokenFixture::user(APP, ANNA));
    let usual = world.command(&[]);
    let usual: Vec<&str> = usual.get_args().map(|it| it.to_str().unwrap()).collect();
    let ["--config", config, "--now", now] = usual[..] else { panic!("{usual:?}") };
    world.write("deployment/metatoken.toml", std::fs::read(config).unwrap());
    world.write("deployment/cron/metatoken", shipped("cron/metatoken"));
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", MACHINE])
        .args(["sh", env!("CARGO_BIN_EXE_metatoken"), now])
        .args([block("## cron"), block("See that it works:")])
        .envs(world.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(world.path("deployment"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    world.finish(command.spawn().unwrap()).stderr("").code(0).stdout("
TOKEN  OUTCOME      EXPIRES     REASON
brand  would adopt  2026-03-02  found in the environment variable `BRAND`

1 token: 1 would adopt (dry run: nothing was changed)
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

1 token: 1 adopted
METATOKEN OK - 1 token, all well | 'brand'=5184000s;864000:;259200: tokens=1;;;0 ok=1 warning=0 critical=0 unknown=0
/etc/cron.d/metatoken
644 root root etc/cron.d/metatoken
750 root metatoken etc/metatoken
640 root metatoken etc/metatoken/metatoken.toml
750 metatoken metatoken var/lib/metatoken
640 metatoken metatoken var/lib/metatoken/metatoken.db
600 metatoken metatoken var/lib/metatoken/metatoken.key
");
}

#[test]
fn the_page_names_every_file_and_every_link_leads_somewhere() {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deployment");
    let page = shipped("README.md");
    let links: BTreeSet<&str> =
        page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    for link in &links {
        assert!(folder.join(link).exists(), "{link}");
    }
    let mut all = Vec::new();
    files(&folder, &mut all);
    for file in all {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        // What belongs to systemd has a page of its own, what makes the package a section.
        let elsewhere = ["debian/", "systemd/", "sysusers.d/", "tmpfiles.d/", "README.md"];
        let is_elsewhere = elsewhere.iter().any(|place| name.starts_with(place));
        assert!(is_elsewhere || links.contains(name), "{name} is not on the page");
    }
}
