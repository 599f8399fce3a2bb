//! Who has logged in, and what that person granted.

use std::io::Write as _;
use std::process::Stdio;

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Listing, Rule, UserFixture};

use super::{ALL, CONFIG, address, anna_grants, hand_in, kept, locked_out, play};
use crate::common::{ANNA, BAKERY, World, terminal};

const BEN: &str = "3000000000000002";

fn ben_grants(world: &World) -> String {
    world.graph.with(|graph| {
        graph.add_user(UserFixture::new(BEN, "Ben").with_page(BAKERY, Listing::Listed));
    });
    play(world, &address(world, "brand"), &format!("as={BEN}&decision=allow{ALL}"))
}

#[test]
fn another_person_is_refused_by_name_and_taken_only_on_purpose() {
    let world = locked_out();
    let answer = ben_grants(&world);
    let _ = hand_in(&world, "brand", &answer, &[]).stdout("").stderr(
            "
error: brand: the new access token was rejected: the token belongs to user 3000000000000002, not to 3000000000000001
hint: anna@client.example logs in to the app again: run `metatoken login brand`
hint: the current access token is untouched
hint: to make it the token of the other person from now on, run `metatoken login brand --replace-identity`
",
        ).exit(Exit::InputRefused);
    let _ = world.run(&["refresh", "-q"]).exit(Exit::PersonNeeded);
    let answer = ben_grants(&world);
    let ran = hand_in(&world, "brand", &answer, &["--replace-identity"]);
    assert!(ran.stdout.contains("1 logged in"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn who_is_expected_is_said_by_option_or_config() {
    let world = World::new().config("[token.brand]\ntype = \"user\"\n");
    let answer = anna_grants(&world, "");
    let _ = hand_in(&world, "brand", &answer, &[])
        .stdout("")
        .stderr(
            "
error: brand: the person who has to log in is not named, and there is no terminal to ask on
hint: add `--expect-user ID` with the person's id, or `user_id` to `[token.brand]`
",
        )
        .exit(Exit::Usage);
    // Nothing was spent.
    let _ = hand_in(&world, "brand", &answer, &["--expect-user", BEN])
        .stdout("")
        .stderr(
            "
error: brand: refused: person 3000000000000001 logged in, and not 3000000000000002
hint: for a new address, run `metatoken login brand`
",
        )
        .exit(Exit::InputRefused);
    let answer = anna_grants(&world, "");
    let _ = hand_in(&world, "brand", &answer, &["--expect-user", ANNA]).stderr("").exit(Exit::Ok);

    let named = "[token.brand]\ntype = \"user\"\nuser_id = \"3000000000000001\"\n";
    let world = World::new().config(named);
    let answer = ben_grants(&world);
    let ran = hand_in(&world, "brand", &answer, &[]).stdout("").exit(Exit::InputRefused);
    let another = "the token belongs to user 3000000000000002, not to 3000000000000001";
    assert!(ran.stderr.contains(another), "{}", ran.stderr);
    let answer = anna_grants(&world, "");
    let _ = hand_in(&world, "brand", &answer, &[]).stderr("").exit(Exit::Ok);
}

#[test]
fn at_a_first_login_the_person_is_shown_and_confirmed() {
    for (typed, code) in [("y", 0), ("n", 65), ("", 65)] {
        let world = World::new().config("[token.brand]\ntype = \"user\"\npages = \"all\"\n");
        let answer = anna_grants(
            &world,
            "&grant=pages_show_list&page=2000000000000001&page=2000000000000002",
        );
        world.write("answer", &answer);
        let inner = world.command(&["login", "brand", "--answer", "answer"]);
        let mut outer = terminal(200, "\"$@\"; echo \"code $?\"", &inner);
        let child = outer.stdin(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.as_ref().unwrap(), "{typed}").unwrap();
        let ran = world.finish(child);
        let said = ran.stdout.replace("\r\n", "\n");
        assert!(
            said.contains("Logged in: Anna (id 3000000000000001), Pages: Bakery, Café\n"),
            "{said}"
        );
        assert!(said.contains("Is this the person for `brand`? [y/N]"), "{said}");
        assert!(said.contains(&format!("code {code}\n")), "{said}");
    }
}

#[test]
fn pages_that_work_and_were_not_ticked_are_named_before_they_are_lost() {
    let world = kept(CONFIG);
    let one = "&grant=pages_show_list&grant=pages_manage_posts&page=2000000000000001";
    let answer = anna_grants(&world, one);
    let _ = hand_in(&world, "brand", &answer, &[])
        .stdout("")
        .stderr(
            "
not ticked: Café (2000000000000002)
error: brand: not replaced: these Pages work today, and would get no new access token: Café (2000000000000002)
hint: log in again and tick them: `metatoken login brand`
hint: to do without them, run `metatoken login brand --replace`
hint: the current access token is untouched
",
        )
        .exit(Exit::InputRefused);
    let _ = world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
    let answer = anna_grants(&world, one);
    let ran = hand_in(&world, "brand", &answer, &["--replace"]);
    assert!(ran.stdout.contains("1 logged in"), "{}{}", ran.stdout, ran.stderr);
}

/// A login that was cut short before its Pages were compared is finished as it would have been.
#[test]
fn pages_that_work_are_not_lost_by_a_login_that_was_cut_short() {
    let one = "&grant=pages_show_list&grant=pages_manage_posts&page=2000000000000001";
    let cut_short = |more: &[&str]| {
        let world = kept(CONFIG);
        let answer = anna_grants(&world, one);
        let typed = [&["login", "brand", "--answer", "-"], more].concat();
        world.killed_at("sealed", &typed, &answer);
        (world, answer)
    };
    let (world, answer) = cut_short(&[]);
    let before = world.in_use("brand");
    let again = hand_in(&world, "brand", &answer, &[]).stdout("").exit(Exit::InputRefused);
    let hint = "hint: what it gave is kept: `metatoken refresh brand` finishes it\n";
    assert!(again.stderr.ends_with(hint), "{}", again.stderr);
    // Where the Pages cannot be listed, the login waits.
    world.graph.misbehave(Rule::on("/me/accounts"), FaultInjection::Code2Transient);
    world.run(&["refresh", "brand", "-q"]).exit(Exit::Unavailable);
    world.graph.behave();
    assert_eq!(world.in_use("brand"), before);
    let ran = world.run(&["refresh", "brand", "--json"]).exit(Exit::InputRefused);
    let said = "brand: not ticked: Café (2000000000000002)\n";
    assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
    let problem = &ran.result("brand")["problem"];
    assert_eq!(
        problem["message"],
        "the new access token was rejected: these Pages work today, and would get no new access token: \
         Café (2000000000000002)"
    );
    let remedy = problem["remedy"].as_str().unwrap();
    assert!(remedy.contains("ticking every Page: run `metatoken login brand"), "{remedy}");
    assert_eq!(world.in_use("brand"), before);
    world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
    let hint = "hint: to do without them, run `metatoken login brand --replace`\n";
    assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    let answer = anna_grants(&world, one);
    let _ = hand_in(&world, "brand", &answer, &["--replace"]);
    assert_ne!(world.in_use("brand"), before);
    // Who gave them up is told what is gone.
    let (world, _) = cut_short(&["--replace"]);
    let ran = world.run(&["refresh", "brand", "--json"]);
    assert!(
        ran.stderr.starts_with("brand: not ticked: Café (2000000000000002)\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.outcomes()["brand"], "logged_in", "{}", ran.stdout);
}

/// It names what was not granted, too.
#[test]
fn a_permission_that_was_not_granted_is_named_by_the_run_that_finishes_a_login() {
    let world = kept(CONFIG);
    let both = "&page=2000000000000001&page=2000000000000002";
    let answer = anna_grants(&world, &format!("&grant=pages_show_list{both}"));
    world.killed_at("sealed", &["login", "brand", "--answer", "-"], &answer);
    let ran = world.run(&["refresh", "brand", "--json"]);
    assert!(ran.stderr.starts_with("brand: not granted: pages_manage_posts\n"), "{}", ran.stderr);
    assert_eq!(ran.outcomes()["brand"], "logged_in", "{}", ran.stdout);
    let ran = world.run(&["refresh", "brand", "--json"]);
    assert!(!ran.stderr.contains("not granted"), "{}", ran.stderr);
}

/// A first login whose answer was lost gave nothing that could be copied again.
#[test]
fn after_a_first_login_that_was_lost_the_next_step_is_another_login() {
    let named = "[token.brand]\ntype = \"user\"\nuser_id = \"3000000000000001\"\n";
    let world = World::new().config(named);
    let answer = anna_grants(&world, "");
    world.killed_at("granted", &["login", "brand", "--answer", "-"], &answer);
    let lost = "a login that began 2026-01-01 00:00 UTC was cut short; what Meta answered is lost";
    let hint = "run `metatoken login brand`";
    let next = |world: &World| {
        let text = world.run(&["status", "--offline"]).stdout;
        assert!(text.contains("  log in again\n") && text.contains(lost), "{text}");
        assert!(text.contains(hint), "{text}");
    };
    next(&world);
    let check = world.run(&["check"]).code(3);
    assert!(check.stdout.contains(hint), "{}", check.stdout);
    let ran = world.run(&["refresh"]).exit(Exit::PersonNeeded);
    assert!(ran.stdout.contains(hint), "{}", ran.stdout);
    next(&world);
    let answer = anna_grants(&world, "");
    let _ = hand_in(&world, "brand", &answer, &[]).stderr("").exit(Exit::Ok);
}

#[test]
fn a_permission_that_was_not_granted_is_named_and_a_required_one_is_not_given_up() {
    let world = kept(CONFIG);
    let both = "&page=2000000000000001&page=2000000000000002";
    let answer = anna_grants(&world, &format!("&grant=pages_show_list{both}"));
    // The Pages keep what can do more until a person says otherwise.
    let ran = hand_in(&world, "brand", &answer, &[]).exit(Exit::PersonNeeded);
    assert_eq!(ran.stderr, "not granted: pages_manage_posts\n");
    assert!(ran.stdout.contains("brand                   logged in"), "{}", ran.stdout);
    let bare = World::new().config(
        "[token.brand]\ntype = \"user\"\nuser_id = \"3000000000000001\"\n\
         required_scopes = [\"pages_show_list\"]\n",
    );
    let answer = anna_grants(&bare, "&grant=pages_show_list");
    let _ = hand_in(&bare, "brand", &answer, &[]).stderr("").exit(Exit::Ok);
    let answer = anna_grants(&bare, "");
    let ran = hand_in(&bare, "brand", &answer, &[]).exit(Exit::InputRefused);
    assert!(
        ran.stderr.starts_with("not granted: pages_show_list\nerror: brand: not replaced: ")
            && ran.stderr.contains("run `metatoken login brand --replace`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_the_dialog_says_in_place_of_a_code_is_said_with_what_to_do() {
    let world = kept(CONFIG);
    let declined = play(&world, &address(&world, "brand"), "decision=cancel");
    let json = |number: i64| format!(r#"{{"error_message":"Words","error_code":{number}}}"#);
    let then = "then run `metatoken login brand`";
    for (answer, said, hint) in [
        (
            declined,
            "login declined: the person pressed Cancel",
            "to ask again, run `metatoken login brand`".to_owned(),
        ),
        (
            json(1_349_168),
            "the app's settings do not list the redirect address https://localhost/ (1349168)",
            format!(
                "add `https://localhost/`, to the byte, in the app's dashboard (Facebook Login, \
                 Settings, Valid OAuth Redirect URIs), {then}"
            ),
        ),
        (
            json(1_349_245),
            "the person has not accepted the invitation to test app `main` (1349245)",
            format!(
                "that person accepts it (account settings, Website permissions, Invites), {then}"
            ),
        ),
        (
            json(1_349_026),
            "app `main` has the id of the app at Facebook (1349026)",
            format!("set `id` of `[app.main]` to the App ID, {then}"),
        ),
        (
            "https://localhost/?error_code=4476002&error_message=Wrong+id".to_owned(),
            "app `main` has the id of the app at Facebook (4476002)",
            format!("set `id` of `[app.main]` to the App ID, {then}"),
        ),
        (
            "https://localhost/?error=server_error&error_description=Try%20later".to_owned(),
            "the login dialog refused: Try later",
            format!("fix it in the app's dashboard, {then}"),
        ),
    ] {
        let _ = hand_in(&world, "brand", &answer, &[])
            .stdout("")
            .stderr(&format!("\nerror: brand: {said}\nhint: {hint}\n"))
            .exit(Exit::PersonNeeded);
    }
}

/// A first login is sealed before anybody has said that it is the right person's: a kill at that moment
/// leaves nothing that a timer's run would take for it.
#[test]
fn a_kill_before_the_person_is_known_to_be_right_puts_no_other_in_place() {
    const SAID: &str = "the new access token was rejected: a login was cut short before it was \
                        confirmed that the right person logged in";
    for (person, exit) in [(ANNA, Exit::Ok), (BEN, Exit::InputRefused)] {
        let world = World::new().config(CONFIG);
        let answer = anna_grants(&world, ALL);
        let typed = ["login", "brand", "--answer", "-", "--expect-user", person];
        world.killed_at("sealed", &typed, &answer);
        let ran = world.run(&["refresh", "brand", "--json"]).exit(exit);
        let taken = ran.result("brand")["outcome"] == "logged_in";
        assert_eq!(taken, exit == Exit::Ok, "{person}: {}", ran.stdout);
        let kinds: Vec<String> = world.events("brand").into_iter().map(|(it, _)| it).collect();
        assert_eq!(kinds.contains(&"logged_in".to_owned()), taken, "{person}: {kinds:?}");
    }
    // Nobody named the person, and the terminal was still to be asked.
    let world = World::new().config(CONFIG);
    world.write("answer", anna_grants(&world, ALL));
    let mut inner = world.command(&["login", "brand", "--answer", "answer"]);
    inner.env("METATOKEN_FAILPOINT", "sealed");
    let child = terminal(200, "\"$@\"; true", &inner).spawn().unwrap();
    let _ = world.finish(child);
    let ran = world.run(&["refresh", "brand", "--json"]).exit(Exit::InputRefused);
    assert_eq!(ran.result("brand")["problem"]["message"], SAID);
}
