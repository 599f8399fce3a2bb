//! What is under way when the kill comes.

use chrono::TimeDelta;
use metatoken::sandbox::{OldString, TokenFixture};

use crate::common::{ANNA, APP, World, day, ends};

const SCOPES: [&str; 2] = ["public_profile", "pages_show_list"];

const BRAND: &str = "[token.brand]\ntype = \"user\"\npages = \"all\"\naccess_token = { env = \"BRAND\" }\n\n\
     [alerts]\ntextfile = \"metrics.prom\"\n\n";
const ATOMIC: &str = "[[token.brand.deliver]]\nfile = \"app.ini\"\nkey = \"facebook.token\"\n\n\
                      [[token.brand.deliver]]\nfile = \"new/made.env\"\nkey = \"MADE\"\ncreate = true\n\n";
const IN_PLACE: &str =
    "[[token.brand.deliver]]\nfile = \"web.env\"\nkey = \"FB_TOKEN\"\nwrite = \"in-place\"\n\n";
const HOOK: &str = "[[token.brand.deliver]]\nname = \"hook\"\n\
                    command = [\"/bin/sh\", \"-c\", \"cat >> [DIR]/runs; echo >> [DIR]/runs\"]\n";

/// What stands in the files at first: longer than any access token here.
pub(super) const PLACEHOLDER: &str = "<paste the access token of the brand and its pages here>";

/// A command, in a world that is made anew for each kill.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) command: &'static [&'static str],
    prepare: fn() -> World,
    /// What the command reads.
    input: fn(&World) -> String,
    /// Whether the token in use is the one that Graph was asked to renew.
    pub(super) renews_the_one_in_use: bool,
}

/// All of them.
pub(super) const SCENES: [Scene; 5] = [
    Scene {
        name: "first run",
        command: &["refresh"],
        prepare: first_run,
        input: |_| String::new(),
        renews_the_one_in_use: true,
    },
    Scene {
        name: "renewal",
        command: &["refresh"],
        prepare: renewal,
        input: |_| String::new(),
        renews_the_one_in_use: true,
    },
    Scene {
        name: "first run in place",
        command: &["refresh"],
        prepare: first_run_in_place,
        input: |_| String::new(),
        renews_the_one_in_use: true,
    },
    Scene {
        name: "exchange",
        command: &["exchange", "brand"],
        prepare: exchange,
        input: short_lived,
        renews_the_one_in_use: false,
    },
    Scene {
        name: "deliver",
        command: &["deliver"],
        prepare: deliver,
        input: |_| String::new(),
        renews_the_one_in_use: false,
    },
];

impl Scene {
    /// The world just before the command, and what the command reads.
    pub(super) fn begin(&self, fate: OldString) -> (World, String) {
        let world = (self.prepare)();
        world.graph.with(|graph| graph.set_old_string(fate));
        let input = (self.input)(&world);
        (world, input)
    }
}

/// `app.ini` with that value.
pub(super) fn ini(value: &str) -> String {
    format!("; of the application\n[facebook]\ntoken = {value} ; see the manual\n")
}

/// `web.env` with that value.
pub(super) fn env(value: &str) -> String {
    format!("# of the web server\nFB_TOKEN='{value}'\nLAST=1\n")
}

fn due() -> TokenFixture {
    user().aged(TimeDelta::days(50)).ending(ends(10))
}

fn user() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES)
}

fn world(targets: &str, token: TokenFixture) -> World {
    let world = World::new().token("BRAND", token);
    declare(&world, targets);
    world.write("app.ini", ini(PLACEHOLDER));
    world.write("web.env", env(PLACEHOLDER));
    std::fs::create_dir(world.path("new")).unwrap();
    world
}

fn declare(world: &World, targets: &str) {
    let folder = world.path("").display().to_string();
    let targets = targets.replace("[DIR]", folder.trim_end_matches('/'));
    world.reconfigure(&format!("{BRAND}{targets}"));
}

fn first_run() -> World {
    world(&format!("{ATOMIC}{HOOK}"), due())
}

fn first_run_in_place() -> World {
    world(IN_PLACE, due())
}

/// On day 0 all was new; on day 45 the token is due.
fn renewal() -> World {
    let mut world = world(&format!("{ATOMIC}{HOOK}"), user());
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.at(day(45));
    world
}

fn exchange() -> World {
    let mut world = world(&format!("{ATOMIC}{HOOK}"), user());
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.at(day(10));
    world
}

fn short_lived(world: &World) -> String {
    world.mint(user().ending(metatoken::token::Expiry::At(day(10) + TimeDelta::hours(1))))
}

/// The targets were declared after the token had come into use.
fn deliver() -> World {
    let world = world("", user());
    world.run(&["refresh", "--quiet"]).silent().code(0);
    declare(&world, &format!("{ATOMIC}{IN_PLACE}{HOOK}"));
    world
}
