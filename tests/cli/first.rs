//! The scripts under `examples/first/`: from what a person copies to a token that is kept alive and
//! delivered, for each kind of people who come.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A script, the labels that it begins with, the one whose access token it prints last, and what stands
/// around that.
const SCRIPTS: &[(&str, &[&str], &str, &str)] = &[
    ("one-page", &["anna", "page"], "page", "access_token = {}"),
    (
        "agency",
        &["anna", "anna/2000000000000001", "anna/2000000000000002", "ben", "ben/2000000000000003"],
        "ben/2000000000000003",
        "{}",
    ),
    ("instagram", &["creator"], "creator", "IG_TOKEN={}\nPORT=8080"),
    ("whatsapp", &["whatsapp"], "whatsapp", "{}"),
    ("threads", &["notes"], "notes", "{\"threads\": {\"token\": \"{}\"}}"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first")
}

fn binaries() -> &'static str {
    Path::new(env!("CARGO_BIN_EXE_metatoken")).parent().unwrap().to_str().unwrap()
}

/// What the binary prints in the sandbox of a script.
#[track_caller]
fn printed(world: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .arg(format!("--sandbox={}", world.display()))
        .args(["--scenario", "empty"])
        .args(arguments)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!((stderr.as_ref(), ran.status.code()), ("", Some(0)), "{arguments:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn each_script_begins_with_tokens_that_are_all_well() {
    for (script, labels, last, around) in SCRIPTS {
        let world = crate::common::folder();
        let ran = Command::new("sh")
            .arg(folder().join(format!("{script}.sh")))
            .arg(world.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binaries()))
            .output()
            .unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert_eq!(ran.status.code(), Some(0), "{script}: {stdout}{stderr}");
        for line in stderr.lines() {
            let is_told = ["`", "it reaches ", "declared in `", "hint: "];
            assert!(is_told.iter().any(|begins| line.starts_with(begins)), "{script}: {line}");
        }
        let token = printed(world.path(), &["token", last]);
        let end = around.replacen("{}", token.trim_end(), 1);
        let end = if around.starts_with('{') && around.len() > 2 {
            around.replace("\"{}\"", &format!("\"{}\"", token.trim_end()))
        } else {
            end
        };
        assert!(stdout.trim_end().ends_with(&end), "{script}: {stdout}\n{end}");
        // Nothing is left to do, and the monitoring has nothing to say.
        assert_eq!(printed(world.path(), &["refresh", "--quiet"]), "", "{script}");
        let check = printed(world.path(), &["check"]);
        let expected = format!("METATOKEN OK - {} token", labels.len());
        assert!(check.starts_with(&expected), "{script}: {check}");
        let status = printed(world.path(), &["status", "--offline", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let found = status["tokens"].as_array().unwrap().iter();
        let found: Vec<&str> = found.map(|it| it["label"].as_str().unwrap()).collect();
        assert_eq!(found, *labels, "{script}");
        printed(world.path(), &["config", "check", "--quiet"]);
    }
}

#[test]
fn every_script_is_run() {
    let scripts = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> =
        scripts.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut run: Vec<String> = SCRIPTS.iter().map(|(name, ..)| format!("{name}.sh")).collect();
    run.sort();
    assert_eq!(names, run);
}

/// The scripts under `examples/rotation/`, what each file holds at the end, and what Graph calls dead.
const ROTATIONS: &[(&str, &[&str])] = &[
    ("six-monthly", &["METATOKEN OK - 2 tokens", "EAAFAKEExampleWhatsAppRobot2"]),
    ("after-exposure", &["METATOKEN OK - 2 tokens", "EAAFAKEExampleWhatsAppRobot1"]),
    (
        "backup",
        &[
            "whatsapp  promoted  never",
            "spare  minted   never",
            "METATOKEN OK - 3 tokens",
            "WHATSAPP_TOKEN=EAAFAKEExampleWhatsAppRobot",
        ],
    ),
    ("somebody-left", &["METATOKEN OK - 2 tokens", "PAGE_TOKEN=EAAFAKEPageExampleShop"]),
];

#[test]
fn each_rotation_ends_with_all_well_and_the_old_one_dead() {
    for (script, ends) in ROTATIONS {
        let world = crate::common::folder();
        let ran = Command::new("sh")
            .arg(folder().join(format!("../rotation/{script}.sh")))
            .arg(world.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binaries()))
            .output()
            .unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert_eq!(ran.status.code(), Some(0), "{script}: {stdout}{stderr}");
        for end in *ends {
            assert!(stdout.contains(end), "{script}: {end}\n{stdout}{stderr}");
        }
        assert!(stdout.contains("revoked"), "{script}: {stdout}");
        assert_eq!(printed(world.path(), &["refresh", "--quiet"]), "", "{script}");
        printed(world.path(), &["config", "check", "--quiet"]);
    }
    let scripts = std::fs::read_dir(folder().join("../rotation")).unwrap();
    assert_eq!(scripts.count(), ROTATIONS.len(), "every script is run");
}
