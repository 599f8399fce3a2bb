//! What becomes of an access token in the config and of one in a file, beside the current one: a table
//! of what each is worth, and what is current and stands in the file afterwards.

use metatoken::sandbox::{Invalidation, TokenFixture};
use metatoken::token::Expiry;

use super::{APP_INI, held, ini};
use crate::common::{ANNA, APP, BAKERY, BRAND, World, day, ends};

/// An access token in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    /// None: an empty value.
    Absent,
    /// It works, and expires on that day.
    Ends(i64),
    Never,
    Dead,
    /// A Page's, that works.
    Anothers,
}

/// Which of them is current, or stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Config,
    File,
    Before,
}

use Is::{Absent, Anothers, Dead, Ends, Never};
use Which::{Before, Config, File};

fn mint(world: &World, words: &str, is: Is) -> String {
    let fixture = match is {
        Absent => return String::new(),
        Anothers => TokenFixture::page(APP, ANNA, BAKERY),
        Ends(n) => TokenFixture::user(APP, ANNA).ending(ends(n)),
        Never | Dead => TokenFixture::user(APP, ANNA).ending(Expiry::Never),
    };
    let access_token = world.mint(fixture.named(words));
    if is == Dead {
        world.graph.with(|graph| graph.invalidate(&access_token, Invalidation::Revoked));
    }
    access_token
}

/// The first run over a new store: config and file alone.
#[test]
fn of_two_sources_the_better_one_is_adopted_before_anything_is_delivered() {
    for (config, file, current, stands, code) in [
        (Ends(30), Absent, Config, Config, 0),
        (Ends(30), Ends(20), Config, Config, 0),
        // Of two that are worth the same the config's is taken.
        (Ends(30), Ends(30), Config, Config, 0),
        (Never, Never, Config, Config, 0),
        (Ends(30), Ends(50), File, File, 65),
        (Ends(30), Never, File, File, 65),
        (Never, Ends(50), Config, Config, 0),
        (Ends(30), Dead, Config, Config, 0),
        (Ends(30), Anothers, Config, File, 73),
        (Dead, Ends(30), File, File, 65),
        (Absent, Ends(30), File, File, 0),
        (Absent, Never, File, File, 0),
    ] {
        let world = World::new().config(&format!("{BRAND}\n{APP_INI}"));
        let found =
            [mint(&world, "whereconfigpoints", config), mint(&world, "standsinthefile", file)];
        let world = world.with("BRAND", &found[0]);
        world.write("app.ini", ini(&found[1]));
        let case = format!("{config:?} {file:?}");
        let ran = world.run(&["refresh"]);
        assert_eq!(ran.code, Some(code), "{case}\n{}", ran.stdout);
        let token = |which| &found[usize::from(which == File)];
        assert_eq!(world.in_use("brand"), *token(current), "{case}");
        let stands_there = held(&world, "app.ini").replace("  ;", " ;");
        assert_eq!(stands_there, ini(token(stands)), "{case}");
        world.run(&["refresh", "--quiet"]).code(if code == 73 { 73 } else { 0 });
        assert_eq!(world.in_use("brand"), *token(current), "{case}, again");
    }
}

/// A file that was delivered before, and now holds another one, pasted or restored.
#[test]
fn one_in_a_file_is_adopted_if_it_is_better_and_else_it_is_drift() {
    for (before, is_dead, file, current) in [
        (Ends(60), false, Ends(50), Before),
        (Ends(60), false, Ends(60), Before),
        (Ends(60), false, Ends(70), File),
        (Ends(60), false, Never, File),
        (Never, false, Ends(70), Before),
        // Meta says that it was issued later.
        (Never, false, Never, File),
        (Ends(60), false, Dead, Before),
        (Ends(60), false, Anothers, Before),
        (Ends(60), true, Ends(30), File),
        (Never, true, Ends(30), File),
    ] {
        let world = World::new().config(&format!("{BRAND}\n{APP_INI}"));
        let first = mint(&world, "thefirstofbrand", before);
        let mut world = world.with("BRAND", &first);
        world.write("app.ini", ini(""));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.at(day(1));
        let pasted = mint(&world, "pastedintofile", file);
        world.write("app.ini", ini(&pasted));
        if is_dead {
            world.graph.with(|graph| graph.invalidate(&first, Invalidation::Revoked));
        }
        let case = format!("{before:?} {is_dead} {file:?}");
        // The death is found by the run that verifies, and what to do about it by the next.
        let ran = world.run(&["refresh", "brand"]);
        assert!(is_dead || ran.code == Some(0), "{case}: {:?}\n{}", ran.code, ran.stdout);
        let _ = world.run(&["refresh", "brand"]);
        let expected = if current == File { &pasted } else { &first };
        assert_eq!(world.in_use("brand"), *expected, "{case}");
        assert_eq!(held(&world, "app.ini"), ini(&pasted), "{case}: it is never overwritten");
        world.run(&["deliver", "--force", "brand", "--quiet"]).code(0);
        assert_eq!(held(&world, "app.ini"), ini(expected), "{case}: but by `--force`");
    }
}
