//! Plays Meta's login dialogs: asks who logs in and what that person grants, and sends the browser
//! back with a code.
//!
//! What is wrong with the request itself, an unknown app or a redirect address that is not listed,
//! stays on Meta's own page: the program that asked never hears of it. Only what the person decides
//! is sent to the redirect address. A permission that was declined once is not asked for again unless
//! the request says `auth_type=rerequest`; access to the data that has ended comes back only with
//! `auth_type=reauthorize`. Source: Meta, manually build a login flow; Instagram, business login;
//! Threads, get access tokens.

use super::call::{Answer, Call, http_date};
use super::dialog_page::{self, flat_error, page_of_error};
use super::dialog_request::rules;
use super::fixtures::{Listing, PageFixture, UserFixture};
use super::host::Host;
use super::issued::{DAY, TokenKind};
use super::logins::{CodeGrant, ConsentForm, ConsentRecord, DialogRequest, LoginCode};
use super::simulation::Simulation;

impl Call {
    /// What the person typed or ticked, where several values have one name.
    fn ticked<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.form.iter().filter(move |(each, _)| each == name).map(|(_, value)| value.as_str())
    }
}

/// What the person did on the page.
enum Decision {
    Allow,
    Cancel,
    PassCheck,
}

impl Simulation {
    /// Shows a dialog, or does what was decided in it.
    pub fn dialog(&mut self, call: &Call) -> Answer {
        let request = match self.read_dialog(call) {
            Ok(request) => request,
            Err(error) if call.host == Host::Threads => return flat_error(&error, self.now),
            Err(error) => return page_of_error(&error, self.now),
        };
        let person = call.ticked("as").next().and_then(|id| self.users.get(id)).cloned();
        let decision = match call.ticked("decision").next() {
            Some("allow") => Some(Decision::Allow),
            Some("cancel") => Some(Decision::Cancel),
            Some("check") => Some(Decision::PassCheck),
            _ => None,
        };
        match (person, decision) {
            (_, Some(Decision::Cancel)) => self.back(&request, &declined(&request)),
            (None, _) => dialog_page::choose(call, &request, &self.people(call.host), self.now),
            (Some(person), Some(Decision::PassCheck)) => {
                self.pass_check(&person.id);
                self.ask(call, &request, &person)
            }
            (Some(person), _) if person.is_checkpointed => {
                dialog_page::checkpoint(call, &person, self.now)
            }
            (Some(person), None) => self.ask(call, &request, &person),
            (Some(person), Some(Decision::Allow)) => self.allow(call, &request, &person),
        }
    }

    /// The form that a person fills in who grants everything but these permissions and Pages; a person
    /// is called by id, name or username.
    pub fn filled_in(
        &self,
        target: &str,
        person: &str,
        without: &[String],
    ) -> Result<String, String> {
        let request =
            self.read_dialog(&Call::new("POST", target, [])).map_err(|error| error.message)?;
        let is_meant = |user: &&UserFixture| {
            [&user.id, &user.name, &user.username].contains(&&person.to_owned())
        };
        let people = self.people(request.host);
        let Some(user) = people.iter().find(is_meant) else {
            let names: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
            return Err(format!("there is no `{person}`; these can log in: {}", names.join(", ")));
        };
        let asked = self.form(&request, user);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("as", &user.id).append_pair("decision", "allow");
        for scope in asked.scopes.iter().filter(|scope| !without.contains(scope)) {
            form.append_pair("grant", scope);
        }
        for page in &asked.pages {
            if !without.contains(&page.id) && !without.contains(&page.name) {
                form.append_pair("page", &page.id);
            }
        }
        Ok(form.finish())
    }

    /// Who can log in at a host: everybody who has an account there, and no System User.
    fn people(&self, host: Host) -> Vec<UserFixture> {
        let has = |user: &UserFixture, fits: fn(TokenKind, Host) -> bool| {
            self.tokens.values().any(|token| token.user == user.id && fits(token.kind, host))
        };
        let is_person = |user: &&UserFixture| {
            let has_any = has(user, |_, _| true);
            !has_any || has(user, |kind, host| kind.host() == host && kind != TokenKind::SystemUser)
        };
        self.users.values().filter(is_person).cloned().collect()
    }

    fn pass_check(&mut self, id: &str) {
        let Some(user) = self.users.get_mut(id) else { return };
        user.is_checkpointed = false;
        let held: Vec<String> = self
            .tokens
            .iter()
            .filter(|(_, token)| {
                token.user == id
                    && token.invalidation.is_some_and(super::invalidation::Invalidation::is_a_check)
            })
            .map(|(string, _)| string.clone())
            .collect();
        for string in &held {
            self.revive(string);
        }
        self.touch();
    }

    fn ask(&self, call: &Call, request: &DialogRequest, person: &UserFixture) -> Answer {
        let form = self.form(request, person);
        dialog_page::consent(call, request, person, &form, self.now)
    }

    /// What a person is asked: what was declined or granted before is not asked again, unless the
    /// request says so.
    fn form(&self, request: &DialogRequest, person: &UserFixture) -> ConsentForm {
        let before = self.consent(request, person);
        let basic = rules(request.host).basic;
        let known =
            |scope: &String| before.granted.contains(scope) || before.declined.contains(scope);
        let scopes: Vec<String> = request
            .asked
            .iter()
            .filter(|scope| *scope != basic && (request.asks_again || !known(scope)))
            .cloned()
            .collect();
        let asks = !scopes.is_empty() || request.asks_again || before.granted.is_empty();
        let lists = request.asked.iter().chain(&before.granted).any(|it| it == "pages_show_list");
        let pages = if asks && lists { self.offered_pages(person) } else { Vec::new() };
        ConsentForm { is_known: !before.granted.is_empty(), scopes, pages }
    }

    fn offered_pages(&self, person: &UserFixture) -> Vec<PageFixture> {
        let offered = person.pages.iter().filter(|(_, listing)| **listing != Listing::Unlisted);
        offered.filter_map(|(id, _)| self.pages.get(id).cloned()).collect()
    }

    /// What was granted before: as it was said in the dialog, else as the newest access token has it.
    fn consent(&self, request: &DialogRequest, person: &UserFixture) -> ConsentRecord {
        if let Some(consent) = self.consents.get(&consent_key(&person.id, &request.app.id)) {
            return consent.clone();
        }
        let theirs = self.tokens.values().filter(|token| {
            token.user == person.id
                && token.app == request.app.id
                && token.kind != TokenKind::Page
                && !token
                    .invalidation
                    .is_some_and(super::invalidation::Invalidation::takes_the_grant)
        });
        let newest = theirs.max_by_key(|token| token.session);
        let granted = newest.map(|token| token.scopes.clone()).unwrap_or_default();
        ConsentRecord { granted, declined: Vec::new() }
    }

    fn allow(&mut self, call: &Call, request: &DialogRequest, person: &UserFixture) -> Answer {
        let form = self.form(request, person);
        let ticked: Vec<&str> = call.ticked("grant").collect();
        let before = self.consent(request, person);
        let (mut granted, mut declined) = (before.granted, before.declined);
        granted.retain(|scope| !form.scopes.contains(scope));
        declined.retain(|scope| !form.scopes.contains(scope));
        for scope in &form.scopes {
            if ticked.contains(&scope.as_str()) {
                granted.push(scope.clone());
            } else {
                declined.push(scope.clone());
            }
        }
        let basic = rules(request.host).basic.to_owned();
        if !granted.contains(&basic) {
            granted.insert(0, basic);
        }
        let pages: Vec<&str> = call.ticked("page").collect();
        for page in &form.pages {
            let is_ticked = pages.contains(&page.id.as_str());
            let listing = if is_ticked { Listing::Listed } else { Listing::WithoutToken };
            self.list(&person.id, &page.id, listing);
        }
        let key = consent_key(&person.id, &request.app.id);
        self.consents.insert(key, ConsentRecord { granted: granted.clone(), declined });
        let data_access = self.data_access(request, person);
        let code = self.give_code(LoginCode {
            host: request.host,
            app: request.app.id.clone(),
            redirect: Some(request.redirect.clone()),
            issued_at: self.now,
            is_used: false,
            grant: match &request.system_user {
                Some(id) => CodeGrant::SystemUser { id: id.clone(), scopes: request.asked.clone() },
                None => CodeGrant::Person {
                    id: person.id.clone(),
                    scopes: granted,
                    data_access_expires_at: data_access,
                },
            },
        });
        self.back(request, &[("code", code.as_str())])
    }

    /// Access to the data that has ended begins again only where the person was asked for it.
    fn data_access(&self, request: &DialogRequest, person: &UserFixture) -> i64 {
        let theirs = self.tokens.values().filter(|token| {
            token.user == person.id && token.app == request.app.id && token.kind == TokenKind::User
        });
        let last = theirs.map(|token| token.data_access_expires_at).max();
        match last {
            Some(end) if end != 0 && end <= self.now && !request.reauthorizes => end,
            _ => self.now + 90 * DAY,
        }
    }

    /// Sends the browser to the redirect address.
    fn back(&self, request: &DialogRequest, answer: &[(&str, &str)]) -> Answer {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer).append_pair("state", &request.state);
        let joint = if request.redirect.contains('?') { '&' } else { '?' };
        let trailer = rules(request.host).trailer;
        let place = format!("{}{joint}{}{trailer}", request.redirect, query.finish());
        let headers = vec![
            ("Location", place),
            ("Date", http_date(self.now)),
            ("Cache-Control", "no-store".to_owned()),
        ];
        Answer { status: 302, headers, body: Vec::new() }
    }
}

/// What an address says of a person who pressed Cancel.
fn declined(request: &DialogRequest) -> Vec<(&'static str, &'static str)> {
    let error = ("error", "access_denied");
    let reason = ("error_reason", "user_denied");
    match request.host {
        Host::Facebook => {
            vec![error, ("error_code", "200"), ("error_description", "Permissions error"), reason]
        }
        Host::Instagram | Host::Threads => {
            vec![error, reason, ("error_description", "The user denied your request.")]
        }
    }
}

/// Names what a person granted an app.
pub fn consent_key(user: &str, app: &str) -> String {
    format!("{user}/{app}")
}
