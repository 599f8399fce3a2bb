//! Causes that stand in the config, in what it declares, and in what a rotation leaves.

use metatoken::sandbox::{
    FaultInjection, Invalidation, Listing, Revocations, Rule, TokenFixture, UserFixture,
};
use metatoken::token::Time;

use super::{Told, causes, codes, told, type_it};
use crate::common::{ANNA, APP, BAKERY, CAFE, ROBOT, World, day, measure};

/// All cases.
pub(super) const CASES: [fn() -> Vec<Told>; 19] = [
    of_a_page_that_is_gone,
    of_an_old_token_that_works,
    of_a_token_that_was_revoked_in_vain,
    of_a_dead_token_with_an_earlier_one,
    of_a_dead_token_with_a_backup,
    of_pages_whose_parent_has_a_backup,
    of_a_page_with_a_backup,
    of_a_system_user_with_an_admin,
    of_a_token_that_another_label_has,
    of_a_label_that_left,
    of_a_new_name,
    of_two_names,
    of_a_name_that_stays,
    of_a_name_that_two_claim,
    of_pages_with_one_target,
    of_a_list_that_is_cut,
    of_a_file_that_holds_it,
    of_an_app_without_permissions,
    of_an_app_token_that_is_old,
];

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

fn with_pages() -> TokenFixture {
    user("brand").scopes(["public_profile", "pages_show_list"])
}

/// The tables of these labels, each with its first access token in a variable.
fn tables(labels: &[&str]) -> String {
    let table = |label: &&str| {
        let variable = label.to_uppercase();
        format!("[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n")
    };
    labels.iter().map(table).collect()
}

/// A world that keeps these labels.
fn keeping(labels: &[&str]) -> World {
    let mut world = World::new().config(&tables(labels));
    for label in labels {
        world = world.token(&label.to_uppercase(), user(label));
    }
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    world
}

/// The cause with that code, of a token or of the system.
fn standing(world: &World, code: &str) -> Option<Told> {
    let check = world.run(&["check", "--json"]).json();
    let tokens = check["tokens"].as_array().unwrap().clone();
    let of_tokens = tokens.iter().flat_map(|token| causes(&token["reasons"]));
    causes(&check["system"]).chain(of_tokens).find(|told| told.code == code)
}

/// Types the remedy of the cause with that code, which must stand, once `prepare` has done what it
/// says outside of metatoken; then the cause must be over.
pub(super) fn ended(
    world: &mut World,
    from: Time,
    code: &str,
    prepare: impl FnOnce(&mut World),
) -> Vec<Told> {
    let told = standing(world, code).unwrap_or_else(|| panic!("{code} does not stand"));
    measure(&world.run(&["check"]));
    prepare(world);
    type_it(world, &told, from, || user("new"));
    assert_eq!(standing(world, code), None, "{told:?}");
    vec![told]
}

fn of_a_page_that_is_gone() -> Vec<Told> {
    let label = format!("brand/{CAFE}");
    let config = format!("{}pages = \"all\"\n[token.\"{label}\"]\n", tables(&["brand"]));
    let mut world = World::new().config(&config).token("BRAND", with_pages());
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    world.graph.with(|graph| {
        graph.list(ANNA, CAFE, Listing::Unlisted);
        graph.invalidate("EAAFAKEPageCaf1", Invalidation::RoleLost);
    });
    for at in [3, 4, 11] {
        world.at(day(at));
        let _ = world.run(&["refresh"]);
    }
    let told = ended(&mut world, day(11), "page_gone", |world| {
        world.graph.with(|graph| graph.list(ANNA, CAFE, Listing::Listed));
    });
    assert_eq!(codes(&world, &label), [""; 0]);
    told
}

fn of_an_old_token_that_works() -> Vec<Told> {
    let ads = || TokenFixture::system_user(APP, ROBOT).named("ads");
    let config = "[token.ads]\ntype = \"system-user\"\n";
    let mut world = World::new().config(config);
    for at in [0, 1] {
        world.at(day(at));
        let pasted = world.mint(ads());
        let _ = world.run_with_input(&["exchange", "ads"], &pasted);
    }
    world.at(day(9));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(9), "old_token_alive", |_| {})
}

fn of_a_token_that_was_revoked_in_vain() -> Vec<Told> {
    let config = "[token.ads]\ntype = \"system-user\"\n";
    let mut world = World::new().config(config);
    let pasted = world.mint(TokenFixture::system_user(APP, ROBOT).named("ads"));
    let _ = world.run_with_input(&["exchange", "ads"], &pasted);
    world.graph.with(|graph| graph.set_revocations(Revocations::InVain));
    let _ = world.run(&["revoke", "ads", "--all", "--yes=ads"]);
    let again = told(&world, "ads");
    assert_eq!(again.code, "revoked_alive");
    world.graph.with(|graph| graph.set_revocations(Revocations::Documented));
    type_it(&mut world, &again, day(0), || TokenFixture::system_user(APP, ROBOT));
    // Whoever had it revoked brings another one.
    let dead = told(&world, "ads");
    assert_eq!(dead.code, "revoked");
    type_it(&mut world, &dead, day(1), || TokenFixture::system_user(APP, ROBOT));
    assert_eq!(codes(&world, "ads"), [""; 0]);
    vec![again, dead]
}

/// Its backup takes its place, and gets an access token of its own again.
fn of_a_dead_token_with_a_backup() -> Vec<Told> {
    let ads = |name: &str| TokenFixture::system_user(APP, ROBOT).named(name);
    let table = |label: &str, more: &str| {
        let variable = label.to_uppercase();
        format!(
            "[token.{label}]\ntype = \"system-user\"\n{more}access_token = {{ env = \"{variable}\" }}\n"
        )
    };
    let config = format!("{}{}", table("ads", "backup = \"spare\"\n"), table("spare", ""));
    let world = World::new().config(&config).token("ADS", ads("ads")).token("SPARE", ads("spare"));
    let mut world = world;
    let _ = world.run(&["refresh"]);
    world.graph.with(|graph| graph.invalidate("EAAFAKEAds1", Invalidation::Revoked));
    world.at(day(2));
    let _ = world.run(&["refresh"]);
    let mut told = ended(&mut world, day(2), "revoked", |_| {});
    assert_eq!(world.in_use("ads"), "EAAFAKESpare1");
    let lacks = standing(&world, "no_backup").expect("no_backup");
    type_it(&mut world, &lacks, day(3), || ads("new"));
    assert_eq!(standing(&world, "no_backup"), None, "{lacks:?}");
    told.push(lacks);
    assert!(world.in_use("spare").starts_with("EAAFAKENew"), "{}", world.in_use("spare"));
    told
}

/// Another person who manages the same Pages.
const BEN: &str = "3000000000000002";

fn ben() -> UserFixture {
    let ben = UserFixture::new(BEN, "Ben").with_page(BAKERY, Listing::Listed);
    ben.with_page(CAFE, Listing::Listed)
}

/// Pages are dead with their parent, whose backup takes its place: they follow.
fn of_pages_whose_parent_has_a_backup() -> Vec<Told> {
    let discovered = format!("brand/{CAFE}");
    let config = format!(
        "{}backup = \"ben\"\npages = \"all\"\n{}[token.page]\ntype = \"page\"\nparent = \"brand\"\n\
         page_id = \"{BAKERY}\"\n",
        tables(&["brand"]),
        tables(&["ben"])
    );
    let world = World::new().config(&config);
    world.graph.with(|graph| graph.add_user(ben()));
    let of_ben = TokenFixture::user(APP, BEN).named("ben");
    let of_ben = of_ben.scopes(["public_profile", "pages_show_list"]);
    let mut world = world.token("BRAND", with_pages()).token("BEN", of_ben);
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(2));
    let _ = world.run(&["refresh"]);
    let told = told(&world, "page");
    assert_eq!(
        (told.code.as_str(), told.command.as_str()),
        ("parent_dead", "metatoken promote brand")
    );
    for label in ["brand", &discovered] {
        assert_eq!(super::told(&world, label).command, told.command, "{label}");
    }
    type_it(&mut world, &told, day(2), with_pages);
    for label in ["brand", "page", &discovered] {
        assert_eq!(codes(&world, label), [""; 0], "{label}");
    }
    vec![told]
}

/// A Page without a parent dies, and its backup is another person's for the same Page.
fn of_a_page_with_a_backup() -> Vec<Told> {
    let page = |label: &str, more: &str| {
        let variable = label.to_uppercase();
        format!(
            "[token.{label}]\ntype = \"page\"\npage_id = \"{BAKERY}\"\n{more}\
             access_token = {{ env = \"{variable}\" }}\n"
        )
    };
    let config = format!("{}{}", page("page", "backup = \"spare\"\n"), page("spare", ""));
    let world = World::new().config(&config);
    world.graph.with(|graph| graph.add_user(ben()));
    let of = |user, name| TokenFixture::page(APP, user, BAKERY).named(name);
    let mut world = world.token("PAGE", of(ANNA, "page")).token("SPARE", of(BEN, "spare"));
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    world.graph.with(|graph| graph.invalidate("EAAFAKEPage1", Invalidation::Revoked));
    world.at(day(2));
    let _ = world.run(&["refresh"]);
    let told = told(&world, "page");
    assert_eq!((told.code.as_str(), told.command.as_str()), ("revoked", "metatoken promote page"));
    type_it(&mut world, &told, day(2), with_pages);
    assert_eq!(codes(&world, "page"), [""; 0]);
    assert_eq!(world.in_use("page"), "EAAFAKESpare1");
    vec![told]
}

/// The one in use was revoked, and the one before it lives on.
fn of_a_dead_token_with_an_earlier_one() -> Vec<Told> {
    let ads = || TokenFixture::system_user(APP, ROBOT).named("ads");
    let mut world = World::new().config("[token.ads]\ntype = \"system-user\"\n");
    for at in [0, 1] {
        world.at(day(at));
        let pasted = world.mint(ads());
        let _ = world.run_with_input(&["exchange", "ads"], &pasted);
    }
    world.at(day(2));
    world.graph.with(|graph| graph.invalidate("EAAFAKEAds2", Invalidation::Revoked));
    let _ = world.run(&["refresh"]);
    let told = ended(&mut world, day(2), "revoked", |_| {});
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    told
}

fn of_a_system_user_with_an_admin() -> Vec<Told> {
    let config = "[token.ads]\ntype = \"system-user\"\nmint = \"admin\"\n\
                  [token.admin]\ntype = \"system-user\"\nuse = \"mint\"\n";
    let mut world = World::new().config(config);
    let keeper = "3000000000000005";
    world.graph.with(|graph| graph.add_user(UserFixture::new(keeper, "Keeper").admin()));
    let admin = TokenFixture::system_user(APP, keeper).scopes(["business_management"]);
    for (label, spec) in [
        ("admin", admin.named("keeper")),
        ("ads", TokenFixture::system_user(APP, ROBOT).named("ads")),
    ] {
        let pasted = world.mint(spec);
        let _ = world.run_with_input(&["exchange", label], &pasted);
    }
    world.graph.with(|graph| graph.invalidate("EAAFAKEAds1", Invalidation::Revoked));
    world.at(day(2));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(2), "revoked", |_| {})
}

fn of_a_token_that_another_label_has() -> Vec<Told> {
    let mut world = keeping(&["brand"]);
    let config = tables(&["brand", "shop"]);
    world.reconfigure(&config.replace("\"SHOP\"", "\"BRAND\""));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(0), "shared_token", |world| {
        let own = world.mint(user("shop"));
        world.set("SHOP", &own);
        world.reconfigure(&config);
    })
}

fn of_a_label_that_left() -> Vec<Told> {
    let mut world = keeping(&["brand", "shop", "more"]);
    world.reconfigure(&tables(&["shop", "more"]));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(0), "undeclared", |world| {
        world.reconfigure(&tables(&["brand", "shop", "more"]));
    })
}

fn of_a_new_name() -> Vec<Told> {
    let mut world = keeping(&["brand"]);
    let renamed = tables(&["label"]).replace("LABEL", "BRAND");
    world.reconfigure(&renamed);
    let _ = world.run(&["refresh"]);
    let told = ended(&mut world, day(0), "shared_token", |world| {
        world.reconfigure(&renamed.replace("type", "was = \"brand\"\ntype"));
    });
    assert_eq!(standing(&world, "undeclared"), None);
    told
}

fn of_two_names() -> Vec<Told> {
    let mut world = keeping(&["brand", "shop"]);
    world.reconfigure(&tables(&["shop"]).replace("type", "was = \"brand\"\ntype"));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(0), "rename_conflict", |_| {})
}

fn of_a_name_that_stays() -> Vec<Told> {
    let mut world = keeping(&["brand"]);
    let renamed = tables(&["label"]).replace("type", "was = \"brand\"\ntype");
    world.reconfigure(&format!("{}{renamed}", tables(&["brand"])));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(0), "rename_conflict", |world| world.reconfigure(&renamed))
}

fn of_a_name_that_two_claim() -> Vec<Told> {
    let mut world = keeping(&["brand"]);
    let renamed = tables(&["label"]).replace("type", "was = \"brand\"\ntype");
    world.reconfigure(&format!("{renamed}{}", renamed.replace("token.label", "token.more")));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(0), "rename_conflict", |world| world.reconfigure(&renamed))
}

fn of_pages_with_one_target() -> Vec<Told> {
    let config = |key: &str| {
        format!(
            "{}pages = \"all\"\n[[token.\"brand/*\".deliver]]\nfile = \"pages.env\"\nkey = \"{key}\"\n\
             create = true\n",
            tables(&["brand"])
        )
    };
    let mut world = World::new().config(&config("TOKEN")).token("BRAND", with_pages());
    let _ = world.run(&["refresh"]);
    let told = ended(&mut world, day(0), "targets_alike", |world| {
        world.reconfigure(&config("TOKEN_{page_id}"));
    });
    for page in [BAKERY, CAFE] {
        let label = format!("brand/{page}");
        assert_eq!(codes(&world, &label), [""; 0], "{}", world.run(&["check", &label]).stdout);
    }
    told
}

/// It is said in the run that lists: Graph's list stays short, and the Page is kept all the same.
fn of_a_list_that_is_cut() -> Vec<Told> {
    let all = format!("[http]\nattempts = 1\n{}pages = \"all\"\n", tables(&["brand"]));
    let cut = r#"{"data":[],"paging":{"next":"https://graph.example/v25.0/77/accounts?limit=25"}}"#;
    let headers = vec![("Content-Type", "application/json".to_owned())];
    let cut = FaultInjection::Raw { status: 200, headers, body: cut.as_bytes().to_vec() };
    let mut world = World::new().config(&all).token("BRAND", with_pages());
    world.graph.misbehave(Rule::on("/me/accounts"), cut);
    let told = Told::below(&world.run(&["refresh"]).stdout, "Graph lists some of its Pages");
    type_it(&mut world, &told, day(0), with_pages);
    assert_eq!(codes(&world, "bakery"), [""; 0]);
    assert_eq!(world.in_use("bakery"), "EAAFAKEPageBakery1");
    vec![told]
}

fn of_a_file_that_holds_it() -> Vec<Told> {
    let target = "[[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";
    let config = format!("{}{target}{}", tables(&["brand"]), tables(&["shop"]));
    let world = World::new().config(&config);
    world.write("app.env", "TOKEN=\n");
    let mut world = world.token("BRAND", user("brand")).token("SHOP", user("shop"));
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    world.reconfigure(&tables(&["shop"]));
    let told = Told::below(&world.run(&["forget", "brand"]).stdout, "still holds its access token");
    type_it(&mut world, &told, day(0), || user("new"));
    assert_eq!(std::fs::read_to_string(world.path("app.env")).unwrap(), "TOKEN=\n");
    vec![told]
}

fn of_an_app_without_permissions() -> Vec<Told> {
    let config = "[token.it]\ntype = \"app\"\n";
    let mut world = World::new().config(&format!("{config}required_scopes = [\"ads_read\"]\n"));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(0), "permission_missing", |world| world.reconfigure(config))
}

fn of_an_app_token_that_is_old() -> Vec<Told> {
    let config = "[token.it]\ntype = \"app\"\nrotate_after = \"5d\"\n";
    let mut world = World::new().config(config);
    assert_eq!(world.run(&["refresh"]).code, Some(0));
    world.at(day(6));
    let _ = world.run(&["refresh"]);
    ended(&mut world, day(6), "rotation_due", |world| {
        let reset = "fakereset".to_owned();
        world.graph.with(|graph| graph.app_mut(APP).unwrap().secret = reset);
        world.set("APP_SECRET", "fakereset");
    })
}
