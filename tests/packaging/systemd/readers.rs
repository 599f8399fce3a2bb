//! Who looks at the tokens without being able to touch them.

use super::machine::{BRAND, Machine};

#[test]
fn the_check_has_no_network_and_no_key() {
    let Some(machine) = Machine::rehearsing("metatoken-check") else { return };
    let start = ["systemctl", "start", "metatoken-check.service"];
    let status = "systemctl show --property=ExecMainStatus,Result --value metatoken-check.service";
    machine.metatoken(&["refresh"]).code(0);
    machine.judges("healthy");
    machine.run(&start).code(0);
    assert!(machine.journal("metatoken-check.service").contains("METATOKEN OK - 11 tokens"));

    machine.judges("troubles");
    machine.metatoken(&["--scenario", "troubles", "refresh"]).code(77);
    machine.run(&start).code(1);
    machine.sh(status).stdout("exit-code\n2\n");

    let look = "#!/bin/sh\ncd /var/lib/metatoken\ncat metatoken.key\ntouch x\nls metatoken.db\n\
                readlink /proc/self/ns/net\nperl -MSocket -e \
                'socket(S, AF_INET, SOCK_STREAM, 0) or print \"no socket: $!\\n\"'\nexit 1\n";
    machine.write("/usr/local/bin/look", look);
    machine.sh("chmod 755 /usr/local/bin/look").code(0);
    // The rehearsal made a store and a key elsewhere; these are for who looks.
    let files = "cd /var/lib/metatoken && : > metatoken.db && : > metatoken.key && \
                 chown metatoken: metatoken.* && chmod 600 metatoken.key";
    machine.sh(files).code(0);
    machine.calls("metatoken-check", "look");
    // A warning is no failure.
    machine.run(&start).code(0);
    let journal = machine.journal("metatoken-check.service");
    for said in [
        "metatoken.key: Permission denied",
        "'x': Read-only file system",
        "\nmetatoken.db\n",
        "\nnet:[",
        "no socket: Address family not supported",
    ] {
        assert!(journal.contains(said), "`{said}` is not in\n{journal}");
    }
    let others = machine.run(&["readlink", "/proc/1/ns/net"]).stdout;
    assert!(!journal.contains(&others), "the network is the machine's");
}

#[test]
fn a_monitoring_user_reads_the_verdict_and_nothing_else() {
    let Some(machine) = Machine::installed("a monitoring user") else { return };
    let config = "[http]\nattempts = 1\n[endpoints]\nfacebook = \"http://127.0.0.1:9\"\n";
    machine.write(
        "/etc/metatoken/metatoken.toml",
        &BRAND
            .replace("app.env", "/etc/metatoken/app.env")
            .replace("\n[app", &format!("{config}\n[app")),
    );
    machine.write("/etc/metatoken/app.env", "APP_SECRET=fakefake\nBRAND_TOKEN=EAAFAKEfirst\n");
    machine.sh("chown root:metatoken /etc/metatoken/*; chmod 640 /etc/metatoken/*; chown metatoken /etc/metatoken/app.env; chmod 600 /etc/metatoken/app.env").code(0);
    machine.sh("useradd --system --user-group watcher").code(0);
    let by = |words: &[&str]| {
        let watcher = ["setpriv", "--reuid=watcher", "--regid=watcher", "--init-groups"];
        machine.run(&[&watcher, words].concat())
    };
    by(&["metatoken", "check"]).code(3);
    let join = super::block("Monitoring", "sh").replace("nagios", "watcher");
    machine.sh(&join).code(0);
    // Before the first run, and after it; also after one that root made by mistake.
    assert!(by(&["metatoken", "check"]).code(3).stdout.contains("brand: no access token yet"));
    machine.run(&["metatoken", "refresh"]).code(69);
    machine.as_service(&["metatoken", "refresh"]).code(69);
    let ran = by(&["metatoken", "check"]).code(3);
    assert!(
        ran.stdout.contains("brand: not checked yet, Graph has not answered"),
        "{}",
        ran.stdout
    );
    by(&["metatoken", "status", "--offline"]).code(0);
    by(&["metatoken", "history"]).code(0);
    by(&["metatoken", "refresh"]).stdout("").code(74);
    for file in ["/var/lib/metatoken/metatoken.key", "/etc/metatoken/app.env"] {
        by(&["cat", file]).stdout("").code(1);
    }
    by(&["touch", "/var/lib/metatoken/x"]).code(1);
    by(&["sh", "-c", "echo >> /var/lib/metatoken/metatoken.db"]).code(2);
}

#[test]
fn the_web_server_reads_the_page_and_no_one_else() {
    let Some(machine) = Machine::rehearsing("the page of the web server") else { return };
    let install = super::block("A page to look at", "sh").replace("www-data", "webserver");
    machine.sh("groupadd --system webserver; useradd --system --gid webserver web").code(0);
    machine.sh(&format!("cd /mnt/deployment; {install}")).code(0);
    machine.metatoken(&["config", "check"]).code(0);
    let config = "/var/lib/metatoken/sandbox/healthy/metatoken.toml";
    machine
        .sh(&format!("printf '\\n[alerts]\\npage = \"/srv/metatoken/index.html\"\\n' >> {config}"))
        .code(0);
    machine.run(&["systemctl", "start", "metatoken-refresh.service"]).code(0);
    let journal = machine.journal("metatoken-refresh.service");
    assert!(!journal.contains("cannot be written"), "{journal}");
    machine
        .sh("stat --format '%U %G %a' /srv/metatoken/index.html; ls -A /srv/metatoken")
        .stdout("metatoken webserver 640\nindex.html\n");
    let by = |user: &str| {
        let user = [&format!("--reuid={user}")[..], "--regid=webserver", "--init-groups"];
        machine.run(
            &[&["setpriv"], &user[..], &["head", "-n", "1", "/srv/metatoken/index.html"]].concat(),
        )
    };
    assert_eq!(by("web").code(0).stdout, "<!doctype html>\n");
    machine.sh("useradd --system --user-group other").code(0);
    machine
        .run(&[
            "setpriv",
            "--reuid=other",
            "--regid=other",
            "--init-groups",
            "cat",
            "/srv/metatoken/index.html",
        ])
        .stdout("")
        .code(1);
    let printed = machine.metatoken(&["report", "--html", "-"]).code(0);
    assert!(printed.stdout.ends_with("</html>\n"), "{}", printed.stdout);
}
