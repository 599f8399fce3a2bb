//! What the login dialogs ask, whom they refuse, and what their codes are good for.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::sandbox::{
    Answer, AppFixture, Call, CodeReply, Invalidation, LoginConfiguration, PageFixture, Simulation,
    TokenFixture, UserFixture,
};

use super::{ANNA, APP, INSTA, OWN_SECRET, PAGE, SECRET, THREADS, anna, inspect, start, world};

const ROBOT: &str = "3000000000000009";
const LOCAL: &str = "https%3A%2F%2Flocalhost%2F";

fn facebook(more: &str) -> String {
    format!(
        "/v26.0/dialog/oauth?client_id={APP}&redirect_uri={LOCAL}&state=s&response_type=code{more}"
    )
}

fn instagram() -> String {
    format!(
        "/instagram/oauth/authorize?client_id={INSTA}&redirect_uri={LOCAL}&state=s\
         &response_type=code&scope=instagram_business_basic"
    )
}

fn threads() -> String {
    format!(
        "/threads/oauth/authorize?client_id={THREADS}&redirect_uri={LOCAL}&state=s\
         &response_type=code&scope=threads_basic"
    )
}

fn show(sim: &mut Simulation, target: &str) -> Answer {
    sim.answer(&Call::new("GET", target, []))
}

fn submit(sim: &mut Simulation, target: &str, form: &str) -> Answer {
    sim.answer(&Call::new("POST", target, []).with_form(form))
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

/// What can be ticked off on a page.
fn boxes(answer: &Answer) -> Vec<String> {
    let page = text(answer);
    let inputs = page.split("<input type=\"checkbox\" name=\"").skip(1);
    inputs.map(|rest| rest.split('"').nth(2).unwrap().to_owned()).collect()
}

fn allow(sim: &mut Simulation, target: &str, ticked: &str) -> String {
    let answer = submit(sim, target, &format!("as={ANNA}&decision=allow{ticked}"));
    assert_eq!(answer.status, 302, "{}", text(&answer));
    answer.header("Location").unwrap().to_owned()
}

fn code(location: &str) -> String {
    location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned()
}

fn exchange(sim: &mut Simulation, code: &str, more: &str) -> (u16, Value) {
    let form = format!("client_id={APP}&client_secret={SECRET}&code={code}{more}");
    let answer = submit(sim, "/v26.0/oauth/access_token", &form);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn beside(sim: &mut Simulation, host: &str, app: &str, code: &str) -> (u16, Value) {
    let form = format!(
        "client_id={app}&client_secret={OWN_SECRET}&grant_type=authorization_code\
         &redirect_uri={LOCAL}&code={code}"
    );
    let answer = submit(sim, &format!("/{host}/oauth/access_token"), &form);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

const REDIRECT: &str = "&redirect_uri=https%3A%2F%2Flocalhost%2F";
const SCOPE: &str = "&scope=public_profile,pages_show_list,pages_manage_posts";
const ALL: &str = "&grant=pages_show_list&grant=pages_manage_posts&page=2000000000000001";

#[test]
fn a_person_grants_and_the_code_is_a_short_lived_token_once() {
    let mut sim = world();
    let target = facebook(SCOPE);
    assert!(text(&show(&mut sim, &target)).contains("Anna Example"));
    let asked = submit(&mut sim, &target, &format!("as={ANNA}"));
    assert_eq!(boxes(&asked), [PAGE, "pages_show_list", "pages_manage_posts"]);
    let location = allow(&mut sim, &target, ALL);
    assert_eq!(location, "https://localhost/?code=AQFAKEAnnaExample1&state=s#_=_");
    let (status, body) = exchange(&mut sim, &code(&location), REDIRECT);
    assert_eq!(
        (status, &body),
        (
            200,
            &json!({
                "access_token": "EAAFAKEAnnaExample1", "token_type": "bearer", "expires_in": 3600,
            })
        )
    );
    let seen = inspect(&mut sim, "EAAFAKEAnnaExample1");
    assert_eq!(seen["scopes"], json!(["public_profile", "pages_show_list", "pages_manage_posts"]));
    assert_eq!(seen["expires_at"], json!(start().timestamp() + 3600));
    let (status, body) = exchange(&mut sim, &code(&location), REDIRECT);
    assert_eq!((status, &body["error"]["error_subcode"]), (400, &json!(36_009)));
}

#[test]
fn what_was_granted_or_declined_is_asked_again_only_by_rerequest() {
    let mut sim = world();
    sim.mint(anna());
    let target = facebook(SCOPE);
    let page = |answer: &Answer| boxes(answer);
    let asked = submit(&mut sim, &target, &format!("as={ANNA}"));
    assert_eq!(page(&asked), [PAGE, "pages_manage_posts"], "one is granted already");
    let location = allow(&mut sim, &target, "&page=2000000000000001");
    let token = exchange(&mut sim, &code(&location), REDIRECT).1["access_token"].clone();
    let seen = inspect(&mut sim, token.as_str().unwrap());
    assert_eq!(seen["scopes"], json!(["public_profile", "pages_show_list"]));
    let asked = submit(&mut sim, &target, &format!("as={ANNA}"));
    assert_eq!(page(&asked), Vec::<String>::new(), "declined once");
    assert!(text(&asked).contains("Continue as Anna Example?"));
    let again = facebook(&format!("{SCOPE}&auth_type=rerequest"));
    let asked = submit(&mut sim, &again, &format!("as={ANNA}"));
    assert_eq!(page(&asked), [PAGE, "pages_show_list", "pages_manage_posts"]);
}

#[test]
fn a_page_that_is_not_ticked_has_no_token() {
    let mut sim = world();
    let location = allow(&mut sim, &facebook(SCOPE), "&grant=pages_show_list");
    let (_, body) = exchange(&mut sim, &code(&location), REDIRECT);
    let token = body["access_token"].as_str().unwrap();
    let target = format!("/v26.0/me/accounts?fields=id,access_token&access_token={token}");
    let answer = sim.answer(&Call::new("GET", &target, []));
    let listed: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(listed["data"], json!([{ "id": PAGE }]));
}

#[test]
fn what_the_person_declines_is_said_at_the_redirect_address() {
    let mut sim = world();
    let answer = submit(&mut sim, &facebook(SCOPE), "decision=cancel");
    assert_eq!(
        answer.header("Location"),
        Some(
            "https://localhost/?error=access_denied&error_code=200&error_description=Permissions+error\
             &error_reason=user_denied&state=s#_=_"
        )
    );
    for target in [instagram(), threads()] {
        let answer = submit(&mut sim, &target, "decision=cancel");
        assert_eq!(
            answer.header("Location"),
            Some(
                "https://localhost/?error=access_denied&error_reason=user_denied\
                 &error_description=The+user+denied+your+request.&state=s#_"
            )
        );
    }
}

#[test]
fn what_is_wrong_with_the_request_stays_on_metas_page() {
    let mut sim = world();
    for (target, says) in [
        (facebook(SCOPE).replace(LOCAL, "https%3A%2F%2Flocalhost"), "URL blocked"),
        (facebook(SCOPE).replace(LOCAL, "https%3A%2F%2Flocalhost%2F%3Fa"), "URL blocked"),
        (facebook(SCOPE).replace(LOCAL, "http%3A%2F%2Flocalhost%3A8000%2F"), "secure connection"),
        (facebook(SCOPE).replace(APP, "1"), "valid app ID"),
        (facebook(SCOPE).replace(APP, INSTA), "valid app ID"),
        (facebook(&format!("{SCOPE}&config_id=1")), "never both"),
        (facebook(""), "Neither scope nor config_id"),
        (facebook("&config_id=1"), "no configuration 1"),
        (facebook("&scope=public_profile,manage_pages"), "Invalid Scopes: manage_pages"),
        (facebook("&scope=pages_"), "Invalid Scopes: pages_"),
        (facebook(&format!("{SCOPE}&auth_type=again")), "auth_type"),
        (facebook(&format!("{SCOPE}&colour=red")), "colour is not known"),
        (facebook(&format!("{SCOPE}&state=t")), "given twice"),
        (facebook(SCOPE).replace("&state=s", ""), "state is missing"),
        (facebook(SCOPE).replace("=code", "=token"), "response_type"),
        (instagram().replace(LOCAL, "https%3A%2F%2Felse.example%2F"), "Invalid redirect_uri"),
        (instagram().replace(INSTA, APP), "Invalid platform app"),
        (format!("{}&code_challenge=x", instagram()), "code_challenge is not known"),
    ] {
        let answer = show(&mut sim, &target);
        assert_eq!((answer.status, answer.header("Location")), (400, None), "{target}");
        assert!(text(&answer).contains(says), "{target}: {}", text(&answer));
    }
    for (target, code) in [
        (threads().replace(LOCAL, "https%3A%2F%2Felse.example%2F"), 1_349_168),
        (threads().replace(THREADS, APP), 1_349_026),
    ] {
        let answer = show(&mut sim, &target);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["error_code"], json!(code), "{target}");
        assert!(body["error_message"].is_string() && body.get("error").is_none());
    }
    sim.app_mut(THREADS).unwrap().tester_refused = true;
    let answer = show(&mut sim, &threads());
    assert!(text(&answer).contains("1349245"), "{}", text(&answer));
}

#[test]
fn an_app_in_development_may_come_back_to_this_machine() {
    let mut sim = world();
    let target = facebook(SCOPE).replace(LOCAL, "http%3A%2F%2Flocalhost%3A8000%2Fanswer");
    sim.add_app(AppFixture::new(APP, SECRET, "Example Publisher").in_development());
    let location = allow(&mut sim, &target, ALL);
    assert!(location.starts_with("http://localhost:8000/answer?code="), "{location}");
}

#[test]
fn a_locked_account_passes_a_check_first_and_its_tokens_live_again() {
    let mut sim = world();
    let token = sim.mint(anna());
    sim.invalidate(&token, Invalidation::Checkpoint);
    sim.user_mut(ANNA).unwrap().is_checkpointed = true;
    let target = facebook(SCOPE);
    let held = submit(&mut sim, &target, &format!("as={ANNA}&decision=allow{ALL}"));
    assert!(text(&held).contains("Confirm that it is you"), "{}", text(&held));
    let asked = submit(&mut sim, &target, &format!("as={ANNA}&decision=check"));
    assert_eq!(boxes(&asked), [PAGE, "pages_manage_posts"]);
    assert_eq!(sim.invalidation(&token), None);
}

#[test]
fn a_code_is_refused_by_its_number() {
    let late = TimeDelta::seconds(601);
    let refused = |spoil: &dyn Fn(&mut Simulation, &str) -> (u16, Value)| {
        let mut sim = world();
        let location = allow(&mut sim, &facebook(SCOPE), ALL);
        let (status, body) = spoil(&mut sim, &code(&location));
        (status, body["error"]["code"].clone(), body["error"]["error_subcode"].clone())
    };
    let number = |code: i64, subcode: Option<i64>| (400, json!(code), json!(subcode));
    for (spoil, expected) in [
        (
            &(|sim: &mut Simulation, code: &str| {
                sim.set_now(start() + late);
                exchange(sim, code, REDIRECT)
            }) as &dyn Fn(&mut Simulation, &str) -> (u16, Value),
            number(100, Some(36_007)),
        ),
        (
            &|sim, code| exchange(sim, code, "&redirect_uri=https%3A%2F%2Flocalhost"),
            number(100, Some(36_008)),
        ),
        (&|sim, code| exchange(sim, code, ""), number(100, Some(36_008))),
        (&|sim, code| exchange(sim, code, &format!("{REDIRECT}&code_verifier=x")), number(1, None)),
        (&|sim, code| exchange(sim, &format!("{code}x"), REDIRECT), number(100, None)),
        (&|sim, code| exchange(sim, &format!("{code}%23_%3D_"), REDIRECT), number(100, None)),
    ] {
        assert_eq!(refused(spoil), expected);
    }
}

#[test]
fn embedded_signup_gives_a_code_for_thirty_seconds_without_a_redirect_address() {
    let mut sim = world();
    sim.add_user(UserFixture::new(ROBOT, "Example Robot"));
    let code = sim.embedded_signup(APP, ROBOT, &["whatsapp_business_messaging"]);
    let (status, body) = exchange(&mut sim, &code, "");
    assert_eq!(status, 200, "{body}");
    assert_eq!(body, json!({ "access_token": "EAAFAKEExampleRobot1", "token_type": "bearer" }));
    let seen = inspect(&mut sim, "EAAFAKEExampleRobot1");
    assert_eq!((&seen["type"], &seen["expires_at"]), (&json!("SYSTEM_USER"), &json!(0)));
    let late = sim.embedded_signup(APP, ROBOT, &["whatsapp_business_messaging"]);
    sim.set_now(start() + TimeDelta::seconds(31));
    assert_eq!(exchange(&mut sim, &late, "").1["error"]["error_subcode"], json!(36_007));
    let other = sim.embedded_signup(APP, ROBOT, &["whatsapp_business_messaging"]);
    assert_eq!(exchange(&mut sim, &other, REDIRECT).1["error"]["error_subcode"], json!(36_008));
}

#[test]
fn a_login_for_a_business_gives_the_system_users_token() {
    let mut sim = world();
    sim.add_user(UserFixture::new(ROBOT, "Example Robot"));
    let configuration = LoginConfiguration {
        scopes: vec!["ads_management".to_owned()],
        system_user: Some(ROBOT.to_owned()),
    };
    let app = AppFixture::new(APP, SECRET, "Example Publisher").configured("77", configuration);
    sim.add_app(app);
    let location = allow(&mut sim, &facebook("&config_id=77"), "&grant=ads_management");
    let (_, body) = exchange(&mut sim, &code(&location), REDIRECT);
    let seen = inspect(&mut sim, body["access_token"].as_str().unwrap());
    assert_eq!((&seen["user_id"], &seen["scopes"]), (&json!(ROBOT), &json!(["ads_management"])));
}

#[test]
fn instagram_and_threads_take_a_form_and_nothing_else() {
    let mut sim = world();
    let granted = |name: &str, number: u32| {
        json!({
            "access_token": format!("{name}FAKEAnnaExample{number}"), "user_id": ANNA,
            "permissions": if name == "IG" { "instagram_business_basic" } else { "threads_basic" },
        })
    };
    let location = allow(&mut sim, &instagram(), "");
    assert!(location.ends_with("&state=s#_"), "{location}");
    let body = beside(&mut sim, "instagram", INSTA, &code(&location)).1;
    assert_eq!(body, json!({ "data": [granted("IG", 1)] }));
    sim.set_code_reply(CodeReply::Flat);
    let location = allow(&mut sim, &instagram(), "");
    let body = beside(&mut sim, "instagram", INSTA, &code(&location)).1;
    assert_eq!(body, granted("IG", 2));
    let (status, body) = beside(&mut sim, "instagram", INSTA, &code(&location));
    assert_eq!(
        (status, body),
        (
            400,
            json!({
                "error_type": "OAuthException", "code": 400,
                "error_message": "This authorization code has been used.",
            })
        )
    );
    let location = allow(&mut sim, &threads(), "");
    assert_eq!(beside(&mut sim, "threads", THREADS, &code(&location)).1, granted("TH", 3));
    let (_, body) = beside(&mut sim, "threads", APP, &code(&location));
    assert_eq!(body["error"]["code"], json!(4_476_002));
    for host in ["instagram", "threads"] {
        let answer = show(&mut sim, &format!("/{host}/oauth/access_token?code=x"));
        assert_eq!(answer.status, 400);
        assert!(text(&answer).contains("Unsupported request - method type: get"));
    }
}

#[test]
fn access_to_the_data_that_has_ended_begins_again_only_when_it_is_asked_for() {
    let mut sim = world();
    sim.mint(anna());
    sim.set_now(start() + TimeDelta::days(70));
    let now = sim.now().timestamp();
    for (more, end) in [("", now - 10 * 86_400), ("&auth_type=reauthorize", now + 90 * 86_400)] {
        let location = allow(&mut sim, &facebook(&format!("{SCOPE}{more}")), ALL);
        let (_, body) = exchange(&mut sim, &code(&location), REDIRECT);
        let seen = inspect(&mut sim, body["access_token"].as_str().unwrap());
        assert_eq!(seen["data_access_expires_at"], json!(end), "{more}");
    }
}

#[test]
fn names_on_a_page_are_text() {
    let mut sim = world();
    sim.add_page(PageFixture::new(PAGE, "<script>alert('x')</script>"));
    let asked = submit(&mut sim, &facebook(SCOPE), &format!("as={ANNA}"));
    assert!(text(&asked).contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert!(!text(&asked).contains("<script"), "{}", text(&asked));
    sim.mint(TokenFixture::system_user(APP, ANNA));
    assert!(
        !text(&show(&mut sim, &facebook(SCOPE))).contains("Anna"),
        "a System User has no login"
    );
}
