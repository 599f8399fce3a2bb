//! The recipes hand a token over as they say: each is taken from `examples/recipes.toml` as it
//! stands, and run with stand-ins for the programs that it calls.

mod stand_ins;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;
use toml_edit::{ArrayOfTables, DocumentMut, Table};

use crate::common::{ANNA, APP, BRAND, World};

/// A recipe by the program in its `command`, and the calls without which it cannot succeed.
const RECIPES: [(&str, &[&str]); 11] = [
    ("systemctl", &["systemctl restart publisher.service"]),
    (
        "hooks/kubernetes-secret",
        &[
            "kubectl create secret generic facebook --namespace social",
            "kubectl apply",
            "kubectl rollout restart deployment/publisher --namespace social",
        ],
    ),
    (
        "hooks/docker-secret",
        &[
            "docker service inspect",
            "docker secret ls",
            "docker secret create",
            "docker service update",
        ],
    ),
    ("vault", &["vault kv put -mount=secret social/facebook"]),
    ("aws", &["aws secretsmanager put-secret-value --secret-id social/facebook"]),
    ("gh", &["gh secret set FB_ACCESS_TOKEN --repo example/publisher"]),
    ("doppler", &["doppler secrets set FB_ACCESS_TOKEN --project publisher --config prd"]),
    ("hooks/netlify-env", &["netlify env:import", "netlify api createSiteBuild --data"]),
    ("hooks/postgresql-row", &["psql --no-psqlrc"]),
    ("hooks/sqlite-row", &["sqlite3 -bail"]),
    ("hooks/ads-cli", &["meta ads adaccount list"]),
];

const DOCKER: &str = "hooks/docker-secret";
const NETLIFY: &str = "hooks/netlify-env";
/// The recipes with a script of their own.
const SCRIPTS: [&str; 6] = [
    "hooks/kubernetes-secret",
    DOCKER,
    NETLIFY,
    "hooks/postgresql-row",
    "hooks/sqlite-row",
    "hooks/ads-cli",
];
/// The one that gets no token: it tries the file that has it.
const ADS: &str = "hooks/ads-cli";

/// What the service of the swarm has before the first delivery.
const MOUNTED: &str = "facebook_token-1-old uid=1000,gid=1000,mode=0400\n";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The deliveries of the example.
fn deliveries() -> ArrayOfTables {
    let text = std::fs::read_to_string(examples().join("recipes.toml")).unwrap();
    let config: DocumentMut = text.parse().unwrap();
    config["token"]["brand"]["deliver"].as_array_of_tables().unwrap().clone()
}

fn program(delivery: &Table) -> Option<&str> {
    delivery.get("command")?.as_array()?.get(0)?.as_str()
}

/// The tables of one recipe: its command, and the file above it, if there is one.
fn tables(recipe: &str, folder: &Path) -> String {
    let deliveries = deliveries();
    let all: Vec<&Table> = deliveries.iter().collect();
    let at = all.iter().position(|table| program(table) == Some(recipe)).unwrap();
    let from = if at > 0 && program(all[at - 1]).is_none() { at - 1 } else { at };
    let tables = all[from..=at].iter().map(|table| format!("[[token.brand.deliver]]\n{table}"));
    tables.collect::<String>().replace("/srv", folder.to_str().unwrap())
}

/// A world with one recipe, and nothing but stand-ins and what every system has in `PATH`.
fn kitchen(recipe: &str) -> World {
    let world = World::new().token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let folder = world.path(".");
    for (program, body) in stand_ins::ALL {
        let path = format!("bin/{program}");
        world.write(&path, stand_ins::script(program, folder.to_str().unwrap(), body));
        let executable = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(world.path(&path), executable).unwrap();
    }
    symlink(examples().join("hooks"), world.path("hooks")).unwrap();
    for folder in ["calls", "tmp"] {
        std::fs::create_dir(world.path(folder)).unwrap();
    }
    world.write("swarm/mounted", MOUNTED);
    world.write("swarm/secrets/facebook_token-1-old", "EAAFAKEOLD");
    world.write("ads/.env", "ACCESS_TOKEN=\nAD_ACCOUNT_ID=act_1\n");
    world.write("app/app.db", "");
    world.write("publisher/config.ini", "[facebook]\naccess_token = changeme\n");
    world.reconfigure(&format!("{BRAND}\n{}", tables(recipe, &world.path(""))));
    let path = format!("{}:/usr/bin:/bin", world.path("bin").display());
    let temporary = world.path("tmp").display().to_string();
    world.with("PATH", &path).with("TMPDIR", &temporary).with("NETLIFY_SITE_ID", "fake-project")
}

/// What the program at the end of a recipe was given; the unit of the first reads its file.
fn received(world: &World, recipe: &str) -> String {
    if recipe == "systemctl" {
        let file = std::fs::read_to_string(world.path("publisher/config.ini")).unwrap();
        return file.strip_prefix("[facebook]\naccess_token = ").unwrap().trim_end().to_owned();
    }
    std::fs::read_to_string(world.path("received")).unwrap_or_default()
}

/// What the stand-ins wrote down, as `arguments` or `environment`, a call each.
fn written_down(world: &World, what: &str) -> Vec<String> {
    let calls = std::fs::read_dir(world.path("calls")).unwrap();
    let notes = calls.map(|call| std::fs::read_to_string(call.unwrap().path().join(what)).unwrap());
    notes.collect()
}

fn calls(world: &World) -> Vec<String> {
    let arguments = written_down(world, "arguments");
    arguments.iter().map(|words| words.trim_end().replace('\n', " ")).collect()
}

/// The token reached its program and stayed off everything that others can read.
#[track_caller]
fn assert_handed_over(world: &World, recipe: &str) {
    let token = world.in_use("brand");
    assert!(token.len() > 8, "{recipe}: {token:?} is no token");
    assert_eq!(received(world, recipe), token, "{recipe}");
    for what in ["arguments", "environment"] {
        for call in written_down(world, what) {
            assert!(
                !call.contains(&token),
                "{recipe}: the {what} of a call hold the token\n{call}"
            );
        }
    }
    let left = std::fs::read_dir(world.path("tmp")).unwrap().count();
    assert_eq!(left, 0, "{recipe}: files are left behind");
}

#[test]
fn every_recipe_of_the_example_is_tried_here() {
    let deliveries = deliveries();
    let found: Vec<&str> = deliveries.iter().filter_map(program).collect();
    let tried: Vec<&str> = RECIPES.iter().map(|(recipe, _)| *recipe).collect();
    assert_eq!(found, tried);
    let mut hooks: Vec<String> = std::fs::read_dir(examples().join("hooks"))
        .unwrap()
        .map(|entry| format!("hooks/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    hooks.sort();
    let mut scripts = SCRIPTS.to_vec();
    scripts.sort_unstable();
    assert_eq!(hooks, scripts);
}

#[test]
fn every_recipe_hands_the_token_over_and_shows_it_to_nobody_else() {
    for (recipe, needed) in RECIPES {
        let world = kitchen(recipe);
        let ran = world.run(&["refresh"]).exit(Exit::Ok);
        assert_handed_over(&world, recipe);
        let token = world.in_use("brand");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&token), "{recipe}");
        let calls = calls(&world);
        for call in needed {
            assert!(calls.iter().any(|made| made.starts_with(call)), "{recipe}: {call}: {calls:?}");
        }
        let made = calls.len();
        world.run(&["refresh"]).exit(Exit::Ok);
        assert_eq!(self::calls(&world).len(), made, "{recipe}: a token is delivered once");
    }
}

#[test]
fn a_program_that_fails_leaves_its_delivery_pending_until_it_does_not() {
    for (recipe, needed) in RECIPES {
        for call in needed {
            let world = kitchen(recipe);
            world.write("failing", call);
            world.run(&["refresh"]).exit(Exit::NotDelivered);
            world.run(&["refresh"]).exit(Exit::NotDelivered);
            std::fs::remove_file(world.path("failing")).unwrap();
            world.run(&["refresh"]).exit(Exit::Ok);
            assert_handed_over(&world, recipe);
        }
    }
}

#[test]
fn a_swarm_keeps_the_rights_of_a_secret_and_loses_the_old_one() {
    let world = kitchen(DOCKER);
    world.run(&["refresh"]).exit(Exit::Ok);
    let mounted = std::fs::read_to_string(world.path("swarm/mounted")).unwrap();
    let (name, rights) = mounted.trim_end().split_once(' ').unwrap();
    assert_eq!(rights, "uid=1000,gid=1000,mode=0400");
    let secrets = std::fs::read_dir(world.path("swarm/secrets")).unwrap();
    let secrets: Vec<_> = secrets.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(secrets, [name]);
}

#[test]
fn a_service_without_the_secret_gets_it() {
    let world = kitchen(DOCKER);
    world.write("swarm/mounted", "");
    world.run(&["refresh"]).exit(Exit::Ok);
    assert_handed_over(&world, DOCKER);
}

#[test]
fn an_old_secret_that_another_service_uses_is_no_failure() {
    let world = kitchen(DOCKER);
    world.write("failing", "docker secret rm");
    world.run(&["refresh"]).exit(Exit::Ok);
    assert_handed_over(&world, DOCKER);
}

#[test]
fn a_service_that_was_rolled_back_has_not_got_the_token() {
    let world = kitchen(DOCKER);
    world.write("swarm/rolls-back", "");
    world.run(&["refresh"]).exit(Exit::NotDelivered);
    assert_eq!(std::fs::read_to_string(world.path("swarm/mounted")).unwrap(), MOUNTED);
    assert!(world.path("swarm/secrets/facebook_token-1-old").exists());
    std::fs::remove_file(world.path("swarm/rolls-back")).unwrap();
    world.run(&["refresh"]).exit(Exit::Ok);
    assert_handed_over(&world, DOCKER);
}

#[test]
fn a_netlify_that_knows_no_project_is_not_taken_for_success() {
    let world = kitchen(NETLIFY).with("NETLIFY_SITE_ID", "");
    world.run(&["refresh"]).exit(Exit::NotDelivered);
}

#[test]
fn a_script_refuses_the_tokens_of_two_labels_at_once() {
    for recipe in SCRIPTS.into_iter().filter(|recipe| *recipe != ADS) {
        let world = kitchen(recipe).token("OTHER", TokenFixture::user(APP, ANNA).named("other"));
        let both = tables(recipe, &world.path(""));
        world.reconfigure(&format!(
            "{BRAND}\n{both}\n{}\n{}",
            BRAND.replace("brand", "other").replace("BRAND", "OTHER"),
            both.replace("token.brand", "token.other"),
        ));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::NotDelivered);
        let why = "cannot hold several tokens: brand other";
        assert!(ran.stdout.contains(why), "{recipe}: {}", ran.stdout);
        let calls = calls(&world);
        assert!(calls.is_empty(), "{recipe}: {calls:?}");
    }
}
