//! Where tokens go, as the config says.

use super::*;
use crate::config::{FileTarget, Place, Rules, Target};

/// A target as one line: its name, what it is, and how long it may take.
fn line(target: &Target) -> String {
    let place = match &target.place {
        Place::File(FileTarget { path, key, format, writing, missing, rules }) => {
            let key = key.as_deref().unwrap_or("-");
            let rules = if *rules == (Rules { format_from: rules.format_from, ..Rules::default() })
            {
                String::new()
            } else {
                format!(" {rules:?}")
            };
            format!("{} {key} {format} {writing} {missing:?}{rules}", path.display())
        }
        Place::Command(words) => words.join(" "),
    };
    format!("{}: {place}, {}s", target.id, target.timeout.as_secs())
}

fn lines(token: &TokenConfig) -> Vec<String> {
    token.deliver.iter().map(line).collect()
}

const TARGETS: &str = r#"
[app.main]
id = "1"
[token.t]
type = "user"
[[token.t.deliver]]
file = "/srv/a/config.ini"
key = "facebook.access_token"
[[token.t.deliver]]
name = "seed"
file = "./metatoken.toml"
key = "token.u.access_token"
write = "in-place"
create = true
timeout = "10m"
[[token.t.deliver]]
file = "run/token"
timeout = "1s"
[[token.t.deliver]]
file = "settings"
key = "a.b"
format = "yaml"
anchor = true
document = 2
overwrite = true
[[token.t.deliver]]
command = ["hooks/reload", "a b"]
[[token.t.deliver]]
command = ["systemctl", "reload", "a"]
[token.u]
type = "user"
deliver = [{ file = "b.env", key = "T" }, { command = ["systemctl", "reload", "a"] }]
[token.v]
type = "user"
deliver = []
"#;

#[test]
fn what_is_said_of_a_target_is_filled_in() {
    let config = good(TARGETS);
    assert_eq!(
        lines(&config.tokens[0]),
        [
            "/srv/a/config.ini#facebook.access_token: /srv/a/config.ini facebook.access_token ini atomic Refuse, 30s",
            "seed: /srv/m/metatoken.toml token.u.access_token toml in-place Create, 600s",
            "/srv/m/run/token: /srv/m/run/token - raw atomic Refuse, 1s",
            "/srv/m/settings#a.b: /srv/m/settings a.b yaml atomic Refuse Rules { options: Options { document: Some(2), anchored: Replace }, format_from: Config, first: Overwrite }, 30s",
            "/srv/m/hooks/reload: /srv/m/hooks/reload a b, 30s",
            "systemctl: systemctl reload a, 30s",
        ]
    );
    // The same program may serve several tokens.
    assert_eq!(
        lines(&config.tokens[1]),
        [
            "/srv/m/b.env#T: /srv/m/b.env T env atomic Refuse, 30s",
            "systemctl: systemctl reload a, 30s",
        ]
    );
    assert!(config.tokens[2].deliver.is_empty());
}

#[test]
fn a_discovered_page_is_delivered_if_its_own_table_says_so() {
    let brand = "[app.main]\nid = \"1\"\n[token.brand]\ntype = \"user\"\npages = \"all\"\n[[token.brand.deliver]]\nfile = \"brand\"\n";
    let deliver = "[[token.\"brand/5\".deliver]]\nfile = \"five\"\n";
    for header in ["", "[token.\"brand/5\"]\nowner = \"anna\"\n"] {
        let config = good(&format!("{brand}{header}{deliver}"));
        let parent = &config.tokens[0];
        assert_eq!(lines(parent), ["/srv/m/brand: /srv/m/brand - raw atomic Refuse, 30s"]);
        let five = config.page(parent, "5");
        assert_eq!(five.label.as_str(), "brand/5");
        assert_eq!(lines(&five), ["/srv/m/five: /srv/m/five - raw atomic Refuse, 30s"]);
        assert!(config.page(parent, "6").deliver.is_empty());
    }
}

#[test]
fn every_target_can_be_shown() {
    let config = good(TARGETS);
    let description = described(TARGETS);
    let text = description.to_text();
    let shown = r#"
[[token.t.deliver]]
name = "/srv/a/config.ini#facebook.access_token"  # its file and key
file = "/srv/a/config.ini"                        # token.t.deliver
key = "facebook.access_token"                     # token.t.deliver
format = "ini"                                    # its file's name
write = "atomic"                                  # built in
create = false                                    # built in
overwrite = false                                 # built in
timeout = "30s"                                   # built in

[[token.t.deliver]]
name = "seed"                   # token.t.deliver
file = "/srv/m/metatoken.toml"  # token.t.deliver
key = "token.u.access_token"    # token.t.deliver
format = "toml"                 # its file's name
write = "in-place"              # token.t.deliver
create = true                   # token.t.deliver
overwrite = false               # built in
timeout = "10m"                 # token.t.deliver

[[token.t.deliver]]
name = "/srv/m/run/token"  # its file
file = "/srv/m/run/token"  # token.t.deliver
# key is not set           # built in
format = "raw"             # its file's name
write = "atomic"           # built in
create = false             # built in
overwrite = false          # built in
timeout = "1s"             # token.t.deliver
"#;
    assert!(text.contains(shown), "{text}");
    let command = r#"
[[token.u.deliver]]
name = "systemctl"                        # its program
command = ["systemctl", "reload", "a"]    # token.u.deliver
timeout = "30s"                           # built in
"#;
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed(&text).contains(&squeezed(command)), "{text}");

    let json = description.to_json();
    let targets = json["token"]["t"]["deliver"].as_array().unwrap();
    assert_eq!(targets.len(), 6);
    assert_eq!(targets[0]["key"]["value"], "facebook.access_token");
    assert_eq!(targets[0]["format"]["origin"], "its file's name");
    assert_eq!(targets[1]["create"]["value"], true);
    assert_eq!(targets[5]["command"]["value"][1], "reload");
    assert_eq!(json["token"]["t"]["type"]["value"], "user");
    assert_eq!(json["token"]["v"]["deliver"], serde_json::Value::Null);

    // Read again it means the same.
    let again = good(&text);
    for (before, after) in config.tokens.iter().zip(&again.tokens) {
        // But for who says the format.
        assert_eq!(lines(before), lines(after));
    }
}

#[test]
fn a_secret_in_an_argument_is_not_shown() {
    let description = described(
        "[app.main]\nid = \"1\"\n[token.t]\ntype = \"user\"\ndeliver = [{ command = [\"curl\", \"fakefakefakefakefakehush\"] }]\n",
    );
    assert!(!description.to_text().contains("hush"));
    assert!(!description.to_json().to_string().contains("hush"));
}

/// The store's own files are found by making one: what the lists here forget would be missed.
#[test]
fn no_token_goes_into_a_file_that_the_store_lives_by() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.toml");
    let empty =
        parse(&path, &ConfigText::of(""), &TokenFiles::default(), &environment(), Purpose::Use)
            .unwrap()
            .0;
    let holder = crate::store::Holder {
        pid: 1,
        command: "metatoken refresh".to_owned(),
        started_at: chrono::DateTime::UNIX_EPOCH,
    };
    let _lock =
        crate::store::RunLock::take(&empty.store.path, &holder, std::time::Duration::ZERO).unwrap();
    let KeySetting::Beside(key) = &empty.store.key else { panic!("the key is beside the store") };
    let mut own = vec![empty.store.path.clone(), key.clone()];
    own.extend(std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()));
    assert_eq!(own.len(), 3, "{own:?}");
    for file in own {
        let file = file.display();
        let text =
            format!("{APP}[token.t]\ntype = \"user\"\ndeliver = [{{ file = \"{file}\" }}]\n");
        let Err(ConfigError { mistakes, .. }) = parse(
            &path,
            &ConfigText::of(&text),
            &TokenFiles::default(),
            &environment(),
            Purpose::Use,
        ) else {
            panic!("{file} was taken");
        };
        assert!(mistakes[0].message.contains("is metatoken's own"), "{}", mistakes[0].message);
    }
}
