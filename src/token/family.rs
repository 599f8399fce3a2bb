//! What Meta promises of each family of tokens: one table.
//!
//! Whatever differs between the families stands in these rows, and nowhere else: requests are
//! built from them, the judgement reads them, and a new family begins by filling one.

use chrono::TimeDelta;

named! {
    /// Whose token it is: three services with apps, secrets and hosts of their own.
    ///
    /// An app of one kind knows nothing of the tokens of another: a Threads-enabled Meta app has
    /// a second id and secret. Source: Meta, Threads, get started.
    pub enum Provider {
        /// `graph.facebook.com`: users, Pages, System Users and apps.
        Facebook = "facebook",
        /// `graph.instagram.com`: the Instagram API with Instagram Login.
        Instagram = "instagram",
        /// `graph.threads.net`, in newer pages `graph.threads.com`.
        Threads = "threads",
    }
}

/// One family of tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenSpec {
    /// The type that the config names.
    pub token_type: TokenType,
    /// Whose apps give it out and which host speaks of it.
    pub provider: Provider,
    /// The word by which `debug_token` calls the type; none where Meta documents no such word.
    pub graph_name: Option<&'static str>,
    /// Where a string comes from when there is none.
    pub source: Source,
    /// The grant that makes a short-lived string long-lived.
    pub exchange: Option<&'static GrantType>,
    /// The grant that moves the end of a long-lived string.
    pub refresh: Option<&'static GrantType>,
    /// How old a string must be before Meta renews it.
    pub minimum_age: TimeDelta,
    /// How its worth is learnt.
    pub inspection: InspectionWay,
}

/// Where the first string of a token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person logs in, or generates it in a dashboard.
    Person,
    /// A user token gives it.
    Parent,
    /// The app's id and secret give it.
    App(&'static GrantType),
}

/// How the worth of a string is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectionWay {
    /// `debug_token` tells verdict, dates, scopes and identity.
    DebugToken,
    /// `debug_token` where Meta answers it, else the profile.
    DebugTokenOrProfile(&'static ProfileCall),
    /// Only the profile: a verdict, and neither dates nor scopes.
    Profile(&'static ProfileCall),
}

/// The call that shows a string its own person.
#[derive(Debug, PartialEq, Eq)]
pub struct ProfileCall {
    /// Where it is.
    pub path: Path,
    /// The fields to ask for: the person's id, and the name people know.
    pub fields: &'static str,
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
    /// Nothing: the string itself is enough.
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
    }
}

/// One call that makes Meta hand over a string.
#[derive(Debug, PartialEq, Eq)]
pub struct GrantType {
    /// Meta's name for it, the parameter `grant_type`.
    pub name: &'static str,
    /// How its parameters travel: in the body wherever Meta takes one.
    pub method: Method,
    /// Where it is.
    pub path: Path,
    /// The parameter that carries the old string; none where there is no old one.
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

/// User tokens, short or long. Meta documents a GET, and takes the same as a form. Source: Meta, get
/// long-lived tokens.
const FB_EXCHANGE: GrantType = GrantType {
    name: "fb_exchange_token",
    method: Method::Post,
    path: Path::Versioned(&["oauth", "access_token"]),
    token_parameter: Some("fb_exchange_token"),
    credentials: Credentials::IdAndSecret,
    extra: &[],
};

/// System User tokens of the 60-day kind: a new string, and the old one works on until its own
/// end. Source: Meta, System Users, install apps and generate tokens.
const FB_EXCHANGE_FOR_60_DAYS: GrantType =
    GrantType { extra: &[("set_token_expires_in_60_days", "true")], ..FB_EXCHANGE };

/// The opaque `APPID|...` that stands for the app. Source: Meta, access tokens, app access token.
const CLIENT_CREDENTIALS: GrantType = GrantType {
    name: "client_credentials",
    method: Method::Post,
    path: Path::Versioned(&["oauth", "access_token"]),
    token_parameter: None,
    credentials: Credentials::IdAndSecret,
    extra: &[],
};

/// GET only. Source: Meta, Instagram platform reference, `access_token`.
const IG_EXCHANGE: GrantType = GrantType {
    name: "ig_exchange_token",
    method: Method::Get,
    path: Path::Fixed(&["access_token"]),
    token_parameter: Some("access_token"),
    credentials: Credentials::Secret,
    extra: &[],
};

/// GET only. Source: Meta, Instagram platform reference, `refresh_access_token`.
const IG_REFRESH: GrantType = GrantType {
    name: "ig_refresh_token",
    method: Method::Get,
    path: Path::Fixed(&["refresh_access_token"]),
    token_parameter: Some("access_token"),
    credentials: Credentials::None,
    extra: &[],
};

/// GET only. Source: Meta, Threads, long-lived tokens.
const TH_EXCHANGE: GrantType = GrantType { name: "th_exchange_token", ..IG_EXCHANGE };

/// Source: Meta, Threads, long-lived tokens.
const TH_REFRESH: GrantType = GrantType { name: "th_refresh_token", ..IG_REFRESH };

/// Source: Meta, Instagram platform reference, `me`.
const IG_PROFILE: ProfileCall =
    ProfileCall { path: Path::Versioned(&["me"]), fields: "user_id,username" };

/// Threads has one version of its own. Source: Meta, Threads, get started.
const THREADS_PROFILE: ProfileCall =
    ProfileCall { path: Path::Fixed(&["v1.0", "me"]), fields: "id,username" };

/// Instagram and Threads renew no string younger than this. Source: Meta, Instagram platform
/// reference, `refresh_access_token`; Threads, long-lived tokens.
const A_DAY: TimeDelta = TimeDelta::hours(24);

/// The table, in the order of [`TokenType::ALL`].
const SPECS: [TokenSpec; 6] = [
    TokenSpec {
        token_type: TokenType::User,
        provider: Provider::Facebook,
        graph_name: Some("USER"),
        source: Source::Person,
        exchange: Some(&FB_EXCHANGE),
        refresh: Some(&FB_EXCHANGE),
        minimum_age: TimeDelta::zero(),
        inspection: InspectionWay::DebugToken,
    },
    TokenSpec {
        token_type: TokenType::Page,
        provider: Provider::Facebook,
        graph_name: Some("PAGE"),
        source: Source::Parent,
        exchange: None,
        refresh: None,
        minimum_age: TimeDelta::zero(),
        inspection: InspectionWay::DebugToken,
    },
    TokenSpec {
        token_type: TokenType::SystemUser,
        provider: Provider::Facebook,
        graph_name: Some("SYSTEM_USER"),
        source: Source::Person,
        exchange: Some(&FB_EXCHANGE_FOR_60_DAYS),
        refresh: Some(&FB_EXCHANGE_FOR_60_DAYS),
        minimum_age: TimeDelta::zero(),
        inspection: InspectionWay::DebugToken,
    },
    TokenSpec {
        token_type: TokenType::Instagram,
        provider: Provider::Instagram,
        graph_name: None,
        source: Source::Person,
        exchange: Some(&IG_EXCHANGE),
        refresh: Some(&IG_REFRESH),
        minimum_age: A_DAY,
        inspection: InspectionWay::Profile(&IG_PROFILE),
    },
    TokenSpec {
        token_type: TokenType::Threads,
        provider: Provider::Threads,
        graph_name: None,
        source: Source::Person,
        exchange: Some(&TH_EXCHANGE),
        refresh: Some(&TH_REFRESH),
        minimum_age: A_DAY,
        inspection: InspectionWay::DebugTokenOrProfile(&THREADS_PROFILE),
    },
    TokenSpec {
        token_type: TokenType::App,
        provider: Provider::Facebook,
        graph_name: Some("APP"),
        source: Source::App(&CLIENT_CREDENTIALS),
        exchange: None,
        refresh: None,
        minimum_age: TimeDelta::zero(),
        inspection: InspectionWay::DebugToken,
    },
];

impl TokenType {
    /// What Meta promises of tokens of this type.
    pub fn spec(self) -> &'static TokenSpec {
        static TABLE: [TokenSpec; 6] = SPECS;
        &TABLE[self as usize]
    }

    /// Whose apps give out tokens of this type.
    pub fn provider(self) -> Provider {
        self.spec().provider
    }
}

impl Provider {
    /// How the worth of its strings is learnt; the same for all families of one provider.
    pub fn inspection(self) -> InspectionWay {
        let specs = TokenType::ALL.iter().map(|token_type| token_type.spec());
        specs
            .filter(|spec| spec.provider == self)
            .map(|spec| spec.inspection)
            .next()
            .unwrap_or(InspectionWay::DebugToken)
    }
}

impl TokenSpec {
    /// Whether `refresh` can make a dated token live longer without a person.
    ///
    /// A Page's token is not renewed but taken anew from its parent, and an app's has no end.
    pub const fn is_renewable(&self) -> bool {
        self.refresh.is_some()
    }

    /// Whether Graph, asked about a string, may have no way to say when it ends.
    pub const fn may_hide_the_end(&self) -> bool {
        !matches!(self.inspection, InspectionWay::DebugToken)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_own_row() {
        for token_type in TokenType::ALL {
            let spec = token_type.spec();
            assert_eq!(spec.token_type, *token_type);
            assert_eq!(spec.inspection, spec.provider.inspection());
        }
    }

    #[test]
    fn only_what_is_renewed_without_a_secret_can_be_renewed_without_one() {
        let without: Vec<_> = TokenType::ALL
            .iter()
            .filter(|it| it.spec().refresh.is_some_and(|grant| !grant.needs_the_secret()))
            .map(|it| it.as_str())
            .collect();
        assert_eq!(without, ["instagram", "threads"]);
        let exchanges = TokenType::ALL.iter().filter_map(|it| it.spec().exchange);
        assert!(exchanges.into_iter().all(GrantType::needs_the_secret));
    }
}
