//! Says of a token that was added what it is, what it reaches, and what comes next.

use std::fmt::Write as _;

use crate::config::{Pages, TokenConfig};
use crate::graph::{CallError, PageGrant, PageList};
use crate::policy::humanize;
use crate::run::{DryRun, Run};
use crate::token::{Inspection, Problem, TokenType};

/// The Pages that a token reaches, by id and name.
pub enum Reach {
    Pages(Vec<PageGrant>),
    /// Graph did not list them.
    Unknown(Problem),
}

/// Reads them off the list that Graph gives.
pub fn reach(answer: Result<PageList, CallError>) -> Reach {
    match answer {
        Ok(list) => Reach::Pages(list.pages),
        Err(error) => Reach::Unknown(error.problem),
    }
}

/// Whether Graph lists Pages for a token of this type.
pub const fn has_a_list(token_type: TokenType) -> bool {
    matches!(token_type, TokenType::User | TokenType::SystemUser)
}

/// Pages as a sentence has them.
pub fn named(pages: &[PageGrant]) -> String {
    /// A screen has room for no more.
    const MOST: usize = 12;
    let one = |page: &PageGrant| match &page.name {
        Some(name) => format!("{} ({})", harmless(name), page.id),
        None => page.id.clone(),
    };
    let mut words: Vec<String> = pages.iter().take(MOST).map(one).collect();
    if pages.len() > MOST {
        words.push(format!("{} more", pages.len() - MOST));
    }
    match words.as_slice() {
        [] => "no Page".to_owned(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// A name without what a terminal would obey.
fn harmless(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

/// Whether Pages hang on the token.
pub fn has_pages(run: &Run<'_>, token: &TokenConfig) -> bool {
    !matches!(token.pages, Pages::None) || run.tokens.pages_of(&token.label).next().is_some()
}

/// Whether Pages are wanted of it: it has the permission without which none is listed, or is a person's.
fn may_list_pages(token: &TokenConfig, inspection: &Inspection) -> bool {
    let listing = token.token_type.provider().spec().dialog.page_scope;
    token.token_type == TokenType::User
        || !matches!(token.pages, Pages::None)
        || listing.is_some_and(|scope| inspection.known_scopes().iter().any(|it| it == scope))
}

/// Says what the token is, what it reaches, where it is declared, and what comes next.
pub fn say(
    run: &Run<'_>,
    token: &TokenConfig,
    inspection: &Inspection,
    reach: Option<&Reach>,
    declared: Option<&str>,
) {
    let ui = &run.session.ui;
    ui.note(&described(token, inspection));
    match reach {
        // A System User's token for WhatsApp or ads reaches none, and needs none.
        Some(Reach::Pages(pages)) if pages.is_empty() && !may_list_pages(token, inspection) => {}
        Some(Reach::Pages(pages)) => ui.note(&format!("it reaches {}", named(pages))),
        Some(Reach::Unknown(problem)) => {
            ui.note(&format!("which Pages it reaches is not known: {problem}"));
        }
        None => {}
    }
    if let Some(declared) = declared {
        ui.note(declared);
    }
    if run.dry_run == DryRun::No {
        run.hint(next_step(run, token, reach));
    }
}

/// What it is by Graph's word.
fn described(token: &TokenConfig, inspection: &Inspection) -> String {
    let TokenConfig { label, token_type, app, .. } = token;
    let identity = &inspection.identity;
    let mut text =
        format!("`{label}` is {} token of app `{app}`", humanize::with_article(token_type));
    if let Some(page) = &identity.page_id {
        let _ = write!(text, ", for Page {page}");
    }
    if let Some(user) = &identity.user_id {
        let _ = write!(text, ", of user {user}");
    }
    if !inspection.known_scopes().is_empty() {
        let _ = write!(text, ", with {}", humanize::list(inspection.known_scopes()));
    }
    text
}

fn next_step(run: &Run<'_>, token: &TokenConfig, reach: Option<&Reach>) -> String {
    let label = &token.label;
    if token.token_type == TokenType::Page && token.parent.is_none() {
        return format!(
            "nothing at Meta renews a Page's token alone: better derive it from the person's: \
             `metatoken add USER --type user`, and `parent = \"USER\"` in `[token.{label}]`"
        );
    }
    if let Some(Reach::Pages(pages)) = reach
        && let Some(page) = pages.first()
        && !has_pages(run, token)
    {
        return format!(
            "to keep a Page's token too, run `metatoken add LABEL --type page --parent {label} \
             --page-id {} --deliver FILE#KEY`",
            page.id
        );
    }
    if token.deliver.is_empty() && !has_pages(run, token) {
        return format!("`metatoken token {label}` prints it for a program");
    }
    "`metatoken refresh` keeps it alive: have cron or systemd run it every hour".to_owned()
}
