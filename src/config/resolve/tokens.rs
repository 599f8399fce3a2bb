//! Tokens.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_spanned::Spanned;

use super::belonging::{self, AppFrom, Apps};
use super::collisions;
use super::nouns::with_article;
use super::own::Own;
use super::policy::{self, Layers};
use super::relations;
use super::targets::{self, Stated};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::settings::{Origin, Origins, Pages, TokenSetting};
use crate::config::source::SecretSource;
use crate::config::wire::{Named, PolicyWire, TokenWire, known};
use crate::policy::{Parent, Policy, Subject};
use crate::token::{AccessToken, Label, TokenType};

/// A token whose label is one; all else is still to be looked up.
pub(super) struct Draft<'a> {
    pub(super) label: Label,
    pub(super) name_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) token_type: Option<TokenType>,
    pub(super) wire: &'a TokenWire,
}

pub(super) fn resolve(
    tokens: &[Named<TokenWire>],
    apps: &Apps,
    own: &Own,
    defaults: &PolicyWire,
    faults: &mut Faults,
) -> Vec<TokenSetting> {
    let drafts: Vec<Draft<'_>> = tokens.iter().filter_map(|token| draft(token, faults)).collect();
    let targets: Vec<Vec<Stated>> =
        drafts.iter().map(|draft| targets::of(draft, own, faults)).collect();
    let labels = drafts.iter().map(|draft| &draft.label);
    collisions::check(labels.zip(targets.iter().map(Vec::as_slice)), faults);
    let mut settled = Vec::new();
    for (draft, targets) in drafts.iter().zip(targets) {
        let token = settle(draft, &drafts, apps, defaults, faults);
        settled.extend(token.map(|token| deliver(token, targets)));
    }
    check_pages(&drafts, faults);
    check_renamed(&drafts, faults);
    settled
}

fn deliver(mut token: TokenSetting, targets: Vec<Stated>) -> TokenSetting {
    for Stated { target, origins, .. } in targets {
        token.delivery_origins.insert(target.id.clone(), origins);
        token.deliver.push(target);
    }
    token
}

fn draft<'a>(token: &'a Named<TokenWire>, faults: &mut Faults) -> Option<Draft<'a>> {
    let name = &token.name;
    let Ok(label) = Label::parse(name.get_ref()) else {
        faults
            .add(name.span(), format!("{} is no label", quoted(name.get_ref())))
            .label("use letters, digits, `-` and `_`");
        return None;
    };
    let token_type = token_type(&label, token, faults);
    Some(Draft {
        label,
        name_span: name.span(),
        span: token.span.clone(),
        token_type,
        wire: &token.body,
    })
}

/// A label `PARENT/PAGE_ID` makes it a page; every other token says what it is.
fn token_type(label: &Label, token: &Named<TokenWire>, faults: &mut Faults) -> Option<TokenType> {
    let given = token.body.token_type.as_ref();
    if label.as_discovered().is_some() {
        if let Some(given) = given.filter(|given| *given.get_ref() != TokenType::Page) {
            faults
                .add(given.span(), format!("`{label}` is a page"))
                .label("leave `type` out, or write `page`");
        }
        return Some(TokenType::Page);
    }
    if !token.body.has_type {
        faults
            .add(token.span.clone(), format!("`[token.{label}]` needs a `type`"))
            .label(known::any_of(TokenType::ALL.iter().map(|known| known.as_str())));
    }
    given.map(|given| *given.get_ref())
}

fn settle(
    draft: &Draft<'_>,
    drafts: &[Draft<'_>],
    apps: &Apps,
    defaults: &PolicyWire,
    faults: &mut Faults,
) -> Option<TokenSetting> {
    let parent = relations::parent(draft, drafts, faults);
    let page_id = relations::page_id(draft, faults);
    let app = belonging::app(draft, parent, apps, faults);
    let pages = pages(draft, faults);
    let was = draft.wire.was.as_ref().and_then(|was| renamed(was, faults));
    if let Some(source) = &draft.wire.access_token {
        check_literal(source, faults);
    }
    let mut origins = Origins::new();
    let layers = Layers {
        label: &draft.label,
        own: &draft.wire.policy,
        parent: parent.map(|parent| (&parent.label, &parent.wire.policy)),
        defaults,
    };
    let policy = policy::resolve(layers, &mut origins);
    policy::check_order(layers, judged(draft, parent, &policy), faults);
    let (app, app_from) = app?;
    note_origins(draft, parent, app_from, &mut origins);
    Some(TokenSetting {
        label: draft.label.clone(),
        was,
        token_type: draft.token_type?,
        app,
        parent: parent.map(|parent| parent.label.clone()),
        page_id,
        pages,
        access_token: draft.wire.access_token.clone().map(Spanned::into_inner),
        deliver: Vec::new(),
        policy,
        origins,
        delivery_origins: BTreeMap::new(),
    })
}

/// The token as the judgement sees it before anything is stored.
///
/// None where its type or its parent is still to be mended.
fn judged<'a>(
    draft: &'a Draft<'_>,
    parent: Option<&'a Draft<'_>>,
    policy: &'a Policy,
) -> Option<Subject<'a>> {
    let parent = match parent {
        Some(parent) => Some(Parent { label: &parent.label, credential: None }),
        None if relations::parent_name(draft).is_some() => return None,
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

fn note_origins(
    draft: &Draft<'_>,
    parent: Option<&Draft<'_>>,
    app: AppFrom,
    origins: &mut Origins,
) {
    let wire = draft.wire;
    let absent = || match draft.label.as_discovered() {
        Some(_) => Origin::Implied("its label"),
        None => Origin::BuiltIn,
    };
    let own = |given: bool, otherwise: Origin| {
        if given { Origin::Table(format!("token.{}", draft.label)) } else { otherwise }
    };
    origins.insert("type", own(wire.token_type.is_some(), absent()));
    origins.insert("parent", own(wire.parent.is_some(), absent()));
    origins.insert("page_id", own(wire.page_id.is_some(), absent()));
    origins.insert("pages", own(wire.pages.is_some(), Origin::BuiltIn));
    origins.insert("except", own(wire.except.is_some(), Origin::BuiltIn));
    origins.insert("was", own(wire.was.is_some(), Origin::BuiltIn));
    origins.insert("access_token", own(wire.access_token.is_some(), Origin::BuiltIn));
    let app = match (app, parent) {
        (AppFrom::Own, _) => own(true, Origin::BuiltIn),
        (AppFrom::Parent, Some(parent)) => Origin::Parent(parent.label.clone()),
        (AppFrom::Parent, None) | (AppFrom::OnlyOne, _) => Origin::Implied("the only app"),
        (AppFrom::OnlyOneOfItsKind, _) => Origin::Implied("the only app of its kind"),
    };
    origins.insert("app", app);
}

fn pages(draft: &Draft<'_>, faults: &mut Faults) -> Pages {
    let wire = draft.wire;
    let Some(pages) = &wire.pages else {
        if let Some(except) = &wire.except {
            let message = match draft.token_type {
                Some(other) if other != TokenType::Page && !relations::has_pages(other) => {
                    format!("{} token has no `except`", with_article(other))
                }
                _ => "`except` needs `pages = \"all\"`".to_owned(),
            };
            faults.add(except.span(), message);
        }
        return Pages::None;
    };
    if draft.token_type == Some(TokenType::Page) {
        faults.add(pages.span(), "a page has no `pages`");
    } else if let Some(other) = draft.token_type.filter(|it| !relations::has_pages(*it)) {
        faults.add(pages.span(), format!("{} token has no `pages`", with_article(other)));
    } else if pages.get_ref() != "all" {
        faults
            .add(pages.span(), "`pages` can only be `\"all\"`")
            .label("declare single pages as `[token.LABEL]` of type `page`");
    }
    let except = wire.except.as_ref().map(|list| list.get_ref().as_slice()).unwrap_or_default();
    for id in except {
        if !relations::is_id(id.get_ref()) {
            faults.add(id.span(), "`except` lists the ids of Pages, which have digits only");
        }
    }
    Pages::All { except: except.iter().map(|id| id.get_ref().clone()).collect() }
}

fn renamed(was: &Spanned<String>, faults: &mut Faults) -> Option<Label> {
    let label = Label::parse(was.get_ref()).ok();
    if label.is_none() {
        faults.add(was.span(), format!("{} is no label", quoted(was.get_ref())));
    }
    label
}

fn check_literal(source: &Spanned<SecretSource>, faults: &mut Faults) {
    let SecretSource::Literal(text) = source.get_ref() else { return };
    if let Err(malformed) = AccessToken::parse(text.expose()) {
        faults.add(source.span(), format!("`access_token` is no access token: {malformed}"));
    }
}

/// One Page of one parent is one token.
fn check_pages(drafts: &[Draft<'_>], faults: &mut Faults) {
    let mut seen: BTreeMap<(String, String), &Draft<'_>> = BTreeMap::new();
    for draft in drafts {
        let page = match draft.label.as_discovered() {
            Some((parent, page)) => Some((parent.to_owned(), page.to_owned())),
            None => draft
                .wire
                .parent
                .as_ref()
                .zip(draft.wire.page_id.as_ref())
                .map(|(parent, page)| (parent.get_ref().clone(), page.get_ref().clone())),
        };
        let Some(page) = page else { continue };
        match seen.get(&page) {
            Some(first) => {
                let message = format!(
                    "`{}` and `{}` are the same Page of `{}`",
                    first.label, draft.label, page.0
                );
                faults.add(draft.span.clone(), message).earlier(Some(first.span.clone()));
            }
            None => {
                seen.insert(page, draft);
            }
        }
    }
}

/// A former name must be free, and be one token's only.
fn check_renamed(drafts: &[Draft<'_>], faults: &mut Faults) {
    let mut seen: BTreeMap<&str, Range<usize>> = BTreeMap::new();
    for draft in drafts {
        let Some(was) = &draft.wire.was else { continue };
        if let Some(taken) = drafts.iter().find(|other| other.label.as_str() == was.get_ref()) {
            let message = format!("`{}` is still the label of a token", taken.label);
            faults.add(was.span(), message).label("`was` names a label that is gone");
        }
        match seen.get(was.get_ref().as_str()) {
            Some(first) => faults
                .add(was.span(), "two tokens claim the same former label")
                .earlier(Some(first.clone())),
            None => {
                seen.insert(was.get_ref(), was.span());
            }
        }
    }
}
