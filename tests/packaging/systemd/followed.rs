//! The README, followed from its first line to its last.

use super::block;
use super::machine::Machine;

/// Meta is not asked: the name that the page and the units call leads to the sandbox.
const SCENE: &str = "
touch /usr/local/binary
mount --bind /usr/local/bin/metatoken /usr/local/binary
umount /usr/local/bin/metatoken
printf '#!/bin/sh\\nexec /usr/local/binary --sandbox=/var/lib/metatoken/sandbox \"$@\"\\n' \
    > /usr/local/bin/metatoken
# There is no terminal to ask on.
printf '#!/bin/sh\\necho fakefakefakefake\\n' > /usr/local/sbin/systemd-ask-password
chmod 755 /usr/local/bin/metatoken /usr/local/sbin/systemd-ask-password
id nagios || useradd --system nagios
";

/// The file with the first access token.
const FIRST_TOKEN: &str = "
cd /tmp
sed -n 's/^BRAND_TOKEN=//p' /var/lib/metatoken/sandbox/healthy/app.env > first-token
test -s first-token
";

#[test]
fn who_follows_the_readme_has_tokens_that_live() {
    let Some(machine) = Machine::installed("the README, followed") else { return };
    machine.sh(SCENE).code(0);
    machine.write("/etc/metatoken/metatoken.toml", block("Config", "toml"));
    machine.sh(block("Config", "sh")).code(0);
    machine.sh(&format!("{FIRST_TOKEN}{}", block("Begin", "sh"))).code(0);
    let journal = machine.journal("metatoken-refresh.service");
    assert!(journal.contains("11 tokens: "), "{journal}");
    let timers = machine.run(&["systemctl", "list-timers", "metatoken-*"]).code(0).stdout;
    assert!(timers.contains("metatoken-refresh.timer") && timers.contains("metatoken-check.timer"));
    let typed = machine.sh(block("Type commands", "sh")).code(0).stdout;
    assert!(typed.contains("\nEAAFAKEBrand"), "{typed}");
    assert!(typed.contains("(metatoken)"), "{typed}");
    machine.sh(block("Monitoring", "sh")).code(0);
    machine.sh("id nagios | grep metatoken").code(0);
}
