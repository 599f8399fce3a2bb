//! Resolves one token: its own keys, and those of the tables that it refers to.

use std::sync::Arc;

use serde_json::json;

use super::all_pages::{AllPages, AllPagesTables};
use super::draft::{Draft, Drafts, Keys};
use super::parent::{self, Found};
use super::token_config::{OwnerFrom, Pages, TokenConfig};
use super::{admin, app, backup, pages, renames};
use crate::config::additions::Additions;
use crate::config::apps::AppRead;
use crate::config::deliver::DeliveryRead;
use crate::config::diagnostic::Diagnostic;
use crate::config::placeholder::fill;
use crate::config::policy::{self, Layers};
use crate::config::probe::probe_misfit;
use crate::config::reader::{Ask, Reader, Section};
use crate::config::reserved::Reserved;
use crate::config::show::{Shown, ValueOrigin};
use crate::config::source::SecretSource;
use crate::config::target::Target;
use crate::config::token_files::TokenFile;
use crate::policy::humanize::with_article;
use crate::policy::{Naming, Parent, Policy, Subject};
use crate::shell;
use crate::token::{Label, TokenType, read_pasted};

/// What the tokens refer to.
pub struct Surroundings<'a> {
    pub reader: &'a Reader<'a>,
    pub additions: &'a Additions<'a>,
    /// The file's path.
    pub path: Arc<str>,
    pub apps: &'a [AppRead],
    /// `[defaults]`, which complains of nothing any more.
    pub defaults: &'a Section<'a>,
    pub reserved: &'a Reserved,
    /// What the Pages of each parent share.
    pub all_pages: &'a AllPagesTables<'a>,
}

/// Resolves one token; none where what it is cannot be said.
pub fn token<'a>(
    draft: &'a Draft<'a>,
    drafts: &'a Drafts<'a>,
    around: &Surroundings<'a>,
) -> Option<TokenConfig> {
    let Draft { label, section, keys, .. } = draft;
    let additions = around.additions;
    let (parent, is_orphan) = match parent::parent(draft, drafts, additions) {
        Found::Parent(parent) => (Some(parent), false),
        Found::None => (None, false),
        Found::LeftOut => (None, true),
    };
    let page_id = parent::page_id(draft);
    let user_id = parent::user_id(draft);
    let app = app::app(draft, parent, around.apps);
    let pages = pages::pages(draft);
    let business = pages::business(draft);
    let was = renames::renamed(label, &keys.was);
    let file = additions.file(section.file());
    check_literal(&keys.access_token, file, draft.token_type);
    let parents = parent.map(|parent| (&parent.label, parent.section.quiet()));
    let all_pages = parent.and_then(|parent| around.all_pages.find(&parent.label));
    let shared = all_pages.map(|pages| pages.section.quiet());
    let layers = Layers {
        own: section,
        all_pages: shared.as_ref(),
        parent: parents.as_ref().map(|(label, section)| (*label, section)),
        defaults: around.defaults,
        token_type: draft.token_type,
    };
    let policy = policy::read(layers);
    if let Some(token_type) = draft.token_type {
        check_probe(section, &policy, token_type);
    }
    let judged = judged(draft, parent, &policy);
    policy::check_order(layers, &policy, judged);
    if let Some(subject) = judged {
        policy::put_limits(section, &subject);
    }
    let its_pages = around.all_pages.find(label);
    let page_policy = matches!(pages, Pages::All { .. })
        .then(|| Box::new(page_policy(label, section, its_pages, around.defaults)));
    let (app, app_origin) = app.filter(|_| !is_orphan)?;
    let of_app = around.apps.iter().find(|it| it.name == app);
    let of_app = of_app.filter(|_| draft.token_type.is_some_and(parent::has_pages));
    let token = TokenConfig {
        label: label.clone(),
        declared_in: file.map(|file| file.path.clone()),
        owner_from: match file {
            Some(file) if file.is_imported() => OwnerFrom::Import,
            _ => OwnerFrom::Operator,
        },
        was,
        not_renamed: None,
        token_type: draft.token_type?,
        file: around.path.clone(),
        app_id: around.apps.iter().find(|it| it.name == app).and_then(AppRead::id),
        app_lacks_secret: around.apps.iter().any(|it| it.name == app && !it.has_secret),
        app,
        parent: parent.map(|parent| parent.label.clone()),
        deliver: deliver_of(draft, all_pages, page_id.as_deref()),
        page_id,
        user_id,
        pages,
        business: business.or_else(|| of_app.and_then(|it| it.business.clone())),
        mint: admin::admin(draft, drafts),
        used_for: admin::used_for(draft),
        access_token: keys.access_token.get().cloned(),
        backup: backup::backup(draft, drafts, additions),
        policy,
        unasked_probe: layers.unasked_probe(),
        page_policy,
        page_deliver: its_pages.map(|pages| targets(&pages.deliveries)).unwrap_or_default(),
    };
    put(section, keys, &token, app_origin);
    if let (Some(pages), Some(parent), Some(id)) = (all_pages, &token.parent, &token.page_id)
        && !section.has("deliver")
    {
        for (_, shared) in &pages.deliveries {
            shared.show_as_of(label.as_str(), |text| fill(text, parent, id));
        }
    }
    Some(token)
}

/// The policy of the Pages that a token lists.
fn page_policy(
    parent: &Label,
    section: &Section<'_>,
    all_pages: Option<&AllPages<'_>>,
    defaults: &Section<'_>,
) -> Policy {
    let (own, parents) = (section.nowhere(), section.quiet());
    let shared = all_pages.map(|pages| pages.section.quiet());
    policy::read(Layers {
        own: &own,
        all_pages: shared.as_ref(),
        parent: Some((parent, &parents)),
        defaults,
        token_type: Some(TokenType::Page),
    })
}

/// The targets of a token: its own, or those of the table for all Pages of its parent.
fn deliver_of(
    draft: &Draft<'_>,
    all_pages: Option<&AllPages<'_>>,
    page_id: Option<&str>,
) -> Vec<Target> {
    let own = &draft.keys.deliveries;
    match (all_pages, draft.parent_name().and_then(|it| Label::parse(it).ok()), page_id) {
        (Some(pages), Some(parent), Some(page_id)) if !draft.section.has("deliver") => {
            let shared = targets(&pages.deliveries);
            shared.iter().map(|target| target.of_page(&parent, page_id)).collect()
        }
        _ => targets(own),
    }
}

fn targets(deliveries: &[(DeliveryRead, Section<'_>)]) -> Vec<Target> {
    deliveries.iter().map(|(delivery, _)| delivery.target.clone()).collect()
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
        Some(parent) => Some(Parent { label: &parent.label, credential: None, backup: None }),
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
        backup: None,
        throttled_until: None,
        naming: Naming::default(),
    })
}

/// Complains of a question in a table that tokens of its type cannot be asked.
pub fn check_probe(own: &Section<'_>, policy: &Policy, token_type: TokenType) {
    let asked = policy.probe.as_ref().filter(|_| own.has("probe"));
    if let Some(whom) = asked.and_then(|probe| probe_misfit(probe, token_type)) {
        let message = format!("{whom}, and this is {} token", with_article(token_type));
        own.report(Diagnostic::at(own.key_span("probe"), message));
    }
}

fn check_literal(
    access_token: &Ask<'_, SecretSource>,
    file: Option<&TokenFile>,
    token_type: Option<TokenType>,
) {
    let Some(SecretSource::Literal(text)) = access_token.get() else { return };
    if let Some(TokenFile { path, mode, .. }) = file.filter(|file| file.mode & 0o004 != 0) {
        let message =
            format!("a literal secret, and others can read the file (mode {:04o})", mode & 0o7777);
        access_token.refuse(message, format!("`chmod o-r {}`", shell::quoted(path)));
    }
    if let Err(unfit) = read_pasted(text.expose(), token_type) {
        access_token.refuse(format!("invalid `access_token`: {unfit}"), unfit.fix());
    }
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
    section.put("user_id", || keys.user_id.origin_or(built_in()), || token.user_id.shown());
    section.put("page_id", || keys.page_id.origin_or(implied()), || token.page_id.shown());
    match &token.pages {
        Pages::None => section.put("pages", built_in, || json!(null)),
        Pages::All { except } => {
            section.put("pages", || keys.pages.origin_or(built_in()), || json!("all"));
            section.put("except", || keys.except.origin_or(built_in()), || except.shown());
        }
    }
    section.put("business", || keys.business.origin_or(built_in()), || token.business.shown());
    section.put("mint", || keys.mint.origin_or(built_in()), || token.mint.shown());
    let used_for = || token.used_for.map_or(json!(null), |it| json!(it.as_str()));
    section.put("use", || keys.used_for.origin_or(built_in()), used_for);
    section.put("was", || keys.was.origin_or(built_in()), || token.was.shown());
    let access_token = || token.access_token.shown();
    section.put("access_token", || keys.access_token.origin_or(built_in()), access_token);
    section.put("backup", || keys.backup.origin_or(built_in()), || token.backup.shown());
    section.show();
    for (_, delivery) in &keys.deliveries {
        delivery.show();
    }
}
