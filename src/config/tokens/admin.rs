//! Checks what an admin's token may be, and which tokens it makes access tokens for.

use super::draft::{Draft, Drafts, TokenUse};
use crate::config::wording::{nearest, quoted};
use crate::policy::humanize::with_article;
use crate::token::{Label, TokenType};

/// Finds the admin's token that a token names, if it is there and fit.
pub fn admin(draft: &Draft<'_>, drafts: &Drafts<'_>) -> Option<Label> {
    let given = &draft.keys.mint;
    let name = given.get()?;
    if draft.token_type.is_some_and(|it| it != TokenType::SystemUser) {
        given.refuse("only a System User's access token is made by an admin", "");
        return None;
    }
    let Some(admin) = drafts.find(name) else {
        let labels = drafts.all.iter().map(|other| other.label.as_str());
        let label = match nearest(name, labels) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `[token.{name}]`"),
        };
        given.refuse(format!("there is no token {}", quoted(name)), label);
        return None;
    };
    if admin.label == draft.label {
        given.refuse("an admin's token does not make its own access tokens", "");
        return None;
    }
    if admin.keys.used_for.get() != Some(&TokenUse::Mint) {
        let label = format!("add `use = \"mint\"` to `[token.{name}]`");
        given.refuse(format!("{} is not an admin's token", quoted(name)), label);
        return None;
    }
    let app = |draft: &Draft<'_>| draft.keys.app.get().cloned();
    if let (Some(own), Some(theirs)) = (app(draft), app(admin))
        && own != theirs
    {
        let label = "the admin's token belongs to the same app";
        given.refuse(format!("{} has another app: {}", quoted(name), quoted(&theirs)), label);
        return None;
    }
    Some(admin.label.clone())
}

/// What else than programs a token is for; one that no program gets has no targets.
pub fn used_for(draft: &Draft<'_>) -> Option<TokenUse> {
    let given = &draft.keys.used_for;
    let used_for = *given.get()?;
    match draft.token_type {
        Some(TokenType::User | TokenType::SystemUser) | None => {}
        Some(other) => {
            given.refuse(format!("{} token is not an admin's", with_article(other)), "");
        }
    }
    if !draft.keys.deliveries.is_empty() {
        given.refuse("no program gets an admin's token", "remove its `deliver` tables");
    }
    Some(used_for)
}
