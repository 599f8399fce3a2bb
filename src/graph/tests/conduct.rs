//! What the client makes of answers: what it repeats, what it keeps back, and for how long.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::graph::{App, Extent, Graph, Scope, Settings};
use crate::token::{Action, ProblemKind};

use super::server::{
    ALIVE, Server, answer, app, exchange, gives_nothing_away, graph, noon, nowhere, settings, token,
};

#[test]
fn a_transient_fault_is_tried_again_and_the_request_is_as_meta_wants_it() {
    let down = answer(500, "", r#"{"error":{"code":2,"is_transient":true}}"#);
    let dated = answer(200, "date: Thu, 01 Jan 2026 11:50:00 GMT\r\n", ALIVE);
    let server = Server::answering(vec![down, dated]);
    let graph = server.graph();
    assert_eq!(graph.inspect(&app("7"), &token()).expect("the second").valid, Some(true));
    assert_eq!(graph.calls(), 2);
    assert_eq!(graph.clock_skew(), Some(chrono::TimeDelta::minutes(10)));
    let head = server.heard().remove(1).to_lowercase();
    assert!(head.starts_with("get /v25.0/debug_token?input_token=eaafakemarkedtoken http/1.1"));
    assert!(head.contains("authorization: bearer 7|markedhushhush"), "{head}");
    assert!(head.contains("user-agent: metatoken/"), "{head}");
    assert!(head.contains("accept-encoding: identity"), "{head}");
    assert!(!head.contains("referer"), "{head}");
}

/// Every date of a run was counted by the clock of a proxy, which was years behind.
#[test]
fn only_graph_s_own_answers_tell_the_time() {
    let proxy = answer(502, "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "<html>");
    let alive = answer(200, "date: Thu, 01 Jan 2026 11:50:00 GMT\r\n", ALIVE);
    let server = Server::answering(vec![proxy.clone(), alive]);
    let graph = server.graph();
    graph.inspect(&app("7"), &token()).expect("the second");
    assert_eq!(graph.clock_skew(), Some(chrono::TimeDelta::minutes(10)));
    let server = Server::answering(vec![proxy]);
    let graph = server.graph();
    graph.inspect(&app("7"), &token()).expect_err("it is down");
    assert_eq!(graph.clock_skew(), None);
}

#[test]
fn an_exchange_is_repeated_where_graph_itself_says_that_it_failed() {
    let down = answer(500, "", r#"{"error":{"code":2,"message":"down"}}"#);
    let granted = answer(200, "", r#"{"access_token":"EAAfakenew","expires_in":60}"#);
    let server = Server::answering(vec![down, granted]);
    let grant = server.graph().grant(&app("7"), exchange(), Some(&token())).expect("the second");
    assert_eq!(grant.token.expose(), "EAAfakenew");
    assert_eq!(grant.expiry.at(), Some(noon() + chrono::TimeDelta::minutes(1)));
    let bad_gateway = Server::answering(vec![answer(502, "", "<html>")]);
    bad_gateway.graph().grant(&app("7"), exchange(), Some(&token())).expect_err("it is down");
    assert_eq!(bad_gateway.heard().len(), 1, "nobody knows what came of it");
}

#[test]
fn a_wrong_secret_parks_its_app_and_no_other() {
    let body = r#"{"error":{"code":1,"message":"Error validating client secret: MARKEDhushhush"}}"#;
    let server = Server::answering(vec![answer(400, "", body)]);
    let graph = server.graph();
    let fault =
        graph.grant(&app("7"), exchange(), Some(&token())).expect_err("the secret is wrong");
    assert_eq!(fault.scope, Scope::App("7".into()));
    assert_eq!(fault.problem.action, Action::FixConfiguration);
    gives_nothing_away(&fault);
    assert!(graph.pages(&app("7"), &token(), None).expect_err("it is parked").held_back);
    assert!(!graph.pages(&app("8"), &token(), None).expect_err("it was asked").held_back);
    assert_eq!(server.heard().len(), 2);
}

#[test]
fn a_token_of_another_app_parks_nobody() {
    let body = r#"{"error":{"code":100,"message":"It did not match the Viewing App"}}"#;
    let server = Server::answering(vec![answer(400, "", body)]);
    let graph = server.graph();
    for _ in 0..2 {
        let fault = graph.inspect(&app("7"), &token()).expect_err("it is another app's");
        assert_eq!((fault.scope, fault.held_back), (Scope::Token, false));
    }
}

#[test]
fn graph_is_parked_after_three_calls_that_it_brought_down() {
    let server = Server::answering(vec![answer(503, "", "")]);
    let graph = server.graph();
    for _ in 0..3 {
        let fault = graph.inspect(&app("7"), &token()).expect_err("it is down");
        assert_eq!((fault.problem.kind, fault.held_back), (ProblemKind::GraphUnavailable, false));
    }
    assert!(graph.inspect(&app("7"), &token()).expect_err("it is parked").held_back);
    assert_eq!(server.heard().len(), 9, "three calls of three tries");
}

#[test]
fn a_throttled_call_is_not_repeated() {
    let body = r#"{"error":{"code":4,"message":"Application request limit reached"}}"#;
    let server = Server::answering(vec![answer(400, "", body)]);
    let fault = server.graph().inspect(&app("7"), &token()).expect_err("it is throttled");
    assert_eq!(fault.scope, Scope::App("7".into()));
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn the_list_of_pages_is_read_to_its_end_and_no_further() {
    let stretch = |id: usize, paging: &str| {
        let body = format!(r#"{{"data":[{{"id":"{id}"}}],"paging":{paging}}}"#);
        answer(200, "", &body)
    };
    let more = r#"{"cursors":{"after":"A"},"next":"https://graph.example/?access_token=EAAfake"}"#;
    let ids = |server: &Server| {
        let pages = server.graph().pages(&app("7"), &token(), None).expect("a list");
        pages.pages.into_iter().map(|page| page.id).collect::<Vec<_>>()
    };
    let end = r#"{"cursors":{"after":"B"}}"#;
    let server = Server::answering(vec![stretch(1, more), stretch(2, end)]);
    assert_eq!(ids(&server), ["1", "2"]);
    let heard = server.heard();
    assert!(heard[0].contains("limit=100") && !heard[0].contains("after="), "{}", heard[0]);
    assert!(heard[1].contains("after=A") && heard[1].contains("appsecret_proof="), "{}", heard[1]);
    let endless = Server::answering(vec![stretch(1, more)]);
    assert_eq!(ids(&endless), ["1"]);
    assert_eq!(endless.heard().len(), 2, "a cursor that comes again ends the list");
    let places = std::sync::atomic::AtomicUsize::new(0);
    let circle = Server::that(move |_, stream| {
        let place = places.fetch_add(1, Ordering::Relaxed);
        let paging = format!(r#"{{"cursors":{{"after":"{place}"}},"next":"https://x/"}}"#);
        let _ = stream.write_all(stretch(place % 3, &paging).as_bytes());
    });
    let list = circle.graph().pages(&app("7"), &token(), None).expect("a list");
    assert_eq!((list.pages.len(), list.extent), (3, Extent::Cut), "the same Pages come again");
    assert_eq!(circle.heard().len(), 4);
}

/// Whose host `next` names means nothing: our own is asked, and the token goes nowhere else.
#[test]
fn a_list_without_cursors_goes_on_by_what_next_carries() {
    let stretch = |id: u32, paging: &str| {
        answer(200, "", &format!(r#"{{"data":[{{"id":"{id}"}}]{paging}}}"#))
    };
    let next =
        |query: &str| format!(r#","paging":{{"next":"https://elsewhere.example/x?{query}"}}"#);
    let offset = |n: u32| next(&format!("limit=25&offset={n}&access_token=EAAfakeother"));
    for (answers, ids, extent, asked) in [
        (vec![stretch(1, &offset(25)), stretch(2, "")], 2, Extent::Whole, "&offset=25"),
        (
            vec![stretch(1, &next("__after_id=9")), stretch(2, "")],
            2,
            Extent::Whole,
            "&__after_id=9",
        ),
        // The same again and again.
        (vec![stretch(1, &offset(25))], 1, Extent::Cut, "&offset=25"),
    ] {
        let server = Server::answering(answers);
        let list = server.graph().pages(&app("7"), &token(), None).expect("a list");
        assert_eq!((list.pages.len(), list.extent), (ids, extent), "{asked}");
        let heard = server.heard();
        assert_eq!(heard.len(), 2, "{asked}");
        assert!(heard[1].contains(asked) && !heard[1].contains("EAAfakeother"), "{}", heard[1]);
    }
    let server = Server::answering(vec![stretch(1, &next("access_token=EAAfakeother"))]);
    let list = server.graph().pages(&app("7"), &token(), None).expect("a list");
    assert_eq!((list.pages.len(), list.extent), (1, Extent::Cut), "it says no place");
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn a_list_that_is_too_much_is_asked_for_in_shorter_stretches() {
    let limit = |head: &str| head.split("limit=").nth(1)?.split(['&', ' ']).next()?.parse().ok();
    let most = |largest: u32, status: u16| {
        Server::that_hears(move |head, stream| {
            let asked: u32 = limit(head).expect("a limit");
            let less = r#"{"error":{"code":1,"message":"Please reduce the amount of data you're asking for, then retry your request"}}"#;
            let page = r#"{"data":[{"id":"1"}]}"#;
            let answer =
                if asked > largest { answer(status, "", less) } else { answer(200, "", page) };
            let _ = stream.write_all(answer.as_bytes());
        })
    };
    for (largest, status, calls) in
        [(100, 500, 1), (50, 500, 2), (25, 503, 3), (3, 400, 6), (1, 500, 7)]
    {
        let server = most(largest, status);
        let list = server.graph().pages(&app("7"), &token(), None).expect("a list");
        assert_eq!((list.pages.len(), list.extent), (1, Extent::Whole), "{largest}");
        assert_eq!(server.heard().len(), calls, "{largest}");
    }
    let server = most(0, 500);
    let fault = server.graph().pages(&app("7"), &token(), None).expect_err("not even one");
    assert_eq!(fault.problem.kind, ProblemKind::GraphUnavailable);
    assert_eq!(server.heard().len(), 7, "each limit is tried once");
}

/// A host that throttles without a word of Meta's, or that names the time at which it is back, is
/// left alone by everybody, and so it is in the next run.
#[test]
fn a_host_that_wants_no_calls_is_left_alone() {
    let in_an_hour = "retry-after: 3600\r\ndate: Thu, 01 Jan 2026 12:00:00 GMT\r\n";
    let at_one =
        "retry-after: Thu, 01 Jan 2026 13:00:00 GMT\r\ndate: Thu, 01 Jan 2026 12:00:00 GMT\r\n";
    let hour = Some(chrono::TimeDelta::hours(1));
    let html = "<html>Too Many Requests</html>";
    for (status, headers, body, wait, held) in [
        (429, in_an_hour, html, hour, true),
        (429, at_one, html, hour, true),
        (429, "", html, None, true),
        (429, "", "", None, true),
        (429, in_an_hour, r#"{"message":"slow down"}"#, hour, true),
        (429, in_an_hour, r#"{"error":{"message":"slow down"}}"#, hour, true),
        (503, in_an_hour, html, hour, true),
        // One bad gateway says nothing of the next call.
        (502, in_an_hour, html, None, false),
        (503, "", html, None, false),
    ] {
        let server = Server::answering(vec![answer(status, headers, body)]);
        let graph = graph(Settings { attempts: 1, ..settings(&server.url) });
        let fault = graph.inspect(&app("7"), &token()).expect_err("it is throttled");
        assert_eq!((&fault.scope, fault.wait), (&Scope::Graph, wait), "{status} {headers} {body}");
        let next = graph.inspect(&app("8"), &token()).expect_err("so is the next");
        assert_eq!(next.held_back, held, "{status} {headers} {body}");
        let remembered: Vec<_> = graph.throttles().into_iter().map(|it| it.wait).collect();
        let expected = if held { vec![wait] } else { Vec::new() };
        assert_eq!(remembered, expected, "{status} {headers} {body}");
    }
}

#[test]
fn without_a_secret_nobody_is_asked() {
    let graph = graph(settings(&nowhere().url));
    let app = App { secret: None, ..app("7") };
    let fault = graph.grant(&app, exchange(), Some(&token())).expect_err("there is no secret");
    assert_eq!(fault.problem.kind, ProblemKind::BadAppCredentials);
    assert_eq!(
        fault.problem.message,
        "app `main` has no `secret`, which is needed to exchange a token"
    );
}

#[test]
fn a_client_that_cannot_be_built_is_the_configurations_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    for content in
        [None, Some(""), Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")]
    {
        if let Some(content) = content {
            let mut file = std::fs::File::create(&ca_file).expect("a file");
            file.write_all(content.as_bytes()).expect("it is written");
        }
        let settings = Settings { ca_file: Some(ca_file.clone()), ..settings(&nowhere().url) };
        let fault = graph(settings).inspect(&app("7"), &token()).expect_err("no client");
        assert_eq!(fault.problem.action, Action::FixConfiguration, "{fault}");
        assert!(fault.problem.message.contains("ca.pem"), "{fault}");
    }
    for url in ["http://graph.example.org", "nonsense", "data:x"] {
        let fault = graph(settings(url)).inspect(&app("7"), &token()).expect_err(url);
        assert_eq!(fault.problem.action, Action::FixConfiguration, "{url}: {fault}");
    }
}

#[test]
fn nothing_is_asked_out_of_time_or_after_a_stop() {
    let server = Server::answering(vec![answer(200, "", ALIVE)]);
    let late = graph(Settings { deadline: Some(Instant::now()), ..settings(&server.url) });
    let fault = late.inspect(&app("7"), &token()).expect_err("it is too late");
    assert_eq!(fault.problem.message, "not asked: out of time");
    let stop = Arc::new(AtomicBool::new(true));
    let stopped = Graph::new(settings(&server.url), Clock::standing(noon()), stop);
    let fault = stopped.inspect(&app("7"), &token()).expect_err("it is stopped");
    assert_eq!(fault.problem.message, "not asked: the run is being stopped");
    assert!(fault.held_back);
    assert_eq!(server.heard().len(), 0);
}

/// Waits for something that happens soon, and no longer than a test may hang.
fn until(happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn no_more_calls_are_under_way_than_there_are_slots() {
    const SLOTS: usize = 3;
    /// Long enough for one call too many to arrive.
    const HELD: Duration = Duration::from_millis(50);
    let most = Arc::new(AtomicUsize::new(0));
    let (under_way, seen) = (AtomicUsize::new(0), Arc::clone(&most));
    let server = Server::that(move |number, stream| {
        seen.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        if number > 0 {
            until(|| seen.load(Ordering::SeqCst) >= SLOTS);
            std::thread::sleep(HELD);
        }
        under_way.fetch_sub(1, Ordering::SeqCst);
        let _ = stream.write_all(answer(200, "", ALIVE).as_bytes());
    });
    let graph = graph(Settings { concurrency: SLOTS, ..settings(&server.url) });
    // The first is asked alone, whatever number of slots there is.
    graph.inspect(&app("7"), &token()).expect("the first answer");
    std::thread::scope(|scope| {
        for _ in 0..3 * SLOTS {
            scope.spawn(|| graph.inspect(&app("7"), &token()).expect("an answer"));
        }
    });
    assert_eq!(server.heard().len(), 1 + 3 * SLOTS);
    assert_eq!(most.load(Ordering::SeqCst), SLOTS);
}

#[test]
fn a_stop_reaches_a_call_that_waits_for_its_slot() {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let server = Server::that(move |number, stream| {
        if number > 0 {
            until(|| stopped.load(Ordering::Relaxed));
        }
        let _ = stream.write_all(answer(200, "", ALIVE).as_bytes());
    });
    let settings = Settings { concurrency: 1, ..settings(&server.url) };
    let graph = Graph::new(settings, Clock::standing(noon()), Arc::clone(&stop));
    // The first is asked alone, whatever number of slots there is.
    graph.inspect(&app("7"), &token()).expect("the first answer");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = || graph.inspect(&app("7"), &token());
        let calls = [scope.spawn(ask), scope.spawn(ask)];
        until(|| server.heard().len() > 1);
        stop.store(true, Ordering::Relaxed);
        calls.map(|call| call.join().expect("no panic")).into()
    });
    assert_eq!(server.heard().len(), 2);
    let held_back: Vec<_> = answers.iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(held_back.len(), 1, "{answers:?}");
    assert_eq!(held_back[0].problem.message, "not asked: the run is being stopped");
}

#[test]
fn a_stop_cuts_the_waiting_short() {
    let server = Server::answering(vec![answer(503, "retry-after: 10\r\n", "")]);
    let stop = Arc::new(AtomicBool::new(false));
    let graph = Graph::new(settings(&server.url), Clock::standing(noon()), Arc::clone(&stop));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| graph.inspect(&app("7"), &token()).expect_err("it is down"));
        while server.heard().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn a_death_that_graph_calls_transient_is_asked_about_again() {
    let passing =
        answer(400, "", r#"{"error":{"code":190,"error_subcode":463,"is_transient":true}}"#);
    let server = Server::answering(vec![passing, answer(200, "", ALIVE)]);
    let graph = server.graph();
    assert_eq!(graph.inspect(&app("7"), &token()).expect("the second").valid, Some(true));
    assert_eq!(graph.calls(), 2);
}

#[test]
fn a_throttled_app_is_left_alone_for_as_long_as_graph_says() {
    let usage = "x-app-usage: {'call_count': 130}\r\nx-business-use-case-usage: \
                 {\"9\":[{\"estimated_time_to_regain_access\":12}]}\r\n";
    for (code, is_the_apps) in [(4, true), (341, true), (17, false), (32, false), (80_004, false)] {
        let body = format!(r#"{{"error":{{"code":{code},"message":"Too many calls"}}}}"#);
        let server = Server::answering(vec![answer(400, usage, &body)]);
        let graph = server.graph();
        let first = graph.pages(&app("7"), &token(), None).expect_err("it is throttled");
        assert_eq!(first.problem.message, "Too many calls: Graph answers again in 12 minutes");
        assert_eq!((first.wait, first.held_back), (Some(chrono::TimeDelta::minutes(12)), false));
        let second = graph.pages(&app("7"), &token(), None).expect_err("it is throttled");
        assert_eq!((second.wait, second.held_back), (first.wait, is_the_apps), "{code}");
        let other = graph.pages(&app("8"), &token(), None).expect_err("it is throttled too");
        assert!(!other.held_back, "{code}");
        let throttles = graph.throttles();
        assert_eq!(
            throttles.first().map(|it| it.wait),
            is_the_apps.then_some(first.wait),
            "{code}"
        );
        assert_eq!(server.heard().len(), if is_the_apps { 2 } else { 3 }, "{code}");
    }
}

#[test]
fn a_block_for_policy_is_not_hammered() {
    let body = r#"{"error":{"code":368,"message":"blocked","is_transient":true}}"#;
    let server = Server::answering(vec![answer(400, "retry-after: 1\r\n", body)]);
    let fault = server.graph().pages(&app("7"), &token(), None).expect_err("it is blocked");
    assert_eq!((fault.problem.action, fault.wait), (Action::Wait, None));
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn what_the_headers_tell_is_remembered() {
    let told = "x-app-usage: {\"call_count\":91}\r\nfacebook-api-version: v26.0\r\n";
    let silent = answer(200, "", ALIVE);
    let server = Server::answering(vec![answer(200, told, ALIVE), silent]);
    let graph = server.graph();
    assert_eq!((graph.budget_used(&app("7")), graph.fallbacks()), (None, Vec::new()));
    for _ in 0..2 {
        graph.inspect(&app("7"), &token()).expect("it is alive");
        assert_eq!((graph.budget_used(&app("7")), graph.budget_used(&app("8"))), (Some(91), None));
        let (app, asked, answered) = ("main".into(), "v25.0".into(), "v26.0".into());
        assert_eq!(graph.fallbacks(), [crate::graph::VersionFallback { app, asked, answered }]);
    }
}
