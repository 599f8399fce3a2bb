//! Three services, each with apps, hosts and tokens of its own.

use super::*;
use crate::token::Provider;

#[test]
fn each_host_can_be_elsewhere() {
    let text = "[endpoints]\nfacebook = \"http://[::1]:1\"\ninstagram = \"http://localhost:2/instagram/\"\nthreads = \"https://graph.threads.com\"";
    let config = good(text);
    let endpoints = &config.endpoints;
    assert_eq!(endpoints.url(Provider::Facebook), "http://[::1]:1");
    assert_eq!(endpoints.url(Provider::Instagram), "http://localhost:2/instagram");
    assert_eq!(endpoints.url(Provider::Threads), "https://graph.threads.com");
    let shown = described(text).to_json();
    for host in ["facebook", "instagram", "threads"] {
        assert_eq!(shown["endpoints"][host]["origin"], "endpoints");
    }
}

/// An app of each kind; the one of Instagram has no secret.
const KINDS: &str = r#"
[app.main]
kind = "facebook"
id = "1"
secret = { env = "A" }
[app.insta]
kind = "instagram"
id = "2"
graph_version = "v25.0"
[app.notes]
kind = "threads"
id = "3"
"#;

#[test]
fn every_type_finds_the_only_app_of_its_kind() {
    for (token_type, app) in [
        ("user", "main"),
        ("page", "main"),
        ("system-user", "main"),
        ("instagram", "insta"),
        ("threads", "notes"),
        ("app", "main"),
    ] {
        let page = if token_type == "page" { "page_id = \"5\"" } else { "" };
        for (said, from) in
            [(String::new(), "the only app of its kind"), (format!("app = \"{app}\""), "token.t")]
        {
            let text = format!("{KINDS}[token.t]\ntype = \"{token_type}\"\n{page}\n{said}");
            let config = good(&text);
            let token = &config.tokens[0];
            assert_eq!((token.app.as_str(), token.token_type.as_str()), (app, token_type));
            let shown = described(&text).to_json();
            assert_eq!(shown["token"]["t"]["app"]["origin"], from, "{token_type}");
            assert_eq!(token.access_token, None);
        }
    }
}

#[test]
fn a_limit_is_measured_by_who_can_renew_the_token() {
    // Each fits what is built in for tokens that only a person can renew, and no other.
    for person in [
        "type = \"user\"\nauto_refresh = false",
        "type = \"instagram\"\nauto_refresh = false",
        "type = \"page\"\npage_id = \"5\"",
    ] {
        good(&format!("{KINDS}[token.t]\n{person}\ncritical_within = \"14d\""));
    }
    // And these the other way round.
    for ours in ["type = \"user\"", "type = \"threads\"", "type = \"app\""] {
        good(&format!("{KINDS}[token.t]\n{ours}\nwarn_within = \"3d\""));
    }
    let inherited = "[token.u]\ntype = \"user\"\n[token.\"u/5\"]\n[defaults]\nwarn_within = \"5d\"";
    good(&format!("{KINDS}{inherited}"));
}

#[test]
fn nothing_is_allowed_where_it_means_something() {
    let config = good(&format!(
        "{KINDS}[token.t]\ntype = \"user\"\nverify_every = \"0s\"\nvalidation_interval = \"0s\"\nwarn_within = \"0s\"\ncritical_within = \"0s\"\ndata_access_within = 0\nkeep_generations = 0\nkeep_for = \"0s\"\nreminders = []",
    ));
    let policy = &config.tokens[0].policy;
    assert_eq!(policy.warn_within, Some(chrono::TimeDelta::zero()));
    assert!(policy.verify_every.is_zero() && policy.data_access_within.warning.is_zero());
    assert!(policy.reminders.is_empty());
}

#[test]
fn the_kind_of_an_app_can_be_shown() {
    let text = format!(
        "{KINDS}[token.lone]\ntype = \"page\"\npage_id = \"5\"\n[token.creator]\ntype = \"instagram\"\n"
    );
    let config = good(&text);
    let description = described(&text);
    let text = description.to_text();
    for line in [
        "instagram = \"https://graph.instagram.com\" # built in",
        "threads = \"https://graph.threads.net\" # built in",
        "kind = \"facebook\" # app.main",
        "kind = \"instagram\" # app.insta",
        "# secret is not set # built in",
        "kind = \"threads\" # app.notes",
        "# graph_version is not set # Threads has one version of its own",
        "app = \"insta\" # the only app of its kind",
        "warn_within = \"14d\" # built in, as only a person can renew it",
        "critical_within = \"7d\" # built in, as only a person can renew it",
        "warn_within = \"10d\" # built in; 14d where only a person can renew it",
    ] {
        let same = |each: &str| each.split_whitespace().eq(line.split_whitespace());
        assert!(text.lines().any(same), "{line}\n{text}");
    }
    let json = description.to_json();
    assert_eq!(json["app"]["insta"]["kind"]["value"], "instagram");
    assert_eq!(json["app"]["insta"]["graph_version"]["value"], "v25.0");
    assert_eq!(json["app"]["notes"]["kind"]["origin"], "app.notes");
    assert_eq!(json["app"]["notes"]["graph_version"]["value"], serde_json::Value::Null);
    assert_eq!(json["endpoints"]["threads"]["value"], "https://graph.threads.net");
    // Read again it means the same, with everything said by the file itself.
    let again = good(&text);
    assert_eq!(again.apps.len(), config.apps.len());
    for (before, after) in config.apps.iter().zip(&again.apps) {
        assert_eq!((before.kind, &before.graph_version), (after.kind, &after.graph_version));
    }
}

/// A secret that was typed where a name belongs would be repeated by every message about it.
#[test]
fn a_secret_in_the_place_of_a_name_is_refused_and_not_repeated() {
    let token = format!("EAAB{}", "wzLixnjYBO7zC".repeat(4));
    let hex = "0123456789abcdef".repeat(2);
    let app = "[app.main]\nid = \"1\"\n";
    for (text, expected) in [
        (format!("[app.main]\nid = \"1\"\nsecret = {{ env = \"{hex}\" }}"), "an app secret"),
        (format!("[app.main]\nid = \"1\"\nsecret = {{ credential = \"{hex}\" }}"), "an app secret"),
        (format!("[app.\"{token}\"]\nid = \"1\""), "an access token"),
        (format!("{app}[token.{token}]\ntype = \"user\""), "an access token"),
        (format!("{app}[token.{token}]"), "an access token"),
        (
            format!("{app}[token.a]\ntype = \"user\"\naccess_token = {{ env = \"{token}\" }}"),
            "an access token",
        ),
        (
            format!("{app}[token.a]\ntype = \"user\"\naccess_token = {{ file = \"{token}\" }}"),
            "an access token",
        ),
        (
            format!(
                "{app}[token.a]\ntype = \"user\"\naccess_token = {{ command = [\"echo\", \"{token}\"] }}"
            ),
            "a token is never an argument",
        ),
        (
            format!("{app}[token.a]\ntype = \"page\"\nparent = \"{token}\"\npage_id = \"1\""),
            "write the label of another token",
        ),
    ] {
        let said = complaint(&text);
        assert!(said.contains(expected), "{text}\n{said}");
        assert!(!said.contains(&token) && !said.contains(&hex), "{text}\n{said}");
    }
    good(&format!("{app}[token.t{hex}]\ntype = \"user\"\n[token.{hex}]\ntype = \"user\"\n"));
}
