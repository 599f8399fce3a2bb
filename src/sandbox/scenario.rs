//! Names the situations that can be rehearsed, and sets up who and what is there when one begins.
//!
//! A situation is built from nothing but its name, so that every sandbox of one kind begins alike:
//! the same people, the same access tokens, the same `app.env` with these in it.

use std::convert;
use std::fmt::{self, Write as _};

use chrono::TimeDelta;

use crate::token::{Expiry, Provider};

use super::clock::start;
use super::fixtures::{AppFixture, Listing, PageFixture, UserFixture};
use super::issued::{Renewal, TokenFixture};
use super::simulation::Simulation;

/// A situation: whose tokens there are, and how Graph feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scenario {
    /// All is well; some tokens are due and others are not.
    #[default]
    Healthy,
    /// One token in each bad state.
    Troubles,
    /// As healthy, but Graph is down.
    Outage,
    /// As healthy, but each app is over its limit.
    Throttled,
    /// The last three weeks of a token that Meta does not extend any more.
    Ending,
    /// Apps, and no token yet.
    Empty,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Troubles, Self::Outage, Self::Throttled, Self::Ending, Self::Empty];

    /// Its name, which is also that of its folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Troubles => "troubles",
            Self::Outage => "outage",
            Self::Throttled => "throttled",
            Self::Ending => "ending",
            Self::Empty => "empty",
        }
    }

    /// The scenario of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == name)
    }

    /// The config that an operator finds at first, and may then edit.
    pub(super) fn config(self) -> String {
        let (what_to_try, tokens) = match self {
            Self::Healthy => {
                (include_str!("scenes/healthy.txt"), include_str!("scenes/tokens.toml"))
            }
            Self::Troubles => {
                (include_str!("scenes/troubles.txt"), include_str!("scenes/troubles.toml"))
            }
            Self::Outage => (include_str!("scenes/outage.txt"), include_str!("scenes/tokens.toml")),
            Self::Throttled => {
                (include_str!("scenes/throttled.txt"), include_str!("scenes/tokens.toml"))
            }
            Self::Ending => (include_str!("scenes/ending.txt"), include_str!("scenes/ending.toml")),
            Self::Empty => (include_str!("scenes/empty.txt"), include_str!("scenes/empty.toml")),
        };
        format!("{what_to_try}\n{tokens}")
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The id of the Facebook app.
pub const APP: &str = "1000000000000001";
/// The id of the Instagram app.
pub const INSTA: &str = "1000000000000011";
/// The id of the Threads app.
pub const THREADS: &str = "1000000000000012";

/// The secret of every Facebook app.
pub const SECRET: &str = "fakefakefakefakefakefakefakefake";
/// The secret of the Instagram app.
pub const INSTA_SECRET: &str = "fakefakefakefakefakefakefakeinst";
/// The secret of the Threads app.
pub const THREADS_SECRET: &str = "fakefakefakefakefakefakefakethre";

/// What a person grants.
pub const SCOPES: [&str; 4] =
    ["public_profile", "pages_show_list", "pages_read_engagement", "pages_manage_posts"];

/// A scenario's beginning.
pub struct Stage {
    /// What Graph knows.
    pub graph: Simulation,
    /// What stands in `app.env`.
    pub pasted: String,
}

impl Stage {
    /// Builds the beginning of a scenario.
    pub fn of(scenario: Scenario) -> Self {
        let mut stage = Self {
            graph: Simulation::new(start()),
            pasted: "# What was pasted here. Everything is fake; it is yours to edit.\n".to_owned(),
        };
        stage.paste("APP_SECRET", SECRET);
        match scenario {
            Scenario::Healthy | Scenario::Outage => stage.healthy(convert::identity),
            Scenario::Throttled => stage.healthy(AppFixture::throttled),
            Scenario::Troubles => stage.troubles(),
            Scenario::Ending => stage.ending(),
            Scenario::Empty => stage.empty(),
        }
        stage
    }

    fn healthy(&mut self, state: fn(AppFixture) -> AppFixture) {
        // In development: `login --listen` can be rehearsed.
        let app = AppFixture::new(APP, SECRET, "Example Publisher").in_development();
        self.graph.add_app(state(app));
        self.facebook();
        self.other_apps(state);
        self.beside_facebook();
    }

    fn other_apps(&mut self, state: fn(AppFixture) -> AppFixture) {
        for (provider, app, name, key, secret) in [
            (Provider::Instagram, INSTA, "Example Stories", "INSTA_SECRET", INSTA_SECRET),
            (Provider::Threads, THREADS, "Example Notes", "THREADS_SECRET", THREADS_SECRET),
        ] {
            self.graph.add_app(state(AppFixture::new(app, secret, name).of(provider)));
            self.paste(key, secret);
        }
    }

    fn facebook(&mut self) {
        self.people_and_pages();
        self.give("BRAND_TOKEN", user("3000000000000001", 12).named("brand"));
        self.give("SHOP_TOKEN", user("3000000000000002", 45).named("shop"));
        let newcomer = TokenFixture::user(APP, "3000000000000003")
            .named("newcomer")
            .scopes(SCOPES)
            .ending(Expiry::At(start() + TimeDelta::hours(1)));
        self.give("NEWCOMER_TOKEN", newcomer);
        let ads = TokenFixture::system_user(APP, "3000000000000004")
            .named("ads")
            .scopes(["ads_management", "ads_read", "business_management"])
            .aged(TimeDelta::days(100));
        self.give("ADS_TOKEN", ads);
        self.graph.add_user(UserFixture::new("3000000000000005", "Example Report Robot"));
        let sixty = TokenFixture::system_user(APP, "3000000000000005")
            .named("sixty")
            .scopes(["read_insights"])
            .aged(TimeDelta::days(45))
            .ending(Expiry::At(start() + TimeDelta::days(15)));
        self.give("SIXTY_TOKEN", sixty);
    }

    fn people_and_pages(&mut self) {
        for (page, name) in [
            ("2000000000000001", "Example Bakery"),
            ("2000000000000002", "Example Coffee House"),
            ("2000000000000003", "Example Shop"),
        ] {
            self.graph.add_page(PageFixture::new(page, name));
        }
        let anna = UserFixture::new("3000000000000001", "Anna Example")
            .with_page("2000000000000001", Listing::Listed)
            .with_page("2000000000000002", Listing::Listed);
        let ben = UserFixture::new("3000000000000002", "Ben Example")
            .with_page("2000000000000003", Listing::Listed);
        self.graph.add_user(anna);
        self.graph.add_user(ben);
        self.graph.add_user(UserFixture::new("3000000000000003", "Cleo Example"));
        self.graph.add_user(UserFixture::new("3000000000000004", "Example Ads Robot"));
    }

    fn beside_facebook(&mut self) {
        let age = TimeDelta::days(48);
        self.creators();
        let creator = TokenFixture::instagram(INSTA, "17841400000000001").named("creator");
        self.give("CREATOR_TOKEN", creator.aged(age));
        let notes = TokenFixture::threads(THREADS, "7000000000000001").named("notes");
        self.give("NOTES_TOKEN", notes.aged(age));
    }

    fn creators(&mut self) {
        let dora = UserFixture::new("17841400000000001", "Dora Example").known_as("dora.creates");
        self.graph.add_user(dora);
        let emil = UserFixture::new("7000000000000001", "Emil Example").known_as("emil.notes");
        self.graph.add_user(emil);
    }

    /// What people copy from Meta's pages: it lives for an hour, but for a System User's.
    fn empty(&mut self) {
        self.graph.add_app(AppFixture::new(APP, SECRET, "Example Publisher"));
        self.other_apps(convert::identity);
        self.people_and_pages();
        self.graph.add_user(UserFixture::new("3000000000000006", "Example WhatsApp Robot"));
        self.creators();
        let hour = Expiry::At(start() + TimeDelta::hours(1));
        for (key, id, name) in
            [("ANNA", "3000000000000001", "anna"), ("BEN", "3000000000000002", "ben")]
        {
            let pasted = TokenFixture::user(APP, id).named(name).scopes(SCOPES).ending(hour);
            self.give(&format!("{key}_PASTED"), pasted);
        }
        let whatsapp = TokenFixture::system_user(APP, "3000000000000006")
            .named("whatsapp")
            .scopes(["whatsapp_business_messaging", "whatsapp_business_management"]);
        self.graph.add_user(UserFixture::new("3000000000000008", "Example Spare Robot"));
        let spare = TokenFixture { user: "3000000000000008".to_owned(), ..whatsapp.clone() };
        self.give("WHATSAPP_PASTED", whatsapp);
        self.give("SPARE_PASTED", spare.named("spare"));
        let keeper = UserFixture::new("3000000000000007", "Example Admin Robot").admin();
        self.graph.add_user(keeper);
        let admin = TokenFixture::system_user(APP, "3000000000000007")
            .named("admin")
            .scopes(["business_management"]);
        self.give("ADMIN_PASTED", admin);
        let dora = TokenFixture::instagram(INSTA, "17841400000000001").named("dora");
        self.give("DORA_PASTED", dora.ending(hour));
        let emil = TokenFixture::threads(THREADS, "7000000000000001").named("emil");
        self.give("EMIL_PASTED", emil.ending(hour));
    }

    /// Mints a token and pastes it under `key`.
    pub fn give(&mut self, key: &str, spec: TokenFixture) -> String {
        let string = self.graph.mint(spec);
        self.paste(key, &string);
        string
    }

    /// Adds a line to `app.env`.
    pub fn paste(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.pasted, "{key}={value}");
    }
}

/// A long-lived token that ends in so many days.
pub fn user(id: &str, days_left: i64) -> TokenFixture {
    TokenFixture::user(APP, id).scopes(SCOPES).aged(TimeDelta::days(60 - days_left))
}

const ANNA: &str = "3000000000000001";

impl Stage {
    /// Adds a token that Meta renews but does not extend, and one to replace it.
    pub fn ending(&mut self) {
        self.graph.add_app(AppFixture::new(APP, SECRET, "Example Publisher"));
        self.graph.add_user(UserFixture::new(ANNA, "Anna Example"));
        let stuck = user(ANNA, 21).renewal(Renewal::KeepsString);
        self.give("BRAND_TOKEN", stuck.named("brand"));
        self.pasted.push_str("# What Anna gets by logging in again.\n");
        self.give("BRAND_AGAIN", user(ANNA, 60).named("brand again"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use toml_edit::DocumentMut;

    use crate::sandbox::Call;

    use super::*;

    /// Every `key = "..."` that the config of a scenario reads from `app.env`.
    fn keys(config: &DocumentMut) -> BTreeSet<String> {
        let tables = ["app", "token"].into_iter().filter_map(|name| config.get(name)?.as_table());
        let entries = tables.flat_map(|table| table.iter()).filter_map(|(_, each)| each.as_table());
        let sources = entries.flat_map(|entry| [entry.get("secret"), entry.get("access_token")]);
        sources.flatten().map(|source| source["key"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_config_reads_what_was_pasted() {
        for scenario in Scenario::ALL {
            let config: DocumentMut = scenario.config().parse().expect("well-formed TOML");
            let stage = Stage::of(scenario);
            let pasted = stage.pasted.lines().filter_map(|line| line.split_once('='));
            let mut pasted: BTreeSet<String> = pasted.map(|(key, _)| key.to_owned()).collect();
            if scenario == Scenario::Ending {
                assert!(pasted.remove("BRAND_AGAIN"), "for the operator, not for the config");
            }
            if scenario == Scenario::Empty {
                pasted.retain(|key| !key.ends_with("_PASTED"));
            }
            if scenario == Scenario::Troubles {
                assert!(pasted.remove("EXPIRED_AGAIN"), "for the operator, not for the config");
                assert!(pasted.insert("NEVER_PASTED".to_owned()), "missing on purpose");
            }
            assert_eq!(keys(&config), pasted, "{scenario}");
            assert!(scenario.config().starts_with(&format!("# The sandbox `{scenario}`")));
        }
    }

    #[test]
    fn a_scenario_begins_alike_each_time() {
        for scenario in Scenario::ALL {
            let (one, other) = (Stage::of(scenario), Stage::of(scenario));
            assert_eq!(one.graph.to_json(), other.graph.to_json());
            assert_eq!(one.pasted, other.pasted);
        }
    }

    /// What stands under a key in `app.env`.
    fn under<'a>(stage: &'a Stage, key: &str) -> &'a str {
        let pasted = stage.pasted.lines().filter_map(|line| line.split_once('='));
        let found = pasted.into_iter().find(|(name, _)| *name == key);
        found.unwrap_or_else(|| panic!("no {key}")).1
    }

    #[test]
    fn a_token_ends_when_its_comment_says() {
        let config = Scenario::Healthy.config();
        let stage = Stage::of(Scenario::Healthy);
        let mut dated = Vec::new();
        for paragraph in config.split("\n\n") {
            let after = |start: &str| Some(paragraph.split_once(start)?.1);
            let word = |text: &str| text.split([' ', ',', ':', '"', ']']).next().map(str::to_owned);
            let Some(days) = after("nds in ").and_then(word) else { continue };
            let key = after("key = \"").and_then(word).unwrap();
            let end = start() + TimeDelta::days(days.parse().unwrap());
            assert_eq!(stage.graph.expiry(under(&stage, &key)), Some(Expiry::At(end)), "{key}");
            dated.push(key);
        }
        let wanted = ["BRAND_TOKEN", "SHOP_TOKEN", "SIXTY_TOKEN", "CREATOR_TOKEN", "NOTES_TOKEN"];
        assert_eq!(dated, wanted);
    }

    #[test]
    fn the_troubles_beside_facebook_are_what_they_are_called() {
        let mut stage = Stage::of(Scenario::Troubles);
        let [expired, hasty, twin, reset] =
            ["INSTAGRAM_EXPIRED", "INSTAGRAM_NO_SECRET", "WRONG_APP_ID", "APP_SECRET_RESET"]
                .map(|key| under(&stage, key).to_owned());
        let mut ask = |target: String| {
            let answer = stage.graph.answer(&Call::new("GET", &target, []));
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            (answer.status, body)
        };
        let me = |host: &str, string: &str| format!("/{host}/me?access_token={string}");
        let (_, body) = ask(me("instagram/v26.0", &expired));
        assert_eq!(
            (&body["error"]["code"], body["error"].get("error_subcode")),
            (&190.into(), None)
        );
        assert_eq!(ask(me("instagram/v26.0", &hasty)).0, 200);
        let refresh = "/instagram/refresh_access_token?grant_type=ig_refresh_token";
        let (_, body) = ask(format!("{refresh}&access_token={hasty}"));
        assert_eq!(body["error"]["code"], 452);
        assert_eq!(ask(me("threads/v1.0", &twin)).0, 200);
        let inspect = "/threads/v1.0/debug_token?input_token";
        let (_, body) =
            ask(format!("{inspect}={twin}&access_token=TH%7C1000000000000005%7C{THREADS_SECRET}"));
        assert!(body["error"]["message"].as_str().unwrap().starts_with("Error validating app"));
        let (_, body) = ask(format!(
            "/v26.0/debug_token?input_token={}&access_token={APP}%7C{SECRET}",
            reset.replace('|', "%7C")
        ));
        assert_eq!(body["data"]["error"]["message"], "Invalid OAuth access token signature.");
    }
}
