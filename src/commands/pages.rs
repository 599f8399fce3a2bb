//! `pages`: the Pages that a user token reaches, and which of them are kept here.

use crate::config::Pages;
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::Extent;
use crate::report::{PagesReport, ReachedPage};
use crate::run;
use crate::run::declared::last_reading;
use crate::run::reached_pages::reached_pages;
use crate::run::tokens::{TokenConfig, Tokens, discovered};
use crate::session::Session;
use crate::status::AskGraph;
use crate::store::Store;
use crate::token::{Label, TokenType};
use crate::ui::OutputFormat;

/// Lists the Pages of a user token, from Graph or from the store.
pub fn pages(session: &Session, label: &Label, ask: AskGraph) -> Result<Exit, CliError> {
    let store = session.reader()?;
    let last = last_reading(&session.config, store.as_ref())?;
    let credentials = store.as_ref().map(Store::credentials).transpose()?.unwrap_or_default();
    let tokens = Tokens::new(&session.config, credentials, &last);
    let token = tokens.one(label)?;
    if !matches!(token.token_type, TokenType::User | TokenType::SystemUser) {
        return Err(lists_none(token));
    }
    let pages = match ask {
        AskGraph::Never => stored(&tokens, token),
        AskGraph::Always | AskGraph::WhenStale => asked(session, store.as_ref(), token)?,
    };
    let report = PagesReport { label: label.clone(), pages };
    let ui = &session.ui;
    ui.data(&match ui.format {
        OutputFormat::Json => report.json(),
        _ => report.text(ui.style()),
    })?;
    for hint in advice(token, &report, ask) {
        run::hint(session, hint);
    }
    Ok(Exit::Ok)
}

fn asked(
    session: &Session,
    store: Option<&Store>,
    token: &TokenConfig,
) -> Result<Vec<ReachedPage>, CliError> {
    let list = reached_pages(session, store, token)?;
    if list.extent == Extent::Cut {
        session.ui.warn("Meta did not list all Pages");
    }
    let reached = list.pages.into_iter().map(|page| ReachedPage {
        kept_as: kept_as(session, token, &page.id),
        page_id: page.id,
        name: page.name,
        tasks: page.tasks,
        has_token: page.token.is_some(),
    });
    Ok(reached.collect())
}

/// The label under which a Page is kept: a declared token's, or its own under the parent.
fn kept_as(session: &Session, parent: &TokenConfig, page_id: &str) -> Option<Label> {
    let declared = session.config.declared_page(&parent.label, page_id);
    let found = || discovered(&session.config, parent, page_id).map(|page| page.label);
    declared.filter(|page| page.policy.enabled).map(|page| page.label.clone()).or_else(found)
}

/// The Pages that are declared or were found.
fn stored(tokens: &Tokens, token: &TokenConfig) -> Vec<ReachedPage> {
    let known = tokens.pages_of(&token.label).filter_map(|page| {
        let credential = tokens.credential(&page.label);
        Some(ReachedPage {
            page_id: page.page_id.clone()?,
            name: credential.and_then(|it| it.name.clone()),
            tasks: None,
            kept_as: Some(page.label.clone()),
            has_token: credential.is_some_and(|it| it.current.is_some()),
        })
    });
    known.collect()
}

/// Only a person's token lists Pages.
fn lists_none(token: &TokenConfig) -> CliError {
    let TokenConfig { label, token_type, parent, .. } = token;
    let message = format!("a token of type `{token_type}` lists no Pages, only a user's does");
    let complaint = CliError::new(Exit::InputRefused, "wrong_type", label.as_str(), message);
    match (token_type, parent) {
        (TokenType::Page, Some(parent)) => {
            complaint.hint(format!("those of its user: `metatoken pages {parent}`"))
        }
        (TokenType::Page, None) => complaint.hint(
            "it has no `parent`: `metatoken add LABEL --type user` declares the user who manages it",
        ),
        _ => complaint.hint(format!("what it is: `metatoken status {label}`")),
    }
}

/// Says how to keep a Page that is not kept, or why there is none.
fn advice(token: &TokenConfig, report: &PagesReport, ask: AskGraph) -> Vec<String> {
    let label = &token.label;
    let is_robot = token.token_type == TokenType::SystemUser;
    if let Some(page) = report.first_not_kept() {
        let id = &page.page_id;
        let one = format!(
            "to keep one: `metatoken add page-{id} --type page --parent {label} --page-id {id}`"
        );
        let all = matches!(token.pages, Pages::None)
            .then(|| format!("to keep all: `pages = \"all\"` in `[token.{label}]`"));
        return std::iter::once(one).chain(all).collect();
    }
    let advice = match (report.pages.is_empty(), ask) {
        (true, AskGraph::Never) => format!("to ask Meta: `metatoken pages {label}`"),
        (true, _) if is_robot => format!(
            "no Page is assigned to this System User, or `pages_show_list` is missing: `metatoken status {label}` shows its scopes; for the Pages of a portfolio set `business` in `[token.{label}]`"
        ),
        (true, _) => format!(
            "no Page was ticked at the login, or `pages_show_list` is missing: `metatoken status {label}` shows its scopes"
        ),
        (false, AskGraph::Never) => return Vec::new(),
        (false, _) if report.pages.iter().all(|page| page.has_token) => return Vec::new(),
        (false, _) if is_robot => {
            "a Page without an access token is not assigned to this System User with a task"
                .to_owned()
        }
        (false, _) => {
            "a Page without an access token was not ticked when the person logged in".to_owned()
        }
    };
    vec![advice]
}
