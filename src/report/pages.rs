//! Reports the Pages that a user token reaches.

use serde_json::{Value, json};

use super::json::{VERSION, document};
use super::table::{Table, plain};
use super::text::TextStyle;
use crate::policy::humanize;
use crate::token::Label;

/// The Pages that a user token reaches.
#[derive(Debug)]
pub struct PagesReport {
    /// The user token.
    pub label: Label,
    /// The Pages, in Graph's order.
    pub pages: Vec<ReachedPage>,
}

/// One Page.
#[derive(Debug)]
pub struct ReachedPage {
    /// Meta's id of it.
    pub page_id: String,
    /// Its name, if that is known.
    pub name: Option<String>,
    /// What the person may do there, in Meta's words; none where that is not known.
    pub tasks: Option<Vec<String>>,
    /// The label under which it is kept here.
    pub kept_as: Option<Label>,
    /// Whether there is an access token for it: at Meta, or without a question in the store.
    pub has_token: bool,
}

impl PagesReport {
    /// The first Page that could be kept and is not.
    pub fn first_not_kept(&self) -> Option<&ReachedPage> {
        self.pages.iter().find(|page| page.kept_as.is_none() && page.has_token)
    }

    /// JSON.
    pub fn json(&self) -> String {
        let page = |page: &ReachedPage| {
            json!({
                "page_id": page.page_id,
                "name": page.name,
                "tasks": page.tasks,
                "kept": page.kept_as.is_some(),
                "kept_as": page.kept_as.as_ref().map(Label::as_str),
                "has_token": page.has_token,
            })
        };
        document(&json!({
            "version": VERSION,
            "label": self.label.as_str(),
            "pages": self.pages.iter().map(page).collect::<Value>(),
        }))
    }

    /// A table and a count.
    pub fn text(&self, style: TextStyle) -> String {
        let kept = self.pages.iter().filter(|page| page.kept_as.is_some()).count();
        let count = humanize::count(self.pages.len(), "Page");
        if self.pages.is_empty() {
            return format!("{}: {count}\n", self.label);
        }
        let mut table = Table::new(style, &["PAGE", "NAME", "KEPT AS", "MAY"]);
        for page in &self.pages {
            table.row([
                plain(&page.page_id),
                plain(page.name.as_deref().unwrap_or("-")),
                plain(page.kept_as.as_ref().map_or("-", Label::as_str)),
                plain(page.may()),
            ]);
        }
        format!("{}\n{}: {count}, {kept} kept here\n", table.render(), self.label)
    }
}

impl ReachedPage {
    fn may(&self) -> String {
        match &self.tasks {
            _ if !self.has_token => "no access token".to_owned(),
            None => "-".to_owned(),
            Some(tasks) if tasks.is_empty() => "nothing".to_owned(),
            Some(tasks) => tasks.join(" "),
        }
    }
}
