//! The secrets that systemd hands over, by the README's own lines.

use super::block;
use super::machine::Machine;

/// Asks a Graph that is not there: what is missing before that question is what counts.
const NOBODY_ANSWERS: &str =
    "[http]\nattempts = 1\n[endpoints]\nfacebook = \"http://127.0.0.1:9\"\n";
const CONFIG: &str = "/etc/metatoken/metatoken.toml";
const SECRET: &str = "fakefakefakefakefakefakefakefake";

/// A machine on which the README's section `Config` was followed.
fn configured(test: &str) -> Option<Machine> {
    let machine = Machine::installed(test)?;
    // There is no terminal to ask on.
    machine.write("/usr/local/sbin/systemd-ask-password", &format!("#!/bin/sh\necho {SECRET}\n"));
    machine.sh("chmod 755 /usr/local/sbin/systemd-ask-password").code(0);
    machine.write(CONFIG, &format!("{}{NOBODY_ANSWERS}", block("Config", "toml")));
    let ran = machine.sh(block("Config", "sh")).code(0);
    let verdict = ran.stdout.lines().last().unwrap_or_default();
    assert!(verdict.starts_with("/etc/metatoken/metatoken.toml: "), "{}", ran.stdout);
    assert!(!ran.stdout.contains("error: "), "{}", ran.stdout);
    Some(machine)
}

fn handed_over(machine: &Machine, name: &str) -> Option<String> {
    let ran = machine.as_service(&["sh", "-c", "cat \"$CREDENTIALS_DIRECTORY/$0\"", name]);
    (ran.code == Some(0)).then_some(ran.stdout)
}

#[test]
fn a_secret_is_handed_to_the_unit_alone() {
    let Some(machine) = configured("credentials") else { return };
    assert_eq!(handed_over(&machine, "meta-app-secret"), Some(format!("{SECRET}\n")));
    assert_eq!(handed_over(&machine, "metatoken.key"), None);
    let exchange = ["metatoken-as-service", "metatoken", "exchange", "brand"];
    // The secret is there, so Graph is asked, and that nobody answers is no failure of the unit.
    let ran = machine.feed("EAAFAKEpasted\n", &exchange).code(69);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET));
    machine.sh("rm /etc/credstore/meta-app-secret").code(0);
    let ran = machine.feed("EAAFAKEpasted\n", &exchange);
    assert!(ran.stderr.contains("the credential `meta-app-secret` is missing"), "{}", ran.stderr);
    // With a path, a file that is missing is the unit's end.
    machine.drop_in(
        "metatoken-refresh.service",
        "path",
        "[Service]\nLoadCredential=meta-app-secret:/etc/credstore/none\n",
    );
    machine.as_service(&["true"]).code(243);
}

#[test]
fn a_secret_lies_sealed() {
    let Some(machine) = configured("encrypted credentials") else { return };
    machine.example("metatoken-refresh.service", "encrypted-credentials");
    // A machine out of namespaces has neither a TPM nor a disk for a key of its own.
    let script = super::README.split("\n## Credentials\n").nth(1).unwrap();
    let script = script.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let absent = "encrypt --with-key=tpm2-absent";
    machine
        .sh(&script
            .replace("encrypt", absent)
            .replace("credstore.encrypt --with-key=tpm2-absented", "credstore.encrypted"))
        .code(0);
    machine.sh("! grep -r fakefake /etc/credstore /etc/credstore.encrypted").code(0);
    assert_eq!(handed_over(&machine, "meta-app-secret"), Some(format!("{SECRET}\n")));
}

#[test]
fn the_key_lies_apart_from_the_store() {
    let Some(machine) = configured("the store's key as a credential") else { return };
    let paste = || {
        machine.feed("EAAFAKEpasted\n", &["metatoken-as-service", "metatoken", "exchange", "brand"])
    };
    paste().code(69);
    machine.sh("test -s /var/lib/metatoken/metatoken.key").code(0);
    let with_key = format!(
        "[store]\nkey = {{ credential = \"metatoken.key\" }}\n{}{NOBODY_ANSWERS}",
        block("Config", "toml")
    );
    machine.write(CONFIG, &with_key);
    let script = super::README.split("**The store's key**").nth(1).unwrap();
    machine.sh(script.split("```sh\n").nth(1).unwrap().split("```").next().unwrap()).code(0);
    paste().code(69);
    machine.sh("head -c 32 /dev/zero | base64 > /etc/credstore/metatoken.key").code(0);
    let ran = paste().code(74);
    assert!(ran.stderr.contains("key"), "{}", ran.stderr);
}
