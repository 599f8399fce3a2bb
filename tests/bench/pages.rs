//! One user token and all the Pages that its person manages.

use anyhow::ensure;
use metatoken::sandbox::{Listing, PageFixture, Seen, TokenFixture, UserFixture};

use super::figure::{Figure, count};
use super::process::timed;
use super::world::{APP, Plan};

const PAGES: usize = 250;
/// Graph shows no more in one answer.
const LISTED_AT_ONCE: usize = 100;
const PERSON: &str = "3000000000000001";

/// What the first run asks, which lists the Pages and takes each one's token into use.
pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let world = Plan::new(8)
        .people(|graph| {
            let pages: Vec<String> = (0..PAGES).map(|number| format!("2{number:015}")).collect();
            let person = pages.iter().fold(UserFixture::new(PERSON, "Anna"), |person, page| {
                person.with_page(page, Listing::Listed)
            });
            graph.add_user(person);
            for page in &pages {
                graph.add_page(PageFixture::new(page, "Bakery"));
            }
        })
        .token(
            "brand",
            TokenFixture::user(APP, PERSON).scopes(["pages_show_list"]),
            "type = \"user\"\npages = \"all\"",
        )
        .begin()?;
    let (_, asked) = world.asked(|| timed(&mut world.command(&["refresh"])))?;
    let about_pages = |seen: &&Seen| seen.about.as_deref() != Some("Brand");
    let listings = asked.iter().filter(|seen| seen.endpoint() == "me/accounts").count();
    let proofs = asked.iter().filter(|seen| seen.endpoint() == "debug_token");
    let proven = proofs.clone().filter(about_pages).count();
    ensure!(proven >= PAGES, "{proven} of {PAGES} Pages were promoted");
    let own = proofs.count() - proven;
    Ok(vec![
        Figure::requests("listing 250 Pages of one user, requests", "hundreds of Pages").is(
            count(listings),
            count(PAGES.div_ceil(LISTED_AT_ONCE)),
            1.0,
        ),
        // Whatever is asked beside the lists and the one question about the parent.
        Figure::requests("promoting those Pages, requests", "Pages").is(
            count(asked.len() - listings - own.min(1)),
            count(PAGES),
            1.0,
        ),
    ])
}
