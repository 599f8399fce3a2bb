//! Names the tables of a file: `[http]`, `[app.NAME]`, `[[notify]]`.

use super::Str;
use crate::config::show::Brackets;

/// How a table is called.
#[derive(Debug, Clone, Copy)]
pub enum Header<'a> {
    Top,
    /// `[http]`
    Only(&'static str),
    /// `[app.NAME]`
    Named {
        group: Str,
        stands_for: Str,
        name: &'a str,
    },
    /// `[[notify]]`
    Listed(&'static str),
    /// `[[token.LABEL.deliver]]`
    ListedIn {
        group: Str,
        stands_for: Str,
        name: &'a str,
        list: Str,
    },
    /// A table within a value.
    Inline(&'static str),
}

impl Header<'_> {
    /// Where a person finds such a table.
    pub fn place(self) -> String {
        match self {
            Self::Top => "at the top of the file".to_owned(),
            Self::Only(table) => format!("in `[{table}]`"),
            Self::Named { group, stands_for, .. } => format!("in `[{group}.{stands_for}]`"),
            Self::Listed(list) => format!("in `[[{list}]]`"),
            Self::ListedIn { group, stands_for, list, .. } => {
                format!("in `[[{group}.{stands_for}.{list}]]`")
            }
            Self::Inline(what) => format!("in {what}"),
        }
    }

    /// The names that lead to it.
    pub fn path(self) -> Vec<String> {
        let path = match self {
            Self::Top | Self::Inline(_) => Vec::new(),
            Self::Only(table) | Self::Listed(table) => vec![table],
            Self::Named { group, name, .. } => vec![group, name],
            Self::ListedIn { group, name, list, .. } => vec![group, name, list],
        };
        path.into_iter().map(str::to_owned).collect()
    }

    /// The brackets that its header has.
    pub const fn brackets(self) -> Brackets {
        match self {
            Self::Listed(_) | Self::ListedIn { .. } => Brackets::Double,
            Self::Top | Self::Only(_) | Self::Named { .. } | Self::Inline(_) => Brackets::Single,
        }
    }
}
