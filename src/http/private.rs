//! Finds the addresses of a host on a private network, and has a client connect to no other.
//!
//! Whoever answers for a name can have it stand for a public address. So it is resolved here, judged, and
//! not resolved again.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder};

use super::address::is_private;
use super::error::{HttpError, Wait};

/// Resolves the host within the time for a connection, and refuses one that is not private.
pub fn private_addresses(wait: &Wait) -> Result<Vec<SocketAddr>, HttpError> {
    let host = wait.host.trim_start_matches('[').trim_end_matches(']');
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, 0)],
        Err(_) => match resolved(host, wait.connect) {
            Some(Ok(addresses)) => addresses,
            Some(Err(_)) => {
                let why = format!("the name `{}` could not be resolved", wait.host);
                return Err(HttpError::NotConnected(why));
            }
            None => return Err(HttpError::too_slow(wait)),
        },
    };
    judged(&wait.host, addresses)
}

fn judged(host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, HttpError> {
    match addresses.iter().find(|address| !is_private(address.ip())) {
        Some(public) => Err(HttpError::NotPrivate(format!(
            "`{host}` has the public address {}, to which nothing is sent by plain `http`",
            public.ip()
        ))),
        None => Ok(addresses),
    }
}

/// Asks the system's resolver, which heeds no limit, on a thread that is given up after this time.
fn resolved(host: &str, limit: Duration) -> Option<io::Result<Vec<SocketAddr>>> {
    let (sender, receiver) = mpsc::channel();
    let place = (host.to_owned(), 0);
    std::thread::spawn(move || sender.send(place.to_socket_addrs().map(Iterator::collect)));
    receiver.recv_timeout(limit).ok()
}

/// A client that connects to these addresses of the host, and through no proxy.
pub fn addresses_only(host: &str, addresses: &[SocketAddr]) -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([]).resolve_to_addrs(host, addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_public_address_is_enough_to_send_nothing() {
        let judge = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|it| SocketAddr::new(it.parse().unwrap(), 0));
            judged("chat.lan", addresses.collect()).map_err(|error| error.to_string())
        };
        assert_eq!(judge(&["10.0.0.5", "fd00::5"]).unwrap().len(), 2);
        for public in ["8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", "169.254.169.254"] {
            let why = format!(
                "`chat.lan` has the public address {public}, to which nothing is sent by plain `http`"
            );
            assert_eq!(judge(&["192.168.0.2", public]), Err(why));
        }
    }

    #[test]
    fn a_name_that_stands_for_this_machine_is_private_and_a_public_address_is_not() {
        let wait = |host: &str| Wait {
            host: host.to_owned(),
            patience: Duration::from_secs(5),
            connect: Duration::from_secs(5),
        };
        let addresses = private_addresses(&wait("localhost")).unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
        assert!(matches!(private_addresses(&wait("[2001:db8::1]")), Err(HttpError::NotPrivate(_))));
        assert!(matches!(private_addresses(&wait("8.8.8.8")), Err(HttpError::NotPrivate(_))));
    }
}
