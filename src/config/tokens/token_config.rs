//! Holds what the config says about one token.

use std::path::Path;
use std::sync::Arc;

use super::draft::TokenUse;
use crate::config::source::SecretSource;
use crate::config::target::Target;
use crate::policy::{Policy, RenameConflict};
use crate::token::{Label, TokenType};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenConfig {
    pub label: Label,
    /// The file of `tokens.d` that declares it; none for the config itself.
    pub declared_in: Option<Arc<Path>>,
    /// Who says whose it is.
    pub owner_from: OwnerFrom,
    /// The name that it had before.
    pub was: Option<Label>,
    /// Why it does not take over what is kept under that name; then `was` is none.
    pub not_renamed: Option<RenameConflict>,
    pub token_type: TokenType,
    /// The file of the config.
    pub file: Arc<str>,
    /// The name of its app.
    pub app: String,
    /// Meta's id of that app, where the file says it.
    pub app_id: Option<String>,
    /// Whether the app is declared without a secret.
    pub app_lacks_secret: bool,
    /// The token that it is derived from.
    pub parent: Option<Label>,
    pub page_id: Option<String>,
    /// The person or System User that it must belong to, by Meta's id.
    pub user_id: Option<String>,
    /// Whether its other Pages are looked after.
    pub pages: Pages,
    /// The portfolio whose Pages are listed where the token's own list has none.
    pub business: Option<String>,
    /// The admin's token by which a new access token is made.
    pub mint: Option<Label>,
    /// What else than programs it is for.
    pub used_for: Option<TokenUse>,
    /// Where a first or a replacement access token is found.
    pub access_token: Option<SecretSource>,
    /// The token whose access token may take its place.
    pub backup: Option<Label>,
    /// Where it is delivered, in the order in which that is done.
    pub deliver: Vec<Target>,
    /// How it is to be treated.
    pub policy: Policy,
    /// For which tokens the probe of `[defaults]` is, if it is not asked of this one.
    pub unasked_probe: Option<String>,
    /// How a Page is treated that is discovered under it; none if none is looked for.
    pub page_policy: Option<Box<Policy>>,
    /// Where a Page is delivered that is discovered under it, before its id is filled in.
    pub page_deliver: Vec<Target>,
}

impl TokenConfig {
    /// The name that it says it had before.
    pub fn former_label(&self) -> Option<&Label> {
        self.was.as_ref().or_else(|| self.not_renamed.as_ref().map(RenameConflict::was))
    }
}

/// Who says whose a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerFrom {
    /// The operator.
    Operator,
    /// Another program, from which it was imported.
    Import,
}

/// Which Pages of a user are looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pages {
    /// Those that are declared, and no other.
    None,
    /// All that Graph lists.
    All {
        /// The ids of those that are not wanted.
        except: Vec<String>,
    },
}
