//! `import`: the tokens of other programs, by the files that those programs keep.

mod cut;
mod databases;
mod mistrusted;
mod rows;
mod twice;

use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, World};

/// What an import of rows ends with.
const AFTERWARDS: &str = "hint: switch off what renewed these tokens before: two programs that renew one token end each other's access tokens\nhint: then delete the export, which holds access tokens: `shred -u tokens.csv`\n";

/// What stands before that where rows are left.
const AGAIN: &str = "hint: correct these rows and run the same again: what is in stays as it is\n";

/// What an import from myrcat ends with.
const AFTER_MYRCAT: &str = "hint: switch off its own renewal: the timer or cron job that runs `facebook_token_cli.py refresh`\nhint: then delete its copies: `sqlite3 myrcat.db 'DELETE FROM facebook_tokens; VACUUM'`\n";

/// Another app, at Instagram.
const INSTA: &str = "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n";

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

/// A CSV of user tokens, one line each.
fn csv_of(world: &World, labels: &[&str]) -> String {
    let lines = labels.iter().map(|label| format!("{label},user,{}\n", world.mint(user(label))));
    format!("label,type,access_token\n{}", lines.collect::<String>())
}

/// The file in `tokens.d` that declares a label.
fn declared(world: &World, label: &str) -> String {
    let path = world.path(&format!("tokens.d/{label}.toml"));
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The names in `tokens.d`.
fn names(world: &World) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(world.path("tokens.d")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
