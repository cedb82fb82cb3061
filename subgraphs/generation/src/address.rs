//! Addresses that people name as a source: what is accepted, and that they lead to the public internet.
//!
//! The service fetches them, and ours checks each connection it makes. Here an address is looked up before the service is told of it, because
//! the one that exists fetches whatever it is given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use common::Error;
use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::Url;

/// The most characters of an address.
pub const MAX_ADDRESS: usize = 2_000;
const ARGUMENT: &str = "input.source.url";

/// Networks that are not of the public internet, after the registries of special-purpose addresses of IANA; and where clouds answer their
/// machines' questions about themselves.
const NOT_PUBLIC_V4: [(Ipv4Addr, u8); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::BROADCAST, 32),
];
/// What is public in IPv6 is within `2000::/3`, but for these.
const NOT_PUBLIC_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// A valid address of a page or a file, or a DOI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAddress(pub(crate) String);

impl SourceAddress {
    /// Checks an address: `http` or `https`, without a user's name, at the ports 80 or 443, and not of a private network; or a DOI such as
    /// `10.1000/182`.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn new(text: &str) -> Result<Self, Error> {
        let invalid = |message: &str| Error::invalid(ARGUMENT, message);
        let text = text.trim();
        if text.chars().count() > MAX_ADDRESS {
            return Err(invalid(&format!("is longer than {MAX_ADDRESS} characters")));
        }
        if is_doi(text) {
            return Ok(Self(text.to_owned()));
        }
        let expected = "is no address: one such as https://example.org/page, or a DOI, is accepted";
        let url = Url::parse(text).map_err(|_| invalid(expected))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid(expected));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("holds a user's name or a password, which is not accepted"));
        }
        if !matches!(url.port_or_known_default(), Some(80 | 443)) {
            return Err(invalid("names a port: 80 and 443 are accepted"));
        }
        if literal(&url).is_some_and(|address| !is_public(address)) {
            return Err(invalid("is of a private network"));
        }
        Ok(Self(url.to_string()))
    }

    /// Whether it is a DOI.
    pub(crate) fn is_doi(&self) -> bool {
        is_doi(&self.0)
    }
}

/// Whether a text is a DOI.
fn is_doi(text: &str) -> bool {
    let doi = text.strip_prefix("doi:").unwrap_or(text);
    let Some((registrant, rest)) = doi.strip_prefix("10.").and_then(|doi| doi.split_once('/'))
    else {
        return false;
    };
    (4..=9).contains(&registrant.len())
        && registrant.bytes().all(|byte| byte.is_ascii_digit())
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace)
}

/// The IP address that a URL has in place of a name.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Whether every address that a source's name has now is public. A DOI leads to its registry, which is.
pub(crate) async fn leads_outside(source: &str) -> bool {
    if is_doi(source) {
        return true;
    }
    let Ok(url) = Url::parse(source) else { return false };
    if let Some(address) = literal(&url) {
        return is_public(address);
    }
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return false;
    };
    let Ok(found) = tokio::net::lookup_host((host, port)).await else { return false };
    let mut found = found.peekable();
    found.peek().is_some() && found.all(|address| is_public(address.ip()))
}

/// Whether an address is of the public internet, also where an IPv4 address hides in it.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let within =
                |(network, length)| Ipv4Net::new_assert(network, length).contains(&address);
            !NOT_PUBLIC_V4.into_iter().any(within)
        }
        IpAddr::V6(address) => {
            if let Some(mapped) = address.to_ipv4_mapped() {
                return is_public(IpAddr::V4(mapped));
            }
            let global = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
            let within =
                |(network, length)| Ipv6Net::new_assert(network, length).contains(&address);
            global.contains(&address) && !NOT_PUBLIC_V6.into_iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, String> {
        SourceAddress::new(text).map(|address| address.0).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_and_dois_are_accepted() {
        for (text, kept) in [
            ("https://example.org/page?a=b#c", "https://example.org/page?a=b#c"),
            (" http://example.org ", "http://example.org/"),
            ("http://93.184.216.34:80/", "http://93.184.216.34/"),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
            ("10.1000/182", "10.1000/182"),
            ("doi:10.1000/a(b)c", "doi:10.1000/a(b)c"),
        ] {
            assert_eq!(check(text).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_address_of_a_page_is_refused() {
        for (text, why) in [
            ("", "no address"),
            ("page", "no address"),
            ("10.1/x", "no address"),
            ("ftp://example.org", "no address"),
            ("file:///etc/passwd", "no address"),
            ("http://u@example.org", "user's name"),
            ("http://u:p@example.org", "user's name"),
            ("http://example.org:8091", "port"),
            ("http://127.0.0.1/", "private network"),
            ("http://2130706433/", "private network"),
            ("http://0x7f.1/", "private network"),
            ("http://[::1]/", "private network"),
            ("http://[::ffff:169.254.169.254]/", "private network"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.starts_with("input.source.url: ") && error.contains(why), "{error}");
        }
        assert!(check(&format!("http://example.org/{}", "a".repeat(2_000))).is_err());
    }

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.8.8.8",
            "168.63.129.16",
            "169.254.169.254",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in
            ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_leads_nowhere_outside() {
        for source in
            ["http://localhost/", "http://localhost:443/", "http://no.such.name.invalid/", "x"]
        {
            assert!(!leads_outside(source).await, "{source}");
        }
        assert!(leads_outside("http://93.184.216.34/").await && leads_outside("10.1000/182").await);
    }
}
