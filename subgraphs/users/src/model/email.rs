//! E-mail addresses in the one form by which they are compared: trimmed, lower-cased, NFC, the domain as IDNA writes it in ASCII.
//!
//! It refuses what cannot be an address. Whether mail arrives there, only mail can tell.

use common::Error;
use unicode_normalization::UnicodeNormalization;

/// The longest address that mail can be sent to, in bytes (RFC 5321, section 4.5.3.1.3, less the brackets).
const MAX_ADDRESS: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest part between dots of a domain, in bytes (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// An e-mail address. Two that differ in case or composition of letters only are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address as somebody typed it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `argument` when it cannot be an address.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        Self::parse(text).map_err(|message| Error::invalid(argument, message))
    }

    /// An address as a store kept it: it was checked when it was put there.
    #[must_use]
    pub(crate) const fn stored(address: String) -> Self {
        Self(address)
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // Lower-casing can undo the normal form, so that comes last. Neither makes much of a long text before its length is checked.
        if text.len() > 4 * MAX_ADDRESS {
            return Err(too_long());
        }
        let address: String = text.to_lowercase().nfc().collect();
        let Some((local, domain)) = address.split_once('@') else {
            return Err("an e-mail address has an @, such as ada@example.org".into());
        };
        if domain.contains('@') {
            return Err("an e-mail address has one @".into());
        }
        if !is_local(local) {
            return Err(format!(
                "the part before the @ has 1 to {MAX_LOCAL} bytes of letters, digits and !#$%&'*+/=?^_`{{|}}~-, with single dots within"
            ));
        }
        let domain = idna::domain_to_ascii_strict(domain)
            .ok()
            .filter(|domain| is_domain(domain))
            .ok_or("the part after the @ is a domain, such as example.org")?;
        let address = format!("{local}@{domain}");
        if address.len() > MAX_ADDRESS { Err(too_long()) } else { Ok(Self(address)) }
    }
}

fn too_long() -> String {
    format!("an e-mail address has at most {MAX_ADDRESS} bytes")
}

fn is_local(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || is_mark(c) || "!#$%&'*+/=?^_`{|}~-".contains(c);
    local.len() <= MAX_LOCAL
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(allowed))
}

fn is_domain(domain: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.chars().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

/// Accents that have no letter composed with them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_form() {
        for (typed, kept) in [
            (" Ada@Example.ORG\n", "ada@example.org"),
            ("o'neil+cards@mail.example.co.uk", "o'neil+cards@mail.example.co.uk"),
            ("JOSE\u{301}@example.org", "jos\u{e9}@example.org"),
            ("ZOË@ÉCOLE.example", "zoë@xn--cole-9oa.example"),
            ("zoë@e\u{301}cole.example", "zoë@xn--cole-9oa.example"),
            ("ada@ＥＸＡＭＰＬＥ。org", "ada@example.org"),
            ("ada@xn--cole-9oa.example", "ada@xn--cole-9oa.example"),
        ] {
            assert_eq!(Email::new("input.email", typed).unwrap().as_str(), kept);
        }
        assert_eq!(Email::new("", "ada@example.org").unwrap().local(), "ada");
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}org", "example.".repeat(40));
        let longest = "a".repeat(1 << 20);
        for text in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@example",
            "a@b@example.org",
            "ada @example.org",
            "ada@exam ple.org",
            ".ada@example.org",
            "a..da@example.org",
            "ada@-example.org",
            "ada@example..org",
            "ada@xn--a.org",
            "ada@exam_ple.org",
            "ada@example.org.",
            "ada\u{0}@example.org",
            "ada\u{202e}@example.org",
            "ada\r\nbcc:eve@example.org",
            "<ada@example.org>",
            &long,
            &longer,
            &longest,
        ] {
            let error = Email::new("input.email", text).unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { argument, .. } if argument == "input.email"),
                "{text:?}"
            );
            assert!(error.to_string().len() < 200, "{error}");
        }
    }
}
