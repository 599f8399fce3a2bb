//! Mails.

use super::mail_server::{DRIP, END_OF_MAIL, GREETING, HANG_UP, Manners, SILENCE, TestServer};
use super::*;

pub fn email(port: u16) -> EmailChannel {
    let server =
        SmtpServer { host: "127.0.0.1".into(), port, security: SmtpSecurity::None, login: None };
    EmailChannel {
        to: vec!["ops@example.org".into()],
        from: "metatoken@example.org".into(),
        id_domain: "web1.example.org".into(),
        server,
    }
}

pub fn mail(email: EmailChannel, retry: SendPolicy) -> Result<(), SendError> {
    send(&Channel::Email(email), &message(), &notifier().with_retry_policy(retry))
}

/// The mail that the server took, in lines.
#[track_caller]
fn taken(server: &TestServer) -> Vec<String> {
    let mail = server.heard().into_iter().find(|line| line.contains("Subject: "));
    mail.expect("a mail").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_mail_is_these_bytes() {
    let server = TestServer::that(&[]);
    mail(email(server.port), PATIENT).unwrap();
    assert_eq!(
        server.heard(),
        [
            "EHLO web1.example.org",
            "MAIL FROM:<metatoken@example.org>",
            "RCPT TO:<ops@example.org>",
            "DATA",
            "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\
             Message-ID: <7-brand-critical@web1.example.org>\r\n\
             Subject: metatoken CRITICAL: `brand` was revoked\r\n\
             Auto-Submitted: auto-generated\r\n\
             To: ops@example.org\r\n\
             From: metatoken@example.org\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\
             \r\n\
             CRITICAL `brand`: Meta revoked it\r\n\
             run `metatoken exchange brand`\r\n",
            "QUIT",
        ]
    );
}

#[test]
fn what_others_chose_makes_no_header_and_ends_no_mail() {
    let server = TestServer::that(&[]);
    let message = Message {
        id: "1\r\nX-Id: 2".to_owned(),
        subject: format!("Page \"A\r\nBcc: all@example.org\u{0}\" {}", "ö".repeat(200)),
        text: "Größe\r\n.\r\nMAIL FROM:<x@example.org>\n.\n..\n".to_owned(),
        ..message()
    };
    send(&Channel::Email(email(server.port)), &message, &notifier()).unwrap();
    assert_eq!((server.count("MAIL"), server.count("QUIT")), (1, 1));
    let mail = taken(&server);
    let head: Vec<&String> = mail.iter().take_while(|line| !line.is_empty()).collect();
    assert!(mail.contains(&"Message-ID: <1X-Id2@web1.example.org>".to_owned()), "{mail:?}");
    assert!(head.iter().all(|line| line.is_ascii() && line.len() < 100), "{head:?}");
    assert!(!head.iter().any(|line| line.starts_with("Bcc") || line.starts_with("X-")), "{head:?}");
    // Lines that begin with a dot have another before it on the wire.
    let body = &mail[head.len() + 1..];
    assert_eq!(body, ["Gr=C3=B6=C3=9Fe", "..", "MAIL FROM:<x@example.org>", "..", "...", ""]);
}

#[test]
fn a_subject_ends_at_a_hundred_and_fifty_characters() {
    let server = TestServer::that(&[]);
    let message = Message { subject: "word ".repeat(60), ..message() };
    send(&Channel::Email(email(server.port)), &message, &notifier()).unwrap();
    let mail = taken(&server).join("\r\n").replace("\r\n ", " ");
    let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap();
    assert!(subject.starts_with("metatoken CRITICAL: word word"), "{subject}");
    // The ellipsis is not ASCII, so the word that it ends is encoded.
    let plain = subject.split(" =?utf-8?b?").next().unwrap();
    assert!((130..150).contains(&plain.len()), "{subject}");
    assert!(subject.ends_with("?="), "{subject}");
}

#[test]
fn a_machine_without_a_whole_name_greets_with_its_address() {
    let server = TestServer::that(&[]);
    let from = default_from("web1");
    let email = EmailChannel { from, id_domain: domain("web1"), ..email(server.port) };
    let notifier = Notifier::new("web1").with_retry_policy(PATIENT);
    send(&Channel::Email(email), &message(), &notifier).unwrap();
    let heard = server.heard();
    assert_eq!(heard[..2], ["EHLO [127.0.0.1]", "MAIL FROM:<metatoken@web1>"]);
    assert!(heard[4].contains("Message-ID: <7-brand-critical@web1>"), "{heard:?}");
}

#[test]
fn each_refusal_is_told_and_only_one_that_may_pass_is_tried_again() {
    let cases: [(Manners, usize, &str); 13] = [
        (&[(GREETING, &["554 no"])], 0, "`127.0.0.1` rejects the connection: 554 no"),
        (&[(GREETING, &["421 busy"])], 0, "`127.0.0.1` rejects the connection: 421 busy"),
        (&[(GREETING, &["HTTP/1.1 400 Bad"])], 0, "`127.0.0.1`, port 0, does not speak SMTP"),
        (&[(GREETING, &[HANG_UP])], 0, "`127.0.0.1`, port 0, does not speak SMTP"),
        (&[("EHLO", &["502 what?"])], 1, "`127.0.0.1` rejects the connection: 502 what?"),
        (
            &[("MAIL", &["553 5.1.8 not yours"])],
            1,
            "`127.0.0.1` refused the sender `metatoken@example.org`: 553 5.1.8 not yours",
        ),
        (
            &[("RCPT", &["550 5.1.1 unknown"])],
            1,
            "`127.0.0.1` refused `ops@example.org`: 550 5.1.1 unknown",
        ),
        (
            &[("RCPT", &["550-5.7.1 see\r\n550 5.7.1 EAAFAKEtoken12345"])],
            1,
            "`127.0.0.1` refused `ops@example.org`: 550 5.7.1 see [redacted]",
        ),
        (
            &[("RCPT", &["451 4.7.1 later"])],
            2,
            "`127.0.0.1` refused `ops@example.org`: 451 4.7.1 later",
        ),
        (&[("RCPT", &["421 going"])], 2, "`127.0.0.1` refused `ops@example.org`: 421 going"),
        (&[("DATA", &["554 no"])], 1, "`127.0.0.1` refused the mail: 554 no"),
        (
            &[(END_OF_MAIL, &["552 5.3.4 too long"])],
            1,
            "`127.0.0.1` refused the mail: 552 5.3.4 too long",
        ),
        (&[("RCPT", &[HANG_UP])], 2, "`127.0.0.1` broke off, or does not speak SMTP"),
    ];
    for (manners, conversations, expected) in cases {
        let server = TestServer::that(manners);
        let why = sentence(mail(email(server.port), PATIENT));
        assert_eq!(why.replace(&format!("port {}", server.port), "port 0"), expected);
        assert_eq!(server.count("EHLO"), conversations, "{expected}");
    }
}

#[test]
fn what_passes_is_sent_the_second_time_and_is_the_same_mail() {
    let cases: [Manners; 4] = [
        &[(GREETING, &["421 busy", "220 hello"])],
        &[("MAIL", &["451 later", "250 ok"])],
        &[("RCPT", &["450 greylisted", "250 ok"])],
        &[(END_OF_MAIL, &["451 later", "250 ok"])],
    ];
    for manners in cases {
        let server = TestServer::that(manners);
        mail(email(server.port), PATIENT).unwrap();
        let heard = server.heard();
        let mails: Vec<_> = heard.iter().filter(|line| line.contains("Message-ID")).collect();
        assert!(mails.windows(2).all(|two| two[0] == two[1]), "{manners:?}");
    }
}

#[test]
fn one_who_is_refused_keeps_the_mail_from_nobody() {
    let to = |email: EmailChannel| EmailChannel {
        to: ["a@example.org", "Bert <b@example.org>", "c@example.org"].map(String::from).into(),
        ..email
    };
    let server = TestServer::that(&[("RCPT TO:<b", &["550 unknown"])]);
    assert_eq!(
        sentence(mail(to(email(server.port)), PATIENT)),
        "`127.0.0.1` refused `b@example.org`: 550 unknown; it was sent to all others"
    );
    assert_eq!((server.count("EHLO"), server.count("RCPT")), (1, 3));
    let header = "To: a@example.org, Bert <b@example.org>, c@example.org".to_owned();
    assert!(taken(&server).contains(&header), "{:?}", taken(&server));

    let server = TestServer::that(&[("RCPT TO:<b", &["450 later", "250 ok"])]);
    mail(to(email(server.port)), PATIENT).unwrap();
    let asked: Vec<_> =
        server.heard().into_iter().filter(|line| line.starts_with("RCPT")).collect();
    let expected = ["a", "b", "c", "b"].map(|name| format!("RCPT TO:<{name}@example.org>"));
    assert_eq!(asked, expected, "nobody gets it twice");

    let server = TestServer::that(&[("RCPT TO:<a", &["550 no"]), ("RCPT TO:<b", &["450 later"])]);
    assert_eq!(
        sentence(mail(to(email(server.port)), PATIENT)),
        "`127.0.0.1` refused `a@example.org`: 550 no; \
         `127.0.0.1` refused `b@example.org`: 450 later; it was sent to all others"
    );

    let server = TestServer::that(&[("RCPT", &["550 no"])]);
    let why = sentence(mail(to(email(server.port)), PATIENT));
    assert!(!why.contains("others") && server.count("DATA") == 0, "{why}");
}

#[test]
fn nobody_is_waited_for_longer_than_the_tries_take() {
    let commands = [GREETING, "EHLO", "MAIL", "RCPT", "DATA", END_OF_MAIL];
    let manners: [Manners; 12] = [
        &[(GREETING, &[SILENCE])],
        &[(GREETING, &[DRIP])],
        &[("EHLO", &[SILENCE])],
        &[("EHLO", &[DRIP])],
        &[("MAIL", &[SILENCE])],
        &[("MAIL", &[DRIP])],
        &[("RCPT", &[SILENCE])],
        &[("RCPT", &[DRIP])],
        &[("DATA", &[SILENCE])],
        &[("DATA", &[DRIP])],
        &[(END_OF_MAIL, &[SILENCE])],
        &[(END_OF_MAIL, &[DRIP])],
    ];
    assert_eq!(manners.len(), 2 * commands.len());
    std::thread::scope(|scope| {
        for manners in manners {
            scope.spawn(move || {
                let server = TestServer::that(manners);
                let begun = Instant::now();
                let why = sentence(mail(email(server.port), HASTY));
                assert_eq!(why, "no answer from `127.0.0.1` within 300ms", "{manners:?}");
                assert!(begun.elapsed() >= 2 * SHORT && begun.elapsed() < SOON, "{manners:?}");
            });
        }
    });
}

#[test]
fn a_server_that_took_the_mail_need_not_say_goodbye() {
    let cases: [Manners; 3] =
        [&[("QUIT", &[SILENCE])], &[("QUIT", &[DRIP])], &[("QUIT", &["500 stay"])]];
    for manners in cases {
        let server = TestServer::that(manners);
        let begun = Instant::now();
        mail(email(server.port), PATIENT).unwrap();
        assert!(begun.elapsed() < SOON, "{manners:?}");
    }
}

#[test]
fn a_conversation_that_nobody_waits_for_ends_without_a_mail() {
    let server = TestServer::that(&[("MAIL", &[DRIP])]);
    sentence(mail(email(server.port), SendPolicy { attempts: 1, ..HASTY }));
    assert_eq!((server.count("RCPT"), server.count("DATA")), (0, 0));
}

#[test]
fn a_server_that_is_not_there_is_named_with_its_port() {
    let nowhere = nowhere();
    assert_eq!(
        sentence(mail(email(nowhere.port), PATIENT)),
        format!("no connection to `127.0.0.1`, port {}: connection refused", nowhere.port)
    );
    let mut lost = email(25);
    // No name server is asked for a label that is too long.
    lost.server.host = "x".repeat(64);
    let why = sentence(mail(lost, PATIENT));
    assert_eq!(why, format!("the name `{}` could not be resolved", "x".repeat(64)));
}

#[test]
fn a_bad_address_is_shown_and_nobody_is_asked() {
    let server = TestServer::that(&[]);
    for (to, from) in [("ops", "metatoken@example.org"), ("ops@example.org", "ops")] {
        let email =
            EmailChannel { to: vec![to.to_owned()], from: from.to_owned(), ..email(server.port) };
        assert_eq!(sentence(mail(email, PATIENT)), "`ops` is not a mail address");
    }
    let nobody = EmailChannel { to: Vec::new(), ..email(server.port) };
    assert_eq!(sentence(mail(nobody, PATIENT)), "the mail has no recipient");
    assert!(server.heard().is_empty());
}
