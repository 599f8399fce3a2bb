//! What the programs that the config names find in their environment, and what they may dump.

use std::fs;
use std::process::{Command, Stdio};

use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, APP_SECRET, BRAND, World};

/// A world whose app's secret a program prints, and whose config names secrets in every way.
fn world(program: &str) -> World {
    let world = World::new()
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .with("CHAT", "https://chat.invalid/fake")
        .with("CREDENTIALS_DIRECTORY", "/run/credentials")
        .with("METATOKEN_NOISE", "from outside")
        .with("PATH", "/usr/bin:/bin")
        .with("LANG", "C.UTF-8");
    let folder = world.path(".").display().to_string();
    let program = program.replace("FOLDER", &folder);
    let config = format!(
        "[app.main]\nid = \"{APP}\"\nsecret = {{ command = [\"/bin/sh\", \"-c\", \"{program}\"] }}\n\
         [endpoints]\nfacebook = \"{0}\"\ninstagram = \"{0}\"\nthreads = \"{0}\"\n{BRAND}\n\
         [[notify]]\nwebhook = {{ env = \"CHAT\" }}\nlabels = [\"nobody\"]\n",
        world.graph.url()
    );
    world.write("metatoken.toml", config.replace("labels = [\"nobody\"]\n", ""));
    world
}

/// The names of the variables in a file that `env` wrote, but for those that a shell adds.
fn names(world: &World, file: &str) -> Vec<String> {
    let text = fs::read_to_string(world.path(file)).unwrap();
    let names = text.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned()));
    let mut names: Vec<_> =
        names.filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str())).collect();
    names.sort();
    names
}

#[test]
fn a_program_that_prints_one_secret_sees_no_other() {
    let world = world(&format!("env > FOLDER/seen; echo {APP_SECRET}"));
    world.run(&["refresh", "--quiet"]).code(0);
    // The secrets that this config does not name are variables like any other.
    assert_eq!(
        names(&world, "seen"),
        ["APP_SECRET", "INSTA_SECRET", "LANG", "PATH", "THREADS_SECRET"]
    );
}

#[test]
fn a_program_that_notifies_people_sees_none_either() {
    let world = World::new()
        .with("METATOKEN_NOISE", "from outside")
        .with("CREDENTIALS_DIRECTORY", "/run/credentials")
        .with("BRAND", "EAAFAKEnever1")
        .with("PATH", "/usr/bin:/bin");
    let folder = world.path(".").display().to_string();
    world.reconfigure(&format!(
        "{BRAND}\n[[notify]]\ncommand = [\"/bin/sh\", \"-c\", \"env > {folder}/seen\"]\n"
    ));
    world.run(&["refresh", "--quiet"]).code(65);
    let names = names(&world, "seen");
    for secret in ["APP_SECRET", "BRAND", "CREDENTIALS_DIRECTORY", "METATOKEN_NOISE"] {
        assert!(!names.iter().any(|name| name == secret), "{secret}: {names:?}");
    }
    assert!(names.iter().any(|name| name == "METATOKEN_LABELS"), "{names:?}");
}

#[test]
fn no_core_is_dumped_and_programs_get_their_limit_back() {
    let limits = |pid: &str, file: &str| format!("grep core /proc/{pid}/limits > FOLDER/{file}; ");
    // The program is given its limit back a moment after it began.
    let program =
        format!("sleep 0.5; {}{}echo {APP_SECRET}", limits("$PPID", "ours"), limits("self", "its"));
    let world = world(&program);
    let template = world.command(&["refresh", "--quiet"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -S -c $(ulimit -H -c) || exit 99; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_metatoken"))
        .args(template.get_args())
        .env_clear()
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    world.finish(command.spawn().unwrap()).code(0);
    let limit = |file: &str| {
        let text = fs::read_to_string(world.path(file)).unwrap();
        let fields: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        // `Max core file size     SOFT     HARD     bytes`
        (fields[4].clone(), fields[5].clone())
    };
    let (soft, hard) = limit("ours");
    assert_eq!(soft, "0");
    assert_eq!(limit("its"), (hard.clone(), hard));
}
