//! Who and what is there when a scenario begins.
//!
//! It is built from nothing but the scenario, so that every sandbox of one kind begins alike: the
//! same people, the same strings, the same `app.env` in which «somebody» pasted them.

use std::fmt::Write as _;

use chrono::TimeDelta;

use crate::token::{DataAccess, Expiry};

use super::clock::start;
use super::death::Death;
use super::minted::{Renewal, TokenSpec};
use super::people::{AppSpec, Listing, PageSpec, UserSpec};
use super::scenario::Scenario;
use super::simulation::Simulation;

const APP: &str = "1000000000000001";
const FOREIGN: &str = "1000000000000002";
const CLOSED: &str = "1000000000000003";
const MISTYPED: &str = "1000000000000004";

const SECRET: &str = "fakefakefakefakefakefakefakefake";

const SCOPES: [&str; 4] =
    ["public_profile", "pages_show_list", "pages_read_engagement", "pages_manage_posts"];

/// A scenario's beginning.
pub(super) struct Stage {
    /// What Graph knows.
    pub(super) graph: Simulation,
    /// What stands in `app.env`.
    pub(super) pasted: String,
}

impl Stage {
    pub(super) fn of(scenario: Scenario) -> Self {
        let mut stage = Self {
            graph: Simulation::new(start()),
            pasted: "# What somebody pasted here. Everything is fake; it is yours to edit.\n"
                .to_owned(),
        };
        stage.paste("APP_SECRET", SECRET);
        match scenario {
            Scenario::Healthy | Scenario::Outage => stage.healthy(AppSpec::new),
            Scenario::Throttled => {
                stage.healthy(|id, secret, name| AppSpec::new(id, secret, name).throttled());
            }
            Scenario::Troubles => stage.troubles(),
        }
        stage
    }

    fn healthy(&mut self, app: impl Fn(&str, &str, &str) -> AppSpec) {
        self.graph.add_app(app(APP, SECRET, "Example Publisher"));
        for (page, name) in [
            ("2000000000000001", "Example Bakery"),
            ("2000000000000002", "Example Coffee House"),
            ("2000000000000003", "Example Shop"),
        ] {
            self.graph.add_page(PageSpec::new(page, name));
        }
        let anna = UserSpec::new("3000000000000001", "Anna Example")
            .with_page("2000000000000001", Listing::Listed)
            .with_page("2000000000000002", Listing::Listed);
        let ben = UserSpec::new("3000000000000002", "Ben Example")
            .with_page("2000000000000003", Listing::Listed);
        self.graph.add_user(anna);
        self.graph.add_user(ben);
        self.graph.add_user(UserSpec::new("3000000000000003", "Cleo Example"));
        self.graph.add_user(UserSpec::new("3000000000000004", "Example Ads Robot"));

        self.give("BRAND_TOKEN", user("3000000000000001", 12).named("brand"));
        self.give("SHOP_TOKEN", user("3000000000000002", 45).named("shop"));
        let newcomer = TokenSpec::user(APP, "3000000000000003")
            .named("newcomer")
            .scopes(SCOPES)
            .ending(Expiry::At(start() + TimeDelta::hours(1)));
        self.give("NEWCOMER_TOKEN", newcomer);
        let ads = TokenSpec::system_user(APP, "3000000000000004")
            .named("ads")
            .scopes(["ads_management", "ads_read", "business_management"])
            .aged(TimeDelta::days(100));
        self.give("ADS_TOKEN", ads);
    }

    fn troubles(&mut self) {
        for app in [
            AppSpec::new(APP, SECRET, "Example Publisher"),
            AppSpec::new(FOREIGN, SECRET, "Somebody Else's App"),
            AppSpec::new(CLOSED, SECRET, "Example Closed App").disabled(),
            AppSpec::new(MISTYPED, SECRET, "Example Mistyped App"),
        ] {
            self.graph.add_app(app);
        }
        self.paste("CLOSED_SECRET", SECRET);
        self.paste("MISTYPED_SECRET", "fakefakefakefakefakefakefakewrong");
        self.dead_strings();
        self.poor_strings();
        self.mistaken_strings();
        self.pages();
    }

    fn dead_strings(&mut self) {
        let erin = self.person(1, "Erin Expired");
        let gone = start() - TimeDelta::days(12);
        let expired = user(&erin, 0).aged(TimeDelta::days(72)).ending(Expiry::At(gone));
        self.give("EXPIRED", expired.named("expired"));
        for (number, name, key, death) in [
            (2, "Pat Password", "PASSWORD_CHANGED", Death::PasswordChanged),
            (3, "Ari Appless", "APP_REMOVED", Death::AppRemoved),
            (4, "Chris Checkpoint", "CHECKPOINT", Death::Checkpoint),
            (5, "Blake Blocked", "BLOCKED", Death::Blocking),
            (6, "Uma Unconfirmed", "UNCONFIRMED", Death::Unconfirmed),
            (7, "Robin Revoked", "REVOKED", Death::Revoked),
            (8, "Lou Loggedout", "LOGGED_OUT", Death::SessionInvalid),
            (9, "Ingrid Inactive", "INACTIVE", Death::Inactive),
        ] {
            let person = self.person(number, name);
            let string = self.give(key, user(&person, 30).named(key));
            self.graph.kill(&string, death);
        }
        self.pasted.push_str("# What Erin got by logging in again.\n");
        self.give("EXPIRED_AGAIN", user(&erin, 50).named("expired again"));
    }

    fn poor_strings(&mut self) {
        let mika = self.person(10, "Mika Missing");
        let narrow = user(&mika, 45).scopes(["public_profile", "pages_show_list"]);
        self.give("MISSING_SCOPE", narrow.named("missing scope"));
        let dana = self.person(11, "Dana Data");
        let soon = DataAccess::Until(start() + TimeDelta::days(2));
        self.give("DATA_ACCESS", user(&dana, 45).named("data access").data_access(soon));
        let noor = self.person(12, "Noor Notextended");
        let stuck = user(&noor, 6).named("not extended").renewal(Renewal::KeepsString);
        self.give("NOT_EXTENDED", stuck);
    }

    fn mistaken_strings(&mut self) {
        self.graph.add_page(PageSpec::new("2000000000000010", "Example Wrong Page"));
        let wim = self.person(13, "Wim Wrongtype");
        let page = TokenSpec::page(APP, &wim, "2000000000000010").scopes(SCOPES);
        self.give("WRONG_TYPE", page.named("wrong type"));
        for (number, name, key, app) in [
            (14, "Fay Foreign", "FOREIGN_APP", FOREIGN),
            (15, "Odo Ops", "APP_DISABLED", CLOSED),
            (16, "Ove Ops", "WRONG_SECRET", MISTYPED),
        ] {
            let person = self.person(number, name);
            let token = TokenSpec::user(app, &person).named(key).scopes(SCOPES);
            self.give(key, token.aged(TimeDelta::days(15)));
        }
    }

    fn pages(&mut self) {
        for (page, name) in [
            ("2000000000000011", "Example Hasty Page"),
            ("2000000000000012", "Example Lost Page"),
            ("2000000000000013", "Example Unlisted Page"),
            ("2000000000000014", "Example Unticked Page"),
        ] {
            self.graph.add_page(PageSpec::new(page, name));
        }
        let sam = self.person(17, "Sam Shortparent");
        let hasty = TokenSpec::page(APP, &sam, "2000000000000011")
            .named("short parent")
            .scopes(SCOPES)
            .ending(Expiry::At(start() + TimeDelta::hours(2)));
        self.give("SHORT_PARENT", hasty);
        let rae = self.person(18, "Rae Rolelost");
        let lost = TokenSpec::page(APP, &rae, "2000000000000012").named("role lost").scopes(SCOPES);
        let lost = self.give("ROLE_LOST", lost);
        self.graph.kill(&lost, Death::RoleLost);
        let edda = self.person(19, "Edda Editor");
        self.graph.list(&edda, "2000000000000013", Listing::Unlisted);
        self.graph.list(&edda, "2000000000000014", Listing::WithoutToken);
        self.give("EDITOR", user(&edda, 45).named("editor"));
    }

    /// Adds a person of the `troubles` and says which id that is.
    fn person(&mut self, number: u32, name: &str) -> String {
        let id = format!("30000000000001{number:02}");
        self.graph.add_user(UserSpec::new(&id, name));
        id
    }

    /// Mints a token and pastes it under `key`.
    fn give(&mut self, key: &str, spec: TokenSpec) -> String {
        let string = self.graph.mint(spec);
        self.paste(key, &string);
        string
    }

    fn paste(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.pasted, "{key}={value}");
    }
}

/// A long-lived token that ends in so many days.
fn user(id: &str, days_left: i64) -> TokenSpec {
    TokenSpec::user(APP, id).scopes(SCOPES).aged(TimeDelta::days(60 - days_left))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use toml_edit::DocumentMut;

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
}
