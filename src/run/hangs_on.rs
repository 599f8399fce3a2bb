//! Finds what hangs on a person, a user id or an app: their tokens, the Pages under them, and labels
//! that the config no longer declares.

use std::collections::HashSet;

use super::tokens::Tokens;
use crate::config::{Config, nearest};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::humanize;
use crate::token::{Credential, Label, Pattern, TokenType};

/// So many known values are listed where one was typed that matches nothing.
const MOST_LISTED: usize = 12;

/// What tokens have to hang on; each part that is given narrows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HangsOn {
    /// The `owner` of the config.
    pub owner: Option<String>,
    /// Meta's id of the person, account or System User.
    pub user_id: Option<String>,
    /// The app's name in the config, or Meta's id of it.
    pub app: Option<String>,
}

/// The tokens that a command is about: all, some by their labels, or what hangs on something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The labels that were typed; none for all.
    pub patterns: Vec<Pattern>,
    /// What they hang on.
    pub hangs_on: HangsOn,
}

/// One token, as far as it can hang on anything.
struct Holder<'a> {
    label: Label,
    token_type: TokenType,
    owner: Option<&'a str>,
    app: Option<&'a str>,
    parent: Option<Label>,
    user_ids: Vec<&'a str>,
    app_ids: Vec<&'a str>,
}

impl HangsOn {
    /// Whether anything was asked for.
    pub const fn is_given(&self) -> bool {
        self.owner.is_some() || self.user_id.is_some() || self.app.is_some()
    }

    /// The labels that hang on all of it, whether the config declares them or not; nothing where
    /// nothing was asked for. A part on which nothing hangs is refused.
    pub fn labels(
        &self,
        config: &Config,
        tokens: &Tokens,
    ) -> Result<Option<HashSet<Label>>, CliError> {
        if !self.is_given() {
            return Ok(None);
        }
        let holders = holders(config, tokens);
        let parts: [(&Option<String>, Part); 3] =
            [(&self.owner, Part::Owner), (&self.user_id, Part::User), (&self.app, Part::App)];
        let mut found: Option<HashSet<Label>> = None;
        for (value, part) in parts {
            let Some(value) = value else { continue };
            let labels = with_pages(part.of(value, &holders), &holders);
            if labels.is_empty() {
                return Err(part.nothing_hangs_on(value, &holders));
            }
            found = Some(match found {
                Some(others) => others.intersection(&labels).cloned().collect(),
                None => labels,
            });
        }
        match found {
            Some(none) if none.is_empty() => {
                Err(CliError::new(Exit::Usage, NOTHING, self.to_string(), "matches no token")
                    .hint("each of these matches tokens, but no token matches all of them"))
            }
            found => Ok(found),
        }
    }
}

impl std::fmt::Display for HangsOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts =
            [(Part::Owner, &self.owner), (Part::User, &self.user_id), (Part::App, &self.app)];
        let typed = parts.into_iter().filter_map(|(part, value)| {
            value.as_ref().map(|value| format!("{} {value}", part.option()))
        });
        f.write_str(&typed.collect::<Vec<_>>().join(" "))
    }
}

/// The stable name of the error that nothing hangs on what was typed.
const NOTHING: &str = "nothing_hangs_on_it";

/// One thing that tokens hang on.
#[derive(Debug, Clone, Copy)]
enum Part {
    Owner,
    User,
    App,
}

impl Part {
    const fn option(self) -> &'static str {
        match self {
            Self::Owner => "--owner",
            Self::User => "--user",
            Self::App => "--app",
        }
    }

    /// The holders that hang on `value` by themselves.
    fn of<'h, 'a>(self, value: &str, holders: &'h [Holder<'a>]) -> Vec<&'h Holder<'a>> {
        let ids = self.ids(value, holders);
        holders.iter().filter(|holder| self.is_meant(holder, value, &ids)).collect()
    }

    /// Meta's ids that tokens with `value` in the config are known to belong to.
    fn ids<'a>(self, value: &str, holders: &[Holder<'a>]) -> HashSet<&'a str> {
        let by_config = |holder: &&Holder<'a>| match self {
            Self::Owner => holder.is_of_a_person() && is_owner(holder.owner, value),
            Self::App => holder.app == Some(value),
            Self::User => false,
        };
        let ids = |holder: &Holder<'a>| match self {
            Self::App => holder.app_ids.clone(),
            Self::Owner | Self::User => holder.user_ids.clone(),
        };
        holders.iter().filter(by_config).flat_map(ids).collect()
    }

    fn is_meant(self, holder: &Holder<'_>, value: &str, ids: &HashSet<&str>) -> bool {
        let has_one_of = |found: &[&str]| found.iter().any(|id| ids.contains(id));
        match self {
            // A person also owns what says nothing of owners, by logging in for it; and a Page works by
            // that person's login, whoever looks after it.
            Self::Owner => {
                let may_be = holder.owner.is_none() || holder.token_type == TokenType::Page;
                is_owner(holder.owner, value) || (may_be && has_one_of(&holder.user_ids))
            }
            Self::User => holder.user_ids.contains(&value),
            Self::App => {
                holder.app == Some(value)
                    || holder.app_ids.contains(&value)
                    || (holder.app.is_none() && has_one_of(&holder.app_ids))
            }
        }
    }

    fn values<'a>(self, holders: &[Holder<'a>]) -> Vec<&'a str> {
        let of = |holder: &Holder<'a>| match self {
            Self::Owner => holder.owner.into_iter().collect(),
            Self::User => holder.user_ids.clone(),
            Self::App => holder.app.into_iter().collect::<Vec<_>>(),
        };
        let mut values: Vec<&str> = holders.iter().flat_map(of).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    fn nothing_hangs_on(self, value: &str, holders: &[Holder<'_>]) -> CliError {
        let known = self.values(holders);
        let what = match self {
            Self::Owner => "owners",
            Self::User => "user ids",
            Self::App => "apps",
        };
        let hint = match nearest(value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => match self {
                Self::Owner => "no token has an `owner` in the config".to_owned(),
                Self::User => "no token is known to belong to a user id yet; `metatoken refresh` \
                     asks Meta"
                    .to_owned(),
                Self::App => "there are no tokens".to_owned(),
            },
            None if known.len() <= MOST_LISTED => {
                format!("the {what} are {}", humanize::list(&known))
            }
            None => "`metatoken status --json` has it for each token".to_owned(),
        };
        let typed = format!("{} {value}", self.option());
        CliError::new(Exit::Usage, NOTHING, typed, "matches no token").hint(hint)
    }
}

impl Holder<'_> {
    /// Whether a person logs in for it, rather than an admin who makes it for a System User.
    const fn is_of_a_person(&self) -> bool {
        matches!(self.token_type, TokenType::User | TokenType::Instagram | TokenType::Threads)
    }
}

/// Addresses are compared as mail servers do.
fn is_owner(owner: Option<&str>, typed: &str) -> bool {
    owner.is_some_and(|owner| owner.trim().eq_ignore_ascii_case(typed.trim()))
}

/// All tokens of the config and of the store, each once.
fn holders<'a>(config: &'a Config, tokens: &'a Tokens) -> Vec<Holder<'a>> {
    let disabled = config.tokens.iter().filter(|token| !token.policy.enabled);
    let declared = tokens.configs.iter().chain(disabled);
    let mut holders: Vec<Holder<'_>> = declared
        .map(|token| {
            let known = Ids::of(tokens.credential(&token.label));
            Holder {
                label: token.label.clone(),
                token_type: token.token_type,
                owner: token.policy.owner.as_deref(),
                app: Some(&token.app),
                parent: token.parent.clone(),
                user_ids: token.user_id.as_deref().into_iter().chain(known.users).collect(),
                app_ids: token.app_id.as_deref().into_iter().chain(known.apps).collect(),
            }
        })
        .collect();
    let seen: HashSet<&Label> =
        tokens.configs.iter().chain(config.tokens.iter()).map(|token| &token.label).collect();
    holders.extend(tokens.others(&seen).map(|credential| {
        let known = Ids::of(Some(credential));
        Holder {
            label: credential.label.clone(),
            token_type: credential.token_type,
            owner: credential.owner.as_deref(),
            app: credential.app.as_deref(),
            parent: credential.label.parent(),
            user_ids: known.users,
            app_ids: known.apps,
        }
    }));
    holders
}

/// What Meta said of a token's access tokens.
#[derive(Default)]
struct Ids<'a> {
    users: Vec<&'a str>,
    apps: Vec<&'a str>,
}

impl<'a> Ids<'a> {
    fn of(credential: Option<&'a Credential>) -> Self {
        let Some(credential) = credential else { return Self::default() };
        let live = [&credential.current, &credential.candidate];
        let proofs = live.into_iter().flatten().filter_map(|it| it.proof.as_ref());
        let identities: Vec<_> = proofs.map(|proof| &proof.inspection.identity).collect();
        Self {
            users: identities.iter().filter_map(|it| it.user_id.as_deref()).collect(),
            apps: identities.iter().filter_map(|it| it.app_id.as_deref()).collect(),
        }
    }
}

/// These, and the Pages under them.
fn with_pages(found: Vec<&Holder<'_>>, holders: &[Holder<'_>]) -> HashSet<Label> {
    let mut labels: HashSet<Label> = found.into_iter().map(|it| it.label.clone()).collect();
    let is_under =
        |holder: &&Holder<'_>| holder.parent.as_ref().is_some_and(|parent| labels.contains(parent));
    let pages: Vec<Label> = holders.iter().filter(is_under).map(|it| it.label.clone()).collect();
    labels.extend(pages);
    labels
}
