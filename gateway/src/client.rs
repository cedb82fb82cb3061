//! Where a request comes from: the address of the connection, or behind proxies that are trusted, the one they say they passed it on for.
//!
//! A client's own word for it is never taken: of `x-forwarded-for` only what trusted proxies added counts. Which application it is,
//! is its own word and nothing else: it sorts what is logged and the lists of trusted documents, and allows nothing.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use common::{Client, UserId, Viewer};
use http::header::USER_AGENT;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// Who is counted together: for connections, files that are sent, and points.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ClientKey {
    /// A signed-in person, however they sign in.
    User(UserId),
    /// Whoever has not signed in, from one network: an IPv4 address or an IPv6 /64. Clients of whom no address is known are one.
    Network(String),
}

impl ClientKey {
    /// That of whoever asks.
    pub(crate) fn of(viewer: Option<&Viewer>, client: &Client) -> Self {
        match viewer {
            Some(viewer) => Self::User(viewer.user),
            None => Self::Network(client.network()),
        }
    }
}

/// The application that asks, as it calls itself: `graphql-client-name` and `graphql-client-version`, or Apollo's `apollographql-client-…`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Application {
    pub(crate) name: Option<Box<str>>,
    pub(crate) version: Option<Box<str>>,
}

impl Application {
    /// What the headers say; a name or version of more than 64 characters, or with others than visible ASCII, counts as none.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |names: [&str; 2]| {
            let value = names.iter().find_map(|name| headers.get(*name))?.to_str().ok()?.trim();
            let fine = (1..=64).contains(&value.len())
                && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            fine.then(|| value.into())
        };
        Self {
            name: text(["graphql-client-name", "apollographql-client-name"]),
            version: text(["graphql-client-version", "apollographql-client-version"]),
        }
    }
}

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

    #[test]
    fn an_application_says_what_it_is() {
        let mut headers = HeaderMap::new();
        assert_eq!(Application::of(&headers), Application::default());
        headers.insert("apollographql-client-name", "web app".parse().unwrap());
        headers.insert("apollographql-client-version", "a\tb".parse().unwrap());
        let web = Application { name: Some("web app".into()), version: None };
        assert_eq!(Application::of(&headers), web);
        headers.insert("graphql-client-name", "x".repeat(65).parse().unwrap());
        assert_eq!(Application::of(&headers), Application::default());
    }
}
