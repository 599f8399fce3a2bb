//! The grants of Instagram and Threads, each rule tried at both.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::sandbox::{
    AppFixture, DeadRefusal, Invalidation, OldString, Renewal, Simulation, TokenFixture,
    YoungRefusal,
};
use crate::token::{Expiry, Provider};

use super::{ANNA, INSTA, OWN_SECRET, SECRET, THREADS, ask, start, world};

const SIXTY_DAYS: i64 = 60 * 86_400;
const SESSION_KEY: &str = "Session key invalid. This could be because the session key has an \
                           incorrect format, or because the user has revoked this session";

/// What one of the two hosts calls things.
struct Names {
    provider: Provider,
    app: &'static str,
    grants: &'static str,
    kind: &'static str,
    permission: &'static str,
    me: &'static str,
    subcode: fn(Invalidation) -> Option<i64>,
}

const HOSTS: [Names; 2] = [
    Names {
        provider: Provider::Instagram,
        app: INSTA,
        grants: "ig",
        kind: "IGApiException",
        permission: "instagram_business_basic",
        me: "/instagram/v25.0/me",
        subcode: |_| None,
    },
    Names {
        provider: Provider::Threads,
        app: THREADS,
        grants: "th",
        kind: "THApiException",
        permission: "threads_basic",
        me: "/threads/v1.0/me",
        subcode: |invalidation| Some(invalidation.subcode()),
    },
];

impl Names {
    /// Anna's long-lived token, a month old.
    fn anna(&self) -> TokenFixture {
        let spec = match self.provider {
            Provider::Threads => TokenFixture::threads(self.app, ANNA),
            _ => TokenFixture::instagram(self.app, ANNA),
        };
        spec.named("anna").aged(TimeDelta::days(30))
    }

    /// Anna's token as it comes from a log-in.
    fn in_haste(&self) -> TokenFixture {
        let hour = Expiry::At(start() + TimeDelta::hours(1));
        self.anna().aged(TimeDelta::zero()).ending(hour)
    }

    fn string(&self, number: u32) -> String {
        format!("{}FAKEAnna{number}", self.grants.to_uppercase())
    }

    fn exchange(&self, string: &str) -> String {
        format!(
            "/{}/access_token?grant_type={}_exchange_token&client_secret={OWN_SECRET}\
             &access_token={string}",
            self.provider, self.grants
        )
    }

    fn refresh(&self, string: &str) -> String {
        format!(
            "/{}/refresh_access_token?grant_type={}_refresh_token&access_token={string}",
            self.provider, self.grants
        )
    }

    #[track_caller]
    fn refused(&self, sim: &mut Simulation, target: &str, code: i64, message: &str) {
        let before = sim.revision();
        let (status, body) = ask(sim, "", target);
        let error = &body["error"];
        assert_eq!((status, &error["type"]), (400, &json!(self.kind)), "{target}: {body}");
        assert_eq!(error["code"], code, "{target}: {body}");
        assert_eq!(error["message"], message, "{target}");
        assert_eq!(sim.revision(), before, "nothing was done");
    }
}

#[track_caller]
fn granted(sim: &mut Simulation, target: &str) -> Value {
    let (status, grant) = ask(sim, "", target);
    assert_eq!(status, 200, "{target}: {grant}");
    assert_eq!(grant["token_type"], "bearer");
    grant
}

#[test]
fn an_hour_becomes_sixty_days() {
    for host in &HOSTS {
        let mut sim = world();
        let hasty = sim.mint(host.in_haste());
        let grant = granted(&mut sim, &host.exchange(&hasty));
        assert_eq!(grant["access_token"], host.string(2));
        assert_eq!(grant["expires_in"], SIXTY_DAYS);
        assert_eq!(sim.invalidation(&hasty), None, "the old string lives until its own end");
        assert_eq!(sim.expiry(&hasty), Some(Expiry::At(start() + TimeDelta::hours(1))));
        assert_eq!(ask(&mut sim, &host.string(2), host.me).0, 200);
    }
}

#[test]
fn an_exchange_is_for_the_short_lived_and_needs_the_secret() {
    for host in &HOSTS {
        let mut sim = world();
        let hasty = sim.mint(host.in_haste());
        let lasting = sim.mint(host.anna());
        let whole = host.exchange(&hasty);
        let (known, wrong) = ("is not known here", "Error validating client secret");
        for (target, code, message) in [
            (host.exchange(&lasting), 452, SESSION_KEY.to_owned()),
            (whole.replace(OWN_SECRET, SECRET), 100, wrong.to_owned()),
            (
                whole.replace(OWN_SECRET, ""),
                100,
                "(#100) The parameter client_secret is required".to_owned(),
            ),
            (
                whole.replace("_exchange_token", "_refresh_token"),
                100,
                "(#100) The grant_type is not supported".to_owned(),
            ),
            (
                whole.replace(&hasty, ""),
                100,
                "(#100) The parameter access_token is required".to_owned(),
            ),
            (whole.replace(&hasty, &host.string(9)), 190, "Invalid OAuth access token.".to_owned()),
            (
                format!("{whole}&client_id={}", host.app),
                100,
                format!("(#100) The parameter client_id {known}"),
            ),
        ] {
            host.refused(&mut sim, &target, code, &message);
        }
        sim.invalidate(&hasty, Invalidation::AppRemoved);
        let sentence = format!(
            "Error validating access token: The user has not authorized application {}.",
            host.app
        );
        host.refused(&mut sim, &whole, 190, &sentence);
    }
}

#[test]
fn sixty_days_begin_again_as_the_token_was_made_to() {
    let month = 30 * 86_400;
    for host in &HOSTS {
        let (same, new) = (host.string(1), host.string(2));
        for (spec, string, expires_in, lives_until) in [
            (host.anna(), &new, Some(SIXTY_DAYS), SIXTY_DAYS),
            (host.anna().withholding_expires_in(), &new, None, SIXTY_DAYS),
            (host.anna().renewal(Renewal::ExtendsInPlace), &same, Some(SIXTY_DAYS), SIXTY_DAYS),
            (host.anna().renewal(Renewal::KeepsString), &same, Some(month), month),
            (host.anna().renewal(Renewal::KeepsEnd), &new, Some(month), month),
        ] {
            let mut sim = world();
            let renewal = spec.renewal.clone();
            let old = sim.mint(spec);
            let grant = granted(&mut sim, &host.refresh(&old));
            assert_eq!(grant["access_token"], **string, "{renewal:?}");
            assert_eq!(grant["expires_in"].as_i64(), expires_in, "{renewal:?}");
            let end = Expiry::At(start() + TimeDelta::seconds(lives_until));
            assert_eq!(sim.expiry(string), Some(end), "{renewal:?}");
            assert_eq!(sim.invalidation(&old), None, "the old string lives on");
        }
        let mut sim = world();
        sim.set_old_string(OldString::Dies);
        let old = sim.mint(host.anna());
        granted(&mut sim, &host.refresh(&old));
        assert_eq!(sim.invalidation(&old), Some(Invalidation::SessionInvalid));
        assert_eq!(sim.invalidation(&new), None);
    }
}

#[test]
fn a_renewal_takes_no_secret_and_no_header() {
    for host in &HOSTS {
        let mut sim = world();
        let token = sim.mint(host.anna());
        let whole = host.refresh(&token);
        for parameter in ["client_secret", "client_id", "appsecret_proof"] {
            let message = format!("(#100) The parameter {parameter} is not known here");
            host.refused(&mut sim, &format!("{whole}&{parameter}=1"), 100, &message);
        }
        let (_, twice) = ask(&mut sim, &token, &whole);
        assert_eq!(twice["error"]["code"], 100);
        let (_, by_header) = ask(&mut sim, &token, &whole.replace(&token, ""));
        let message = "(#100) The parameter access_token is required";
        assert_eq!(by_header["error"]["message"], message);
        let narrow = sim.mint(host.anna().scopes(["public_profile"]));
        let message = "(#10) Application does not have permission for this action";
        host.refused(&mut sim, &host.refresh(&narrow), 10, message);
        let wide = sim.mint(host.anna().scopes(["public_profile", host.permission]));
        granted(&mut sim, &host.refresh(&wide));
    }
}

#[test]
fn a_string_is_renewed_when_it_is_long_lived_and_a_day_old() {
    let unsupported = "Unsupported request - method type: get";
    for host in &HOSTS {
        let mut sim = world();
        let new = sim.mint(host.anna().aged(TimeDelta::zero()));
        let hasty = sim.mint(host.in_haste());
        host.refused(&mut sim, &host.refresh(&hasty), 452, SESSION_KEY);
        sim.set_now(start() + TimeDelta::hours(24) - TimeDelta::seconds(1));
        host.refused(&mut sim, &host.refresh(&new), 452, SESSION_KEY);
        sim.set_young_refusal(YoungRefusal::Unsupported);
        host.refused(&mut sim, &host.refresh(&new), 100, unsupported);
        assert_eq!(ask(&mut sim, &new, host.me).0, 200, "young, and not dead");
        sim.set_now(start() + TimeDelta::hours(24));
        let next = granted(&mut sim, &host.refresh(&new));
        let next = next["access_token"].as_str().unwrap().to_owned();
        host.refused(&mut sim, &host.refresh(&next), 100, unsupported);
        granted(&mut sim, &host.refresh(&new));
        let in_place = sim.mint(host.anna().renewal(Renewal::ExtendsInPlace));
        granted(&mut sim, &host.refresh(&in_place));
        host.refused(&mut sim, &host.refresh(&in_place), 100, unsupported);
    }
}

#[test]
fn the_dead_are_refused_with_the_usual_sentence() {
    for host in &HOSTS {
        for invalidation in Invalidation::ALL {
            let mut sim = world();
            let token = sim.mint(host.anna());
            sim.invalidate(&token, invalidation);
            for target in [host.refresh(&token), format!("{}?access_token={token}", host.me)] {
                let (status, body) = ask(&mut sim, "", &target);
                let error = &body["error"];
                let (kind, code) = (&error["type"], &error["code"]);
                assert_eq!((status, kind, code), (400, &json!(host.kind), &json!(190)));
                let said = error["message"].as_str().unwrap();
                assert_eq!(said, invalidation.sentence(host.app, start().timestamp(), sim.now));
                assert_eq!(
                    error["error_subcode"].as_i64(),
                    (host.subcode)(invalidation),
                    "{invalidation:?}"
                );
            }
            sim.set_dead_refusal(DeadRefusal::NoResource);
            let message = "The requested resource does not exist";
            host.refused(&mut sim, &host.refresh(&token), 100, message);
        }
        let mut sim = world();
        let token = sim.mint(host.anna());
        sim.set_now(start() + TimeDelta::days(30));
        let (_, body) = ask(&mut sim, "", &host.refresh(&token));
        let said = body["error"]["message"].as_str().unwrap();
        assert!(said.starts_with("Error validating access token: Session has expired on"));
        sim.set_dead_refusal(DeadRefusal::NoResource);
        let facebooks = sim.mint(super::anna());
        sim.invalidate(&facebooks, Invalidation::Revoked);
        assert_eq!(ask(&mut sim, &facebooks, "/v25.0/me").1["error"]["code"], 190);
    }
}

#[test]
fn an_app_can_be_throttled_or_shut_there_too() {
    for host in &HOSTS {
        let mut sim = world();
        let token = sim.mint(host.anna());
        let app = || AppFixture::new(host.app, OWN_SECRET, "Example").of(host.provider);
        sim.add_app(app().throttled());
        let message = "(#4) Application request limit reached";
        host.refused(&mut sim, &host.refresh(&token), 4, message);
        sim.add_app(app().disabled());
        let message = "API access deactivated. To reactivate, go to the app dashboard.";
        host.refused(&mut sim, &host.refresh(&token), 200, message);
    }
}
