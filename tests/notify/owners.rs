//! What the owner of a token is written: his own tokens, what he does, and no more than he reads.

use chrono::TimeDelta;
use metatoken::sandbox::{Invalidation, TokenFixture};

use super::{CHAT, OTHER, SCOPES, kill, logs_in_again, well};
use crate::common::{ANNA, APP, Hook, PostOffice, ROBOT, World, day};

const ANNAS: &str = "owner = \"Anna <anna@Client.example>\"\n";
const OTTOS: &str = "owner = \"otto@client.example\"\n";
const LINKS: &str = "[alerts]\nlogin_links = true\nprefix = \"sudo -u metatoken\"\n";

/// The channel that writes to owners.
fn owners(office: &PostOffice, more: &str) -> String {
    format!(
        "[[notify]]\nname = \"owners\"\nemail = \"owner\"\nfrom = \"Ops <ops@agency.example>\"\nsmtp = {{ host = \"127.0.0.1\", port = {}, security = \"none\" }}\n{more}",
        office.port
    )
}

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mail {
    to: String,
    id: String,
    subject: String,
    text: String,
}

/// The mails that have come.
fn mails(office: &PostOffice) -> Vec<Mail> {
    let mails = office.heard().into_iter().filter(|it| it.contains("\n\n"));
    mails.map(|mail| read(&mail)).collect()
}

fn read(mail: &str) -> Mail {
    let (headers, body) = mail.split_once("\n\n").unwrap();
    let headers = headers.replace("\n ", " ");
    let header = |name: &str| {
        let found = headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_default().to_owned()
    };
    let text = body.replace("=\n", "").replace("=3D", "=").replace("=E2=80=A6", "…");
    let text = text.trim_end().to_owned();
    Mail { to: header("To"), id: header("Message-ID"), subject: header("Subject"), text }
}

fn killed(config: &str) -> (World, Hook) {
    let (world, hook) = well(config);
    kill(&world);
    (world, hook)
}

#[test]
fn an_owner_reads_what_happened_and_what_to_do_and_nothing_of_the_machine() {
    let office = PostOffice::new();
    let config = format!("{ANNAS}{OTHER}{OTTOS}{LINKS}{CHAT}{}", owners(&office, ""));
    let (mut world, hook) = killed(&config.replace("login_links = true\n", ""));
    world.run(&["refresh"]).code(77).stderr("");
    let [mail] = mails(&office).try_into().unwrap();
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("anna@client.example", "metatoken CRITICAL: brand: down, password changed")
    );
    assert!(mail.id.ends_with("@agency.example>"), "{}", mail.id);
    assert_eq!(
        mail.text,
        "\
brand: down, password changed

What to do: Anna <anna@Client.example> logs in to the app again.
Deadline: passed: programs that use the token fail already.

Questions? Answer this mail."
    );
    let whole = office.heard().concat();
    for word in ["sudo", "metatoken login", "`", "/srv", "Graph", "Meta:"] {
        assert!(!mail.text.contains(word), "{word}: {whole}");
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(!whole.split("MAIL FROM").nth(1).unwrap().contains(&host), "{whole}");
    // The others hear all of it.
    assert!(hook.said()[0].contains("sudo -u metatoken metatoken login brand"));
    world.run(&["refresh"]).code(77);
    assert_eq!(mails(&office).len(), 1, "once");
    logs_in_again(&world);
    world.at(day(2));
    world.run(&["refresh"]).code(0).stderr("");
    let over = mails(&office).pop().unwrap();
    assert_eq!(over.subject, "metatoken RECOVERED: brand: nothing more to do for you");
    assert_eq!(over.text, "brand: nothing more to do for you\n\nQuestions? Answer this mail.");
}

#[test]
fn the_address_of_the_dialog_is_in_the_mail_and_nowhere_else_and_works() {
    let office = PostOffice::new();
    let to_ops = format!(
        "[[notify]]\nemail = \"ops@agency.example\"\nsmtp = {{ host = \"127.0.0.1\", port = {}, security = \"none\" }}\n",
        office.port
    );
    let pages = "pages = \"all\"\n";
    let config = format!("{pages}{ANNAS}{LINKS}{CHAT}{to_ops}{}", owners(&office, ""));
    let (mut world, hook) = killed(&config);
    world.run(&["refresh"]).code(77).stderr("");
    let all = mails(&office);
    let (hers, others): (Vec<Mail>, Vec<Mail>) =
        all.into_iter().partition(|mail| mail.to == "anna@client.example");
    let [mail] = hers.try_into().unwrap();
    assert!(
        others.iter().all(|mail| !mail.text.contains("dialog") && !mail.text.contains("state="))
    );
    assert!(hook.heard().iter().all(|it| !it.body.contains("state=")));
    let address = mail.text.lines().find(|line| line.contains("state=")).unwrap();
    let rest = mail.text.replace(address, "[ADDRESS]");
    assert_eq!(
        rest,
        "\
brand, brand/2000000000000001, brand/2000000000000002: down, password changed

What to do: Anna <anna@Client.example> logs in to the app again.
Deadline: passed: programs that use the token fail already.

Open this address in a browser, on any device, and log in:

[ADDRESS]

Tick every Page: Bakery (2000000000000001), Caf=C3=A9 (2000000000000002).
Grant every permission: public_profile, pages_show_list.
Afterwards the browser shows a page that does not load. That is expected. Copy the whole address from its \
         address bar, which begins with https://localhost/, and send it within a few minutes to \
         Ops <ops@agency.example>, and to no other person: it is a key to this login. The address above works until \
         2026-01-09 00:00 UTC, in 7 days.

Questions? Answer this mail."
            .replace("         ", "")
    );
    // Days later she opens it, and sends back where it ended.
    world.at(day(5));
    let ticked = "&grant=pages_show_list&page=2000000000000001&page=2000000000000002";
    let answer = world.play(address, &format!("as={ANNA}&decision=allow{ticked}"));
    world.run_with_input(&["login", "brand", "--answer", "-"], &answer).code(0).stderr("");
    let mut hers = mails(&office).into_iter().filter(|mail| mail.to == "anna@client.example");
    assert!(hers.next_back().unwrap().text.starts_with("brand: nothing more to do for you\n"));
}

#[test]
fn who_does_not_log_in_gets_no_dialog() {
    let office = PostOffice::new();
    let config = format!(
        "[token.ads]\ntype = \"system-user\"\naccess_token = {{ env = \"ADS\" }}\n{ANNAS}{LINKS}{}",
        owners(&office, "")
    );
    let robot = TokenFixture::system_user(APP, ROBOT).named("ads");
    let (mut world, _hook) = World::new().token("ADS", robot).told_through(&config);
    world.run(&["refresh"]).code(0);
    let string = world.in_use("ads");
    world.graph.with(|graph| graph.invalidate(&string, Invalidation::Revoked));
    world.at(day(2));
    world.run(&["refresh"]).code(77);
    let [mail] = mails(&office).try_into().unwrap();
    assert!(mail.text.contains("generates a new token for the System User"), "{}", mail.text);
    assert!(!mail.text.contains("http") && !mail.text.contains("paste"), "{}", mail.text);
}

#[test]
fn what_an_operator_has_to_do_is_not_written_to_an_owner() {
    let office = PostOffice::new();
    let deliver = "[[token.brand.deliver]]\nfile = \"nowhere/app.env\"\nkey = \"A\"\n";
    let config = format!("{ANNAS}{deliver}{CHAT}{}", owners(&office, ""));
    let (mut world, hook) = well("");
    world.reconfigure(&format!(
        "{}{}",
        crate::common::BRAND,
        config.replace("[HOOK]", &hook.origin)
    ));
    world.run(&["refresh"]).code(73);
    assert!(!hook.said().is_empty());
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = true);
    world.at(day(3));
    world.run(&["refresh"]).code(77);
    assert!(!hook.said().is_empty());
    assert_eq!(mails(&office), []);
}

#[test]
fn each_owner_gets_one_mail_about_his_own_and_who_has_no_address_gets_none() {
    let office = PostOffice::new();
    let third = "[token.third]\ntype = \"user\"\naccess_token = { env = \"THIRD\" }\nowner = \"the office, room 5\"\n";
    let fourth = "[token.fourth]\ntype = \"user\"\naccess_token = { env = \"FOURTH\" }\n";
    let (world, hook) = well("");
    let mut world = world
        .token("THIRD", TokenFixture::user(APP, ANNA).named("third").scopes(SCOPES))
        .token("FOURTH", TokenFixture::user(APP, ANNA).named("fourth").scopes(SCOPES));
    world.reconfigure(&format!(
        "{}{ANNAS}{OTHER}{OTTOS}{third}{fourth}{ANNAS}{}{}",
        crate::common::BRAND,
        owners(&office, ""),
        CHAT.replace("[HOOK]", &hook.origin),
    ));
    world.run(&["refresh"]).code(0);
    for label in ["brand", "other", "third"] {
        let string = world.in_use(label);
        world.graph.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
    }
    let string = world.in_use("fourth");
    world.graph.with(|graph| graph.invalidate(&string, Invalidation::AppRemoved));
    world.at(day(2));
    world.run(&["refresh"]).code(77);
    let mut all = mails(&office);
    all.sort_by_key(|mail| mail.to.clone());
    let [anna, otto] = all.try_into().unwrap();
    assert_eq!(
        (anna.to.as_str(), otto.to.as_str()),
        ("anna@client.example", "otto@client.example")
    );
    assert!(anna.subject.ends_with(", and 1 more"), "{}", anna.subject);
    for (label, is_hers) in
        [("brand: ", true), ("fourth: ", true), ("other", false), ("third", false)]
    {
        assert_eq!(anna.text.contains(label), is_hers, "{label}: {}", anna.text);
    }
    assert!(otto.text.starts_with("other: down") && !otto.text.contains("brand"), "{}", otto.text);
    let checked = world.run(&["config", "check"]).code(0);
    let warning = "the owner of `third` gets no mail";
    assert!(checked.stdout.contains(warning), "{}", checked.stdout);
}

#[test]
fn an_owner_gets_three_mails_a_day_and_the_rest_later() {
    let office = PostOffice::new();
    let (mut world, _hook) = well(&format!("{ANNAS}{}", owners(&office, "")));
    let at = |hours: i64| day(1) + TimeDelta::hours(hours);
    for hour in [1, 3, 5] {
        kill(&world);
        world.at(at(hour));
        world.run(&["refresh", "brand"]).code(77);
        logs_in_again(&world);
        world.at(at(hour + 1));
        world.run(&["refresh"]).code(0);
    }
    let said = |office: &PostOffice| {
        let subjects = mails(office).into_iter().map(|mail| mail.subject);
        subjects.map(|it| it.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(said(&office), ["CRITICAL:", "RECOVERED:", "CRITICAL:"]);
    world.run(&["check"]).code(0).stderr("");
    // What was held back is said when the first is a day old, as it stands then.
    world.at(at(24));
    world.run(&["refresh"]).code(0);
    assert_eq!(said(&office).len(), 3);
    world.at(at(26));
    world.run(&["refresh"]).code(0);
    assert_eq!(said(&office), ["CRITICAL:", "RECOVERED:", "CRITICAL:", "RECOVERED:"]);
}

#[test]
fn a_kill_after_a_mail_sends_it_once_more_under_its_id_and_one_before_loses_nothing() {
    let office = PostOffice::new();
    let (world, _hook) = killed(&format!("{ANNAS}{LINKS}{}", owners(&office, "")));
    world.killed_at("telling", &["refresh"], "");
    assert_eq!(mails(&office), []);
    world.killed_at("told", &["refresh"], "");
    world.run(&["refresh"]).code(77);
    world.run(&["refresh"]).code(77);
    let [first, second] = mails(&office).try_into().unwrap();
    assert_eq!((first.id, first.subject), (second.id, second.subject));
}

#[test]
fn a_mail_that_is_refused_is_a_warning_and_is_sent_later() {
    let office = PostOffice::new();
    let config = format!("{ANNAS}{CHAT}{}", owners(&office, ""));
    let nowhere = config.replace(&format!("port = {}", office.port), "port = 1");
    let (mut world, hook) = killed(&nowhere);
    let ran = world.run(&["refresh"]).code(77);
    let warning =
        "notifications to `owners to anna@client.example` fail since 2026-01-02 00:00 UTC";
    assert!(ran.stdout.contains(warning), "{}", ran.stdout);
    world.reconfigure(&format!(
        "{}{}",
        crate::common::BRAND,
        config.replace("[HOOK]", &hook.origin)
    ));
    world.at(day(2));
    world.run(&["refresh", "--json"]).code(77);
    assert_eq!(mails(&office).len(), 1);
    let now = world.run(&["refresh", "--json"]).code(77).json();
    assert_eq!(now["system"], serde_json::json!([]));
}

#[test]
fn the_owner_that_an_import_names_is_written_to_within_known_domains() {
    let office = PostOffice::new();
    for (domains, count) in [
        ("", 0),
        ("owner_domains = [\"other.example\"]\n", 0),
        ("owner_domains = [\"client.example\"]\n", 1),
    ] {
        let before = mails(&office).len();
        let alerts = format!("[alerts]\n{domains}");
        let (mut world, _hook) =
            World::new().told_through(&format!("{alerts}{}", owners(&office, "")));
        let string = world.mint(TokenFixture::user(APP, ANNA).named("in").scopes(SCOPES));
        let rows = format!("label,type,access_token,owner\nin,user,{string},ina@client.example\n");
        world.run_with_input(&["import", "-"], &rows).code(0);
        world.run(&["refresh"]).code(0);
        let string = world.in_use("in");
        world.graph.with(|graph| graph.invalidate(&string, Invalidation::PasswordChanged));
        world.at(day(2));
        world.run(&["refresh"]).code(77);
        assert_eq!(mails(&office).len() - before, count, "{domains}");
        let warns =
            world.run(&["config", "check"]).stdout.contains("the owner of `in` gets no mail");
        assert_eq!(warns, count == 0, "{domains}");
    }
}

/// A mail without the address would be the only one that is sent.
#[test]
fn what_carries_a_dialog_waits_for_a_run() {
    for (links, counts) in [("true", [0, 1]), ("false", [1, 1])] {
        let office = PostOffice::new();
        let alerts = format!("[alerts]\nlogin_links = {links}\n");
        let (mut world, hook) = killed(&format!("{ANNAS}{alerts}{CHAT}{}", owners(&office, "")));
        world.at(day(1) + TimeDelta::minutes(1));
        world.run(&["check", "--live", "--notify"]).code(2);
        assert_eq!(hook.said().len(), 1, "the chat waits for nothing");
        assert_eq!(mails(&office).len(), counts[0], "{links}");
        world.run(&["refresh"]).code(77);
        let mails = mails(&office);
        assert_eq!(mails.len(), counts[1], "{links}");
        assert_eq!(mails[0].text.contains("state="), links == "true", "{}", mails[0].text);
    }
}

#[test]
fn a_channel_to_owners_without_one_is_a_warning() {
    let office = PostOffice::new();
    let (world, _hook) = well(&owners(&office, ""));
    let checked = world.run(&["config", "check"]).code(0);
    let warning = "no token has an `owner`: nothing is ever sent there";
    assert!(checked.stdout.contains(warning), "{}", checked.stdout);
}

#[test]
fn a_test_goes_to_where_owners_answer() {
    let office = PostOffice::new();
    let (world, _hook) = well(&format!("{ANNAS}{}", owners(&office, "")));
    world.run(&["notify", "--test"]).code(0).stdout("owners: email, sent; see that it arrived\n");
    let [mail] = mails(&office).try_into().unwrap();
    assert_eq!(mail.to, "Ops <ops@agency.example>");
}

#[test]
fn reminders_reach_the_owner_too() {
    let office = PostOffice::new();
    let config =
        format!("{ANNAS}auto_refresh = false\n{}", owners(&office, "events = [\"reminder\"]\n"));
    let (mut world, _hook) = well(&config);
    world.at(day(47));
    world.run(&["refresh"]).code(0);
    let [mail] = mails(&office).try_into().unwrap();
    assert!(
        mail.subject.starts_with("metatoken REMINDER: brand: works, expires in 13 days"),
        "{}",
        mail.subject
    );
    assert!(!mail.text.contains('`'), "{}", mail.text);
}
