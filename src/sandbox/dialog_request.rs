//! Reads what a login dialog is asked for, as each host takes it.

use super::call::Call;
use super::fixtures::AppFixture;
use super::host::Host;
use super::logins::{DialogError, DialogRequest};
use super::simulation::Simulation;

/// What one host's dialog is.
pub struct DialogRules {
    /// The path, without a version.
    path: &'static str,
    /// The parameters that it takes.
    parameters: &'static [&'static str],
    /// The permission that cannot be left out.
    pub basic: &'static str,
    /// How the permissions of this host begin.
    scopes: &'static [&'static str],
    /// What the browser finds behind the code.
    pub trailer: &'static str,
}

/// The dialogs, in the order of [`Host`].
static DIALOGS: [DialogRules; 3] = [
    DialogRules {
        path: "dialog/oauth",
        // `code_challenge` is taken and dropped, as Facebook does with ordinary permissions.
        parameters: &[
            "client_id",
            "redirect_uri",
            "state",
            "response_type",
            "scope",
            "config_id",
            "auth_type",
            "code_challenge",
            "code_challenge_method",
        ],
        basic: "public_profile",
        scopes: &[
            "public_profile",
            "email",
            "pages_",
            "ads_",
            "business_management",
            "catalog_management",
            "instagram_",
            "leads_retrieval",
            "read_insights",
            "whatsapp_",
        ],
        trailer: "#_=_",
    },
    DialogRules {
        path: "oauth/authorize",
        parameters: &[
            "client_id",
            "redirect_uri",
            "state",
            "response_type",
            "scope",
            "force_reauth",
            "enable_fb_login",
        ],
        basic: "instagram_business_basic",
        scopes: &["instagram_business_"],
        trailer: "#_",
    },
    DialogRules {
        path: "oauth/authorize",
        parameters: &["client_id", "redirect_uri", "state", "response_type", "scope"],
        basic: "threads_basic",
        scopes: &["threads_"],
        trailer: "#_",
    },
];

/// What the dialog of a host is.
pub const fn rules(host: Host) -> &'static DialogRules {
    &DIALOGS[host as usize]
}

impl Call {
    /// Whether a browser asks for a login dialog.
    pub fn is_for_a_dialog(&self) -> bool {
        self.endpoint() == rules(self.host).path
    }
}

impl Simulation {
    /// Reads what is asked for, or says what is wrong with it.
    pub fn read_dialog(&self, call: &Call) -> Result<DialogRequest, DialogError> {
        let rules = rules(call.host);
        let invalid = |message: &str| DialogError::new(1, "Sorry, something went wrong.", message);
        for (place, (name, _)) in call.query.iter().enumerate() {
            if !rules.parameters.contains(&name.as_str()) {
                return Err(invalid(&format!("The parameter {name} is not known here.")));
            }
            if call.query[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(&format!("The parameter {name} is given twice.")));
            }
        }
        let app = self.dialog_app(call)?;
        if app.disabled {
            let message = "This app is not accessible right now.";
            return Err(DialogError::new(2, "App not active", message));
        }
        let redirect = call.get("redirect_uri").unwrap_or_default().to_owned();
        check_redirect(call.host, &app, &redirect)?;
        if call.get("response_type") != Some("code") {
            return Err(invalid("The parameter response_type must be code."));
        }
        let state = call.get("state").ok_or_else(|| invalid("The parameter state is missing."))?;
        if let Some(refused) = app.tester_refused.then(|| {
            DialogError::new(
                1_349_245,
                "Invalid Request",
                "The user has not accepted the invite to test the app.",
            )
        }) {
            return Err(refused);
        }
        let (asked, system_user) = asked_for(call, &app, rules)?;
        let auth_type = call.get("auth_type");
        if auth_type.is_some_and(|it| it != "rerequest" && it != "reauthorize") {
            return Err(invalid("The parameter auth_type is not known."));
        }
        Ok(DialogRequest {
            host: call.host,
            redirect,
            state: state.to_owned(),
            asked,
            system_user,
            asks_again: auth_type.is_some(),
            reauthorizes: auth_type == Some("reauthorize"),
            app,
        })
    }

    /// The app that the address names. Threads says of Facebook's id for it that it is the wrong one.
    fn dialog_app(&self, call: &Call) -> Result<AppFixture, DialogError> {
        let id = call.get("client_id").unwrap_or_default();
        if let Some(app) = self.app_at(call.host, id) {
            return Ok(app.clone());
        }
        let of_facebook = self.app_at(Host::Facebook, id).is_some();
        Err(match call.host {
            Host::Threads if of_facebook => {
                DialogError::new(1_349_026, "Invalid Request", "An unknown error has occurred.")
            }
            Host::Instagram => DialogError::new(
                101,
                "Invalid Request",
                "Request parameters are invalid: Invalid platform app",
            ),
            Host::Facebook | Host::Threads => DialogError::new(
                101,
                "Invalid App ID",
                "The provided app ID does not look like a valid app ID.",
            ),
        })
    }
}

/// A redirect address must be listed to the byte. Facebook takes plain HTTP on this machine from an
/// app in development, listed or not, and from no other.
fn check_redirect(host: Host, app: &AppFixture, redirect: &str) -> Result<(), DialogError> {
    let is_plain = redirect.starts_with("http://");
    let is_local =
        ["http://localhost:", "http://localhost/"].iter().any(|it| redirect.starts_with(it));
    if host == Host::Facebook && is_local && app.in_development {
        return Ok(());
    }
    if app.redirects.iter().any(|listed| listed == redirect) && !is_plain {
        return Ok(());
    }
    Err(match host {
        Host::Facebook if is_plain && !app.in_development => DialogError::new(
            3,
            "Facebook Login is not available",
            format!(
                "Facebook has detected that {} isn't using a secure connection to transfer \
                 information.",
                app.name
            ),
        ),
        Host::Facebook => DialogError::new(
            191,
            "URL blocked",
            "This redirect failed because the redirect URI is not whitelisted in the app's Client \
             OAuth Settings. Make sure Client and Web OAuth Login are on and add all your app \
             domains as Valid OAuth Redirect URIs.",
        ),
        Host::Instagram => DialogError::new(
            3,
            "Invalid Request",
            "Request parameters are invalid: Invalid redirect_uri",
        ),
        Host::Threads => DialogError::new(
            1_349_168,
            "URL blocked",
            "Blocked redirect URI: the redirect URI is not whitelisted in the app's settings.",
        ),
    })
}

/// The permissions that an address asks for, and the System User whom the login is for.
fn asked_for(
    call: &Call,
    app: &AppFixture,
    rules: &DialogRules,
) -> Result<(Vec<String>, Option<String>), DialogError> {
    let wrong = |message: String| DialogError::new(100, "Invalid Scopes", message);
    match (call.get("scope"), call.get("config_id")) {
        (Some(_), Some(_)) => Err(wrong("Use scope or config_id, never both.".to_owned())),
        (None, None) => Err(wrong("Neither scope nor config_id is given.".to_owned())),
        (Some(scope), None) => {
            let asked: Vec<String> = scope.split([',', ' ']).map(str::to_owned).collect();
            let is_known = |scope: &String| {
                rules.scopes.iter().any(|known| match known.strip_suffix('_') {
                    Some(_) => scope.starts_with(known) && scope.len() > known.len(),
                    None => scope == known,
                })
            };
            match asked.iter().find(|scope| !is_known(scope)) {
                Some(scope) => Err(wrong(format!(
                    "Invalid Scopes: {scope}. This message is only shown to developers. Users of \
                     your app will ignore these permissions if present."
                ))),
                None => Ok((asked, None)),
            }
        }
        (None, Some(id)) => match app.configurations.get(id) {
            Some(set) => Ok((set.scopes.clone(), set.system_user.clone())),
            None => Err(wrong(format!("There is no configuration {id}."))),
        },
    }
}
