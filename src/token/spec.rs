//! Names the services and the types of token, and what a row of the table of them holds.

use chrono::TimeDelta;

named! {
    /// Whose token it is: three services with apps, secrets and hosts of their own.
    ///
    /// An app of one kind knows nothing of the tokens of another: a Threads-enabled Meta app has
    /// a second id and secret. Source: Meta, Threads, get started.
    pub enum Provider {
        /// `graph.facebook.com`: users, Pages, System Users and apps.
        Facebook = "facebook",
        /// `graph.instagram.com`: the Instagram API with Instagram Login. With Facebook Login an
        /// Instagram account is reached by a Facebook user's or a Page's token.
        Instagram = "instagram",
        /// `graph.threads.net`, in newer pages `graph.threads.com`.
        Threads = "threads",
    }
}

named! {
    /// The type of a token, as the config names it.
    pub enum TokenType {
        /// A Facebook user token: about sixty days, renewed by exchanging it.
        User = "user",
        /// A Page token: derived from a user token, with no date of its own when that one is long-lived.
        Page = "page",
        /// A System User token: never expires, or sixty days.
        SystemUser = "system-user",
        /// A token of the Instagram API with Instagram Login: sixty days.
        Instagram = "instagram",
        /// A Threads token: sixty days.
        Threads = "threads",
        /// A token that stands for the app itself: it dies with the app's secret.
        App = "app",
    }
}

/// What Meta documents of one of its services, and what people call its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct ProviderSpec {
    /// The service.
    pub provider: Provider,
    /// Where its API is, without a slash at the end.
    pub endpoint: &'static str,
    /// What its API is called.
    pub api: &'static str,
    /// Which versions of it an app may ask for.
    pub versions: Versions,
    /// How it is asked about an access token.
    pub inspection: InspectionWay,
    /// How a person logs in to one of its apps.
    pub dialog: &'static DialogSpec,
    /// How its access tokens begin.
    pub prefixes: &'static [&'static str],
    /// The words for people.
    pub words: ProviderWords,
    /// The types of token that its apps give out.
    pub tokens: &'static [TokenSpec],
}

/// What people are told of a service.
#[derive(Debug, PartialEq, Eq)]
pub struct ProviderWords {
    /// Under which name Meta shows the id of an app.
    pub app_id: &'static str,
    /// Where an app's dashboard shows its id and secret.
    pub app_secret: &'static str,
    /// Where a person is asked to pass a check.
    pub account_site: &'static str,
    /// Where an account lists the apps that it lets in, if a lost entry there is answered as an
    /// object that does not exist.
    pub app_list: Option<&'static str>,
    /// Where in an account's settings a person removes an app.
    pub app_removal: &'static str,
    /// Where an access token comes from that lives a day or less.
    pub short_lived: &'static str,
}

/// Which versions of its API a service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// Graph's; an app chooses one.
    Graph,
    /// One of its own.
    Only {
        version: &'static str,
        /// Why an app cannot choose another.
        why: &'static str,
    },
}

/// One type of token.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenSpec {
    /// The type that the config names.
    pub token_type: TokenType,
    /// The word by which `debug_token` calls the type; none where Meta documents no such word.
    pub graph_name: Option<&'static str>,
    /// Where an access token comes from when there is none.
    pub source: Source,
    /// The grant that makes a short-lived access token long-lived.
    pub exchange: Option<&'static GrantType>,
    /// The grant that extends a long-lived access token.
    pub refresh: Option<&'static GrantType>,
    /// A grant that Meta documents for no access token of this type, and gives to some apps: tried
    /// where nothing else renews it.
    pub undocumented: Option<&'static GrantType>,
    /// How old an access token must be before Meta renews it.
    pub minimum_age: TimeDelta,
}

/// Where the first access token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person logs in, or generates it in a dashboard.
    Person(&'static PersonWords),
    /// A user token gives it; a person takes it from there where no parent is configured.
    Parent(&'static PersonWords),
    /// The app's id and secret give it.
    App(&'static GrantType),
}

/// What a person is told who has to bring an access token. Each text follows on the name of the
/// person.
#[derive(Debug, PartialEq, Eq)]
pub struct PersonWords {
    /// The person, where the config names no owner.
    pub owner: &'static str,
    /// How that person gets a new access token.
    pub log_in: &'static str,
    /// The same in a word or two.
    pub logs_in: &'static str,
    /// How that person gets one with a permission that is missing.
    pub grant: &'static str,
    /// The same in a few words.
    pub grants: &'static str,
    /// What is pasted into `metatoken exchange` afterwards.
    pub pasted: &'static str,
}

/// How a service is asked about an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectionWay {
    /// `debug_token` tells verdict, dates, scopes and identity.
    DebugToken(&'static DebugTokenCall),
    /// `debug_token` where Meta answers it, else the profile.
    DebugTokenOrProfile(&'static DebugTokenCall, &'static ProfileCall),
    /// Only the profile: a verdict, and neither dates nor scopes.
    Profile(&'static ProfileCall),
}

/// The call that tells what an access token is worth.
#[derive(Debug, PartialEq, Eq)]
pub struct DebugTokenCall {
    /// Where it is.
    pub path: Path,
    /// What stands before `ID|SECRET` in the access token of the app that asks.
    pub app_prefix: &'static str,
    /// How the access token travels that asks.
    pub asker: AskerPlace,
}

/// How the access token of a call travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskerPlace {
    /// In the `Authorization` header.
    Header,
    /// In the parameter `access_token`.
    Parameter,
}

/// The dialog in which a person logs in, and the exchange of the code that it gives.
#[derive(Debug, PartialEq, Eq)]
pub struct DialogSpec {
    /// The site that a browser opens, without a slash at the end.
    pub site: &'static str,
    /// Where the dialog is there.
    pub path: Path,
    /// The permission that every login asks for.
    pub basic_scope: &'static str,
    /// The permission without which no Page is listed; none where there are no Pages.
    pub page_scope: Option<&'static str>,
    /// Whether the address can ask again for what was declined (`auth_type`).
    pub asks_again: bool,
    /// Where the app's settings list redirect addresses.
    pub redirect_settings: &'static str,
    /// The host that exchanges codes, where it is not that of the API, and its key in the config.
    pub code_host: Option<(&'static str, &'static str)>,
    /// Where codes are exchanged.
    pub code_path: Path,
    /// The parameter `grant_type`, where the exchange needs one.
    pub code_grant: Option<&'static str>,
}

/// The call that shows an access token its own person.
#[derive(Debug, PartialEq, Eq)]
pub struct ProfileCall {
    /// Where it is.
    pub path: Path,
    /// The field that holds the person's id.
    pub person: &'static str,
}

/// A path on a host of Meta's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Behind the Graph version that the app asks for.
    Versioned(&'static [&'static str]),
    /// As it stands.
    Fixed(&'static [&'static str]),
}

/// What a grant asks the app for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing: the access token itself is enough.
    None,
    /// `client_secret`.
    Secret,
    /// `client_id` and `client_secret`.
    IdAndSecret,
}

named! {
    /// How a call to Graph carries its parameters.
    pub enum Method {
        /// In the address, which servers and proxies write into their logs.
        Get = "GET",
        /// In the body.
        Post = "POST",
        /// In the address, where something is taken away.
        Delete = "DELETE",
    }
}

/// One call that makes Meta give out an access token.
#[derive(Debug, PartialEq, Eq)]
pub struct GrantType {
    /// Meta's name for it, the parameter `grant_type`.
    pub name: &'static str,
    /// How its parameters travel: in the body wherever Meta takes one.
    pub method: Method,
    /// Where it is.
    pub path: Path,
    /// The parameter that carries the old access token; none where there is no old one.
    pub token_parameter: Option<&'static str>,
    /// What the app must show.
    pub credentials: Credentials,
    /// Further parameters.
    pub extra: &'static [(&'static str, &'static str)],
}

impl GrantType {
    /// Whether it cannot be had without the app's secret.
    pub const fn needs_the_secret(&self) -> bool {
        !matches!(self.credentials, Credentials::None)
    }
}

impl ProviderSpec {
    /// Whether an app chooses which version of the API answers it.
    pub const fn has_chosen_versions(&self) -> bool {
        matches!(self.versions, Versions::Graph)
    }

    /// Whether tokens of Pages are derived here.
    pub fn has_pages(&self) -> bool {
        self.tokens.iter().any(|spec| matches!(spec.source, Source::Parent(_)))
    }

    /// Whether every answer shows that the app's secret is right.
    pub const fn proves_the_secret(&self) -> bool {
        matches!(self.inspection, InspectionWay::DebugToken(_))
    }
}

impl TokenSpec {
    /// Whether `refresh` can make a dated token live longer without a person.
    ///
    /// A Page's token is not renewed but taken anew from its parent, and an app's never expires.
    pub const fn is_renewable(&self) -> bool {
        self.refresh.is_some()
    }

    /// What the person is told who can bring an access token; nothing where no person can.
    pub const fn person_words(&self) -> Option<&'static PersonWords> {
        match self.source {
            Source::Person(words) | Source::Parent(words) => Some(words),
            Source::App(_) => None,
        }
    }
}
