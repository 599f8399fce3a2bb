//! Knows Meta's services: hosts, grants, kinds of token and words for people, one row each.
//!
//! Whatever differs between the services stands in these rows, and nowhere else: requests are built
//! from them, the judgement reads them, the config and remedies take their words from them. A new
//! host is its variant of [`Provider`], those of its [`TokenType`]s, and one row.
//!
//! The table is in the vocabulary and not in `graph`, since the judgement and the config read it
//! too, and the judgement must not know `graph`.

use chrono::TimeDelta;

use super::spec::{
    AskerPlace, Credentials, DebugTokenCall, DialogSpec, GrantType, InspectionWay, Method, Path,
    PersonWords, ProfileCall, Provider, ProviderSpec, ProviderWords, Source, TokenSpec, TokenType,
    Versions,
};

/// The table, in the order of [`Provider::ALL`].
static PROVIDERS: [ProviderSpec; 3] = [
    ProviderSpec {
        provider: Provider::Facebook,
        // Source: Meta, Graph API overview.
        endpoint: "https://graph.facebook.com",
        api: "The Graph API",
        versions: Versions::Graph,
        inspection: InspectionWay::DebugToken(&DebugTokenCall {
            path: Path::Versioned(&["debug_token"]),
            app_prefix: "",
            asker: AskerPlace::Header,
        }),
        // Source: Meta, manually build a login flow; Facebook Login for Business.
        dialog: &DialogSpec {
            site: "https://www.facebook.com",
            path: Path::Versioned(&["dialog", "oauth"]),
            basic_scope: "public_profile",
            page_scope: Some("pages_show_list"),
            asks_again: true,
            redirect_settings: "Facebook Login, Settings, Valid OAuth Redirect URIs",
            code_host: None,
            code_path: Path::Versioned(&["oauth", "access_token"]),
            code_grant: None,
        },
        prefixes: &["EAA"],
        words: ProviderWords {
            app_id: "App ID",
            app_secret: "App settings, Basic",
            account_site: "facebook.com",
            app_list: None,
            app_removal: "Apps and websites, Business integrations",
            short_lived: "what the login dialog, the Graph API Explorer and WhatsApp's API setup \
                          page hand out",
        },
        tokens: &[
            TokenSpec {
                token_type: TokenType::User,
                graph_name: Some("USER"),
                source: Source::Person(&PersonWords {
                    owner: THE_PERSON,
                    log_in: "logs in to the app again",
                    logs_in: "logs in",
                    grant: "logs in to the app again and grants it, ticking every Page",
                    grants: "grants it",
                    pasted: "the new access token",
                }),
                exchange: Some(&FB_EXCHANGE),
                refresh: Some(&FB_EXCHANGE),
                undocumented: None,
                minimum_age: TimeDelta::zero(),
            },
            TokenSpec {
                token_type: TokenType::Page,
                graph_name: Some("PAGE"),
                source: Source::Parent(&PersonWords {
                    owner: THE_PERSON,
                    log_in: "takes a new Page token from a long-lived user token",
                    logs_in: "takes a new one",
                    grant: "logs in to the app again and grants it, ticking every Page, and takes \
                            a new Page token from the long-lived user token",
                    grants: "grants it",
                    pasted: "it",
                }),
                exchange: None,
                refresh: None,
                undocumented: Some(&FB_EXCHANGE),
                minimum_age: TimeDelta::zero(),
            },
            TokenSpec {
                token_type: TokenType::SystemUser,
                graph_name: Some("SYSTEM_USER"),
                source: Source::Person(&PersonWords {
                    owner: "an admin of the business",
                    log_in: "generates a new token for the System User (Meta Business settings, \
                             Users, System users)",
                    logs_in: "generates a new one",
                    grant: "assigns the System User what is missing and generates a new token \
                            with the permission (Meta Business settings, Users, System users)",
                    grants: "generates one with it",
                    pasted: "it",
                }),
                exchange: Some(&FB_EXCHANGE_FOR_60_DAYS),
                refresh: Some(&FB_EXCHANGE_FOR_60_DAYS),
                undocumented: None,
                minimum_age: TimeDelta::zero(),
            },
            TokenSpec {
                token_type: TokenType::App,
                graph_name: Some("APP"),
                source: Source::App(&CLIENT_CREDENTIALS),
                exchange: None,
                refresh: None,
                undocumented: None,
                minimum_age: TimeDelta::zero(),
            },
        ],
    },
    ProviderSpec {
        provider: Provider::Instagram,
        // Source: Meta, Instagram platform reference.
        endpoint: "https://graph.instagram.com",
        api: "The Instagram API with Instagram Login",
        versions: Versions::Graph,
        // Source: Meta, Instagram platform reference, `me`.
        inspection: InspectionWay::Profile(&ProfileCall {
            path: Path::Versioned(&["me"]),
            person: "user_id",
        }),
        // Source: Meta, Instagram, business login.
        dialog: &DialogSpec {
            site: "https://www.instagram.com",
            path: Path::Fixed(&["oauth", "authorize"]),
            basic_scope: "instagram_business_basic",
            page_scope: None,
            asks_again: false,
            redirect_settings: "Instagram, API setup with Instagram login, OAuth redirect URIs",
            code_host: Some(("https://api.instagram.com", "instagram_login")),
            code_path: Path::Fixed(&["oauth", "access_token"]),
            code_grant: Some("authorization_code"),
        },
        prefixes: &["IGQ", "IGAA"],
        words: ProviderWords {
            app_id: "Instagram app ID",
            // Source: Meta, Instagram, create an app.
            app_secret: "Instagram, API setup with Instagram login",
            account_site: "instagram.com",
            app_list: Some("Website permissions"),
            app_removal: "Website permissions, Apps and websites",
            short_lived: SHORT_LIVED_LOGIN,
        },
        tokens: &[TokenSpec {
            token_type: TokenType::Instagram,
            graph_name: None,
            source: Source::Person(&PersonWords {
                owner: THE_PERSON,
                log_in: "logs in to the app again",
                logs_in: "logs in",
                grant: "logs in to the app again and grants it",
                grants: "grants it",
                pasted: "the new access token",
            }),
            exchange: Some(&IG_EXCHANGE),
            refresh: Some(&IG_REFRESH),
            undocumented: None,
            minimum_age: A_DAY,
        }],
    },
    ProviderSpec {
        provider: Provider::Threads,
        // Newer pages of Meta's name `graph.threads.com`, and both answer. Source: Meta, Threads,
        // long-lived tokens.
        endpoint: "https://graph.threads.net",
        api: "The Threads API",
        // Source: Meta, Threads, get started.
        versions: Versions::Only { version: "v1.0", why: "Threads has one version of its own" },
        // Meta documents a tester's token as the one that asks, so an app's or the token itself may
        // be refused. Source: Meta, Threads, debug access token; get started.
        inspection: InspectionWay::DebugTokenOrProfile(
            &DebugTokenCall {
                path: Path::Fixed(&["v1.0", "debug_token"]),
                app_prefix: "TH|",
                asker: AskerPlace::Parameter,
            },
            &ProfileCall { path: Path::Fixed(&["v1.0", "me"]), person: "id" },
        ),
        // `threads.net` redirects there and loses the parameters for some. Source: Meta, Threads,
        // get access tokens.
        dialog: &DialogSpec {
            site: "https://www.threads.com",
            path: Path::Fixed(&["oauth", "authorize"]),
            basic_scope: "threads_basic",
            page_scope: None,
            asks_again: false,
            redirect_settings: "Use cases, Access the Threads API, Settings, Redirect Callback URLs",
            code_host: None,
            code_path: Path::Fixed(&["oauth", "access_token"]),
            code_grant: Some("authorization_code"),
        },
        prefixes: &["THAA"],
        words: ProviderWords {
            app_id: "Threads App ID",
            // Source: Meta, Threads, get started.
            app_secret: "App settings, Basic, Threads app ID",
            // A Threads account is an Instagram account.
            account_site: "instagram.com",
            app_list: Some("Website permissions"),
            app_removal: "Website permissions, Apps and websites",
            short_lived: SHORT_LIVED_LOGIN,
        },
        tokens: &[TokenSpec {
            token_type: TokenType::Threads,
            graph_name: None,
            source: Source::Person(&PersonWords {
                owner: THE_PERSON,
                log_in: "logs in to the Threads app again",
                logs_in: "logs in",
                grant: "logs in to the app again and grants it",
                grants: "grants it",
                pasted: "the new access token",
            }),
            exchange: Some(&TH_EXCHANGE),
            refresh: Some(&TH_REFRESH),
            undocumented: None,
            minimum_age: A_DAY,
        }],
    },
];

/// The person who logs in, where no more is known.
pub const THE_PERSON: &str = "the person behind the token";

const SHORT_LIVED_LOGIN: &str = "what the login hands out before it is exchanged";

/// Instagram and Threads renew no access token younger than this. Source: Meta, Instagram platform
/// reference, `refresh_access_token`; Threads, long-lived tokens.
const A_DAY: TimeDelta = TimeDelta::hours(24);

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

/// System User tokens of the 60-day kind: a new access token, and the old one works on until it
/// expires. Source: Meta, System Users, install apps and generate tokens.
const FB_EXCHANGE_FOR_60_DAYS: GrantType =
    GrantType { extra: &[("set_token_expires_in_60_days", "true")], ..FB_EXCHANGE };

/// The opaque `APPID|...` that stands for the app. Source: Meta, access tokens, app access token.
const CLIENT_CREDENTIALS: GrantType =
    GrantType { name: "client_credentials", token_parameter: None, ..FB_EXCHANGE };

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
    path: Path::Fixed(&["refresh_access_token"]),
    credentials: Credentials::None,
    ..IG_EXCHANGE
};

/// GET only. Source: Meta, Threads, long-lived tokens.
const TH_EXCHANGE: GrantType = GrantType { name: "th_exchange_token", ..IG_EXCHANGE };

/// Source: Meta, Threads, long-lived tokens.
const TH_REFRESH: GrantType = GrantType { name: "th_refresh_token", ..IG_REFRESH };

impl Provider {
    /// The kind of an app that names none.
    pub const DEFAULT: Self = Self::Facebook;

    /// What Meta documents of the service.
    pub fn spec(self) -> &'static ProviderSpec {
        &PROVIDERS[self as usize]
    }
}

impl TokenType {
    /// What Meta promises of tokens of this type.
    pub fn spec(self) -> &'static TokenSpec {
        self.row().1
    }

    /// Whose apps give out tokens of this type.
    pub fn provider(self) -> Provider {
        self.row().0
    }

    /// Whether no answer of Meta's tells which permissions a token of this type has.
    pub fn tells_no_scopes(self) -> bool {
        let tells_only_who_it_is =
            matches!(self.provider().spec().inspection, InspectionWay::Profile(_));
        tells_only_who_it_is || matches!(self.spec().source, Source::App(_))
    }

    fn row(self) -> (Provider, &'static TokenSpec) {
        PROVIDERS
            .iter()
            .flat_map(|row| row.tokens.iter().map(|token| (row.provider, token)))
            .find(|(_, token)| token.token_type == self)
            .expect("every type of token has its row")
    }
}

impl TokenSpec {
    /// Whether Graph, asked about an access token, may have no way to say when it expires.
    pub fn may_hide_the_end(&self) -> bool {
        !matches!(self.token_type.provider().spec().inspection, InspectionWay::DebugToken(_))
    }
}

/// How the access tokens of all services begin.
pub fn token_prefixes() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().flat_map(|row| row.prefixes).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_and_every_type_has_its_own_row() {
        for provider in Provider::ALL {
            assert_eq!(provider.spec().provider, *provider);
        }
        for token_type in TokenType::ALL {
            assert_eq!(token_type.spec().token_type, *token_type);
        }
        let rows = PROVIDERS.iter().map(|row| row.tokens.len()).sum::<usize>();
        assert_eq!(rows, TokenType::ALL.len());
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
