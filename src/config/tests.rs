//! What an operator reads about a config: the exact words.

mod deliver;
mod kinds;
mod notify;

use std::path::PathBuf;

use super::*;
use crate::error::CliError;
use crate::token::{Label, NotificationEvent, Provider, TokenType};

fn environment() -> Environment {
    Environment::new([("HOME".to_owned(), "/home/u".to_owned())])
}

fn parsed(text: &str) -> Result<Config, ConfigError> {
    let path = Path::new("/srv/m/metatoken.toml");
    parse(path, &ConfigText::of(text), &TokenFiles::default(), &environment(), Purpose::Use)
        .map(|(config, _)| config)
}

/// What `config show` is told.
fn described(text: &str) -> Description {
    assert_eq!(complaint(text), "");
    let (path, files) = (Path::new("/srv/m/metatoken.toml"), TokenFiles::default());
    parse(path, &ConfigText::of(text), &files, &environment(), Purpose::Show).unwrap().1
}

fn complaint(text: &str) -> String {
    match parsed(text) {
        Ok(_) => String::new(),
        Err(refused) => CliError::from(refused).render(),
    }
}

fn good(text: &str) -> Config {
    assert_eq!(complaint(text), "");
    parsed(text).unwrap()
}

/// The other examples are tried through the binary.
const FULL: &str = include_str!("../../examples/full.toml");

const APP: &str = "[app.main]\nid = \"1\"\n";

/// The complaints about a config with one app, without the first line, which is always the same.
fn mistakes(text: &str) -> String {
    let rendered = complaint(&format!("{APP}{text}"));
    let (first, rest) = rendered.split_once('\n').unwrap_or((&rendered, ""));
    assert!(first.starts_with("error: /srv/m/metatoken.toml: "), "{rendered}");
    rest.replace("\n  metatoken.toml:", "\nmetatoken.toml:").trim_start().to_owned()
}

#[test]
fn a_new_token_is_declared_beside_the_config_or_beside_the_store_of_the_machine() {
    let token = NewToken {
        label: Label::parse("anna").unwrap(),
        token_type: TokenType::User,
        app: Some("main".to_owned()),
        parent: None,
        page_id: None,
        all_pages: false,
        owner: None,
        user_id: None,
        deliver: Vec::new(),
    };
    for (path, text, expected) in [
        ("/srv/m/metatoken.toml", APP, "/srv/m/tokens.d/anna.toml"),
        (
            "/home/u/.config/metatoken/metatoken.toml",
            APP,
            "/home/u/.config/metatoken/tokens.d/anna.toml",
        ),
        ("/etc/metatoken/metatoken.toml", APP, "/var/lib/metatoken/tokens.d/anna.toml"),
        (
            "/etc/metatoken/metatoken.toml",
            "[app.main]\nid = \"1\"\n[store]\npath = \"/data/tokens.db\"\n",
            "/data/tokens.d/anna.toml",
        ),
    ] {
        let files = TokenFiles::default();
        let read =
            parse(Path::new(path), &ConfigText::of(text), &files, &environment(), Purpose::Use);
        let new = read.unwrap().0.new_token_file(&token, "add");
        assert_eq!(new.path, Path::new(expected));
        // It is read as it was meant.
        let file = token_files::TokenFile::of_new(&new);
        let files = TokenFiles { fit: vec![file], unfit: Vec::new() };
        let read =
            parse(Path::new(path), &ConfigText::of(text), &files, &environment(), Purpose::Use)
                .unwrap()
                .0;
        assert!(token.differences(read.token(&token.label).unwrap()).is_empty());
    }
}

#[test]
fn all_mistakes_are_shown_at_once_in_the_order_of_the_file() {
    let text =
        "[app.main]\nid = 12\n\n[token.brand]\ntype = \"usr\"\nacess_token = { env = \"X\" }\n";
    assert_eq!(
        complaint(text),
        r#"error: /srv/m/metatoken.toml: 3 mistakes
  metatoken.toml:2:6: `id` must be a string or a reference, not a number
    2 | id = 12
      |      ^^ write `"12"`
  metatoken.toml:5:8: unknown type `usr`
    5 | type = "usr"
      |        ^^^^^ did you mean `user`?
  metatoken.toml:6:1: unknown key `acess_token`
    6 | acess_token = { env = "X" }
      | ^^^^^^^^^^^ did you mean `access_token`?"#
    );
}

#[test]
fn every_mistake_says_where_what_and_what_instead() {
    let count = try_cases(include_str!("mistakes.txt"));
    assert!(count > 40, "{count} cases");
}

/// Tries every case of a table, and counts them.
fn try_cases(cases: &str) -> usize {
    let cases = cases.split("\n====\n").inspect(|case| {
        let (text, expected) = case.split_once("\n----\n").expect("a case has two parts");
        assert_eq!(mistakes(text), expected.trim_end(), "\n{text}");
    });
    cases.count()
}

#[test]
fn a_secret_is_never_shown_again() {
    for text in [
        "[token.b]\ntype = \"user\"\naccess_token = \"EAAhush hush\"",
        "[token.b]\ntype = \"user\"\nacess_token = \"EAAhush\"",
        "[token.b]\ntype = \"user\"\ntype = \"EAAhush0123456789012345\" # EAAhush\n",
        "[token.b]\ntype = \"EAAhush0123456789012345\"",
        "[token.b]\naccess_token = EAAhush\n",
        "[token.b]\naccess_token = \"EAAhush\n",
        "[token.b]\naccess_token = \"\"\"\nEAAhush\n",
        "[token.b]\naccess_token = 'EAAhush' EAAhush\n",
        "[token.b]\naccess_token \"EAAhush\"\n",
        "[app.x]\nid = \"1\"\nsecret = \"hush hush\"",
        "[app.x]\nid = \"EAAhush\"\n",
        "[app.x]\nid = \"1\"\nsecret = { env = \"A\", file = \"B\", value = \"EAAhush\" }",
        "[app.x]\nid = \"1\"\nsecret = [\"EAAhush\"]",
        "[store]\nkey = \"hush\"\nkey = \"hush\"",
        "app = \"EAAhush0123456789012345\"",
        "[token]\nbrand = \"EAAhush\"",
        "[app.EAAhush0123456789012345]\nid = \"1\"\n[app.b]\nid = \"2\"\nkind = \"threads\"\n[token.t]\ntype = \"user\"\napp = \"b\"",
        "[app.EAAhush0123456789012345]\nid = \"1\"\n[token.t]\ntype = \"app\"",
        "[token.t]\ndeliver = [{ command = [\"curl\", \"-HBearer EAAhush\"] }]",
        "[token.t]\n[[token.t.deliver]]\nfile = \"a.toml\"\nkey = \"EAAhush0123456789012345..\"",
        "[token.t]\n[[token.t.deliver]]\ncomand = [\"EAAhush\"]",
    ] {
        let rendered = complaint(text);
        assert!(rendered.contains("mistake"), "{text}");
        assert!(!rendered.contains("hush"), "{text}\n{rendered}");
    }
}

#[test]
fn the_full_example_passes() {
    let config = good(FULL);
    let belong: Vec<(&str, &str, Provider)> = config
        .tokens
        .iter()
        .map(|token| {
            let kind = config.app(&token.app).expect("its app is in the file").kind;
            (token.label.as_str(), token.app.as_str(), kind)
        })
        .collect();
    assert_eq!(
        belong,
        [
            ("brand", "main", Provider::Facebook),
            ("brand-page", "main", Provider::Facebook),
            ("brand/2000000000000002", "main", Provider::Facebook),
            ("creator", "insta", Provider::Instagram),
            ("notes", "notes", Provider::Threads),
            ("publisher-app", "main", Provider::Facebook),
            ("whatsapp", "main", Provider::Facebook),
            ("whatsapp-backup", "main", Provider::Facebook),
            ("admin", "main", Provider::Facebook),
        ]
    );
    assert_eq!(config.tokens[1].deliver.len(), 2);
    let page = &config.tokens[2];
    assert!(!page.policy.auto_refresh);
    assert_eq!(page.parent.as_ref().map(Label::as_str), Some("brand"));
    let whatsapp = config.tokens.iter().find(|it| it.label.as_str() == "whatsapp").unwrap();
    assert_eq!(whatsapp.backup.as_ref().map(Label::as_str), Some("whatsapp-backup"));
}

#[test]
fn a_backup_is_one_that_could_take_the_place_of_its_token() {
    let head = "[app.main]\nid = \"1\"\nsecret = \"x\"\n[app.other]\nid = \"2\"\nsecret = \"x\"\n";
    let user = |label: &str, more: &str| {
        format!("[token.{label}]\ntype = \"user\"\napp = \"main\"\n{more}\n")
    };
    let page = |label: &str, id: &str, more: &str| {
        format!("[token.{label}]\ntype = \"page\"\napp = \"main\"\npage_id = \"{id}\"\n{more}\n")
    };
    let a = user("a", "backup = \"b\"");
    for (tables, message) in [
        (user("a", "backup = \"a\""), "a token cannot be its own backup"),
        (a.clone(), "there is no token `b`"),
        (
            format!("{a}[token.b]\ntype = \"system-user\"\napp = \"main\"\n"),
            "`b` is a system-user token, and the backup of a user token is one too",
        ),
        (
            format!("{a}[token.b]\ntype = \"user\"\napp = \"other\"\n"),
            "`b` belongs to app `other`, and its backup must belong to `main`",
        ),
        (
            format!("{}{}", page("a", "1", "backup = \"b\""), page("b", "2", "")),
            "`b` is of another Page",
        ),
        (
            format!("{}{a}{}", page("p", "1", "parent = \"a\"\nbackup = \"a\""), user("b", "")),
            "a page with a parent has no backup of its own",
        ),
        (
            "[token.o]\ntype = \"app\"\napp = \"main\"\nbackup = \"o\"\n".to_owned(),
            "an app token has no backup: the app's id and secret give it",
        ),
        (format!("{a}{}", user("b", "backup = \"a\"")), "`b` has this token as its own backup"),
        (
            format!("{a}{}{}", user("b", "backup = \"c\""), user("c", "backup = \"a\"")),
            "`b` has this token as its own backup",
        ),
        (
            format!("{a}{}", user("b", "enabled = false")),
            "`b` is not enabled, so nothing keeps it alive",
        ),
        (format!("{}promote = \"never\"\n", user("a", "")), "unknown way `never`"),
    ] {
        let Err(ConfigError { mistakes, .. }) = parsed(&format!("{head}{tables}")) else {
            panic!("{tables} is taken");
        };
        let first = mistakes.first().map(|mistake| mistake.message.as_str());
        assert_eq!(first, Some(message), "{tables}");
    }
    // It is judged as if it were in its token's place.
    let required = "backup = \"b\"\nrequired_scopes = [\"x\", \"y\"]\nrequired_targets = [\"1\"]";
    let config =
        good(&format!("{head}{}{}", user("a", required), user("b", "required_scopes = [\"y\"]")));
    assert_eq!(config.tokens[1].policy.required_scopes, ["y", "x"]);
    assert_eq!(config.tokens[1].policy.required_targets, ["1"]);
}

#[test]
fn there_are_more_workers_than_calls_but_one_for_one() {
    for (calls, workers) in [(1, 1), (2, 2), (3, 4), (8, 10), (16, 21), (32, 42)] {
        let config = good(&format!("[http]\nconcurrency = {calls}\n"));
        assert_eq!(config.http.workers(), workers, "{calls} at a time");
    }
}

#[test]
fn what_is_not_said_is_filled_in() {
    let config = good("");
    assert_eq!(config.store.path, Path::new("/srv/m/metatoken.db"));
    assert_eq!(config.store.key, KeySetting::Beside(PathBuf::from("/srv/m/metatoken.key")));
    assert_eq!(config.http.concurrency, 8);
    assert_eq!(config.http.attempts, 4);
    assert_eq!(config.http.timeout.as_secs(), 30);
    assert_eq!(config.http.run_deadline.as_secs(), 900);
    assert_eq!(config.endpoints.url(Provider::Facebook), "https://graph.facebook.com");
    assert_eq!(config.endpoints.url(Provider::Instagram), "https://graph.instagram.com");
    assert_eq!(config.endpoints.url(Provider::Threads), "https://graph.threads.net");
    let config = good("[app.a]\nid = \"1\"\n[token.t]\ntype = \"user\"");
    assert_eq!(config.apps[0].graph_version, "v26.0");
    assert_eq!(config.apps[0].kind, Provider::Facebook);
    assert_eq!(config.tokens[0].policy, crate::policy::Policy::default());
    let config =
        good("[endpoints]\nfacebook = \"http://127.0.0.1:80/\"\n[store]\npath = \"x/y.db\"");
    assert_eq!(config.endpoints.url(Provider::Facebook), "http://127.0.0.1:80");
    assert_eq!(config.store.path, Path::new("/srv/m/x/y.db"));
    assert_eq!(config.store.key, KeySetting::Beside(PathBuf::from("/srv/m/x/metatoken.key")));
}

const FAMILY: &str = r#"
[app.main]
id = "1"
[token.brand]
type = "user"
pages = "all"
warn_within = "12d"
required_scopes = ["email"]
rotate_after = "90d"
owner = "anna"
[token.shop]
type = "page"
parent = "brand"
page_id = "5"
owner = "ben"
[token."brand/6"]
verify_every = "1h"
[defaults]
warn_within = "11d"
keep_for = "9d"
required_scopes = ["pages_show_list"]
"#;

#[test]
fn a_page_asks_its_parent_before_the_defaults() {
    let config = good(FAMILY);
    let brand = &config.tokens[0];
    let shop = &config.tokens[1];
    let six = &config.tokens[2];
    let seven = std::sync::Arc::new(config.page(brand, "7"));
    let shown = described(FAMILY).to_json();
    for (token, warn, owner, scopes, from) in [
        (brand, 12, "anna", "email", "token.brand"),
        (shop, 12, "ben", "pages_show_list", "parent brand"),
        (six, 12, "anna", "pages_show_list", "parent brand"),
        (&seven, 12, "anna", "pages_show_list", "parent brand"),
    ] {
        let policy = &token.policy;
        assert_eq!(policy.warn_within, Some(chrono::TimeDelta::days(warn)), "{}", token.label);
        assert_eq!(policy.owner.as_deref(), Some(owner));
        assert_eq!(policy.required_scopes, [scopes]);
        assert_eq!(policy.keep_for, chrono::TimeDelta::days(9));
        // No table names the last one, so nothing is shown of it.
        if token.label != seven.label {
            let shown = &shown["token"][token.label.as_str()];
            assert_eq!(shown["warn_within"]["origin"], from);
            assert_eq!(shown["keep_for"]["origin"], "defaults");
            assert_eq!(shown["enabled"]["origin"], "built in");
        }
    }
    assert_eq!(brand.policy.rotate_after, Some(chrono::TimeDelta::days(90)));
    assert_eq!(shop.policy.rotate_after, None);
    assert_eq!(seven.label.as_str(), "brand/7");
    assert_eq!(config.page(brand, "5").label.as_str(), "shop");
    assert_eq!(six.token_type, TokenType::Page);
}

#[test]
fn everything_in_force_can_be_shown() {
    let description = described(
        "[app.main]\nid = \"1\"\nsecret = \"hush\"\n[token.t]\ntype = \"user\"\naccess_token = { env = \"T\" }\n[token.\"t/5\"]\nowner = \"a \\\"b\\\"\"\n",
    );
    let text = description.to_text();
    assert!(!text.contains("hush"), "{text}");
    for line in [
        "# /srv/m/metatoken.toml",
        "[store]",
        "path = \"/srv/m/metatoken.db\"            # built in",
        "[app.main]",
        "secret = \"(literal)\"     # app.main",
        "[token.t]",
        "app = \"main\"                               # the only app",
        "access_token = { env = \"T\" }               # token.t",
        "warn_within = \"10d\"                        # built in; 14d where only a person can renew it",
        "# rotate_after is not set                  # built in",
        "[token.\"t/5\"]",
        "page_id = \"5\"                              # its label",
        "owner = 'a \"b\"'                            # token.t/5",
    ] {
        let same = |each: &str| each.split_whitespace().eq(line.split_whitespace());
        assert!(text.lines().any(same), "{line}\n{text}");
    }
    let json = description.to_json();
    assert_eq!(json["token"]["t"]["access_token"]["value"]["env"], "T");
    assert_eq!(json["token"]["t/5"]["parent"]["origin"], "its label");
    assert_eq!(json["http"]["concurrency"]["value"], 8);
    for host in ["facebook", "instagram", "threads"] {
        assert_eq!(json["endpoints"][host]["origin"], "built in");
    }
    // What is shown is a config again, save for what is only referred to.
    assert!(toml_edit::Document::parse(text).is_ok());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..Default::default()
    })]

    /// Whatever stands in the file, it is read or complained of, and no literal comes back.
    #[test]
    fn no_text_makes_it_panic_or_tell(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "[token.a]\n", "[[token]]\n", "[app.main]\n", "[store]", "\n", "type = ", "secret = ",
                "\"user\"\n", "'hush'", "\"hush\"\n", "\"\"\"hush\n", "access_token = \"hush h\"\n",
                "key = hush\n", "except = [", "]", "{ env = ", "}", "é", "\t", "# hush\n", "\\", "\0",
            ]),
            0..12,
        )
    ) {
        let rendered = complaint(&parts.concat());
        let harmless = ["type = ", "except = [", "{ env = "];
        if !parts.iter().any(|part| harmless.contains(part)) {
            proptest::prop_assert!(!rendered.contains("hush"), "{}", rendered);
        }
    }
}
