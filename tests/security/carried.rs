//! Where secrets travel: in the body wherever Meta takes one, because servers and proxies write
//! addresses into their logs.

use metatoken::sandbox::{Sender, TokenFixture};
use metatoken::token::Provider;

use crate::common::{
    ANNA, APP, APP_SECRET, BAKERY, CREATOR, INSTA_APP, ROBOT, THREADS_APP, World, day, ends,
};

/// A token of every type.
const TOKENS: &str = r#"
[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { env = "INSTA_SECRET" }

[app.beside]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.brand]
type = "user"
app = "main"
access_token = { env = "BRAND" }
pages = "all"

[token.ads]
type = "system-user"
app = "main"
access_token = { env = "ADS" }

[token.itself]
type = "app"
app = "main"

[token.pictures]
type = "instagram"
access_token = { env = "PICTURES" }

[token.creator]
type = "threads"
access_token = { env = "CREATOR" }
"#;

/// Parameters that are secrets.
const SECRETS: [&str; 5] =
    ["client_secret", "fb_exchange_token", "access_token", "input_token", "appsecret_proof"];

fn world() -> World {
    World::new()
        .config(TOKENS)
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("ADS", TokenFixture::system_user(APP, ROBOT).named("ads").ending(ends(60)))
        .token("PICTURES", TokenFixture::instagram(INSTA_APP, CREATOR).named("pictures"))
        .token("CREATOR", TokenFixture::threads(THREADS_APP, CREATOR).named("creator"))
}

#[test]
fn an_address_holds_a_secret_only_where_meta_takes_nothing_else() {
    let mut world = world();
    for n in [0, 45] {
        world.at(day(n));
        world.run(&["refresh"]).code(0);
    }
    let mut seen: Vec<String> = world
        .graph
        .requests()
        .iter()
        .map(|call| {
            let secret = |name: &&String| SECRETS.contains(&name.as_str());
            let in_address = call.parameters.iter().filter(|name| !call.in_body.contains(name));
            let in_address: Vec<_> = in_address.filter(secret).cloned().collect();
            let in_body: Vec<_> = call.in_body.iter().filter(secret).cloned().collect();
            let header = if call.sender == Sender::Header { " bearer" } else { "" };
            let place = call.place().replace(BAKERY, "PAGE");
            let grant = call.grant_type.as_deref().unwrap_or("-");
            format!(
                "{} {place} {grant}: address [{}] body [{}]{header}",
                call.method,
                in_address.join(" "),
                in_body.join(" ")
            )
        })
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(
        seen,
        [
            "GET debug_token -: address [input_token] body [] bearer",
            "GET instagram/access_token ig_exchange_token: address [client_secret access_token] body []",
            "GET instagram/me -: address [access_token] body []",
            "GET instagram/refresh_access_token ig_refresh_token: address [access_token] body []",
            "GET me -: address [] body []",
            "GET me/accounts -: address [appsecret_proof] body [] bearer",
            "GET threads/debug_token -: address [input_token access_token] body []",
            "GET threads/refresh_access_token th_refresh_token: address [access_token] body []",
            "POST oauth/access_token client_credentials: address [] body [client_secret]",
            "POST oauth/access_token fb_exchange_token: address [] \
             body [client_secret fb_exchange_token]",
        ]
    );
    let facebook = |call: &metatoken::sandbox::Seen| call.provider == Provider::Facebook;
    let text =
        format!("{:?}", world.graph.requests().into_iter().filter(facebook).collect::<Vec<_>>());
    assert!(!text.contains(APP_SECRET), "{text}");
}
