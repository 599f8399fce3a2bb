//! What a command that metatoken calls can do, and what lets it do more: the README's table.

use crate::common::skip;

use super::machine::{BRAND, Machine};

const REFRESH: &str = "metatoken-refresh.service";

/// A row of the table.
struct Row {
    /// A word or more of the README's row.
    named: &'static str,
    /// The program without which the row cannot be tried.
    needs: &'static str,
    script: &'static str,
    /// A part of what it says as the unit is shipped.
    shipped: &'static str,
    /// The settings that change this, and what it says then.
    relaxed: Option<(&'static str, &'static str)>,
}

const ROWS: &[Row] = &[
    Row {
        named: "`curl`, `perl`, `jq`, `git`, `openssl`, `python3`",
        needs: "perl",
        script: "for each in perl curl jq git openssl python3; do \
                 if command -v $each > /dev/null; then \
                 case $each in openssl) $each version;; *) $each --version;; esac > /dev/null \
                 || echo \"$each: no\"; fi; done; echo all",
        shipped: "all\n",
        relaxed: None,
    },
    Row {
        named: "keeps its login in `$HOME`",
        needs: "sh",
        script: "mkdir -p ~/.config/x && echo $HOME; ls /root",
        shipped: "/var/lib/metatoken\nls: cannot open directory '/root': Permission denied",
        relaxed: None,
    },
    Row {
        named: "`node`",
        needs: "node",
        script: "node -e 'console.log(6 * 7)'",
        shipped: "Fatal error",
        relaxed: Some(("Environment=NODE_OPTIONS=--jitless", "42\n")),
    },
    Row {
        named: "`MemoryDenyWriteExecute=no`",
        needs: "node",
        script: "node -e 'console.log(6 * 7)'",
        shipped: "Fatal error",
        relaxed: Some(("MemoryDenyWriteExecute=no", "42\n")),
    },
    Row {
        named: "`systemctl reload myapp.service`",
        needs: "systemctl",
        script: "systemctl reload myapp.service",
        shipped: "uthentication",
        relaxed: None,
    },
    Row {
        named: "setuid or setgid",
        needs: "id",
        script: "/srv/setuid --user --name; /srv/setgid --group --name",
        shipped: "metatoken\nmetatoken\n",
        relaxed: None,
    },
    Row {
        named: "`pkill -HUP myapp`",
        needs: "pkill",
        script: "pkill -HUP --exact sleep || echo none",
        shipped: "none\n",
        relaxed: None,
    },
    Row {
        named: "`SupplementaryGroups=docker`",
        needs: "perl",
        script: "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); \
                 print connect(S, pack_sockaddr_un(q(/run/docker.sock))) ? q(open) : $!'",
        shipped: "Permission denied",
        relaxed: Some(("SupplementaryGroups=docker", "open")),
    },
    Row {
        named: "writes outside `$HOME`",
        needs: "sh",
        script: "echo > /srv/open/x; ls /srv/open",
        shipped: "Read-only file system",
        relaxed: Some(("ReadWritePaths=/srv/open", "x\n")),
    },
    Row {
        named: "file in `/tmp`",
        needs: "sh",
        script: "ls /tmp; touch /tmp/mine; ls /tmp",
        shipped: "mine\n",
        relaxed: None,
    },
    Row {
        named: "`chgrp`, `chown`",
        needs: "chgrp",
        script: "touch ~/x; chgrp docker ~/x && stat --format=%G ~/x",
        shipped: "Operation not permitted",
        relaxed: Some((
            "SystemCallFilter=@chown\nPrivateUsers=no\nSupplementaryGroups=docker",
            "docker\n",
        )),
    },
    Row {
        named: "`nice`, `ionice`",
        needs: "nice",
        script: "nice -n 5 echo done; ionice -c 3 echo done",
        shipped: "Operation not permitted",
        relaxed: None,
    },
];

/// What the rows meet: a service of somebody's, a socket of a group's, an open folder, and programs
/// that take the rights of their file's owner and group.
const SCENE: &str = "
groupadd --system docker
printf '[Service]\\nExecStart=sleep infinity\\nExecReload=true\\n' \
    > /etc/systemd/system/myapp.service
printf '[Socket]\\nListenStream=/run/docker.sock\\nSocketGroup=docker\\nSocketMode=0660\\n' \
    > /etc/systemd/system/docker.socket
printf '[Service]\\nExecStart=sleep infinity\\n' > /etc/systemd/system/docker.service
systemctl daemon-reload
systemctl start myapp.service docker.socket
install -d -m 777 /srv/open
install -m 4755 /usr/bin/id /srv/setuid
install -m 2755 -g mail /usr/bin/id /srv/setgid
touch /tmp/of-others
";

#[test]
fn the_readme_says_what_a_command_can_do() {
    let test = "which command needs what";
    let Some(machine) = Machine::rehearsing(test) else { return };
    machine.sh(SCENE).code(0);
    let (_, table) = super::README.split_once("## Which command needs what").unwrap();
    for row in ROWS {
        assert!(table.contains(row.named), "`{}` is not in the README", row.named);
        if machine.run(&["sh", "-c", &format!("command -v {}", row.needs)]).code != Some(0) {
            skip(test, &format!("{}: `{}` is not installed", row.named, row.needs));
            continue;
        }
        let says = || {
            let ran = machine.as_service(&["sh", "-c", row.script]);
            format!("{}{}", ran.stdout, ran.stderr)
        };
        let shipped = says();
        assert!(shipped.contains(row.shipped), "{}: {shipped}", row.named);
        assert!(!shipped.contains("of-others"), "{shipped}");
        if let Some((settings, expected)) = row.relaxed {
            machine.drop_in(REFRESH, "relaxed", &format!("[Service]\n{settings}\n"));
            let relaxed = says();
            assert!(relaxed.contains(expected), "{}: {relaxed}", row.named);
            machine.sh("rm /etc/systemd/system/metatoken-refresh.service.d/relaxed.conf").code(0);
        }
    }
}

/// The rule that the README speaks of.
const RULE: &str = r#"
polkit.addRule(function (action, subject) {
    if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "metatoken" &&
        action.lookup("unit") == "myapp.service" && action.lookup("verb") == "reload") {
        return polkit.Result.YES;
    }
});
"#;

#[test]
fn polkit_can_allow_a_reload() {
    let test = "a polkit rule for a reload";
    let Some(machine) = Machine::rehearsing(test) else { return };
    if machine.sh("test -x /usr/lib/polkit-1/polkitd").code != Some(0) {
        return skip(test, "`polkitd` is not installed");
    }
    machine.sh(SCENE).code(0);
    machine.write("/etc/polkit-1/rules.d/50-metatoken.rules", RULE);
    machine.sh("chown -R polkitd: /etc/polkit-1/rules.d; systemctl restart polkit.service").code(0);
    machine.as_service(&["systemctl", "reload", "myapp.service"]).silent().code(0);
    machine.as_service(&["systemctl", "restart", "myapp.service"]).code(1);
}

#[test]
fn a_command_gets_the_token_inside_the_units_limits() {
    let Some(machine) = Machine::rehearsing("a command inside the unit's limits") else { return };
    machine.configure(&format!(
        "{BRAND}\n[[token.brand.deliver]]\ncommand = [\"sh\", \"-c\", \"cat > ~/got; env > ~/env\"]\n"
    ));
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    let token = machine.metatoken(&["token", "brand"]).code(0).stdout;
    assert_eq!(machine.run(&["cat", "/var/lib/metatoken/got"]).stdout, token.trim_end());
    let environment = machine.run(&["cat", "/var/lib/metatoken/env"]).stdout;
    assert!(environment.contains("METATOKEN_LABEL=brand\n"), "{environment}");
    assert!(!environment.contains("CREDENTIALS_DIRECTORY"), "{environment}");
}
