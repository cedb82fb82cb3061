//! Where a request comes from: the address of the connection, or behind proxies that are trusted, the one they say they passed it on for.
//!
//! A client's own word for it is never taken: of `x-forwarded-for` only what trusted proxies added counts.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use common::Client;
use http::header::USER_AGENT;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The client of a request with these headers, that arrived over the connection noted in `extensions`.
pub(crate) fn client(headers: &HeaderMap, extensions: &Extensions, trusted: &[IpNet]) -> Client {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    Client::new(peer.map(|peer| behind(peer.to_canonical(), headers, trusted)), user_agent)
}

/// The nearest address that is not a trusted proxy's: each proxy appends the one it was called from.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let passed_on: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut nearest = peer;
    for address in passed_on.iter().rev() {
        if !is_trusted(&nearest) {
            break;
        }
        // What is no address was not written by a proxy that can be trusted.
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client(&headers, &extensions, &trusted).address.unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = ["10.0.0.0/8", "::1/128"];
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::1", &["2001:db8::7"], "2001:db8::7"),
        ] {
            assert_eq!(address(peer, forwarded, &proxies), expected, "{peer} {forwarded:?}");
            assert_eq!(address("192.0.2.1", forwarded, &[]), "192.0.2.1");
        }
        assert_eq!(client(&HeaderMap::new(), &Extensions::new(), &[]), Client::default());
    }
}
