//! The commands that a person types: in which world, and what is true once each is finished.

use std::fs;

use metatoken::sandbox::{Invalidation, TokenFixture, UserFixture};

use crate::common::{ANNA, APP, BAKERY, ROBOT, Ran, World, day};
use crate::store::keys;

/// A command that a person types.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) command: &'static [&'static str],
    /// The world just before it.
    pub(super) prepare: fn() -> Before,
    /// The token that a program reads meanwhile, and how that may end.
    pub(super) label: &'static str,
    pub(super) reads: &'static [i32],
    /// How a timer's run may end before it is finished.
    pub(super) timer: &'static [i32],
    /// How the same command may end once it is finished already.
    pub(super) again: &'static [i32],
    /// What a person does where the same command is refused.
    pub(super) otherwise: Option<fn(&Before) -> Ran>,
    /// What is true in the end.
    pub(super) done: fn(&Before) -> Result<(), String>,
    /// How every run ends from then on.
    pub(super) ends: i32,
}

/// What there is before a command.
pub(super) struct Before {
    pub(super) world: World,
    /// What the command reads.
    pub(super) input: String,
    /// The key of the store.
    key: String,
    /// What its rows are sealed with.
    sealed: Vec<Vec<u8>>,
}

impl Before {
    fn of(world: World, input: String) -> Self {
        Self { world, input, key: String::new(), sealed: Vec::new() }
    }

    fn with_key(world: World, key: &str) -> Self {
        let (key, sealed) = (read(&world, key), keys::sealed(&world));
        Self { key, sealed, ..Self::of(world, String::new()) }
    }
}

/// What most commands have in common.
const USUAL: Case = Case {
    name: "",
    command: &[],
    prepare: rotated,
    label: "ads",
    reads: &[0],
    timer: &[0],
    again: &[0],
    otherwise: None,
    done: |_| Ok(()),
    ends: 0,
};

/// All of them.
pub(super) const CASES: [Case; 17] = [
    Case {
        name: "key rotate",
        command: &["key", "rotate"],
        prepare: || Before::with_key(keys::world(""), "metatoken.key"),
        label: "brand",
        done: |before| key_is_another(before, "metatoken.key"),
        ..USUAL
    },
    Case {
        name: "key rotate --reseal",
        command: &["key", "rotate", "--reseal"],
        prepare: || Before::with_key(keys::world(""), "metatoken.key"),
        label: "brand",
        done: |before| {
            key_is_another(before, "metatoken.key")?;
            nothing_has_the_old_seal(before)
        },
        ..USUAL
    },
    Case {
        name: "key rotate --new",
        command: &["key", "rotate", "--new", "new-key"],
        prepare: || Before::with_key(keys::with_its_own_key(), "key"),
        label: "brand",
        done: both_keys_open,
        ..USUAL
    },
    Case {
        name: "key rotate --new --reseal",
        command: &["key", "rotate", "--new", "new-key", "--reseal"],
        prepare: || Before::with_key(keys::with_its_own_key(), "key"),
        label: "brand",
        done: |before| {
            both_keys_open(before)?;
            nothing_has_the_old_seal(before)
        },
        ..USUAL
    },
    Case {
        name: "key rotate --finish",
        command: &["key", "rotate", "--finish"],
        prepare: || {
            let world = keys::with_its_own_key();
            let before = Before::with_key(world, "key");
            let world = &before.world;
            quietly(world, &["key", "rotate", "--new", "new-key", "-q"]);
            world.write("key", read(world, "new-key"));
            before
        },
        label: "brand",
        done: |before| key_is_another(before, "key"),
        ..USUAL
    },
    Case {
        name: "promote",
        command: &["promote", "ads"],
        prepare: dead_with_a_backup,
        reads: &[0, 77],
        timer: &[0, 77],
        done: |before| {
            current_is(before, "EAAFAKESpare1")?;
            match before.world.run(&["token", "spare"]).code {
                Some(77) => Ok(()),
                other => Err(format!("the backup has one: {other:?}")),
            }
        },
        ..USUAL
    },
    Case {
        name: "rollback",
        command: &["rollback", "ads", "--generation", "2"],
        prepare: || handed_over(3),
        // It is the current one already.
        again: &[65],
        done: |before| current_is(before, "EAAFAKEAds2"),
        ..USUAL
    },
    Case {
        name: "rollback, to whichever works",
        command: &["rollback", "ads"],
        prepare: || handed_over(3),
        done: |before| {
            // Where the killed one was finished, the next goes one further back.
            let went = before.world.events("ads").iter().filter(|it| it.0 == "rolled_back").count();
            current_is(before, &format!("EAAFAKEAds{}", 3 - went.min(2)))
        },
        ..USUAL
    },
    Case { name: "mint", command: &["mint", "ads"], prepare: with_an_admin, done: minted, ..USUAL },
    Case {
        name: "revoke --generation",
        command: &["revoke", "ads", "--generation", "1", "--yes=ads"],
        done: |before| {
            current_is(before, "EAAFAKEAds2")?;
            is_revoked(before, "EAAFAKEAds1")
        },
        ..USUAL
    },
    Case {
        name: "revoke --all",
        command: &["revoke", "ads", "--all", "--force", "--yes=ads"],
        reads: &[0, 77],
        timer: &[0, 77],
        done: |before| {
            is_revoked(before, "EAAFAKEAds1")?;
            is_revoked(before, "EAAFAKEAds2")?;
            match before.world.run(&["token", "ads"]).code {
                Some(77) => Ok(()),
                other => Err(format!("`token` ends with {other:?}")),
            }
        },
        ends: 77,
        ..USUAL
    },
    Case {
        name: "forget",
        command: &["forget", "--undeclare", "--targets", "brand"],
        prepare: two_users,
        label: "shop",
        done: forgotten,
        ..USUAL
    },
    Case {
        name: "add",
        command: &["add", "anna", "--type", "user", "--deliver", "app.env#TOKEN"],
        prepare: || {
            let world = World::new();
            world.write("app.env", "TOKEN=\nLAST=1\n");
            let pasted = world.mint(short("anna"));
            Before::of(world, pasted)
        },
        label: "anna",
        reads: &[0, 1, 64, 74],
        timer: &[0],
        done: |before| holds(&before.world, "anna"),
        ..USUAL
    },
    Case {
        name: "login --answer",
        command: &["login", "brand", "--answer", "-"],
        prepare: logged_out,
        label: "brand",
        reads: &[0, 77],
        timer: &[0, 77],
        otherwise: Some(|before| {
            // A code works once: what came of it is taken by the next run, or another is asked for.
            let ran = before.world.run(&["refresh", "-q"]);
            if ran.code == Some(0) { ran } else { before.world.logs_in(&["login", "brand"]) }
        }),
        done: |before| {
            for page in ["brand/2000000000000001", "brand/2000000000000002"] {
                is_accepted(&before.world, page)?;
            }
            holds(&before.world, "brand")
        },
        ..USUAL
    },
    Case {
        name: "exchange of what never expires",
        command: &["exchange", "ads"],
        prepare: || {
            let before = handed_over(1);
            let pasted = before.world.mint(ads());
            Before { input: pasted, ..before }
        },
        done: |before| {
            current_is(before, "EAAFAKEAds2")?;
            match before.world.sql().query_row(
                "SELECT rotated_at IS NOT NULL FROM generation WHERE number = 1",
                [],
                |row| row.get(0),
            ) {
                Ok(true) => Ok(()),
                other => Err(format!("the old one is not watched: {other:?}")),
            }
        },
        ..USUAL
    },
    Case {
        name: "import",
        command: &["import", "tokens.csv"],
        prepare: || {
            let world = World::new();
            let (anna, page) = (
                world.mint(short("anna")),
                world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("bakery")),
            );
            world.write(
                "tokens.csv",
                format!("label,type,access_token,page_id\nanna,user,{anna},\nshop,page,{page},{BAKERY}\n"),
            );
            Before::of(world, String::new())
        },
        label: "anna",
        reads: &[0, 1, 64, 74],
        // What Meta granted may be lost, and only the same file has the access token.
        timer: &[0, 77],
        done: |before| {
            is_accepted(&before.world, "anna")?;
            is_accepted(&before.world, "shop")
        },
        ..USUAL
    },
    Case {
        name: "store backup",
        command: &["store", "backup", "copy.db"],
        done: |before| {
            let copy = rusqlite::Connection::open(before.world.path("copy.db")).unwrap();
            let rows = "SELECT count(*) FROM generation WHERE sealed IS NOT NULL";
            match copy.query_row(rows, [], |row| row.get::<_, i64>(0)) {
                Ok(2) => Ok(()),
                other => Err(format!("the copy has {other:?} access tokens")),
            }
        },
        // A file that is there is never replaced.
        again: &[73, 74, 65, 64],
        ..USUAL
    },
];

const FILE: &str = "[[token.ads.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";

/// A System User beside the one that every world has.
const SPARE: &str = "3000000000000008";

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read"])
}

/// What the Graph API Explorer gives: it lives for an hour.
fn short(name: &str) -> TokenFixture {
    let hour = metatoken::token::Expiry::At(day(0) + chrono::TimeDelta::hours(1));
    TokenFixture::user(APP, ANNA)
        .named(name)
        .scopes(["public_profile", "pages_show_list"])
        .ending(hour)
}

fn quietly(world: &World, typed: &[&str]) {
    let _ = world.run(typed).silent().code(0);
}

fn read(world: &World, name: &str) -> String {
    fs::read_to_string(world.path(name)).unwrap_or_default().trim().to_owned()
}

/// A System User whose access token a person has handed over so often.
fn handed_over(often: i64) -> Before {
    let mut world = World::new().config(&format!("[token.ads]\ntype = \"system-user\"\n{FILE}"));
    world.write("app.env", "TOKEN=\nLAST=1\n");
    for n in 1..=often {
        world.at(day(n));
        let pasted = world.mint(ads());
        let _ = world.run_with_input(&["exchange", "ads", "-q"], &pasted).code(0);
    }
    Before::of(world, String::new())
}

fn rotated() -> Before {
    handed_over(2)
}

fn dead_with_a_backup() -> Before {
    let config = format!(
        "[token.ads]\ntype = \"system-user\"\naccess_token = {{ env = \"ADS\" }}\nbackup = \"spare\"\n\
         {FILE}[token.spare]\ntype = \"system-user\"\naccess_token = {{ env = \"SPARE\" }}\n"
    );
    let world = World::new().config(&config);
    world.graph.with(|graph| graph.add_user(UserFixture::new(SPARE, "Spare")));
    world.write("app.env", "TOKEN=\nLAST=1\n");
    let spare = TokenFixture::system_user(APP, SPARE).named("spare").scopes(["ads_read"]);
    let mut world = world.token("ADS", ads()).token("SPARE", spare);
    quietly(&world, &["refresh", "-q"]);
    world.graph.with(|graph| graph.invalidate("EAAFAKEAds1", Invalidation::Revoked));
    world.at(day(2));
    let _ = world.run(&["refresh", "-q"]).code(77);
    Before::of(world, String::new())
}

fn with_an_admin() -> Before {
    const KEEPER: &str = "3000000000000005";
    let world = World::new().config(&format!(
        "[token.ads]\ntype = \"system-user\"\nmint = \"admin\"\n{FILE}\
         [token.admin]\ntype = \"system-user\"\nuse = \"mint\"\n"
    ));
    world.graph.with(|graph| graph.add_user(UserFixture::new(KEEPER, "Keeper").admin()));
    world.write("app.env", "TOKEN=\nLAST=1\n");
    let keeper =
        TokenFixture::system_user(APP, KEEPER).named("keeper").scopes(["business_management"]);
    for (label, spec) in [("admin", keeper), ("ads", ads())] {
        let pasted = world.mint(spec);
        let _ = world.run_with_input(&["exchange", label, "-q"], &pasted).silent().code(0);
    }
    Before::of(world, String::new())
}

/// A person with all her Pages, who has changed her password; the input is the answer of a dialog.
fn logged_out() -> Before {
    let world = World::new().config(
        "[token.brand]\ntype = \"user\"\npages = \"all\"\n\
         [[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n",
    );
    world.write("app.env", "TOKEN=\nLAST=1\n");
    let scopes = ["public_profile", "pages_show_list"];
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand").scopes(scopes));
    let _ = world.run_with_input(&["exchange", "brand", "-q"], &string).code(0);
    quietly(&world, &["refresh", "-q"]);
    world.graph.with(|graph| {
        let strings: Vec<String> = graph.strings().map(str::to_owned).collect();
        for string in &strings {
            graph.invalidate(string, Invalidation::PasswordChanged);
        }
    });
    let mut world = world;
    world.at(day(2));
    let _ = world.run(&["refresh", "-q"]).code(77);
    let address = world.dialog(&["login", "brand"]);
    let ticked = format!("&grant=pages_show_list&page={BAKERY}&page=2000000000000002");
    let answer = world.play(&address, &format!("as={ANNA}&decision=allow{ticked}"));
    Before::of(world, answer)
}

/// Two tokens, of which one has a file of its own in `tokens.d`.
fn two_users() -> Before {
    const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n\
                         [[token.brand.deliver]]\nfile = \"../app.env\"\nkey = \"TOKEN\"\n\
                         [[token.brand.deliver]]\nfile = \"../web.env\"\nkey = \"TOKEN\"\n\
                         write = \"in-place\"\n";
    const SHOP: &str = "[token.shop]\ntype = \"user\"\naccess_token = { env = \"SHOP\" }\n\
                        [[token.shop.deliver]]\nfile = \"shop.env\"\nkey = \"TOKEN\"\n";
    let user = |name: &str| TokenFixture::user(APP, ANNA).named(name);
    let world = World::new().config(SHOP).token("BRAND", user("brand")).token("SHOP", user("shop"));
    for name in ["app.env", "web.env", "shop.env"] {
        world.write(name, "TOKEN=\nLAST=1\n");
    }
    world.write("tokens.d/brand.toml", BRAND);
    quietly(&world, &["refresh", "--quiet"]);
    Before::of(world, String::new())
}

fn is_accepted(world: &World, label: &str) -> Result<(), String> {
    let ran = world.run(&["token", label]);
    let string = ran.stdout.trim_end();
    let is_alive = world.graph.with(|graph| {
        graph.strings().any(|known| known == string) && graph.invalidation(string).is_none()
    });
    if ran.code == Some(0) && is_alive {
        return Ok(());
    }
    Err(format!("`{label}` has {string:?}: {}", ran.stderr))
}

/// The token works, and its file has it.
fn holds(world: &World, label: &str) -> Result<(), String> {
    is_accepted(world, label)?;
    let wanted = format!("TOKEN={}\nLAST=1\n", world.in_use(label));
    let found = fs::read_to_string(world.path("app.env")).unwrap_or_default();
    if found == wanted { Ok(()) } else { Err(format!("`app.env` holds {found:?}")) }
}

fn current_is(before: &Before, wanted: &str) -> Result<(), String> {
    let current = before.world.in_use("ads");
    if current != wanted {
        return Err(format!("{current} is in use, and not {wanted}"));
    }
    holds(&before.world, "ads")
}

fn is_revoked(before: &Before, string: &str) -> Result<(), String> {
    let marked = "SELECT count(*) FROM generation WHERE number = ?1 AND revoked_at IS NOT NULL";
    let number = string.chars().last().and_then(|it| it.to_digit(10));
    let marked: i64 = before.world.sql().query_row(marked, [number], |row| row.get(0)).unwrap();
    match before.world.graph.with(|graph| graph.invalidation(string)) {
        Some(Invalidation::Revoked) if marked == 1 => Ok(()),
        other => Err(format!("{string} is {other:?}, marked {marked} times")),
    }
}

fn minted(before: &Before) -> Result<(), String> {
    let world = &before.world;
    holds(world, "ads")?;
    let current = world.in_use("ads");
    if !current.starts_with("EAAFAKERobot") {
        return Err(format!("{current} is in use"));
    }
    let sent = "SELECT count(*) FROM token WHERE mint_sent_at IS NOT NULL";
    match world.sql().query_row(sent, [], |row| row.get::<_, i64>(0)) {
        Ok(0) => Ok(()),
        other => Err(format!("{other:?} requests wait for their answer")),
    }
}

fn forgotten(before: &Before) -> Result<(), String> {
    let world = &before.world;
    let shop = world.in_use("shop");
    for (name, value) in [("app.env", ""), ("web.env", ""), ("shop.env", shop.as_str())] {
        let held = fs::read_to_string(world.path(name)).unwrap_or_default();
        if held != format!("TOKEN={value}\nLAST=1\n") {
            return Err(format!("`{name}` holds {held:?}"));
        }
    }
    let sealed = "SELECT count(*) FROM generation g JOIN token t ON t.id = g.token
                  WHERE t.label = 'brand' AND g.sealed IS NOT NULL";
    let sealed: i64 = world.sql().query_row(sealed, [], |row| row.get(0)).unwrap();
    if sealed > 0 || world.run(&["token", "brand"]).code == Some(0) {
        return Err(format!("{sealed} access tokens of it are kept"));
    }
    if world.events("brand").is_empty() { Err("its history is gone".to_owned()) } else { Ok(()) }
}

/// The key in that file is not the one before, which opens nothing any more.
fn key_is_another(before: &Before, file: &str) -> Result<(), String> {
    let Before { world, key: old, .. } = before;
    let new = read(world, file);
    if new == *old {
        return Err("the key is the old one".to_owned());
    }
    is_accepted(world, "brand")?;
    world.write(file, old);
    let opened = world.run(&["token", "brand"]).code;
    world.write(file, new);
    if opened == Some(74) { Ok(()) } else { Err(format!("the old key: {opened:?}")) }
}

fn both_keys_open(before: &Before) -> Result<(), String> {
    let Before { world, key: old, .. } = before;
    let new = read(world, "new-key");
    for key in [&new, old] {
        world.write("key", key);
        is_accepted(world, "brand")?;
    }
    Ok(())
}

fn nothing_has_the_old_seal(before: &Before) -> Result<(), String> {
    match keys::traces(&before.world, &before.sealed) {
        0 => Ok(()),
        some => Err(format!("{some} values have the old seal")),
    }
}
