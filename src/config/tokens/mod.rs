//! Reads `[token.LABEL]`: what each token is, where it goes and how it is treated.

mod app;
mod draft;
mod parent;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

pub use self::draft::Draft;
use self::draft::{Drafts, Keys};
use self::parent::Found;
use super::additions::Additions;
use super::apps::AppRead;
use super::conflicts::{self, Owned};
use super::deliver;
use super::diagnostic::{Diagnostic, Spanned};
use super::policy::{self, Layers};
use super::reader::{Ask, Reader, Section};
use super::reserved::Reserved;
use super::show::{Shown, ValueOrigin};
use super::source::SecretSource;
use super::token_files::TokenFile;
use super::wording::{quoted, with_article};
use crate::config::Target;
use crate::policy::{Parent, Policy, Subject};
use crate::shell;
use crate::token::{AccessToken, Label, TokenType};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenConfig {
    pub label: Label,
    /// The file of `tokens.d` that declares it; none for the config itself.
    pub declared_in: Option<Arc<Path>>,
    /// The name that it had before.
    pub was: Option<Label>,
    pub token_type: TokenType,
    /// The name of its app.
    pub app: String,
    /// The token that it is derived from.
    pub parent: Option<Label>,
    pub page_id: Option<String>,
    /// Whether its other Pages are looked after.
    pub pages: Pages,
    /// Where a first or a replacement access token is found.
    pub access_token: Option<SecretSource>,
    /// Where it is delivered, in the order in which that is done.
    pub deliver: Vec<Target>,
    /// How it is to be treated.
    pub policy: Policy,
    /// How a Page is treated that is discovered under it; none if none is looked for.
    pub page_policy: Option<Box<Policy>>,
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

/// A table `[token.LABEL]`, and the name in its header.
pub type TokenTable<'a> = (Spanned<&'a str>, Section<'a>);

/// Opens the tables of the config and of the files of `tokens.d`.
pub fn tables<'a>(
    config: &'a Section<'_>,
    files: &'a [Section<'_>],
    additions: &Additions<'_>,
) -> Vec<TokenTable<'a>> {
    let named = |top: &'a Section<'_>| top.named("token", "LABEL", "The tokens");
    let (doubled, mut tables): (Vec<_>, Vec<_>) = named(config)
        .into_iter()
        .partition(|(name, _): &TokenTable<'_>| additions.is_doubled(name.value));
    doubled.iter().for_each(|(_, section)| section.silence());
    for file in files {
        tables.extend(named(file));
        file.refuse_others("a file in `tokens.d` holds `[token.LABEL]` tables only");
    }
    tables
}

/// Reads what each token's own table says.
pub fn read<'a>(tables: &'a [TokenTable<'a>]) -> Vec<Draft<'a>> {
    tables.iter().filter_map(|(name, section)| Draft::read(name, section)).collect()
}

/// What the tokens refer to.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub reader: &'a Reader<'a>,
    pub additions: &'a Additions<'a>,
    pub apps: &'a [AppRead],
    /// `[defaults]`, which complains of nothing any more.
    pub defaults: &'a Section<'a>,
    pub reserved: &'a Reserved,
}

/// Looks up all that the tokens refer to.
pub fn resolve<'a>(drafts: Vec<Draft<'a>>, around: Surroundings<'a>) -> Vec<TokenConfig> {
    let drafts = Drafts::new(drafts);
    for (delivery, section) in drafts.all.iter().flat_map(|draft| &draft.keys.deliveries) {
        deliver::refuse_reserved(delivery, section, around.reserved);
    }
    let targets = drafts.all.iter().flat_map(|draft| {
        let label = &draft.label;
        draft.keys.deliveries.iter().map(move |(delivery, _)| Owned { label, delivery })
    });
    conflicts::check(targets, around.reader);
    let settle = |draft| settle(draft, &drafts, around);
    let tokens = drafts.all.iter().filter_map(settle).collect();
    check_pages(&drafts.all);
    check_renamed(&drafts);
    tokens
}

fn settle<'a>(
    draft: &'a Draft<'a>,
    drafts: &'a Drafts<'a>,
    around: Surroundings<'a>,
) -> Option<TokenConfig> {
    let Draft { label, section, keys, .. } = draft;
    let additions = around.additions;
    let (parent, is_orphan) = match parent::parent(draft, drafts, additions) {
        Found::Parent(parent) => (Some(parent), false),
        Found::None => (None, false),
        Found::LeftOut => (None, true),
    };
    let page_id = parent::page_id(draft);
    let app = app::app(draft, parent, around.apps);
    let pages = pages(draft);
    let was = keys.was.get().and_then(|was| renamed(was, &keys.was));
    let file = additions.file(section.file());
    check_literal(&keys.access_token, file);
    let parents = parent.map(|parent| (&parent.label, parent.section.quiet()));
    let layers = Layers {
        own: section,
        parent: parents.as_ref().map(|(label, section)| (*label, section)),
        defaults: around.defaults,
    };
    let policy = policy::read(layers);
    let judged = judged(draft, parent, &policy);
    policy::check_order(layers, &policy, judged);
    if let Some(subject) = judged {
        policy::put_limits(section, &subject);
    }
    let page_policy = matches!(pages, Pages::All { .. }).then(|| {
        let (own, theirs) = (section.nowhere(), section.quiet());
        let parent = Some((label, &theirs));
        Box::new(policy::read(Layers { own: &own, parent, defaults: around.defaults }))
    });
    let (app, app_origin) = app.filter(|_| !is_orphan)?;
    let token = TokenConfig {
        label: label.clone(),
        declared_in: file.map(|file| file.path.clone()),
        was,
        token_type: draft.token_type?,
        app,
        parent: parent.map(|parent| parent.label.clone()),
        page_id,
        pages,
        access_token: keys.access_token.get().cloned(),
        deliver: keys.deliveries.iter().map(|(delivery, _)| delivery.target.clone()).collect(),
        policy,
        page_policy,
    };
    put(section, keys, &token, app_origin);
    Some(token)
}

/// Shows a token and its targets.
fn put(section: &Section<'_>, keys: &Keys<'_>, token: &TokenConfig, app: ValueOrigin) {
    let implied = || match token.label.as_discovered() {
        Some(_) => ValueOrigin::Implied("its label"),
        None => ValueOrigin::BuiltIn,
    };
    let built_in = || ValueOrigin::BuiltIn;
    section.put("type", || keys.token_type.origin_or(implied()), || token.token_type.shown());
    section.put("app", || app, || token.app.shown());
    section.put("parent", || keys.parent.origin_or(implied()), || token.parent.shown());
    section.put("page_id", || keys.page_id.origin_or(implied()), || token.page_id.shown());
    match &token.pages {
        Pages::None => section.put("pages", built_in, || json!(null)),
        Pages::All { except } => {
            section.put("pages", || keys.pages.origin_or(built_in()), || json!("all"));
            section.put("except", || keys.except.origin_or(built_in()), || except.shown());
        }
    }
    section.put("was", || keys.was.origin_or(built_in()), || token.was.shown());
    let access_token = || token.access_token.shown();
    section.put("access_token", || keys.access_token.origin_or(built_in()), access_token);
    section.show();
    for (_, delivery) in &keys.deliveries {
        delivery.show();
    }
}

/// The token as the judgement sees it before anything is stored.
///
/// None where its type or its parent is still wrong.
fn judged<'a>(
    draft: &'a Draft<'_>,
    parent: Option<&'a Draft<'_>>,
    policy: &'a Policy,
) -> Option<Subject<'a>> {
    let parent = match parent {
        Some(parent) => Some(Parent { label: &parent.label, credential: None }),
        None if draft.parent_name().is_some() => return None,
        None => None,
    };
    let token_type = draft.token_type?;
    Some(Subject {
        label: &draft.label,
        token_type,
        policy,
        credential: None,
        parent,
        throttled_until: None,
    })
}

fn pages(draft: &Draft<'_>) -> Pages {
    let Keys { pages, except, .. } = &draft.keys;
    let Some(word) = pages.get() else {
        if except.get().is_some() {
            let message = match draft.token_type {
                Some(other) if other != TokenType::Page && !parent::has_pages(other) => {
                    format!("{} token has no `except`", with_article(other))
                }
                _ => "`except` needs `pages = \"all\"`".to_owned(),
            };
            except.refuse(message, "");
        }
        return Pages::None;
    };
    if draft.token_type == Some(TokenType::Page) {
        pages.refuse("a page has no `pages`", "");
    } else if let Some(other) = draft.token_type.filter(|it| !parent::has_pages(*it)) {
        pages.refuse(format!("{} token has no `pages`", with_article(other)), "");
    } else if word != "all" {
        let label = "declare single pages as `[token.LABEL]` of type `page`";
        pages.refuse("`pages` can only be `\"all\"`", label);
    }
    let except = except.get().map(Vec::as_slice).unwrap_or_default();
    for id in except.iter().filter(|id| !parent::is_id(&id.value)) {
        let message = "`except` lists the ids of Pages, which have digits only";
        draft.section.report(Diagnostic::at(id.span, message));
    }
    Pages::All { except: except.iter().map(|id| id.value.clone()).collect() }
}

fn renamed(was: &str, ask: &Ask<'_, String>) -> Option<Label> {
    let label = Label::parse(was).ok();
    if label.is_none() {
        ask.refuse(format!("{} is no label", quoted(was)), "");
    }
    label
}

fn check_literal(access_token: &Ask<'_, SecretSource>, file: Option<&TokenFile>) {
    let Some(SecretSource::Literal(text)) = access_token.get() else { return };
    if let Some(TokenFile { path, mode, .. }) = file.filter(|file| file.mode & 0o004 != 0) {
        let message =
            format!("a literal secret, and others can read the file (mode {:04o})", mode & 0o7777);
        access_token.refuse(message, format!("`chmod o-r {}`", shell::quoted(path)));
    }
    if let Err(malformed) = AccessToken::parse(text.expose()) {
        access_token.refuse(format!("`access_token` is no access token: {malformed}"), "");
    }
}

/// One Page of one parent is one token.
fn check_pages(drafts: &[Draft<'_>]) {
    let mut seen: BTreeMap<(&str, &str), &Draft<'_>> = BTreeMap::new();
    for draft in drafts {
        let given =
            || Some((draft.keys.parent.get()?.as_str(), draft.keys.page_id.get()?.as_str()));
        let Some(page) = draft.label.as_discovered().or_else(given) else { continue };
        match seen.get(&page) {
            Some(first) => {
                let (first, parent) = (*first, page.0);
                let message = format!(
                    "`{}` and `{}` are the same Page of `{parent}`",
                    first.label, draft.label
                );
                let wrong = Diagnostic::at(draft.section.span(), message);
                draft.section.report(wrong.earlier(Some(first.section.span())));
            }
            None => {
                seen.insert(page, draft);
            }
        }
    }
}

/// A former name must be free, and be one token's only.
fn check_renamed(drafts: &Drafts<'_>) {
    let mut seen: BTreeMap<&str, &Ask<'_, String>> = BTreeMap::new();
    for draft in &drafts.all {
        let was = &draft.keys.was;
        let Some(name) = was.get() else { continue };
        match drafts.find(name) {
            Some(taken) if draft.is_wronged_by(taken) => {
                let message = format!("`{name}` is the former label of `{}`", draft.label);
                let wrong = Diagnostic::at(taken.name_span, message);
                taken.section.report(wrong.earlier(Some(was.span())));
            }
            Some(taken) => {
                let message = format!("`{}` is still the label of a token", taken.label);
                was.refuse(message, "`was` names a label that is gone");
            }
            None => {}
        }
        match seen.get(name.as_str()) {
            Some(first) => {
                let message = "two tokens claim the same former label";
                let wrong = Diagnostic::at(was.span(), message);
                drafts.all[0].section.report(wrong.earlier(Some(first.span())));
            }
            None => {
                seen.insert(name, was);
            }
        }
    }
}
