//! Reads `[token.LABEL]`: what each token is, where it goes and how it is treated.

mod admin;
pub mod all_pages;
mod app;
mod backup;
mod draft;
mod parent;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use self::all_pages::{AllPages, AllPagesTables};
use self::backup::Kept;
pub use self::draft::{Draft, TokenTable, TokenUse};
use self::draft::{Drafts, Keys};
use self::parent::Found;
use super::additions::Additions;
use super::apps::AppRead;
use super::conflicts::{self, Owned};
use super::deliver::{self, DeliveryRead};
use super::diagnostic::Diagnostic;
use super::placeholder::fill;
use super::policy::{self, Layers};
use super::probe::probe_misfit;
use super::reader::{Ask, Reader, Section};
use super::reserved::Reserved;
use super::show::{Shown, ValueOrigin};
use super::source::SecretSource;
use super::token_files::TokenFile;
use super::wording::quoted;
use crate::config::Target;
use crate::policy::humanize::with_article;
use crate::policy::{Naming, Parent, Policy, RenameConflict, Subject};
use crate::shell;
use crate::token::{Label, TokenType, read_pasted};

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
    for (_, section) in &doubled {
        section.silence();
    }
    for file in files {
        tables.extend(named(file));
        file.refuse_others("a file in `tokens.d` holds `[token.LABEL]` tables only");
    }
    tables
}

/// Reads what each token's own table says.
pub fn read<'a>(tables: &'a [TokenTable<'a>]) -> Vec<Draft<'a>> {
    let of_one = tables.iter().filter(|(name, _)| all_pages::parent_of_all(name.value).is_none());
    of_one.filter_map(|(name, section)| Draft::read(name, section)).collect()
}

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

/// Looks up all that the tokens refer to.
pub fn resolve<'a>(drafts: Vec<Draft<'a>>, around: &Surroundings<'a>) -> Vec<TokenConfig> {
    let drafts = Drafts::new(drafts);
    let deliveries = drafts.all.iter().flat_map(|draft| &draft.keys.deliveries);
    let of_pages = around.all_pages.all.iter().flat_map(|pages| &pages.deliveries);
    for (delivery, section) in deliveries.chain(of_pages) {
        deliver::refuse_reserved(delivery, section, around.reserved);
    }
    drafts.all.iter().for_each(all_pages::refuse_placeholders);
    check_conflicts(&drafts, around);
    let settle = |draft| settle(draft, &drafts, around);
    let mut tokens: Vec<TokenConfig> = drafts.all.iter().filter_map(settle).collect();
    for pages in &around.all_pages.all {
        all_pages::check_parent(pages, &drafts, around.additions);
        show_all_pages(pages, &drafts, around);
    }
    leave_out_excepted(&mut tokens);
    backup::check(&drafts, tokens.iter().map(kept));
    require_of_backups(&mut tokens);
    check_pages(&drafts.all);
    contest_renames(&mut tokens);
    tokens
}

/// Complains of targets that are taken for one another: those of all tokens, and those that the Pages
/// of one parent share. Which Pages there are is not known here.
fn check_conflicts(drafts: &Drafts<'_>, around: &Surroundings<'_>) {
    let of_tokens = drafts.all.iter().flat_map(|draft| {
        let label = draft.label.as_str();
        draft.keys.deliveries.iter().map(move |(delivery, _)| Owned { label, delivery })
    });
    conflicts::check(of_tokens, around.reader);
    for pages in &around.all_pages.all {
        let label = pages.name;
        let owned = pages.deliveries.iter().map(|(delivery, _)| Owned { label, delivery });
        conflicts::check(owned, around.reader);
    }
}

fn settle<'a>(
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
    let pages = pages(draft);
    let business = business(draft);
    let was = renamed(label, &keys.was);
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
    let found = around.all_pages.find(label);
    let page_policy = matches!(pages, Pages::All { .. }).then(|| {
        let (own, theirs) = (section.nowhere(), section.quiet());
        let shared = found.map(|pages| pages.section.quiet());
        Box::new(policy::read(Layers {
            own: &own,
            all_pages: shared.as_ref(),
            parent: Some((label, &theirs)),
            defaults: around.defaults,
            token_type: Some(TokenType::Page),
        }))
    });
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
        page_deliver: found.map(|pages| targets(&pages.deliveries)).unwrap_or_default(),
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

/// Reads and shows what the Pages found under a parent share.
fn show_all_pages(pages: &AllPages<'_>, drafts: &Drafts<'_>, around: &Surroundings<'_>) {
    let parent = drafts.find(pages.parent);
    let theirs = parent.map(|parent| (&parent.label, parent.section.quiet()));
    let parent = theirs.as_ref().map(|(label, section)| (*label, section));
    let (own, defaults) = (pages.section, around.defaults);
    let token_type = Some(TokenType::Page);
    let layers = Layers { own, all_pages: None, parent, defaults, token_type };
    let policy = policy::read(layers);
    check_probe(own, &policy, TokenType::Page);
    policy::check_order(layers, &policy, None);
    own.show();
    for (_, delivery) in &pages.deliveries {
        delivery.show();
    }
}

/// A token, as far as it matters to its backup.
fn kept(token: &TokenConfig) -> Kept<'_> {
    Kept {
        label: &token.label,
        token_type: token.token_type,
        app: &token.app,
        page_id: token.page_id.as_deref(),
        is_enabled: token.policy.enabled,
        backup: token.backup.as_ref(),
    }
}

/// Requires of each backup what its token requires: it is judged as if it were in its place.
fn require_of_backups(tokens: &mut [TokenConfig]) {
    let wanted: Vec<(Label, Vec<String>, Vec<String>)> = tokens
        .iter()
        .filter_map(|token| {
            let policy = &token.policy;
            let (scopes, targets) = (&policy.required_scopes, &policy.required_targets);
            Some((token.backup.clone()?, scopes.clone(), targets.clone()))
        })
        .collect();
    for (label, scopes, targets) in wanted {
        let Some(backup) = tokens.iter_mut().find(|token| token.label == label) else { continue };
        let add = |own: &mut Vec<String>, more: Vec<String>| {
            let missing: Vec<String> = more.into_iter().filter(|it| !own.contains(it)).collect();
            own.extend(missing);
        };
        add(&mut backup.policy.required_scopes, scopes);
        add(&mut backup.policy.required_targets, targets);
    }
}

/// Leaves out what is declared by the name of a Page that its parent's `except` names.
fn leave_out_excepted(tokens: &mut Vec<TokenConfig>) {
    let excepted: HashSet<Label> = tokens
        .iter()
        .filter_map(|token| match &token.pages {
            Pages::All { except } => Some((&token.label, except)),
            Pages::None => None,
        })
        .flat_map(|(label, except)| except.iter().map(|id| Label::discovered(label, id)))
        .collect();
    tokens.retain(|token| !excepted.contains(&token.label));
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

/// Complains of a question in a table that tokens of its type cannot be asked.
fn check_probe(own: &Section<'_>, policy: &Policy, token_type: TokenType) {
    let asked = policy.probe.as_ref().filter(|_| own.has("probe"));
    if let Some(whom) = asked.and_then(|probe| probe_misfit(probe, token_type)) {
        let message = format!("{whom}, and this is {} token", with_article(token_type));
        own.report(Diagnostic::at(own.key_span("probe"), message));
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

/// The portfolio that the token's own table names.
fn business(draft: &Draft<'_>) -> Option<String> {
    let given = &draft.keys.business;
    let id = given.get()?;
    match draft.token_type {
        Some(other) if !parent::has_pages(other) => {
            given.refuse(format!("{} token has no `business`", with_article(other)), "");
            None
        }
        _ if !parent::is_id(id) => {
            given.refuse("a `business` has digits only", "Meta Business settings, Business info");
            None
        }
        _ => Some(id.clone()),
    }
}

fn renamed(own: &Label, ask: &Ask<'_, String>) -> Option<Label> {
    let was = ask.get()?;
    match Label::parse(was) {
        Ok(label) if label == *own => {
            ask.refuse(
                format!("`{own}` is its own label"),
                "`was` names the one that it had before",
            );
            None
        }
        Ok(label) => Some(label),
        Err(_) => {
            ask.refuse(format!("{} is not a valid label", quoted(was)), "");
            None
        }
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

/// Renames no token whose former label is still declared, or is claimed by another: that is said of
/// the token, and holds up no other.
fn contest_renames(tokens: &mut [TokenConfig]) {
    let declared: HashSet<Label> = tokens.iter().map(|token| token.label.clone()).collect();
    let mut claims: BTreeMap<Label, Vec<Label>> = BTreeMap::new();
    for token in tokens.iter() {
        let Some(was) = &token.was else { continue };
        claims.entry(was.clone()).or_default().push(token.label.clone());
    }
    for token in tokens {
        let Some(was) = token.was.clone() else { continue };
        let by = claims[&was].iter().find(|by| **by != token.label).cloned();
        token.not_renamed = if declared.contains(&was) {
            Some(RenameConflict::StillDeclared { was })
        } else {
            by.map(|by| RenameConflict::ClaimedTwice { was, by })
        };
        token.was.take_if(|_| token.not_renamed.is_some());
    }
}

impl TokenConfig {
    /// The name that it says it had before.
    pub fn former_label(&self) -> Option<&Label> {
        self.was.as_ref().or_else(|| self.not_renamed.as_ref().map(RenameConflict::was))
    }
}
