//! `token` and `exec`: what programs get, and what they do not get.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use crate::common::{ANNA, APP, APP_SECRET, Ran, World, day};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"

[token.shop]
type = "page"
parent = "brand"
page_id = "2000000000000001"
"#;

const BRAND: &str = "EAAFAKEBrand1";

/// A world in which both were adopted and found alive on day 0.
fn kept() -> World {
    let spec = TokenFixture::user(APP, ANNA).named("brand");
    let world = World::new()
        .config(CONFIG)
        .token("BRAND", spec.scopes(["public_profile", "pages_show_list"]))
        .with("PATH", "/usr/local/bin:/usr/bin:/bin");
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world
}

/// The same on day 5, after Meta has called the user's token dead or held.
fn after(what: Invalidation) -> World {
    let mut world = kept();
    world.graph.with(|graph| graph.invalidate(BRAND, what));
    world.at(day(5));
    let ran = world.run(&["refresh", "--quiet"]);
    assert_eq!(ran.code, Some(77), "{}", ran.stdout);
    world
}

fn exec(world: &World, arguments: &[&str]) -> Ran {
    world.run(&[&["exec"], arguments].concat())
}

#[test]
fn a_dead_one_is_refused_with_what_to_do() {
    let world = after(Invalidation::PasswordChanged);
    for command in [&["token", "brand"][..], &["exec", "brand", "--", "echo", "started"]] {
        world
            .run(command)
            .stdout("")
            .stderr(
                "
error: brand: its access token is dead: password changed; Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)
hint: anna@client.example logs in to the app again: run `metatoken login brand`
hint: to have it all the same, add `--dead`
",
            )
            .exit(Exit::PersonNeeded);
    }
    world.run(&["token", "--dead", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").code(0);
    exec(&world, &["--dead", "brand", "--", "sh", "-c", "echo $META_ACCESS_TOKEN"])
        .stdout("\nEAAFAKEBrand1\n")
        .stderr("")
        .code(0);
    // Its Page died with it, and is refused for itself.
    let page = world.run(&["token", "shop"]).stdout("").exit(Exit::PersonNeeded);
    assert!(page.stderr.starts_with("error: shop: its access token is dead: "), "{}", page.stderr);
    assert!(page.stderr.contains("`metatoken login brand`"), "{}", page.stderr);
    // No key is needed to refuse, and a new one is handed out at once.
    let string = world.mint(TokenFixture::user(APP, ANNA).named("new"));
    world.run_with_input(&["exchange", "brand", "-q"], &string).exit(Exit::Ok);
    assert!(world.in_use("brand").starts_with("EAAFAKENew"), "{}", world.in_use("brand"));
    world.run(&["token", "brand"]).stderr("").code(0);
}

#[test]
fn one_that_is_held_or_past_its_date_comes_with_a_warning() {
    let world = after(Invalidation::Checkpoint);
    for quiet in [&["token", "brand"][..], &["token", "brand", "--quiet"]] {
        world
            .run(quiet)
            .stdout("\nEAAFAKEBrand1\n")
            .stderr(
                "
warning: brand: it may not work now: account held; Meta: \"You cannot access the app till you log in to www.facebook.com and follow…\" (190/459); anna@client.example opens facebook.com, logs in and does what it asks; then run `metatoken refresh brand`
",
            )
            .code(0);
    }
    // Past its date, and Graph was not asked since.
    let mut world = kept();
    world.at(day(70));
    world
        .run(&["token", "brand"])
        .stdout("\nEAAFAKEBrand1\n")
        .stderr(
            "
warning: brand: it may not work now: expired, not checked since; run `metatoken refresh brand`
",
        )
        .code(0);
    let ran = exec(&world, &["brand", "--", "true"]).stdout("").code(0);
    assert!(ran.stderr.starts_with("warning: brand: "), "{}", ran.stderr);
    world.run(&["token", "--dead", "brand"]).stderr("").code(0);
}

#[test]
fn a_program_has_the_token_in_its_environment_and_no_other_secret() {
    let world = kept().with("METATOKEN_CONFIG", "/nowhere").with("CREDENTIALS_DIRECTORY", "/run");
    let ran = exec(&world, &["brand", "--", "env"]).stderr("").code(0);
    let mut names: Vec<&str> = ran.stdout.lines().map(|it| it.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["INSTA_SECRET", "META_ACCESS_TOKEN", "PATH", "THREADS_SECRET"]);
    assert!(ran.stdout.contains("META_ACCESS_TOKEN=EAAFAKEBrand1\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(APP_SECRET), "{}", ran.stdout);
    // Another variable, another token, several at once.
    let page = world.in_use("shop");
    let print = "echo ${META_ACCESS_TOKEN-none} ${A-none} ${B-none}";
    for (options, expected) in [
        (vec!["--env", "A"], format!("none {BRAND} none\n")),
        (vec!["--env", "A=shop"], format!("{BRAND} {page} none\n")),
        (vec!["--env", "A", "--env", "B=shop"], format!("none {BRAND} {page}\n")),
        (vec!["--env=A=brand", "--env=B=brand"], format!("none {BRAND} {BRAND}\n")),
        // What the config reads a secret from is set because it was asked for.
        (vec!["--env", "BRAND"], "none none none\n".to_owned()),
    ] {
        let arguments = [&options[..], &["brand", "--", "sh", "-c", print]].concat();
        exec(&world, &arguments).stdout(&expected).stderr("").code(0);
    }
}

#[test]
fn a_program_may_read_the_token_instead() {
    let world = kept();
    let print = "cat; echo; echo ${META_ACCESS_TOKEN-none}";
    exec(&world, &["--stdin", "brand", "--", "sh", "-c", print])
        .stdout("\nEAAFAKEBrand1\nnone\n")
        .stderr("")
        .code(0);
    for number in ["3", "9", "57"] {
        let print = format!("cat /dev/fd/{number}; echo; echo ${{META_ACCESS_TOKEN-none}}; cat");
        world
            .run_with_input(&["exec", "--fd", number, "brand", "--", "sh", "-c", &print], "typed\n")
            .stdout("\nEAAFAKEBrand1\nnone\ntyped\n")
            .stderr("")
            .code(0);
    }
    // Nothing else that we have open goes along.
    let open = |ran: &Ran| ran.stdout.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let list = ["sh", "-c", "ls /proc/self/fd"];
    let mut plain = Command::new(list[0]);
    plain.args(&list[1..]).env("PATH", "/usr/bin:/bin");
    plain.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut expected = open(&world.finish(plain.spawn().unwrap()));
    expected.insert("50".to_owned());
    let ran = exec(&world, &[&["--fd", "50", "brand", "--"], &list[..]].concat()).code(0);
    assert_eq!(open(&ran), expected);
    for (number, why) in [
        ("0", "standard input, output and error have it"),
        ("2", "standard input, output and error have it"),
        ("99999999", "the number is beyond the limit of open files"),
    ] {
        exec(&world, &["--fd", number, "brand", "--", "echo"])
            .stdout("")
            .stderr(&format!(
                "error: --fd {number}: {why}\nhint: name a descriptor that is free, such as `--fd 3`; `--stdin` is 0\n"
            ))
            .exit(Exit::Usage);
    }
    let taken = world.command(&["exec", "--fd", "7", "brand", "--", "echo"]);
    let ran = world.finish(crate::common::shell("\"$@\" 7</dev/null", &taken).spawn().unwrap());
    let said = "--fd 7: the descriptor is open already\nhint: name a descriptor that is free, such as `--fd 8`;";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    ran.stdout("").exit(Exit::Usage);
}

#[test]
fn the_program_takes_our_place() {
    let world = kept();
    world.write("plain", "no program");
    world.write("script", "#!/no/such/interpreter\n");
    world.write("folder/x", "");
    let script = world.path("script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (argv, code) in [
        (vec!["true"], 0),
        (vec!["sh", "-c", "exit 3"], 3),
        (vec!["sh", "-c", "exit 77"], 77),
        (vec!["no-such-program"], 127),
        (vec!["./no-such-program"], 127),
        (vec!["./plain"], 126),
        (vec!["./folder"], 126),
        (vec!["./script"], 126),
    ] {
        let ran = exec(&world, &[&["brand", "--"], &argv[..]].concat()).stdout("");
        assert_eq!(ran.code, Some(code), "{argv:?}: {}", ran.stderr);
    }
    exec(&world, &["brand", "--", "no-such-program"]).stderr(
        "
error: no-such-program: command not found
hint: name a program that is in `PATH`, or its path
",
    );
    exec(&world, &["brand", "--", "./plain"]).stderr(
        "
error: ./plain: cannot be run: Permission denied (os error 13)
hint: name a file that you may execute: `chmod +x FILE`
",
    );
    exec(&world, &["brand", "--", "./folder"]).stderr(
        "
error: ./folder: cannot be run: Permission denied (os error 13)
hint: it is a folder: name a program in it
",
    );
    // A signal is its own, and ours is its.
    let killed = exec(&world, &["brand", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!((killed.code, killed.signal), (None, Some(9)));
    let told = world.command(&["exec", "brand", "--", "sh", "-c", "kill -TERM $$"]);
    let ran = world.finish(crate::common::shell("\"$@\"; echo $?", &told).spawn().unwrap());
    assert!(ran.stdout.starts_with("143\n"), "{}", ran.stdout);
    // One process: the program has our number, and what we are sent.
    let mut child = world.spawn(&["exec", "brand", "--", "sh", "-c", "echo $$; exec sleep 60"]);
    let id = child.id();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    assert_eq!(line.trim(), id.to_string());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_is_ours_to_refuse_is_refused_before_it_starts() {
    let world = kept();
    for (arguments, code, said) in [
        (vec!["--", "echo"], 64, ""),
        (vec!["brand"], 64, ""),
        (
            vec!["brand", "echo"],
            64,
            "error: `--` is missing before `echo`\nhint: write `--` before the program: `metatoken exec LABEL -- echo`\n",
        ),
        (vec!["nobody", "--", "echo"], 64, "error: nobody: matches no token\n"),
        (vec!["--env", "A=nobody", "brand", "--", "echo"], 64, "error: nobody: matches no token\n"),
        (
            vec!["--env", "1A", "brand", "--", "echo"],
            64,
            "error: `1A` is not the name of a variable\n",
        ),
        (
            vec!["--env", "A", "--env", "A=shop", "brand", "--", "echo"],
            64,
            "error: `--env A` is there twice\n",
        ),
        (
            vec!["--env", "META_ACCESS_TOKEN=shop", "brand", "--", "echo"],
            64,
            "error: `META_ACCESS_TOKEN` is another token's, so `brand` has no variable\n",
        ),
        (
            vec!["--stdin", "--env", "A", "brand", "--", "echo"],
            64,
            "error: the argument '--stdin' cannot be used with '--env",
        ),
    ] {
        let ran = exec(&world, &arguments).stdout("").code(code);
        assert!(ran.stderr.starts_with(said), "{arguments:?}: {}", ran.stderr);
    }
    std::fs::remove_file(world.path("metatoken.key")).unwrap();
    exec(&world, &["brand", "--", "echo"]).stdout("").exit(Exit::Storage);
    let bare = World::new().config(CONFIG);
    exec(&bare, &["brand", "--", "echo"])
        .stdout("")
        .stderr(
            "
error: brand: has no access token yet
hint: run `metatoken refresh brand`, or `metatoken exchange brand` to paste one
",
        )
        .code(1);
}
