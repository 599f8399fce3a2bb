//! Reads `[token."PARENT/*"]`: the settings of all Pages that are found under a parent.
//!
//! What its targets hold of one Page is filled in later.

use std::collections::HashMap;

use super::draft::{Draft, Drafts, TokenTable};
use super::parent::has_pages;
use crate::config::additions::Additions;
use crate::config::deliver::{self, DeliveryRead};
use crate::config::diagnostic::{Diagnostic, FileId, Span, Spanned};
use crate::config::placeholder::{begins_with_placeholder, has_placeholder, unknown_placeholder};
use crate::config::reader::Section;
use crate::config::target::Place;
use crate::config::wording::{nearest, quoted};
use crate::policy::humanize::with_article;
use crate::token::Label;

/// The table for all Pages of one parent.
pub struct AllPages<'a> {
    /// The name in the header: `PARENT/*`.
    pub name: &'a str,
    /// The label before the `/*`.
    pub parent: &'a str,
    /// Where the header has it.
    pub name_span: Span,
    pub section: &'a Section<'a>,
    pub deliveries: Vec<(DeliveryRead, Section<'a>)>,
}

/// The tables for all Pages, to be looked up by the parent.
pub struct AllPagesTables<'a> {
    pub all: Vec<AllPages<'a>>,
    by_parent: HashMap<&'a str, usize>,
}

impl<'a> AllPagesTables<'a> {
    fn new(all: Vec<AllPages<'a>>) -> Self {
        let mut by_parent = HashMap::new();
        for (at, pages) in all.iter().enumerate() {
            by_parent.entry(pages.parent).or_insert(at);
        }
        Self { all, by_parent }
    }

    /// Finds the table for all Pages of a parent.
    pub fn find(&self, parent: &Label) -> Option<&AllPages<'a>> {
        self.by_parent.get(parent.as_str()).map(|at| &self.all[*at])
    }
}

/// Takes those tables that are for all Pages of a parent, each to be read by keys of its own.
pub fn tables<'a>(tables: &'a [TokenTable<'a>]) -> Vec<TokenTable<'a>> {
    let is_meant = |(name, section): &&TokenTable<'a>| {
        parent_of_all(name.value).is_some() || section.is_learning()
    };
    let opened = |(name, section): &'a TokenTable<'a>| {
        let name = Spanned { value: name.value, span: name.span };
        (name, section.of_kind("\"PARENT/*\""))
    };
    tables.iter().filter(is_meant).map(opened).collect()
}

/// The label of the parent, where a header names all its Pages.
pub fn parent_of_all(name: &str) -> Option<&str> {
    name.strip_suffix("/*")
}

/// Reads what the tables for all Pages say.
pub fn read<'a>(tables: &'a [TokenTable<'a>]) -> AllPagesTables<'a> {
    let read = |(name, section): &'a TokenTable<'a>| {
        let deliveries = deliver::read(section);
        for (delivery, target) in &deliveries {
            check_placeholders(delivery, target);
        }
        let parent = parent_of_all(name.value).unwrap_or_default();
        AllPages { name: name.value, parent, name_span: name.span, section, deliveries }
    };
    AllPagesTables::new(tables.iter().map(read).collect())
}

/// Complains of a table whose parent is not there, or finds no Pages.
pub fn check_parent(pages: &AllPages<'_>, drafts: &Drafts<'_>, additions: &Additions<'_>) {
    let AllPages { parent: name, name_span, section, .. } = pages;
    let complain = |message: String, label: String| {
        section.report(Diagnostic::at(*name_span, message).label(label));
    };
    let Some(parent) = drafts.find(name) else {
        // It may be in a file that is left out.
        if additions.some_are_left_out {
            return;
        }
        let labels = drafts.all.iter().map(|other| other.label.as_str());
        let label = match nearest(name, labels) {
            Some(near) => format!("did you mean {}?", quoted(&format!("{near}/*"))),
            None => "it is for the Pages found under another token".to_owned(),
        };
        return complain(format!("there is no token {}", quoted(name)), label);
    };
    // The config is not refused over what another file says.
    let is_behind = section.file() == FileId::CONFIG && parent.section.file() != FileId::CONFIG;
    match parent.token_type {
        Some(_) if is_behind && !parent.discovers_pages() => {
            let message = format!("`[token.\"{name}/*\"]` needs `pages = \"all\"` here");
            let wrong = Diagnostic::at(parent.name_span, message);
            parent.section.report(wrong.earlier(Some(*name_span)));
        }
        Some(other) if !has_pages(other) => {
            complain(
                format!("`{name}` is {} token and has no Pages", with_article(other)),
                String::new(),
            );
        }
        Some(_) if !parent.discovers_pages() => {
            let label = format!("add it to `[token.{name}]`");
            complain(format!("`[token.\"{name}/*\"]` needs `pages = \"all\"`"), label);
        }
        // Its own type is complained of.
        _ => {}
    }
}

/// Complains of what stands for nothing, and of an argument that a label or an id would begin.
fn check_placeholders(delivery: &DeliveryRead, section: &Section<'_>) {
    let complain = |message: String, label: &str| {
        section.report(Diagnostic::at(delivery.span, message).label(label));
    };
    match &delivery.target.place {
        Place::File(file) => {
            let path = file.path.to_string_lossy();
            for text in [Some(&*path), file.key.as_deref()].into_iter().flatten() {
                if let Some(unknown) = unknown_placeholder(text) {
                    let message = format!("{} is not known here", quoted(unknown));
                    complain(message, "write `{page_id}` or `{parent}`");
                }
            }
        }
        Place::Command(argv) => {
            if argv.first().is_some_and(|program| has_placeholder(program)) {
                complain("a program has no placeholder in its name".to_owned(), "");
            }
            let begins = |text: &&String| begins_with_placeholder(text);
            if let Some(argument) = argv.iter().skip(1).find(begins) {
                let message = format!("an argument cannot begin with {}", quoted(argument));
                complain(message, "a label may begin with `-`: write `--page={page_id}`");
            }
        }
    }
}

/// Complains of a placeholder in a target of one token, which nothing fills in.
pub fn refuse_placeholders(draft: &Draft<'_>) {
    for (delivery, section) in &draft.keys.deliveries {
        let Place::File(file) = &delivery.target.place else { continue };
        if !has_placeholder(&file.path.to_string_lossy()) {
            continue;
        }
        let message = "`{page_id}` and `{parent}` stand only in `[[token.\"PARENT/*\".deliver]]`";
        section.report(Diagnostic::at(delivery.span, message));
    }
}
