//! No remedy exists that no test types: the sources are read for every text that tells what to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Done, of_getting_in, of_targets, of_the_machine, of_the_store};

/// Where what an operator is told about a token, its targets, the store and the machine comes into
/// being. What is wrong with a line that was typed is told by `cli`, `dispatch` and the commands, whose
/// tests type it.
const ROOMS: [&str; 10] = [
    "policy",
    "status",
    "store",
    "files",
    "deliver",
    "edit",
    "config",
    "run",
    "notify",
    "session.rs",
];

/// Files of these rooms that tell whoever typed `add`, `exec`, `mint`, `revoke`, `rollback` or `promote`
/// what is wrong, like the commands themselves.
const OF_A_LINE: [&str; 9] = [
    "run/declaration.rs",
    "run/earlier.rs",
    "run/in_use.rs",
    "run/promotion.rs",
    "run/minting.rs",
    "run/replacement.rs",
    "run/revocation/mod.rs",
    "run/revocation/plan.rs",
    "run/rollback.rs",
];

/// Why this test does not type a remedy.
#[derive(Debug, Clone, Copy)]
enum Elsewhere {
    /// The test of that name types it.
    By(&'static str),
    /// Its cause cannot be made to stand here, or it says itself what no machine can do.
    Never(&'static str),
}
use Elsewhere::{By, Never};

/// Remedies that another test types, or that cannot be typed, by how each begins.
const ELSEWHERE: &[(&str, Elsewhere)] = &[
    ("declare it again, or set `was = \"{gone}\"`", By("declared_again_it_is_over")),
    (
        "expired, or expiring within `warn_within`",
        Never("it names the tokens that another run keeps waiting"),
    ),
    (
        "run `metatoken exchange {label}`, and paste an access token of its own",
        By("a_string_of_another_label_is_refused"),
    ),
    (
        "to do without them, run `metatoken login",
        By("pages_that_work_are_not_lost_by_a_login_that_was_cut_short"),
    ),
    (
        "run `metatoken deliver` to finish it",
        By("it_is_finished_although_its_target_is_no_target_any_more"),
    ),
    (
        "set `enabled = true` in {table}",
        By("a_token_that_is_not_enabled_is_neither_touched_nor_judged"),
    ),
    (
        "set `graph_version` of `[app.{app}]` to a newer version",
        Never("the version that it asks for is not known here"),
    ),
    ("save it as UTF-8", By("what_is_not_even_a_file_is_named_with_what_helps")),
    (
        "pipe the value alone into it, as plain text",
        By("what_belongs_to_another_is_known_by_metas_answer"),
    ),
    ("move the store into a folder of its own", By("a_store_in_a_folder_like_tmp_is_to_be_moved")),
    (
        "free space on the file system of `{folder}`",
        By("a_run_without_room_asks_for_no_grant_verifies_and_names_what_has_no_time"),
    ),
    (
        "free space on the file system of this folder",
        By("an_exchange_without_room_is_refused_before_meta_is_asked"),
    ),
    (
        "each of these matches tokens, but no token",
        By("what_matches_nothing_is_named_with_what_is_near"),
    ),
    ("run it as a user who can replace it", By("a_key_file_that_cannot_be_written_stays_as_it_is")),
    ("wait for it with `--lock-wait 5m`", By("exit_75_another_run_is_at_work")),
    (
        "`{}` belongs to {owner}: as root run `chown",
        By("a_file_that_belongs_to_another_is_named_with_what_opens_it"),
    ),
    (
        "run `metatoken refresh`, which brings it up to date",
        By("a_store_that_is_missing_or_of_an_older_schema_stays_as_it_is"),
    ),
    (
        "let the user who runs metatoken read the file",
        By("a_file_that_is_closed_gets_it_once_it_is_opened"),
    ),
    (
        "run metatoken as the owner of the file or as root, or {IN_PLACE}",
        By("another_users_file_stays_as_it_was"),
    ),
    (
        "let the user who runs metatoken write in the folder, or {IN_PLACE}",
        By("a_folder_that_cannot_be_written_is_named"),
    ),
    (
        "look for a full disk, or for a file that",
        By("targets_on_a_full_disk_stay_whole_and_get_it_from_the_next_run"),
    ),
    (
        "fix the disk; the next run finishes the file",
        By("targets_on_a_full_disk_stay_whole_and_get_it_from_the_next_run"),
    ),
    (
        "check the file, then run `metatoken deliver --force {label}`",
        By("where_the_old_content_is_lost_force_is_the_remedy"),
    ),
    (
        "run `metatoken deliver --restore {label}` to restore",
        By("what_was_changed_since_is_left_alone_and_each_remedy_works"),
    ),
    ("wait until it has exited, or kill it: `kill", By("the_remedy_ends_it")),
    (
        "run `metatoken refresh {label}` to check it",
        By("one_that_graph_cannot_be_asked_about_is_not_replaced"),
    ),
    (
        "make it a folder that you can read, or remove it: `ls -ld",
        By("a_folder_that_cannot_be_listed_is_an_error"),
    ),
    (
        "to make it the token of the other person from now on",
        By("another_person_needs_a_word_of_its_own"),
    ),
    (
        "to replace the current access token all the same",
        By("a_date_in_the_place_of_none_needs_a_word_more"),
    ),
    ("its Pages get new access tokens", By("a_dead_token_recovers")),
    ("write one by `metatoken init`", By("each_mistake_is_answered_with_a_step_that_ends_it")),
    ("run the same again", By("of_a_store_that_moved_meanwhile")),
    (
        "run `metatoken exchange {label} --replace-identity`, and paste",
        By("whose_a_backup_is_shows_before_it_is_needed"),
    ),
    ("the current access token is untouched", Never("there is nothing to do about it")),
    (
        "name a file on a disk of this machine",
        Never("no file system over a network can be mounted for a test"),
    ),
    (
        "or, if only this machine ever uses it",
        Never("no file system over a network can be mounted for a test"),
    ),
    ("run `metatoken check` to see them all", Never("it shows what each cause is, and ends none")),
    (
        "look for an immutable file with `lsattr`",
        Never(
            "few file systems have immutable files, and no folder of a test is sure to lie on one",
        ),
    ),
    ("install the newer metatoken again", Never("there is no newer one here")),
    ("look for a failing disk", Never("no disk fails on demand")),
    (
        "make room on the disk that the store is on",
        Never("a lock alone is not what a disk is full of"),
    ),
    (
        "run metatoken as the user who owns the store",
        Never("who owns it is named with the command wherever the system tells"),
    ),
    (
        "look for a full disk, or run metatoken as the user",
        Never("who owns it is named with the command wherever the system tells"),
    ),
    (
        "let the user who runs metatoken read the key file",
        Never("who owns it is named with the command wherever the system tells"),
    ),
    (
        "name another place with `path` in `[store]`",
        Never("a folder on no disk that could hold a lock"),
    ),
    (
        "say where the key is with `key` in `[store]`",
        Never("no command opens an access token without a key"),
    ),
    (
        "add `[app.{name}]` to the config",
        Never("a config that lacks the app of a token is refused"),
    ),
    ("name a file in it: `path =", By("each_mistake_is_answered_with_a_step_that_ends_it")),
    ("if it was the store, ", By("each_mistake_is_answered_with_a_step_that_ends_it")),
    ("name the file in it: `--config", By("each_mistake_is_answered_with_a_step_that_ends_it")),
    ("{as_root}; or join its group", Never("it makes a user of this machine a member of a group")),
    ("{as_root}; or open it to a group", By("each_mistake_is_answered_with_a_step_that_ends_it")),
    ("run `chmod u+r {file}`", By("each_mistake_is_answered_with_a_step_that_ends_it")),
    ("as root, run `setfacl", By("a_secret_that_root_keeps_is_read_once_root_opens_it")),
    ("as root, run `chown {user}", By("a_secret_that_root_keeps_is_read_once_root_opens_it")),
    ("run it as the user who owns that folder", By("of_a_folder_that_root_owns")),
];

/// A text in the sources that tells what to do; holes stand between braces.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Template {
    place: String,
    text: String,
}

/// The text of a file, but for its comments and its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

fn sources(at: &Path, files: &mut Vec<PathBuf>) {
    if at.is_file() {
        files.push(at.to_path_buf());
        return;
    }
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_rust = path.extension().is_some_and(|ending| ending == "rs");
        if !name.starts_with("tests") && (path.is_dir() || is_rust) {
            sources(&path, files);
        }
    }
}

/// The string literals of a file, each with what stands before it.
fn literals(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            // A character, and no lifetime.
            b'\'' if bytes.get(at + 2) == Some(&b'\'') => at += 3,
            b'\'' if bytes.get(at + 1) == Some(&b'\\') => at += 4,
            b'"' => {
                let start = at;
                let mut text = Vec::new();
                at += 1;
                while bytes[at] != b'"' {
                    if bytes[at] == b'\\' && bytes[at + 1] == b'\n' {
                        at += 2;
                        while bytes[at] == b' ' {
                            at += 1;
                        }
                        continue;
                    }
                    if bytes[at] == b'\\' {
                        at += 1;
                    }
                    text.push(bytes[at]);
                    at += 1;
                }
                at += 1;
                found.push((start, String::from_utf8(text).unwrap()));
            }
            _ => at += 1,
        }
    }
    found
}

/// The spans of the functions whose name says that they give a remedy.
fn remedial(code: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let name: String = code[start + 3..].chars().take_while(|it| *it != '(').collect();
        let name = name.replace("prefix", "");
        let is_one = ["hint", "remedy", "fix"].iter().any(|word| name.contains(word));
        let indent = start - code[..start].rfind('\n').map_or(0, |at| at + 1);
        let indent = code[..start]
            .lines()
            .next_back()
            .map_or(indent, |line| line.len() - line.trim_start().len());
        let end = format!("\n{}}}\n", " ".repeat(indent));
        let end = code[start..].find(&end).map_or(code.len(), |at| start + at);
        if is_one {
            spans.push((start, end));
        }
    }
    spans
}

fn templates() -> Vec<Template> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&root.join(room), &mut files);
    }
    let mut all = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        if name == "policy/remedy_rows.rs" || OF_A_LINE.contains(&name.as_str()) {
            // The rows, which `every_remedy_ends_its_cause_when_it_is_typed` types.
            continue;
        }
        let code = code(&file);
        let spans = remedial(&code);
        for (start, text) in literals(&code) {
            let before = code[..start].trim_end();
            let before = before.strip_suffix("format!(").unwrap_or(before).trim_end();
            let is_handed =
                ["hint(", "with_fix(", "of_the_operator("].iter().any(|it| before.ends_with(it));
            let is_given =
                text.contains(' ') && spans.iter().any(|(from, to)| (*from..*to).contains(&start));
            if is_handed || is_given || text.contains("run `") {
                all.push(Template { place: name.clone(), text });
            }
        }
    }
    all
}

/// Whether a remedy holds this text, with something in each of its holes.
fn holds(remedy: &str, template: &str) -> bool {
    let plain = template.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let words =
        plain.split(['{', '}']).step_by(2).map(|it| it.replace('\u{1}', "{").replace('\u{2}', "}"));
    let mut rest = remedy;
    for word in words {
        let Some(at) = rest.find(&word) else { return false };
        rest = &rest[at + word.len()..];
    }
    true
}

#[test]
fn no_remedy_exists_that_no_test_types() {
    let done: BTreeSet<Done> = std::thread::scope(|scope| {
        let mut cases: Vec<_> = of_the_machine::CASES
            .iter()
            .chain(&of_getting_in::CASES)
            .map(|case| scope.spawn(case))
            .collect();
        cases.push(scope.spawn(of_targets::done));
        cases.push(scope.spawn(of_the_store::done));
        cases.into_iter().flat_map(|case| case.join().unwrap()).collect()
    });
    let all = templates();
    assert!(all.len() > 90, "the sources are not read as they are written: {all:#?}");
    let is_elsewhere =
        |it: &Template| ELSEWHERE.iter().any(|(begins, _)| it.text.starts_with(begins));
    let is_typed = |it: &Template| done.iter().any(|Done(remedy)| holds(remedy, &it.text));
    let untyped: Vec<&Template> =
        all.iter().filter(|it| !is_typed(it) && !is_elsewhere(it)).collect();
    assert!(untyped.is_empty(), "no test types these: {untyped:#?}");
    let mut tests = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut tests);
    let tests: String = tests.iter().map(|it| std::fs::read_to_string(it).unwrap()).collect();
    for (begins, elsewhere) in ELSEWHERE {
        match elsewhere {
            By(test) => {
                assert!(tests.contains(&format!("fn {test}(")), "there is no test `{test}`");
            }
            Never(why) => assert!(!why.is_empty(), "`{begins}` has no reason"),
        }
        assert!(all.iter().any(|it| it.text.starts_with(begins)), "nothing says `{begins}`");
    }
}
