//! Writes the address of a login dialog, and exchanges the code that comes of it.
//!
//! `code_challenge` is never sent: for ordinary permissions Facebook's dialog drops it, and the
//! exchange then fails over the verifier. The exchange goes as a form, so that neither the app's
//! secret nor the code stands in an address. Source: Meta, manually build a login flow; Facebook Login
//! for Business; Instagram, business login; Threads, get access tokens.

use crate::graph::body::{subject, text};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::{App, Endpoints};
use crate::http::Url;
use crate::token::{AccessToken, Method, Path, Problem, ProblemKind, Secret, redact};

use super::pages::signed;

/// What a login asks a person to grant: never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogScopes<'a> {
    /// These permissions.
    Scopes(&'a [String]),
    /// What a configuration of Facebook Login for Business says.
    Configuration(&'a str),
}

/// Why a person is asked for what was answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskAgain {
    /// What was declined once is not asked for otherwise.
    Declined,
    /// The access to the person's data ends, or has ended.
    DataAccess,
}

/// A login dialog, as its address asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialog<'a> {
    /// Where the browser is sent with the answer.
    pub redirect: &'a str,
    /// What the answer must hold again.
    pub state: &'a str,
    pub scopes: DialogScopes<'a>,
    pub again: AskAgain,
}

/// Writes the address of a login dialog, which a person opens in a browser.
pub fn dialog_address(
    endpoints: &Endpoints,
    app: &App,
    dialog: &Dialog<'_>,
) -> Result<String, Problem> {
    let spec = app.provider.spec().dialog;
    let wrong = || Problem::new(ProblemKind::Unknown, "the endpoint in the config is not a URL");
    let mut url = Url::parse(endpoints.dialog_url(app.provider)).map_err(|_| wrong())?;
    let (version, parts) = match spec.path {
        Path::Versioned(parts) => (Some(app.version.as_str()), parts),
        Path::Fixed(parts) => (None, parts),
    };
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(version.iter().chain(parts));
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", &app.id).append_pair("redirect_uri", dialog.redirect);
    query.append_pair("response_type", "code");
    match dialog.scopes {
        DialogScopes::Scopes(scopes) => query.append_pair("scope", &scopes.join(",")),
        DialogScopes::Configuration(id) => query.append_pair("config_id", id),
    };
    if spec.asks_again {
        let again = match dialog.again {
            AskAgain::Declined => "rerequest",
            AskAgain::DataAccess => "reauthorize",
        };
        query.append_pair("auth_type", again);
    }
    query.append_pair("state", dialog.state);
    drop(query);
    Ok(url.into())
}

/// Exchanges a code for an access token.
pub fn exchange_code(app: &App, secret: &Secret, code: &Secret, redirect: Option<&str>) -> Request {
    let spec = app.provider.spec().dialog;
    let mut request = Request::by(Method::Post, "login", app, spec.code_path)
        .with("client_id", &app.id)
        .with_secret("client_secret", secret.expose())
        .in_the_apps_name();
    if let Some(grant) = spec.code_grant {
        request = request.with("grant_type", grant);
    }
    if let Some(redirect) = redirect {
        request = request.with("redirect_uri", redirect);
    }
    let request = request.with_secret("code", code.expose()).spending();
    if spec.code_host.is_some() { request.asking_the_host_of_codes() } else { request }
}

/// Asks for the name of the person behind an access token of Facebook's.
pub fn person(app: &App, secret: Option<&Secret>, token: &AccessToken) -> Request {
    let request = Request::get("person", app, Path::Versioned(&["me"])).with("fields", "id,name");
    signed(request, secret, token)
}

/// Reads the name by which people know a person.
pub fn read_person(response: &Response) -> Result<String, Problem> {
    let document = problem::accepted(response)?;
    let said = subject(document.root());
    let name = text(said, "username").or_else(|| text(said, "name")).unwrap_or_default();
    Ok(redact::sentence(name, response.secrets()))
}

#[cfg(test)]
mod tests {
    use crate::graph::Idempotence;
    use crate::token::Provider;

    use super::*;

    fn app(provider: Provider) -> App {
        App { version: "v26.0".into(), ..App::sample(provider) }
    }

    #[test]
    fn each_service_has_its_dialog() {
        let scopes = ["public_profile".to_owned(), "pages_show_list".to_owned()];
        let scopes = DialogScopes::Scopes(&scopes);
        let asked = "client_id=7&redirect_uri=https%3A%2F%2Flocalhost%2F&response_type=code";
        let (declined, data) = (AskAgain::Declined, AskAgain::DataAccess);
        let listed = "scope=public_profile%2Cpages_show_list";
        let facebook = "https://www.facebook.com/v26.0/dialog/oauth";
        for (provider, scopes, again, address) in [
            (
                Provider::Facebook,
                scopes,
                declined,
                format!("{facebook}?{asked}&{listed}&auth_type=rerequest&state=s"),
            ),
            (
                Provider::Facebook,
                DialogScopes::Configuration("77"),
                data,
                format!("{facebook}?{asked}&config_id=77&auth_type=reauthorize&state=s"),
            ),
            (
                Provider::Instagram,
                scopes,
                declined,
                format!("https://www.instagram.com/oauth/authorize?{asked}&{listed}&state=s"),
            ),
            (
                Provider::Threads,
                scopes,
                data,
                format!("https://www.threads.com/oauth/authorize?{asked}&{listed}&state=s"),
            ),
        ] {
            let dialog = Dialog { redirect: "https://localhost/", state: "s", scopes, again };
            let written = dialog_address(&Endpoints::default(), &app(provider), &dialog);
            assert_eq!(written, Ok(address));
        }
    }

    #[test]
    fn a_code_is_sent_once_in_a_form_with_the_redirect_address_it_came_to() {
        let (secret, code) = (Secret::new("hushhush"), Secret::new("AQfake"));
        let local = Some("https://localhost/");
        let tail = "redirect_uri=https://localhost/ code=AQfake";
        for (provider, redirect, sent) in [
            (
                Provider::Facebook,
                local,
                format!("POST /v26.0/oauth/access_token client_id=7 client_secret=hushhush {tail}"),
            ),
            (
                Provider::Facebook,
                None,
                "POST /v26.0/oauth/access_token client_id=7 client_secret=hushhush code=AQfake"
                    .to_owned(),
            ),
            (
                Provider::Instagram,
                local,
                format!(
                    "POST /oauth/access_token client_id=7 client_secret=hushhush \
                     grant_type=authorization_code {tail}"
                ),
            ),
            (
                Provider::Threads,
                local,
                format!(
                    "POST /oauth/access_token client_id=7 client_secret=hushhush \
                     grant_type=authorization_code {tail}"
                ),
            ),
        ] {
            let request = exchange_code(&app(provider), &secret, &code, redirect);
            let words: Vec<_> =
                request.parameters().map(|(name, it)| format!("{name}={it}")).collect();
            let method = request.method();
            assert_eq!(format!("{method} {} {}", request.path(), words.join(" ")), sent);
            assert_eq!(request.idempotence(), Idempotence::Spending);
            let shown = format!("{request:?}");
            assert!(!shown.contains("hush") && !shown.contains("AQfake"), "{shown}");
        }
    }

    #[test]
    fn dialogs_and_codes_follow_an_api_on_this_machine() {
        let meta = Endpoints::default();
        assert_eq!(meta.code_url(Provider::Instagram), "https://api.instagram.com");
        assert_eq!(meta.code_url(Provider::Threads), "https://graph.threads.net");
        let here = Endpoints::each(|_| "http://127.0.0.1:9".to_owned());
        assert_eq!(here.code_url(Provider::Instagram), "http://127.0.0.1:9");
        assert_eq!(here.dialog_url(Provider::Instagram), "http://127.0.0.1:9");
        assert!(here.is_loopback());
        let proxied = Endpoints::each(|_| "https://proxy.example".to_owned());
        assert_eq!(proxied.dialog_url(Provider::Facebook), "https://www.facebook.com");
        let given = here.with_code_host(Provider::Instagram, "https://login.example".to_owned());
        assert_eq!(given.code_url(Provider::Instagram), "https://login.example");
        assert!(!given.is_loopback());
    }
}
