//! Every line that a command prints, over all scenarios and clocks, in words that a stranger knows.

use super::check::{SCENARIOS, rehearse};
use crate::common::{World, banned_in, is_long};

/// When it is looked at.
const CLOCKS: [&str; 5] = ["+0d", "+14d", "+41d", "+60d", "+120d"];

#[test]
fn no_line_has_a_word_that_must_be_explained() {
    let mut lines = 0;
    for scenario in SCENARIOS {
        let world = World::new();
        // Without time, at every other of them.
        for now in CLOCKS.into_iter().step_by(if is_long() { 1 } else { 2 }) {
            for command in [
                &["refresh", "--dry-run", "--now", now][..],
                &["refresh", "--now", now],
                &["status", "--all"],
                &["status", "--offline", "-v"],
                &["history", "--limit", "200"],
                &["history", "--runs"],
                &["history", "--summary"],
                &["deliver"],
                &["deliver", "--test"],
                &["check"],
                &["check", "--format", "github"],
                &["report", "--html", "-"],
                &["config", "check"],
            ] {
                let ran = rehearse(&world, scenario, command);
                assert!(!ran.stderr.contains("unexpected argument"), "{}", ran.stderr);
                for line in ran.stdout.lines().chain(ran.stderr.lines()) {
                    assert_eq!(banned_in(line), [""; 0], "{scenario} {command:?}: {line}");
                    lines += 1;
                }
            }
        }
    }
    assert!(lines > 2000, "{lines}");
}
