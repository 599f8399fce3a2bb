//! Sets up the scenario `troubles`: one token in each bad state, and the people and apps it takes.

use chrono::TimeDelta;

use crate::token::{DataAccess, Expiry, Provider};

use super::clock::start;
use super::fixtures::{AppFixture, Listing, PageFixture, UserFixture};
use super::invalidation::Invalidation;
use super::issued::{Renewal, TokenFixture};
use super::scenario::{
    APP, INSTA, INSTA_SECRET, SCOPES, SECRET, Stage, THREADS, THREADS_SECRET, user,
};

const FOREIGN: &str = "1000000000000002";
const CLOSED: &str = "1000000000000003";
const MISTYPED: &str = "1000000000000004";
/// The id that the Threads app has at Facebook.
const TWIN: &str = "1000000000000005";
/// An Instagram app whose secret is not in the config.
const SECRETLESS: &str = "1000000000000013";

impl Stage {
    /// Adds one token in each bad state.
    pub fn troubles(&mut self) {
        for app in [
            AppFixture::new(APP, SECRET, "Example Publisher"),
            AppFixture::new(FOREIGN, SECRET, "Another Company's App"),
            AppFixture::new(CLOSED, SECRET, "Example Closed App").disabled(),
            AppFixture::new(MISTYPED, SECRET, "Example Mistyped App"),
        ] {
            self.graph.add_app(app);
        }
        self.paste("CLOSED_SECRET", SECRET);
        self.paste("MISTYPED_SECRET", "fakefakefakefakefakefakefakewrong");
        self.dead_strings();
        self.poor_strings();
        self.mistaken_strings();
        self.pages();
        self.instagram();
        self.threads();
        self.app_strings();
    }

    fn dead_strings(&mut self) {
        let erin = self.person(1, "Erin Expired");
        let gone = start() - TimeDelta::days(12);
        let expired = user(&erin, 0).aged(TimeDelta::days(72)).ending(Expiry::At(gone));
        self.give("EXPIRED", expired.named("expired"));
        for (number, name, key, invalidation) in [
            (2, "Pat Password", "PASSWORD_CHANGED", Invalidation::PasswordChanged),
            (3, "Ari Appless", "APP_REMOVED", Invalidation::AppRemoved),
            (4, "Chris Checkpoint", "CHECKPOINT", Invalidation::Checkpoint),
            (5, "Blake Blocked", "BLOCKED", Invalidation::Blocking),
            (6, "Uma Unconfirmed", "UNCONFIRMED", Invalidation::Unconfirmed),
            (7, "Robin Revoked", "REVOKED", Invalidation::Revoked),
            (8, "Lou Loggedout", "LOGGED_OUT", Invalidation::SessionInvalid),
            (9, "Ingrid Inactive", "INACTIVE", Invalidation::Inactive),
        ] {
            let person = self.person(number, name);
            let string = self.give(key, user(&person, 30).named(key));
            self.graph.invalidate(&string, invalidation);
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
        self.graph.add_page(PageFixture::new("2000000000000010", "Example Wrong Page"));
        let wim = self.person(13, "Wim Wrongtype");
        let page = TokenFixture::page(APP, &wim, "2000000000000010").scopes(SCOPES);
        self.give("WRONG_TYPE", page.named("wrong type"));
        for (number, name, key, app) in [
            (14, "Fay Foreign", "FOREIGN_APP", FOREIGN),
            (15, "Odo Ops", "APP_DISABLED", CLOSED),
            (16, "Ove Ops", "WRONG_SECRET", MISTYPED),
        ] {
            let person = self.person(number, name);
            let token = TokenFixture::user(app, &person).named(key).scopes(SCOPES);
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
            self.graph.add_page(PageFixture::new(page, name));
        }
        let sam = self.person(17, "Sam Shortparent");
        let hasty = TokenFixture::page(APP, &sam, "2000000000000011")
            .named("short parent")
            .scopes(SCOPES)
            .ending(Expiry::At(start() + TimeDelta::hours(2)));
        self.give("SHORT_PARENT", hasty);
        let rae = self.person(18, "Rae Rolelost");
        let lost =
            TokenFixture::page(APP, &rae, "2000000000000012").named("role lost").scopes(SCOPES);
        let lost = self.give("ROLE_LOST", lost);
        self.graph.invalidate(&lost, Invalidation::RoleLost);
        let edda = self.person(19, "Edda Editor");
        self.graph.list(&edda, "2000000000000013", Listing::Unlisted);
        self.graph.list(&edda, "2000000000000014", Listing::WithoutToken);
        self.give("EDITOR", user(&edda, 45).named("editor"));
    }

    fn instagram(&mut self) {
        for (app, name) in [(INSTA, "Example Stories"), (SECRETLESS, "Example Snapshots")] {
            self.graph.add_app(AppFixture::new(app, INSTA_SECRET, name).of(Provider::Instagram));
        }
        self.paste("INSTA_SECRET", INSTA_SECRET);
        let ivy = self.person(20, "Ivy Instagram");
        let gone = start() - TimeDelta::days(5);
        let expired = TokenFixture::instagram(INSTA, &ivy).named("instagram expired");
        let expired = expired.aged(TimeDelta::days(65)).ending(Expiry::At(gone));
        self.give("INSTAGRAM_EXPIRED", expired);
        let nina = self.person(21, "Nina Nosecret");
        let hasty = TokenFixture::instagram(SECRETLESS, &nina).named("instagram no secret");
        let hasty = hasty.ending(Expiry::At(start() + TimeDelta::hours(1)));
        self.give("INSTAGRAM_NO_SECRET", hasty);
    }

    /// The config names the app by the id that it has at Facebook.
    fn threads(&mut self) {
        let (name, twin) = ("Example Notes", AppFixture::new(TWIN, SECRET, "Example Notes"));
        self.graph.add_app(twin);
        self.graph.add_app(AppFixture::new(THREADS, THREADS_SECRET, name).of(Provider::Threads));
        self.paste("THREADS_SECRET", THREADS_SECRET);
        let tom = self.person(22, "Tom Twin");
        let token = TokenFixture::threads(THREADS, &tom).named("wrong app id");
        self.give("WRONG_APP_ID", token.aged(TimeDelta::days(15)));
    }

    /// What was pasted before the app's secret was reset.
    fn app_strings(&mut self) {
        let old = format!("{APP}|fakefakefakefakefakefakefakefold");
        self.paste("APP_SECRET_RESET", &old);
    }

    /// Adds a person of the `troubles` and says which id that is.
    fn person(&mut self, number: u32, name: &str) -> String {
        let id = format!("30000000000001{number:02}");
        self.graph.add_user(UserFixture::new(&id, name));
        id
    }
}
