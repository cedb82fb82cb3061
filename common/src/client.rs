//! Where a request comes from, as far as that can be known: the address of the client and what its program calls itself.
//!
//! Neither proves anything. Attempts are counted by network, and people are shown both to tell their own devices from a stranger's.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Most characters kept of what a program calls itself.
const MAX_USER_AGENT: usize = 256;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Client {
    /// The client's address; absent where there is no connection to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The header `user-agent`, shortened to 256 characters without control characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Client {
    /// A client at `address` that calls itself `user_agent`. An IPv4 address in IPv6 form is read as IPv4.
    #[must_use]
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let printable = |text: &str| {
            text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect::<String>()
        };
        Self {
            address: address.map(|address| address.to_canonical()),
            user_agent: user_agent.map(printable).filter(|text| !text.is_empty()),
        }
    }

    /// The network that one customer of a provider usually has: an IPv4 address, or the first 64 bits of an IPv6 address. `-` when unknown.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address {
            None => "-".into(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> String {
        Client::new(Some(address.parse().unwrap()), None).network()
    }

    #[test]
    fn one_customer_is_one_network() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), network("2001:db8:1:2::"));
        assert_ne!(network("2001:db8:1:3::"), network("2001:db8:1:2::"));
        assert_eq!(Client::default().network(), "-");
    }

    #[test]
    fn what_a_program_calls_itself_is_kept_short_and_printable() {
        let agent = |text: &str| Client::new(None, Some(text)).user_agent;
        assert_eq!(agent("Firefox\r\nx: y\u{0}").as_deref(), Some("Firefoxx: y"));
        assert_eq!(agent(&"é".repeat(5000)).unwrap().chars().count(), MAX_USER_AGENT);
        assert_eq!(agent("\n"), None);
    }
}
