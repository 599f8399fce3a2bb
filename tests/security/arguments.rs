//! A secret that was typed where a label, a path or anything else belongs.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Stdio;

use crate::common::World;

/// What a person pastes, none of it a real one.
const PASTED: [&str; 5] = [
    "EAABfakeZBfake0ZCfake1fakefakefakefakeZD",
    "IGAAfakefakefake0fakefake",
    "THAAfakefakefake0fakefake",
    "1000000000000001|fakefakefakefakefakefakefake",
    "0123456789abcdef0123456789abcdef",
];

/// How a run says what is wrong. The five strings take turns: at each place each of these is tried.
const FORMS: [&[&str]; 4] = [&[], &["-vv"], &["--json"], &["--log-format", "json"]];

#[test]
fn it_is_not_repeated_wherever_it_stands() {
    let world = World::new();
    for (turn, pasted) in PASTED.into_iter().enumerate() {
        let glued = [
            format!("--app={pasted}"),
            format!("-c{pasted}"),
            format!("--{pasted}"),
            format!("TOKEN={pasted}"),
            format!("--format={pasted}"),
        ];
        let places = [
            &["refresh", pasted][..],
            &["refresh", "brand", pasted],
            &["exchange", pasted],
            &["status", "--token-file", pasted],
            &["status", "--token-file", "-", "--app", pasted],
            &["token", pasted],
            &["history", pasted, "--since", pasted],
            &["deliver", "--restore", pasted],
            &[pasted],
            &[pasted, "refresh"],
            &["config", pasted],
            &["config", "check", pasted],
            &["refresh", "--lock-wait", pasted],
            &["--sandbox", "--scenario", pasted, "refresh"],
            &["refresh", "--no-such-option", pasted],
            &["exec", pasted, "--", "echo"],
            &["exec", "--env", pasted, "brand", "--", "echo"],
            &["init", "--app-id", pasted],
            &["init", "--deliver", pasted],
            &["pages", pasted],
            &["forget", "--owner", pasted],
            &["status", "--user", pasted],
            &["key", "rotate", "--new", pasted],
            &["refresh", &glued[0]],
            &["refresh", &glued[1]],
            &["refresh", &glued[2]],
            &["refresh", &glued[3]],
            &["refresh", &glued[4]],
        ];
        for (place, arguments) in places.into_iter().enumerate() {
            let arguments = [arguments, FORMS[(place + turn) % FORMS.len()]].concat();
            let ran = world.run(&arguments).code(64);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            let part: String = pasted.chars().skip(4).take(12).collect();
            assert!(!said.contains(&part), "{arguments:?}\n{said}");
            assert!(said.contains("it was not used"), "{arguments:?}\n{said}");
        }
    }
    for (path, bytes) in world.bytes_on_disk() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("fakefakefake0"), "{}", path.display());
    }
}

#[test]
fn the_person_is_told_where_it_is_now_and_how_to_hand_it_over() {
    let world = World::new();
    world
        .run(&["refresh", PASTED[0]])
        .stdout("")
        .stderr(
            "error: argument 6 looks like an access token; it was not used, and is not repeated here\n\
             hint: the shell's history has it now: delete that line (in bash: `history -d NUMBER`)\n\
             hint: run `metatoken exchange LABEL` and paste it, or name a file with `--token-file`\n",
        )
        .code(64);
    for (typed, hint) in [
        (
            &["add", "anna", "--type", "user", PASTED[0]][..],
            "run `metatoken add anna --type user` and paste it, or name a file with `--token-file`",
        ),
        (
            &["add", PASTED[0]],
            "run `metatoken add LABEL --type TYPE` and paste it, or name a file with `--token-file`",
        ),
        (
            &["exchange", "--replace", "anna", PASTED[0]],
            "run `metatoken exchange anna` and paste it, or name a file with `--token-file`",
        ),
        (
            &["exec", "anna", "--", "post", PASTED[0]],
            "a program finds it in `META_ACCESS_TOKEN`: `metatoken exec anna -- PROGRAM`",
        ),
    ] {
        let ran = world.run(typed).stdout("").code(64);
        assert_eq!(ran.stderr.lines().last(), Some(&*format!("hint: {hint}")), "{typed:?}");
    }
    world
        .run(&["check", PASTED[4]])
        .verdict("METATOKEN UNKNOWN - argument 6 looks like an app secret; it was not used, and is not repeated here\n")
        .stderr(
            "error: argument 6 looks like an app secret; it was not used, and is not repeated here\n\
             hint: the shell's history has it now: delete that line (in bash: `history -d NUMBER`)\n\
             hint: put it into a file of mode 0600 and name that in the config: `secret = { file = \"app-secret\" }`\n",
        )
        .code(3);
    let json = world.run(&["refresh", "--json", PASTED[0]]).code(64).json();
    assert_eq!(json["error"]["code"], "secret_in_arguments");
    assert_eq!(json["error"]["exit_code"], 64);
}

/// A paste that was torn or encoded on its way is a secret all the same.
#[test]
fn what_was_torn_or_encoded_is_not_repeated_either() {
    let world = World::new();
    let pasted = PASTED[0];
    let torn = |gap: &str, at: usize| format!("{}{gap}{}", &pasted[..at], &pasted[at..]);
    let percent: Vec<String> = pasted.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let percent = percent.concat();
    let typed = [
        torn(" ", 2),
        torn("\n", 3),
        torn("\u{a0}", 4),
        torn("\u{200b}", 1),
        torn("\\\n", 6),
        percent,
        format!("ACCESS_TOKEN={}", pasted.to_lowercase()),
        data_encoding::BASE64.encode(pasted.as_bytes()),
    ];
    let places = [
        &["refresh", "@"][..],
        &["refresh", "--", "@"],
        &["@"],
        &["--config=@", "status"],
        &["status", "--format", "@"],
        &["history", "--since", "@"],
        &["add", "brand", "--type", "user", "--deliver", "@"],
        &["forget", "--owner=@"],
    ];
    for (turn, typed) in typed.iter().enumerate() {
        for (place, words) in places.iter().enumerate() {
            let words: Vec<String> = words.iter().map(|word| word.replace('@', typed)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let arguments = [&words[..], FORMS[(place + turn) % FORMS.len()]].concat();
            let arguments = if words.contains(&"--") { &words[..] } else { &arguments[..] };
            let ran = world.run(arguments).code(64);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains("it was not used"), "{arguments:?}\n{said}");
            assert!(!said.contains(&typed[typed.len() - 12..]), "{arguments:?}\n{said}");
        }
    }
    world
        .run(&["login", "brand", "https://localhost/?code=opaque1&state=x.y"])
        .stderr(
            "error: argument 7 looks like a login code; it was not used, and is not repeated here\n\
             hint: the shell's history has it now: delete that line (in bash: `history -d NUMBER`)\n\
             hint: run `metatoken login brand --answer -` and paste it\n",
        )
        .code(64);
}

#[test]
fn what_is_no_text_is_looked_at_too() {
    let world = World::new();
    let mut command = world.command(&["refresh"]);
    let bytes = [PASTED[0].as_bytes(), b"\xff"].concat();
    command.arg(OsString::from_vec(bytes)).stdin(Stdio::null());
    let ran = world.finish(command.spawn().unwrap()).code(64);
    assert!(!ran.stderr.contains("fakeZB"), "{}", ran.stderr);
}

/// Every command that there is, at each of its options and behind them.
#[test]
fn no_option_of_any_command_takes_one() {
    let world = World::new();
    let pasted = PASTED[0];
    let mut tried = 0;
    let mut refused = |words: &[String], last: &[&str]| {
        let words: Vec<&str> =
            words.iter().map(String::as_str).chain(last.iter().copied()).collect();
        let ran = world.run(&words);
        let code = if words[0] == "check" { 3 } else { 64 };
        assert_eq!(ran.code, Some(code), "{words:?}: {}", ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(&pasted[4..16]), "{words:?}\n{said}");
        assert!(said.contains("looks like an access token; it was not used"), "{words:?}\n{said}");
        assert!(said.contains("the shell's history has it now"), "{words:?}\n{said}");
        tried += 1;
    };
    let mut waiting = vec![(Vec::new(), metatoken::cli::command())];
    while let Some((words, command)) = waiting.pop() {
        for inner in command.get_subcommands() {
            let words = [&words[..], &[inner.get_name().to_owned()]].concat();
            waiting.push((words, inner.clone()));
        }
        if words.is_empty() {
            continue;
        }
        refused(&words, &[pasted]);
        refused(&words, &["--", pasted]);
        // Behind each option, and glued to each other one.
        let options = command.get_arguments().filter_map(clap::Arg::get_long);
        for (turn, option) in options.enumerate() {
            match turn % 2 {
                0 => refused(&words, &[&format!("--{option}"), pasted]),
                _ => refused(&words, &[&format!("--{option}={pasted}")]),
            }
        }
    }
    assert!(tried > 100, "{tried}");
    for (path, bytes) in world.bytes_on_disk() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&pasted[4..16]), "{}", path.display());
    }
}
