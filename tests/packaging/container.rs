//! The recipe of an image: what it makes, and a container of it that can write its store and nothing else.

use std::process::{Command, Stdio};

use crate::{cannot_mount, lacking, shipped, skip};

const RECIPE: &str = "container/Containerfile";

/// Makes the image's folders and runs commands in it.
const MACHINE: &str = include_str!("container/machine.sh");

/// What the image runs to make itself, but for the packages.
fn made_by() -> String {
    let recipe = shipped(RECIPE);
    let (_, run) = recipe.rsplit_once("\nRUN ").unwrap();
    let (run, _) = run.split_once("\nCOPY ").unwrap();
    let run = run.replace("\\\n", "");
    let commands = run.split("&&").map(str::trim).filter(|it| it.starts_with("install "));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 2, "{run}");
    commands.join("\n")
}

#[test]
fn the_image_runs_as_a_user_without_rights() {
    let recipe = shipped(RECIPE);
    for line in ["USER 65532:65532", "VOLUME /var/lib/metatoken", "CMD [\"help\"]"] {
        assert!(recipe.lines().any(|it| it == line), "{line}");
    }
    // Nothing but the binary comes from where it is built.
    let copied: Vec<&str> = recipe.lines().filter(|it| it.starts_with("COPY --from=")).collect();
    assert_eq!(
        copied,
        ["COPY --from=build /source/target/release/metatoken /usr/local/bin/metatoken"]
    );
    let ignored = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".dockerignore");
    assert!(std::fs::read_to_string(ignored).unwrap().contains("/target\n"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a file of a test's own")]
fn a_container_writes_its_store_and_nothing_else() {
    let test = "packaging::container::a_container_writes_its_store_and_nothing_else";
    if let Some(why) = lacking(&["setpriv", "unshare", "chroot"]).or_else(cannot_mount) {
        return skip(test, &why);
    }
    let folder = tempfile::tempdir().unwrap();
    // A Graph on which nobody listens.
    std::fs::write(
        folder.path().join("metatoken.toml"),
        "[app.main]\nid = \"1000000000000001\"\nsecret = { env = \"APP_SECRET\" }\n\
         [endpoints]\nfacebook = \"http://127.0.0.1:9\"\n[http]\nattempts = 1\n\
         [token.brand]\ntype = \"user\"\naccess_token = { env = \"FIRST_TOKEN\" }\n",
    )
    .unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", MACHINE])
        .args(["sh", env!("CARGO_BIN_EXE_metatoken")])
        .arg(folder.path())
        .arg(made_by())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    let ran = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    if ran.status.code() == Some(99) {
        return skip(test, "it cannot have a root of its own");
    }
    assert!(ran.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "\
750 0 65532 /etc/metatoken
700 65532 65532 /var/lib/metatoken
sandbox: 0
config check: 0
refresh: 69
check --system: 0
600 65532 65532 /var/lib/metatoken/metatoken.db
600 65532 65532 /var/lib/metatoken/metatoken.key
root file system: not written
",
        "{stderr}"
    );
}
