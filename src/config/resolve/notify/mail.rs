//! A mail: which server carries it, and who logs in there.

use serde_spanned::Spanned;

use super::TABLE;
use crate::alert::Security;
use crate::config::mistake::Faults;
use crate::config::resolve::given_or_none;
use crate::config::settings::{Origins, SmtpSetting, Via};
use crate::config::wire::{EmailWire, SmtpWire};
use crate::http::is_this_machine;

pub(super) fn resolve(wire: &EmailWire, origins: &mut Origins, faults: &mut Faults) -> Via {
    let smtp = wire.smtp.as_ref().and_then(|smtp| {
        let server = server(smtp, faults)?;
        Some(Spanned::new(smtp.span(), server))
    });
    Via::Email {
        to: wire.to.get_ref().clone(),
        from: given_or_none(wire.from.clone(), "from", TABLE, origins),
        smtp: given_or_none(smtp, "smtp", TABLE, origins),
    }
}

fn server(given: &Spanned<SmtpWire>, faults: &mut Faults) -> Option<SmtpSetting> {
    let wire = given.get_ref();
    if !wire.has_host {
        faults.add(given.span(), "`smtp` needs a `host`").label("the name of the mail server");
    }
    check_login(wire, faults);
    check_secrecy(wire, faults);
    let security = wire.security.as_ref().map_or(Security::Tls, |given| *given.get_ref());
    Some(SmtpSetting {
        host: wire.host.as_ref()?.get_ref().clone(),
        port: wire.port.as_ref().map_or(port(security), |given| *given.get_ref()),
        security,
        user: wire.user.clone().map(Spanned::into_inner),
        password: wire.password.clone().map(Spanned::into_inner),
    })
}

/// The port of a mail server that is reached so. Source: RFC 8314, 3.3; RFC 6409, 3.1; RFC 5321,
/// 4.5.4.2.
const fn port(security: Security) -> u16 {
    match security {
        Security::Tls => 465,
        Security::Starttls => 587,
        Security::None => 25,
    }
}

fn check_login(wire: &SmtpWire, faults: &mut Faults) {
    let (span, message) = match (&wire.user, &wire.password) {
        (Some(user), None) if !wire.has_password => {
            (user.span(), "`smtp` has a `user` and no `password`")
        }
        (None, Some(password)) if !wire.has_user => {
            (password.span(), "`smtp` has a `password` and no `user`")
        }
        _ => return,
    };
    faults.add(span, message).label("it takes both to log in, or neither");
}

/// A password that anybody on the way can read is none.
fn check_secrecy(wire: &SmtpWire, faults: &mut Faults) {
    let (Some(security), Some(host)) = (&wire.security, &wire.host) else { return };
    let clear = *security.get_ref() == Security::None && !is_this_machine(host.get_ref());
    if clear && wire.has_password {
        faults
            .add(security.span(), "the password would travel in clear text")
            .label("write `tls` or `starttls`; `none` is for loopback only");
    }
}
