//! Reads `[token.LABEL]`: what each token is, where it goes and how it is treated.

mod admin;
pub mod all_pages;
mod app;
mod backup;
mod draft;
mod pages;
mod parent;
mod renames;
mod token;
mod token_config;

use self::all_pages::AllPages;
use self::draft::Drafts;
pub use self::draft::{Draft, TokenTable, TokenUse};
pub use self::token::Surroundings;
pub use self::token_config::{OwnerFrom, Pages, TokenConfig};
use super::additions::Additions;
use super::conflicts::{self, Owned};
use super::deliver;
use super::policy::{self, Layers};
use super::reader::Section;
use crate::token::TokenType;

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
    let resolved = |draft| token::token(draft, &drafts, around);
    let mut tokens: Vec<TokenConfig> = drafts.all.iter().filter_map(resolved).collect();
    for pages in &around.all_pages.all {
        all_pages::check_parent(pages, &drafts, around.additions);
        show_all_pages(pages, &drafts, around);
    }
    pages::leave_out_excepted(&mut tokens);
    backup::check(&drafts, &tokens);
    backup::require(&mut tokens);
    pages::check(&drafts.all);
    renames::contest(&mut tokens);
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

/// Reads and shows what the Pages found under a parent share.
fn show_all_pages(pages: &AllPages<'_>, drafts: &Drafts<'_>, around: &Surroundings<'_>) {
    let parent = drafts.find(pages.parent);
    let theirs = parent.map(|parent| (&parent.label, parent.section.quiet()));
    let parent = theirs.as_ref().map(|(label, section)| (*label, section));
    let (own, defaults) = (pages.section, around.defaults);
    let token_type = Some(TokenType::Page);
    let layers = Layers { own, all_pages: None, parent, defaults, token_type };
    let policy = policy::read(layers);
    token::check_probe(own, &policy, TokenType::Page);
    policy::check_order(layers, &policy, None);
    own.show();
    for (_, delivery) in &pages.deliveries {
        delivery.show();
    }
}
