//! Holds Graph's memory: apps, people, Pages, the access tokens it gave out, and its time.
//!
//! A pure model without I/O. `route` answers a call from it; its revision tells whether an
//! answer changed anything.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::token::{DataAccess, Expiry, Time};

use super::fixtures::{
    AppFixture, Listing, PageFixture, PortfolioFixture, UserFixture, WhatsappFixture,
};
use super::invalidation::Invalidation;
use super::issued::{DAY, IssuedToken, TokenFixture, TokenKind, derivation, stem};
use super::logins::{ConsentRecord, LoginCode};
use super::quirks::{
    CodeReply, DeadRefusal, NeverExpiring, OldString, PageExchange, Quirks, Revocations,
    ThreadsInspection, YoungRefusal,
};

/// The simulated Graph.
#[derive(Clone, Serialize, Deserialize)]
pub struct Simulation {
    pub(super) now: i64,
    pub(super) apps: BTreeMap<String, AppFixture>,
    pub(super) users: BTreeMap<String, UserFixture>,
    pub(super) pages: BTreeMap<String, PageFixture>,
    pub(super) tokens: BTreeMap<String, IssuedToken>,
    /// The business portfolios, by id.
    #[serde(default)]
    pub(super) portfolios: BTreeMap<String, PortfolioFixture>,
    /// The WhatsApp numbers and accounts, by id.
    #[serde(default)]
    pub(super) whatsapp: BTreeMap<String, WhatsappFixture>,
    /// The Page token that a session was given, so that it is given the same one again.
    pub(super) derived: BTreeMap<String, String>,
    /// What people granted in a login dialog, by person and app.
    #[serde(default)]
    pub(super) consents: BTreeMap<String, ConsentRecord>,
    /// The codes that the login dialogs gave out.
    #[serde(default)]
    pub(super) codes: BTreeMap<String, LoginCode>,
    #[serde(rename = "unsure")]
    pub(super) quirks: Quirks,
    /// How many access tokens were given out under each stem.
    #[serde(rename = "minted")]
    issued: BTreeMap<String, u32>,
    sessions: u32,
    #[serde(skip)]
    revision: u64,
}

impl Simulation {
    /// An empty world at `now`.
    pub fn new(now: Time) -> Self {
        Self {
            now: now.timestamp(),
            apps: BTreeMap::new(),
            users: BTreeMap::new(),
            pages: BTreeMap::new(),
            portfolios: BTreeMap::new(),
            whatsapp: BTreeMap::new(),
            tokens: BTreeMap::new(),
            derived: BTreeMap::new(),
            consents: BTreeMap::new(),
            codes: BTreeMap::new(),
            quirks: Quirks::default(),
            issued: BTreeMap::new(),
            sessions: 0,
            revision: 0,
        }
    }

    /// What time Graph believes it is.
    pub fn now(&self) -> Time {
        DateTime::from_timestamp(self.now, 0).unwrap_or_default()
    }

    /// Moves Graph's time.
    pub fn set_now(&mut self, now: Time) {
        self.now = now.timestamp();
    }

    /// Adds an app, or replaces the one with that id.
    pub fn add_app(&mut self, app: AppFixture) {
        self.apps.insert(app.id.clone(), app);
    }

    /// Adds a person, or replaces the one with that id.
    pub fn add_user(&mut self, user: UserFixture) {
        self.users.insert(user.id.clone(), user);
    }

    /// Adds a Page, or replaces the one with that id.
    pub fn add_page(&mut self, page: PageFixture) {
        self.pages.insert(page.id.clone(), page);
    }

    /// Adds a portfolio, or replaces the one with that id.
    pub fn add_portfolio(&mut self, portfolio: PortfolioFixture) {
        self.portfolios.insert(portfolio.id.clone(), portfolio);
    }

    /// Adds a WhatsApp number or account, or replaces the one with that id.
    pub fn add_whatsapp(&mut self, whatsapp: WhatsappFixture) {
        self.whatsapp.insert(whatsapp.id.clone(), whatsapp);
    }

    /// The person of that id, to change it.
    pub fn user_mut(&mut self, id: &str) -> Option<&mut UserFixture> {
        self.users.get_mut(id)
    }

    /// The app of that id, to change it.
    pub fn app_mut(&mut self, id: &str) -> Option<&mut AppFixture> {
        self.apps.get_mut(id)
    }

    /// Decides how a Page shows in a person's list.
    pub fn list(&mut self, user: &str, page: &str, listing: Listing) {
        if let Some(user) = self.users.get_mut(user) {
            user.pages.insert(page.to_owned(), listing);
        }
    }

    /// Gives out a token, as if the person had logged in just then, and returns the access token.
    ///
    /// A Page's token joins the last log-in of its person; any other begins a new one.
    pub fn mint(&mut self, spec: TokenFixture) -> String {
        let issued_at = self.now - spec.age.num_seconds();
        let joins = spec.kind == TokenKind::Page;
        let joined = joins.then(|| self.last_session(&spec.user, &spec.app)).flatten();
        let session = joined.unwrap_or_else(|| self.begin_session());
        let token = IssuedToken {
            kind: spec.kind,
            app: spec.app,
            user: spec.user,
            page: spec.page,
            scopes: spec.scopes,
            issued_at,
            expires_at: match spec.expiry {
                Expiry::At(time) => time.timestamp(),
                Expiry::Never => 0,
                Expiry::Unknown => issued_at + 60 * DAY,
            },
            data_access_expires_at: match spec.data_access {
                DataAccess::Until(time) => time.timestamp(),
                DataAccess::NotApplicable => 0,
                DataAccess::Unknown => issued_at + 90 * DAY,
            },
            session,
            stem: stem(&spec.words),
            renewal: spec.renewal,
            withholds_expires_in: spec.withholds_expires_in,
            invalidation: None,
        };
        let derivation = token.page.as_deref().map(|page| derivation(&token, page, ""));
        let lasts = token.expires_at == 0;
        let string = self.give_out(token);
        if let (Some(derivation), true) = (derivation, lasts) {
            self.derived.insert(derivation, string.clone());
        }
        string
    }

    /// Ends a token, and with it all that such an end takes along.
    pub fn invalidate(&mut self, string: &str, invalidation: Invalidation) {
        let now = self.now;
        let Some(token) = self.tokens.get_mut(string) else { return };
        token.invalidation = Some(invalidation);
        if invalidation == Invalidation::Expired
            && (token.expires_at == 0 || token.expires_at > now)
        {
            token.expires_at = now;
        }
        let (session, user, page) = (token.session, token.user.clone(), token.page.clone());
        if invalidation.ends_the_session() {
            let kin = self.tokens.values_mut().filter(|kin| kin.session == session);
            kin.filter(|kin| kin.invalidation.is_none())
                .for_each(|kin| kin.invalidation = Some(invalidation));
        }
        if let (Invalidation::RoleLost, Some(page)) = (invalidation, page) {
            self.users.entry(user).and_modify(|user| user.pages.retain(|id, _| *id != page));
        }
        self.touch();
    }

    /// Brings a token back to life, as when a person has passed the check that held it.
    pub fn revive(&mut self, string: &str) {
        let Some(session) = self.tokens.get(string).map(|token| token.session) else { return };
        let kin = self.tokens.values_mut().filter(|kin| kin.session == session);
        kin.for_each(|kin| kin.invalidation = None);
        self.touch();
    }

    /// When an access token ends, as Graph knows it; nothing for an access token that it never gave
    /// out.
    pub fn expiry(&self, string: &str) -> Option<Expiry> {
        self.tokens.get(string).map(|token| Expiry::from_graph(Some(token.expires_at)))
    }

    /// Why an access token does not work, if that is so.
    pub fn invalidation(&self, string: &str) -> Option<Invalidation> {
        self.tokens.get(string).and_then(|token| token.invalidation(self.now))
    }

    /// The words in an access token, without its number.
    pub(super) fn words(&self, string: &str) -> Option<&str> {
        self.tokens.get(string).map(|token| token.stem.as_str())
    }

    /// Every access token that was ever given out.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        self.tokens.keys().map(String::as_str)
    }

    /// How often the memory has changed; an answer that moves this must be kept before it is sent.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The whole memory as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("the memory is text, numbers and names")
    }

    /// Reads back what [`Simulation::to_json`] wrote.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Names a token and keeps it. The number counts within the words, so that the access token
    /// does not depend on the order in which several tokens are renewed.
    pub(super) fn give_out(&mut self, token: IssuedToken) -> String {
        let count = self.issued.entry(token.stem.clone()).or_default();
        *count += 1;
        let string = format!("{}{}{count}", token.kind.host().prefix(), token.stem);
        self.tokens.insert(string.clone(), token);
        self.touch();
        string
    }

    pub(super) fn touch(&mut self) {
        self.revision += 1;
    }

    fn begin_session(&mut self) -> u32 {
        self.sessions += 1;
        self.sessions
    }

    fn last_session(&self, user: &str, app: &str) -> Option<u32> {
        let theirs = self.tokens.values().filter(|token| token.user == user && token.app == app);
        theirs.map(|token| token.session).max()
    }
}

impl Simulation {
    /// Decides what becomes of old access tokens from now on.
    pub fn set_old_string(&mut self, fate: OldString) {
        self.quirks.old = fate;
    }

    /// Decides how an access token that is too young to be renewed is refused from now on.
    pub fn set_young_refusal(&mut self, refusal: YoungRefusal) {
        self.quirks.young = refusal;
    }

    /// Decides how Instagram and Threads refuse a dead access token from now on.
    pub fn set_dead_refusal(&mut self, refusal: DeadRefusal) {
        self.quirks.dead = refusal;
    }

    /// Decides how Instagram answers the exchange of a code from now on.
    pub fn set_code_reply(&mut self, reply: CodeReply) {
        self.quirks.code_reply = reply;
    }

    /// Decides whether a Page's access token is exchanged from now on.
    pub fn set_page_exchange(&mut self, exchange: PageExchange) {
        self.quirks.page_exchange = exchange;
    }

    /// Decides what an accepted revocation does from now on.
    pub fn set_revocations(&mut self, revocations: Revocations) {
        self.quirks.revocations = revocations;
    }

    /// Decides whether System Users get access tokens that never expire from now on.
    pub fn set_never_expiring(&mut self, never_expiring: NeverExpiring) {
        self.quirks.never_expiring = never_expiring;
    }

    /// Decides whom Threads answers about an access token from now on.
    pub fn set_threads_inspection(&mut self, inspection: ThreadsInspection) {
        self.quirks.inspection = inspection;
    }

    /// Lets a list give only so many Pages at once from now on: who asks for more is told to ask for
    /// less.
    pub fn set_most_at_once(&mut self, pages: usize) {
        self.quirks.most_at_once = Some(pages);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn start() -> Time {
        DateTime::from_timestamp(1_767_225_600, 0).expect("a date")
    }

    fn world() -> Simulation {
        let mut sim = Simulation::new(start());
        sim.add_app(AppFixture::new("1", "hush", "An app"));
        sim.add_user(UserFixture::new("3", "Anna").with_page("2", Listing::Listed));
        sim.add_page(PageFixture::new("2", "Bakery"));
        sim
    }

    #[test]
    fn strings_are_readable_and_counted_by_their_words() {
        let mut sim = world();
        let spec = TokenFixture::user("1", "3").named("my brand-2");
        assert_eq!(sim.mint(spec.clone()), "EAAFAKEMyBrand1");
        assert_eq!(sim.mint(TokenFixture::user("1", "3").named("shop")), "EAAFAKEShop1");
        assert_eq!(sim.mint(spec), "EAAFAKEMyBrand2");
    }

    #[test]
    fn a_page_dies_with_its_person_but_not_the_other_way() {
        for invalidation in Invalidation::ALL {
            let mut sim = world();
            let user = sim.mint(TokenFixture::user("1", "3"));
            let page = sim.mint(TokenFixture::page("1", "3", "2"));
            let other = sim.mint(TokenFixture::user("1", "3"));
            sim.invalidate(&user, invalidation);
            assert_eq!(sim.invalidation(&user), Some(invalidation));
            assert_eq!(
                sim.invalidation(&page).is_some(),
                invalidation.ends_the_session(),
                "{invalidation:?}"
            );
            assert_eq!(sim.invalidation(&other), None, "another log-in");
            sim.revive(&user);
            assert_eq!(sim.invalidation(&page), None);
        }
    }

    #[test]
    fn time_ends_a_dated_token() {
        let mut sim = world();
        let token = sim.mint(TokenFixture::user("1", "3"));
        sim.set_now(start() + TimeDelta::days(60) - TimeDelta::seconds(1));
        assert_eq!(sim.invalidation(&token), None);
        sim.set_now(start() + TimeDelta::days(60));
        assert_eq!(sim.invalidation(&token), Some(Invalidation::Expired));
    }

    #[test]
    fn the_memory_survives_a_round_trip() {
        let mut sim = world();
        let token = sim.mint(TokenFixture::user("1", "3").named("brand"));
        sim.invalidate(&token, Invalidation::Checkpoint);
        let again = Simulation::from_json(&sim.to_json()).expect("our own JSON");
        assert_eq!(again.to_json(), sim.to_json());
        assert_eq!(again.invalidation(&token), Some(Invalidation::Checkpoint));
        assert!(Simulation::from_json("{}").is_err());
    }
}
