//! Cookies for browsers: the values of `Set-Cookie` that hand them the tokens, and take them back.
//!
//! No script can read them (`HttpOnly`), and no other site's request carries them besides following a link (`SameSite=Lax`). The prefix
//! `__Host-` makes browsers refuse one that another host or an insecure page tries to set (RFC 6265bis, section 4.1.3.2).

use jiff::Timestamp;

/// Which cookies are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookies {
    /// Whether over HTTPS only.
    pub(crate) secure: bool,
}

impl Cookies {
    /// The cookie that carries the access token until it expires.
    pub(crate) fn access(self, token: &str, expires: Timestamp, now: Timestamp) -> String {
        self.cookie("spacey-access", token, seconds_until(expires, now))
    }

    /// The cookie that carries the refresh token until it expires.
    pub(crate) fn refresh(self, token: &str, expires: Timestamp, now: Timestamp) -> String {
        self.cookie("spacey-refresh", token, seconds_until(expires, now))
    }

    /// What makes a browser forget both.
    pub(crate) fn cleared(self) -> [String; 2] {
        ["spacey-access", "spacey-refresh"].map(|name| self.cookie(name, "", 0))
    }

    fn cookie(self, name: &str, value: &str, max_age: i64) -> String {
        let (prefix, secure) = if self.secure { ("__Host-", "; Secure") } else { ("", "") };
        format!("{prefix}{name}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}")
    }
}

fn seconds_until(expires: Timestamp, now: Timestamp) -> i64 {
    (expires.as_second() - now.as_second()).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(900).unwrap());
        assert_eq!(
            Cookies { secure: true }.access("abc", later, now),
            "__Host-spacey-access=abc; Max-Age=900; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookies { secure: false }.refresh("abc", later, now),
            "spacey-refresh=abc; Max-Age=900; Path=/; HttpOnly; SameSite=Lax"
        );
        for cleared in (Cookies { secure: true }).cleared() {
            assert!(cleared.contains("=; Max-Age=0; Path=/;"), "{cleared}");
        }
    }
}
