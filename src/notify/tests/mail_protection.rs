//! Passwords, and what protects them.

use std::io::Write as _;
use std::path::PathBuf;

use crate::token::Secret;

use super::mail::{email, mail};
use super::mail_server::{GREETING, Manners, READY_FOR_TLS, SILENCE, TestServer};
use super::*;
use crate::http::certificate::{Certificate, base64};

const PASSWORD: &str = "fakefakeMARKED";

fn with_login(mut email: EmailChannel) -> EmailChannel {
    email.server.login =
        Some(SmtpLogin { user: "robot".to_owned(), password: Secret::new(PASSWORD) });
    email
}

#[test]
fn a_password_goes_to_this_machine_or_through_tls_and_nowhere_else() {
    let server = TestServer::that(&[]);
    mail(with_login(email(server.port)), PATIENT).unwrap();
    let plain = base64(format!("\0robot\0{PASSWORD}").as_bytes());
    assert_eq!(server.heard()[1], format!("AUTH PLAIN {plain}"));

    let server = TestServer::that(&[
        ("EHLO", &["250-mail\r\n250 AUTH LOGIN"]),
        ("AUTH LOGIN", &["334 VXNlcm5hbWU6"]),
        ("cm9ib3Q=", &["334 UGFzc3dvcmQ6"]),
        ("ZmFrZWZha2VNQVJLRUQ=", &["235 ok"]),
    ]);
    mail(with_login(email(server.port)), PATIENT).unwrap();

    let mut away = with_login(email(25));
    away.server.host = "mail.example.org".to_owned();
    assert_eq!(
        sentence(mail(away, PATIENT)),
        "`mail.example.org` gets no password without TLS: use `tls` or `starttls`"
    );
}

#[test]
fn a_refused_login_says_so_and_never_with_what() {
    let cases: [(Manners, &str); 5] = [
        (
            &[("AUTH", &["535 5.7.8 Authentication failed"])],
            "`127.0.0.1` refused the login of `robot`: 535 5.7.8 Authentication failed",
        ),
        (
            &[("AUTH", &["535 fakefakeMARKED is wrong"])],
            "`127.0.0.1` refused the login of `robot`: 535",
        ),
        (
            &[("AUTH", &["535 AHJvYm90AGZha2VmYWtlTUFSS0VE is wrong"])],
            "`127.0.0.1` refused the login of `robot`: 535 is wrong",
        ),
        (&[("RCPT", &["550 fakefakeMARKED"])], "`127.0.0.1` refused `ops@example.org`: 550"),
        (
            &[("EHLO", &["250-mail\r\n250 AUTH CRAM-MD5"])],
            "`127.0.0.1` offers no login by PLAIN or LOGIN",
        ),
    ];
    for (manners, expected) in cases {
        let server = TestServer::that(manners);
        let email = with_login(email(server.port));
        let shown = format!("{email:?}");
        assert!(!shown.contains(PASSWORD), "{shown}");
        assert_eq!(sentence(mail(email, PATIENT)), expected);
        assert_eq!(server.count("EHLO"), 1, "{expected}");
    }
    let server = TestServer::that(&[("AUTH", &["454 4.7.0 later", "235 ok"])]);
    mail(with_login(email(server.port)), PATIENT).unwrap();
}

/// A file of certificates to trust.
struct Trusted {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn trusted(certificate: &Certificate) -> Trusted {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::File::create(&path).unwrap().write_all(certificate.pem.as_bytes()).unwrap();
    Trusted { _folder: folder, path }
}

fn secured(port: u16, security: SmtpSecurity) -> EmailChannel {
    let mut email = with_login(email(port));
    email.server.host = "localhost".to_owned();
    email.server.security = security;
    email
}

const OFFERS_STARTTLS: Manners = &[
    ("EHLO", &["250-mail\r\n250 STARTTLS", "250-mail\r\n250 AUTH PLAIN"]),
    ("STARTTLS", &[READY_FOR_TLS]),
];

#[test]
fn tls_is_spoken_from_the_start_or_after_asking() {
    let certificate = Certificate::for_localhost();
    let trusted = trusted(&certificate);
    for (security, server) in [
        (SmtpSecurity::Tls, TestServer::within_tls(&[], &certificate.server)),
        (SmtpSecurity::Starttls, TestServer::with_tls(OFFERS_STARTTLS, &certificate.server)),
    ] {
        let notifier = notifier().trusting(Some(trusted.path.clone()));
        send(&Channel::Email(secured(server.port, security)), &message(), &notifier).unwrap();
        let heard = server.heard();
        let place = |command: &str| heard.iter().position(|line| line.starts_with(command));
        assert!(place("AUTH").is_some() && place("DATA").is_some(), "{heard:?}");
        if security == SmtpSecurity::Starttls {
            assert_eq!((place("STARTTLS"), place("AUTH")), (Some(1), Some(3)), "{heard:?}");
        }
    }
}

#[test]
fn without_a_certificate_that_is_trusted_nothing_is_sent() {
    let (own, other) = (Certificate::for_localhost(), Certificate::for_localhost());
    let other = trusted(&other);
    for ca_file in [None, Some(other.path.clone())] {
        for (security, server) in [
            (SmtpSecurity::Tls, TestServer::within_tls(&[], &own.server)),
            (SmtpSecurity::Starttls, TestServer::with_tls(OFFERS_STARTTLS, &own.server)),
        ] {
            let notifier = notifier().trusting(ca_file.clone());
            let email = secured(server.port, security);
            let why = sentence(send(&Channel::Email(email), &message(), &notifier));
            assert!(why.starts_with("the certificate of `localhost` was not accepted: "), "{why}");
            assert_eq!((server.count("AUTH"), server.count("MAIL")), (0, 0));
        }
    }
}

#[test]
fn a_certificate_for_another_name_is_not_accepted() {
    let certificate = Certificate::for_localhost();
    let trusted = trusted(&certificate);
    let server = TestServer::within_tls(&[], &certificate.server);
    let mut email = secured(server.port, SmtpSecurity::Tls);
    email.server.host = "127.0.0.1".to_owned();
    let notifier = notifier().trusting(Some(trusted.path.clone()));
    let why = sentence(send(&Channel::Email(email), &message(), &notifier));
    assert!(why.starts_with("the certificate of `127.0.0.1` was not accepted: "), "{why}");
}

#[test]
fn a_server_that_offers_no_starttls_is_sent_nothing() {
    let server = TestServer::that(&[]);
    assert_eq!(
        sentence(mail(secured(server.port, SmtpSecurity::Starttls), PATIENT)),
        "`localhost` offers no STARTTLS, so nothing is sent to it"
    );
    assert_eq!((server.count("AUTH"), server.count("MAIL")), (0, 0));
}

#[test]
fn a_silent_handshake_is_not_waited_for() {
    let certificate = Certificate::for_localhost();
    let trusted = trusted(&certificate);
    let server = TestServer::that(&[(GREETING, &[SILENCE])]);
    let begun = Instant::now();
    let notifier = notifier().trusting(Some(trusted.path.clone())).with_retry_policy(HASTY);
    let email = secured(server.port, SmtpSecurity::Tls);
    let why = sentence(send(&Channel::Email(email), &message(), &notifier));
    assert_eq!(why, "no answer from `localhost` within 300ms");
    assert!(begun.elapsed() < SOON);
}
