//! Reads `[app.NAME]`: Meta apps.

use serde_json::json;

use super::address::check_redirect;
use super::diagnostic::{Diagnostic, Span, Spanned};
use super::reader::Section;
use super::show::ValueOrigin;
use super::source::{SecretSource, is_the_token};
use super::wording::quoted;
use crate::policy::NEWEST;
use crate::token::{Provider, Versions};

/// A Meta app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSetting {
    pub name: String,
    /// Whose app it is.
    pub kind: Provider,
    /// Meta's id for it; a literal one is digits.
    pub id: SecretSource,
    /// Its secret, without which nothing is exchanged and no Facebook token inspected; Instagram
    /// and Threads renew without.
    pub secret: Option<SecretSource>,
    /// The version of Graph that is asked, such as `v26.0`; for a Threads app Threads' own.
    pub graph_version: String,
    /// Where its login dialog sends the browser: to the byte as the app's settings list it.
    pub redirect_uri: String,
    /// The configuration of Facebook Login for Business that a login asks with, in place of
    /// permissions.
    pub config_id: Option<String>,
}

/// What a browser is sent to where the config says nothing: nothing listens there, and the person
/// pastes the address.
const REDIRECT: &str = "https://localhost/";

/// An app as far as the file tells of it.
pub struct AppRead {
    pub name: String,
    /// None where the file names an unknown kind, which is complained of.
    pub kind: Option<Provider>,
    pub has_secret: bool,
    /// The portfolio of tokens that name none themselves.
    pub business: Option<String>,
    /// Where its id and its secret are found, by their keys.
    pub sources: Vec<(&'static str, SecretSource)>,
    /// The app, if nothing that it needs is missing or wrong.
    pub setting: Option<AppSetting>,
}

impl AppRead {
    /// Its id, where the file itself says it.
    pub fn id(&self) -> Option<String> {
        match &self.setting.as_ref()?.id {
            SecretSource::Literal(id) => Some(id.expose().to_owned()),
            _ => None,
        }
    }
}

/// Reads every `[app.NAME]`.
pub fn read(top: &Section<'_>) -> Vec<AppRead> {
    let apps = top.named("app", "NAME", "The Meta apps");
    apps.iter().map(|(name, app)| read_one(name, app)).collect()
}

fn read_one(name: &Spanned<&str>, app: &Section<'_>) -> AppRead {
    check_name(name, app);
    let kinds = Provider::ALL;
    let kind = app.choice("kind", "Whose app it is", "kind of app", kinds).judged();
    let has_good_kind = !kind.is_wrong();
    let kind = kind.or(Provider::DEFAULT);
    let id = app.secret("id", "Meta's id of it: digits").public().check(bad_id).judged();
    let secret = app.secret("secret", "Its secret").check(bad_secret).judged();
    let sources = [("id", id.get().cloned()), ("secret", secret.get().cloned())];
    let has_secret = secret.is_present();

    let version = app.string("graph_version", "The version of Graph that is asked");
    let graph_version = if let Versions::Only { version: only, why } = kind.spec().versions {
        if let Some(given) = version.spanned() {
            let wrong = Diagnostic::at(given.span, why);
            app.report(wrong.label("leave `graph_version` out"));
        }
        // It is not a setting: shown as one, it would be refused when read again.
        app.put("graph_version", || ValueOrigin::Implied(why), || json!(null));
        only.to_owned()
    } else {
        version.check(|version, span| bad_version(version, span)).or(NEWEST.to_owned())
    };

    let redirect_uri = app
        .string("redirect_uri", "Where its login dialog sends the browser")
        .check(|address, span| bad_redirect(address, span))
        .or(REDIRECT.to_owned());
    let config_id = app.string("config_id", "What a login for a business asks for").judged();
    if config_id.is_present() && !kind.spec().has_pages() {
        config_id.refuse("only a Facebook app has a `config_id`", "");
    }
    let config_id = config_id.check(|id, span| bad_config_id(id, span)).optional();

    let business = app.string("business", "The portfolio whose Pages its tokens list").judged();
    if business.is_present() && !kind.spec().has_pages() {
        business.refuse("only a Facebook app has a `business`", "");
    }
    let business = business.check(|id, span| bad_business(id, span)).optional();

    if !id.is_present() {
        let message = format!("`[{}]` needs an `id`", app.name());
        let shown_as = format!("Meta shows it as {}", kind.spec().words.app_id);
        app.report(Diagnostic::at(app.span(), message).label(shown_as));
    }
    let id = id.optional();
    if let Some(SecretSource::Literal(literal)) = &id {
        app.put("id", || ValueOrigin::Table(app.name()), || json!(literal.expose()));
    }
    let secret = secret.optional();
    app.show();
    AppRead {
        name: name.value.to_owned(),
        kind: has_good_kind.then_some(kind),
        has_secret,
        business,
        sources: sources.into_iter().filter_map(|(key, source)| Some((key, source?))).collect(),
        setting: id.map(|id| AppSetting {
            name: name.value.to_owned(),
            kind,
            id,
            secret,
            graph_version,
            redirect_uri,
            config_id,
        }),
    }
}

fn bad_business(id: &str, span: Span) -> Option<Diagnostic> {
    let is_id = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
    let wrong = || Diagnostic::at(span, "a `business` has digits only");
    (!is_id).then(wrong)
}

fn check_name(name: &Spanned<&str>, app: &Section<'_>) {
    if let Some(wrong) = is_the_token(name.value, name.span) {
        app.report(wrong);
    }
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.value.is_empty() || !name.value.chars().all(is_good) {
        let message = format!("invalid app name {}", quoted(name.value));
        app.report(Diagnostic::at(name.span, message).label("use letters, digits, `-` and `_`"));
    }
}

fn bad_id(id: &SecretSource, span: Span) -> Option<Diagnostic> {
    let SecretSource::Literal(text) = id else { return None };
    let is_bad = !text.expose().chars().all(|c| c.is_ascii_digit());
    let wrong = || Diagnostic::at(span, "the `id` of an app has digits only");
    is_bad.then(|| wrong().label("copy the App ID from the app's dashboard (App settings, Basic)"))
}

/// A browser can be sent to this machine, and elsewhere only through TLS; the dialog itself adds what
/// follows.
fn bad_redirect(address: &str, span: Span) -> Option<Diagnostic> {
    let is_good = check_redirect(address).is_ok();
    (!is_good).then(|| {
        Diagnostic::at(span, format!("invalid redirect address {}", quoted(address)))
            .label("write `https://…` as the app's settings list it, without `#`")
    })
}

fn bad_config_id(id: &str, span: Span) -> Option<Diagnostic> {
    let is_bad = id.is_empty() || !id.chars().all(|c| c.is_ascii_digit());
    is_bad.then(|| Diagnostic::at(span, "the `config_id` of an app has digits only"))
}

/// A literal with a blank inside was cut badly from somewhere.
fn bad_secret(secret: &SecretSource, span: Span) -> Option<Diagnostic> {
    let SecretSource::Literal(text) = secret else { return None };
    let is_bad = text.expose().contains(char::is_whitespace);
    is_bad.then(|| Diagnostic::at(span, "the `secret` of an app has no blank in it"))
}

/// Refuses what does not have the form of a version; a newer one than ours may well exist.
fn bad_version(version: &str, span: Span) -> Option<Diagnostic> {
    let is_number =
        |part: &str| (1..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    let parts = version.strip_prefix('v').and_then(|version| version.split_once('.'));
    if parts.is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
        return None;
    }
    let message = format!("invalid Graph version {}", quoted(version));
    Some(Diagnostic::at(span, message).label(format!("write it like `{NEWEST}`")))
}
