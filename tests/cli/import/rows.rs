//! Rows of CSV and JSON, and a `.env`: what is taken, and what is said of the others.

use std::os::unix::fs::PermissionsExt as _;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;
use metatoken::token::Expiry;

use super::{AFTERWARDS, AGAIN, INSTA, csv_of, declared, names, user};
use crate::common::{ANNA, APP, BAKERY, CREATOR, INSTA_APP, ROBOT, World, day};

#[test]
fn a_csv_is_declared_adopted_and_remembered() {
    let world = World::new();
    let anna = world.mint(user("anna"));
    let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("bakery"));
    world.write(
        "tokens.csv",
        format!(
            "label,type,access_token,user_id,page_id,parent,owner,issued_at,expires_at\nanna,user,{anna},{ANNA},,,anna@example.org,2025-12-20,2026-02-18\nBakery & Co,page,{page},,{BAKERY},anna,,,\n"
        ),
    );
    world
        .run(&["import", "tokens.csv", "--dry-run"])
        .stdout(
            "
TOKEN      OUTCOME       EXPIRES     REASON
anna       would import  2026-03-02  long-lived already; declared in `tokens.d/anna.toml`
Bakery-Co  would import  never       never expires; declared in `tokens.d/Bakery-Co.toml`

2 tokens: 2 would import (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert!(!world.path("tokens.d").exists() && !world.path("metatoken.db").exists());
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES     REASON
anna       imported  2026-03-02  long-lived already; declared in `tokens.d/anna.toml`
Bakery-Co  imported  never       never expires; declared in `tokens.d/Bakery-Co.toml`

2 tokens: 2 imported
",
        )
        .stderr(AFTERWARDS)
        .exit(Exit::Ok);
    assert_eq!(
        declared(&world, "anna"),
        format!(
            "# Written by `metatoken import`; yours to edit.\n[token.anna]\ntype = \"user\"\napp = \"main\"\nowner = \"anna@example.org\"\nuser_id = \"{ANNA}\"\n"
        )
    );
    assert_eq!(
        declared(&world, "Bakery-Co"),
        format!(
            "# Written by `metatoken import`; yours to edit.\n[token.Bakery-Co]\ntype = \"page\"\nparent = \"anna\"\npage_id = \"{BAKERY}\"\n"
        )
    );
    // The folder has the rights of the config's, and the files those of the folder.
    let mode = |name: &str| world.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("tokens.d"), mode("tokens.d/anna.toml")), (0o700, 0o600));
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN      EVENT     TRIGGER   GENERATION  DETAIL
2025-12-20 00:00  anna       imported  imported  -           expires 2026-02-18
2026-01-01 00:00  Bakery-Co  adopted   manual    1           never expires
2026-01-01 00:00  anna       adopted   manual    1           expires 2026-03-02

no attempts yet
",
        )
        .stderr("")
        .code(0);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
    assert_eq!(world.in_use("anna"), anna);
    // From now on `refresh` looks after them: the Page is taken from its parent.
    let outcomes = world.run(&["refresh", "--json"]).stderr("").code(0).outcomes();
    assert_eq!(outcomes["anna"], "not_due", "{outcomes:?}");
}

#[test]
fn each_is_asked_and_compared_before_anything_is_written() {
    let mut world = World::new();
    let good = world.mint(user("good"));
    let dead = world.mint(user("dead").ending(Expiry::At(day(-3))).aged(TimeDelta::days(60)));
    let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("page"));
    let other = world.mint(user("other"));
    let insta = world.mint(TokenFixture::instagram(INSTA_APP, CREATOR).named("insta"));
    let robot = world.mint(TokenFixture::system_user(APP, ROBOT).named("robot"));
    let stray = world.mint(user("stray"));
    let hour = world.mint(
        TokenFixture::page(APP, ANNA, BAKERY)
            .named("hour")
            .ending(Expiry::At(day(0) + TimeDelta::hours(5))),
    );
    world.write(
        "tokens.csv",
        format!(
            "label,type,access_token,app,user_id,issued_at\ngood,user,{good},main,,\ndead,user,{dead},,,\nnone,user,,,,\ncut,user,EAAcut…,,,\nwrong-type,user,{page},,,\nother,user,{other},,3000000000000999,\nunknown,usr,{insta},,,\nno-app,instagram,{insta},,,\nsome-app,user,{stray},none,,\nrobot,,{robot},1000000000000001,,\ntoo-short,page,{hour},,,\nsoon,user,{other},,,tomorrow\n!!!,user,{other},,,\ntwo,columns\n"
        ),
    );
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
good   imported  2026-03-02  long-lived already; declared in `tokens.d/good.toml`
robot  imported  never       never expires; declared in `tokens.d/robot.toml`

2 tokens: 2 imported
",
        )
        .stderr(&format!(
            "
tokens.csv:3: its access token was rejected: expired
tokens.csv:4: no access token: it is empty
tokens.csv:5: no access token: it ends in `…`: it was cut off
tokens.csv:6: its access token was rejected: a page token, not a user token
tokens.csv:7: its access token was rejected: the token belongs to user 3000000000000001, not to 3000000000000999
tokens.csv:8: unknown type `usr`: one of user, page, system-user, instagram, threads, app
tokens.csv:9: the config has no app of kind `instagram`: add it by `metatoken init --app-kind instagram`
tokens.csv:10: the config has no app of that name; its apps are `main`
tokens.csv:12: expires 2026-01-01 05:00 UTC, in 5 hours, and Meta exchanges no page token
tokens.csv:13: `issued_at` is a time such as 2026-01-31T12:00:00Z, not `tomorrow`
tokens.csv:14: no label can be made of `!!!`: use letters, digits, `-` and `_`
tokens.csv:15: it has 2 columns, and the header has 6
{AGAIN}{AFTERWARDS}"
        ))
        .exit(Exit::InputRefused);
    assert_eq!(names(&world), ["good.toml", "robot.toml"]);
    world.at(day(1));
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
}

#[test]
fn labels_and_access_tokens_that_meet_are_refused() {
    let world = World::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| world.mint(user(name)));
    world.write(
        "tokens.csv",
        format!(
            "label,type,access_token\nthe shop,user,{a}\nthe/shop,user,{b}\nc,user,{c}\nagain,user,{c}\nc,user,{c}\n"
        ),
    );
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
c      imported  2026-03-02  long-lived already; declared in `tokens.d/c.toml`

1 token: 1 imported
",
        )
        .stderr(&format!(
            "
tokens.csv:2: its label `the-shop` is also that of row 3
tokens.csv:3: its label `the-shop` is also that of row 2
tokens.csv:5: its access token is that of `c` in row 4
{AGAIN}{AFTERWARDS}"
        ))
        .exit(Exit::InputRefused);
    assert_eq!(names(&world), ["c.toml"]);
}

#[test]
fn the_columns_may_be_called_otherwise_and_separated_otherwise() {
    for (text, more) in [
        ("label;type;access_token\nanna;user;TOKEN\n", &[][..]),
        ("label\ttype\taccess_token\r\nanna\tuser\tTOKEN\r\n", &[]),
        ("\u{feff}label,type,access_token\nanna,user,\"TOKEN\"\n\n", &[]),
        (
            "who,kind_of,secret\nanna,user,TOKEN\n",
            &["--map", "who=label", "--map", "kind_of=type", "--map", "secret=access_token"],
        ),
        (
            "[\n {\"label\": \"anna\",\n  \"type\": \"user\", \"access_token\": \"TOKEN\", \"more\": [1]}\n]\n",
            &[],
        ),
        ("{\"label\": \"anna\", \"type\": \"USER\", \"access_token\": \"TOKEN\"}\n", &[]),
        (
            "{\"_id\":{\"$oid\":\"65a\"},\"name\":\"anna\",\"accessToken\":\"TOKEN\",\"tokenExpiresIn\":5184000,\"lastTokenRefresh\":{\"$date\":\"2025-12-31T00:00:00Z\"},\"tokenExpiresAt\":{\"$date\":{\"$numberLong\":\"1772323200000\"}}}\n",
            &["--map", "name=label"],
        ),
    ] {
        let world = World::new();
        let anna = world.mint(user("anna"));
        world.write("tokens", text.replace("TOKEN", &anna));
        let mut arguments = vec!["import", "tokens", "--quiet"];
        arguments.extend(more);
        world.run(&arguments).stderr("").code(0);
        assert_eq!(world.in_use("anna"), anna, "{text}");
        // The same from standard input.
        let world = World::new();
        let anna = world.mint(user("anna"));
        arguments[1] = "-";
        let ran = world.run_with_input(&arguments, text.replace("TOKEN", &anna));
        let _ = ran.stderr("").code(0);
        assert_eq!(world.in_use("anna"), anna, "{text}");
    }
}

/// Files that nothing can be imported from, each in its own way, most with this access token in them.
fn write_unreadable_files(world: &World, token: &str) {
    let wide: Vec<u8> = std::iter::once(0xfeff)
        .chain(format!("label,type,access_token\nanna,user,{token}\n").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    world.write("wide.csv", &wide);
    world.write("wide.txt", &wide[2..]);
    world.write("empty.csv", " \n");
    world.write("names.csv", "a,b\n1,2\n");
    world.write("header.csv", format!("anna,user,{token}\n"));
    world.write("env.csv", format!("FB_TOKEN={token}\n"));
    world.write("comment.env", format!("\n# app\nexport FB_TOKEN={token}\n"));
    world.write("sheet.xlsx", "PK\u{3}\u{4}hush\0");
    world.write("bad.json", "[{\"label\": \"anna\"},\n {\"label\": }]\n");
    world.write("zero.csv", "label,access_token\na,b\0c\n");
    world.write("word.txt", "hello\n");
    std::fs::create_dir(world.path("folder")).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_is_refused_as_a_whole() {
    let world = World::new();
    let token = world.mint(user("anna"));
    write_unreadable_files(&world, &token);
    for (file, more, expected) in [
        (
            "wide.csv",
            &[][..],
            "error: wide.csv: is UTF-16, not UTF-8\nhint: convert it: `iconv -f UTF-16 -t UTF-8 wide.csv | metatoken import -`\n",
        ),
        (
            "wide.txt",
            &[],
            "error: wide.txt: is UTF-16, not UTF-8\nhint: convert it: `iconv -f UTF-16 -t UTF-8 wide.txt | metatoken import -`\n",
        ),
        ("empty.csv", &[], "error: empty.csv: is empty\nhint: nothing was imported\n"),
        (
            "names.csv",
            &[],
            "error: names.csv: has no column `access_token`\nhint: its columns are `a`, `b`\nhint: if another one holds the access tokens, add `--map COLUMN=access_token`\n",
        ),
        (
            "names.csv",
            &["--map", "c=access_token"],
            "error: names.csv: has no column `c`\nhint: its columns are `a`, `b`\n",
        ),
        (
            "header.csv",
            &[],
            "error: header.csv:1: has no header line: an access token stands there\nhint: put a line before it that names the columns: `label,type,access_token`\n",
        ),
        (
            "env.csv",
            &[],
            "error: env.csv: holds `NAME=value` lines, not CSV or JSON\nhint: run it again with `--from env`\n",
        ),
        (
            "comment.env",
            &[],
            "error: comment.env: holds `NAME=value` lines, not CSV or JSON\nhint: run it again with `--from env`\n",
        ),
        (
            "env.csv",
            &["--from", "env", "--map", "FB=anna"],
            "error: env.csv: has no variable `FB`\nhint: its variables are `FB_TOKEN`\n",
        ),
        (
            "sheet.xlsx",
            &[],
            "error: sheet.xlsx: is a ZIP archive, as spreadsheets are\nhint: export the tokens to CSV\n",
        ),
        (
            "bad.json",
            &[],
            "error: bad.json:2: invalid JSON: column 12\nhint: export it again; nothing was imported\n",
        ),
        (
            "zero.csv",
            &[],
            "error: zero.csv: not a text file\nhint: export the tokens to CSV or JSON\n",
        ),
        (
            "word.txt",
            &[],
            "error: word.txt: holds one word that does not begin as Meta's access tokens do\nhint: they begin with `EAA` (Facebook), `IG` (Instagram), `TH` (Threads) or `ID|` (an app)\n",
        ),
        (
            "folder",
            &[],
            "error: folder: not a file\nhint: name a file, or `-` for standard input\n",
        ),
        (
            "none.csv",
            &[],
            "error: none.csv: cannot be read\n  caused by: No such file or directory (os error 2)\nhint: check the name: `ls -l none.csv`\n",
        ),
        (
            "names.csv",
            &["--from", "env"],
            "error: names.csv: holds no access token of Meta's\nhint: a variable counts if its value begins with `EAA`, `IG`, `TH` or `ID|`\nhint: to take another one, add `--map VARIABLE=LABEL`\n",
        ),
    ] {
        let mut arguments = vec!["import", file];
        arguments.extend(more);
        let ran = world.run(&arguments);
        assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
        let _ = ran.stdout("").stderr(expected).exit(Exit::InputRefused);
    }
    world
        .run(&["import", "x.csv", "--map", "a"])
        .stdout("")
        .stderr("\nerror: `--map a`: write it as COLUMN=NAME\nhint: for example `--map accessToken=access_token`\n")
        .exit(Exit::Usage);
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn an_hour_old_token_is_exchanged_and_untyped_ones_are_asked() {
    let mut world = World::new().config(INSTA);
    let short = world.mint(user("short").ending(Expiry::At(day(0) + TimeDelta::hours(1))));
    let insta = world
        .mint(TokenFixture::instagram(INSTA_APP, CREATOR).named("insta").aged(TimeDelta::days(3)));
    let robot = world.mint(TokenFixture::system_user(APP, ROBOT).named("robot"));
    world.write(
        ".env",
        format!(
            "# tokens\nexport FB_USER_TOKEN='{short}'\nINSTAGRAM_ACCESS_TOKEN={insta}\nACCESS_TOKEN=\"{robot}\"\nAD_ACCOUNT_ID=act_1\nTWITTER_TOKEN=abc\nAPP_SECRET_X=0123456789abcdef0123456789abcdef\n"
        ),
    );
    world
        .run(&["import", ".env", "--from", "env", "--map", "ACCESS_TOKEN=ads"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES     REASON
fb-user    imported  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes; exchanged; declared in `tokens.d/fb-user.toml`
instagram  imported  unknown     app `insta` has no secret, so a short-lived one could not be exchanged; declared in `tokens.d/instagram.toml`
ads        imported  never       never expires; declared in `tokens.d/ads.toml`

3 tokens: 3 imported
",
        )
        .stderr("hint: switch off what renewed these tokens before\nhint: then remove the access tokens from .env, or have metatoken deliver to it (see `metatoken help delivery`)\n")
        .code(0);
    assert_eq!(names(&world), ["ads.toml", "fb-user.toml", "instagram.toml"]);
    assert!(declared(&world, "ads").contains("type = \"system-user\"\n"));
    assert_ne!(world.in_use("fb-user"), short);
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).silent().code(0);
}

/// What the Graph API Explorer shows of `/me/accounts` is read as it is, and what Meta does not know is
/// refused for that.
#[test]
fn an_answer_of_graphs_is_a_list() {
    let world = World::new();
    let token = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("shop"));
    world.write(
        "accounts.json",
        format!(
            "{{\n \"data\": [\n  {{\n   \"access_token\": \"{token}\",\n   \"name\": \"My Bakery\",\n   \"id\": \"{BAKERY}\",\n   \"tasks\": [\"MANAGE\"]\n  }}\n ],\n \"paging\": {{}}\n}}\n"
        ),
    );
    world
        .run(&["import", "accounts.json"])
        .stdout("no tokens\n")
        .stderr(
            "
accounts.json:3: no label: give it one in a column `label`, or name the column that holds it by `--map COLUMN=label`
hint: correct these rows and run the same again: what is in stays as it is
",
        )
        .exit(Exit::InputRefused);
    world
        .run(&["import", "accounts.json", "--map", "name=label", "--map", "id=page_id"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES  REASON
My-Bakery  imported  never    never expires; declared in `tokens.d/My-Bakery.toml`

1 token: 1 imported
",
        )
        .exit(Exit::Ok);
    world.write(".env", "FB_TOKEN=EAAFAKEunknown\n");
    world
        .run(&["import", ".env", "--from", "env"])
        .stdout("no tokens\n")
        .stderr(
            "
.env:1: its access token was rejected: Meta does not know this value
hint: correct these rows and run the same again: what is in stays as it is
",
        )
        .exit(Exit::InputRefused);
}

#[test]
fn a_bare_access_token_is_answered_with_one_row() {
    let world = World::new().config(INSTA);
    for (fixture, code, expected) in [
        (
            user("anna"),
            0,
            "TOKEN                  OUTCOME   EXPIRES  REASON\nuser-3000000000000001  verified  -        a user token of app `main`, expires 2026-03-02 00:00 UTC, in 60 days; nothing was stored: run `metatoken add user-3000000000000001 --type user --token-file token.txt`\n\n1 token: 1 verified\n",
        ),
        (
            TokenFixture::page(APP, ANNA, BAKERY),
            0,
            "TOKEN                  OUTCOME   EXPIRES  REASON\npage-2000000000000001  verified  -        a page token of app `main`, never expires; nothing was stored: run `metatoken add page-2000000000000001 --type page --page-id 2000000000000001 --token-file token.txt`\n\n1 token: 1 verified\n",
        ),
        (
            TokenFixture::system_user(APP, ROBOT),
            0,
            "TOKEN                         OUTCOME   EXPIRES  REASON\nsystem-user-3000000000000009  verified  -        a system-user token of app `main`, never expires; nothing was stored: run `metatoken add system-user-3000000000000009 --type system-user --token-file token.txt`\n\n1 token: 1 verified\n",
        ),
        (
            TokenFixture::instagram(INSTA_APP, CREATOR),
            0,
            "TOKEN                        OUTCOME   EXPIRES  REASON\ninstagram-17841400000000001  verified  -        an instagram token of app `insta`, Meta does not say when it expires; nothing was stored: run `metatoken add instagram-17841400000000001 --type instagram --token-file token.txt`\n\n1 token: 1 verified\n",
        ),
        (
            user("dead").ending(Expiry::At(day(-3))).aged(TimeDelta::days(60)),
            65,
            "TOKEN                  OUTCOME  EXPIRES  REASON\nuser-3000000000000001  invalid  -        a user token that Meta rejects: expired; to take a new one, run `metatoken add user-3000000000000001 --type user`\n\n1 token: 1 invalid\n",
        ),
    ] {
        let token = world.mint(fixture);
        world.write("token.txt", format!("{token}\n"));
        let ran = world.run(&["import", "token.txt"]);
        let _ = ran.stdout(expected).stderr("").code(code);
    }
    assert!(!world.path("metatoken.db").exists() && names(&world).is_empty());
}

#[test]
fn many_rows_with_bad_ones_among_them() {
    let world = World::new();
    world.reconfigure("[http]\nconcurrency = 16\n");
    let mut text = String::from("label,type,access_token\n");
    let rows = if crate::common::is_long() { 3_000 } else { 300 };
    for n in 0..rows {
        let token = if n % 100 == 7 {
            "\"EAA bad\"".to_owned()
        } else {
            world.mint(user(&format!("t{n}")))
        };
        text.extend(["t", &n.to_string(), ",user,", &token, "\n"]);
    }
    world.write("tokens.csv", &text);
    let ran = world.run(&["import", "tokens.csv", "--json"]).exit(Exit::InputRefused);
    let json = ran.json();
    assert_eq!(json["summary"]["imported"], rows - rows / 100);
    assert_eq!(json["refused"].as_array().unwrap().len(), rows / 100);
    assert_eq!(json["refused"][0]["row"], "9");
    assert!(
        ran.stderr
            .starts_with("tokens.csv:9: no access token: it has a blank inside\ntokens.csv:109: "),
        "{}",
        ran.stderr
    );
    assert_eq!(names(&world).len(), rows - rows / 100);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    // An access token is asked about twice: once before anything is written, once when it is sealed.
    assert_eq!(world.calls_to("debug_token"), 2 * (rows - rows / 100));
}

#[test]
fn a_network_fault_loses_no_row_for_good() {
    let world = World::new();
    world.write("tokens.csv", csv_of(&world, &["a", "b"]));
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    world.write("metatoken.toml", config.replace(&world.graph.url(), "http://127.0.0.1:9"));
    world
        .run(&["import", "tokens.csv"])
        .stdout("\nno tokens\n")
        .stderr(
            "
tokens.csv:2: no connection to `127.0.0.1`: connection refused
tokens.csv:3: no connection to `127.0.0.1`: connection refused
hint: run the same again later: what is in stays as it is
",
        )
        .exit(Exit::Unavailable);
    assert!(names(&world).is_empty());
    world.write("metatoken.toml", config);
    world.run(&["import", "tokens.csv", "--quiet"]).stderr("").code(0);
    assert_eq!(names(&world), ["a.toml", "b.toml"]);
}
