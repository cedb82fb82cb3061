//! What can be set about accounts.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::SignedDuration;
use users::HashingCost;

use super::reader::Reader;
use super::{Listen, flag, http_url, seconds};

/// Accounts.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    /// `SPACEY_DEMO`: whether a demo account with a deck is made at start.
    pub(crate) demo: bool,
    /// `SPACEY_ACCESS_TOKEN_SECONDS`: how long an access token is good for.
    pub(crate) access_token_lifetime: Duration,
    /// `SPACEY_ARGON2_MEMORY_KIB`, `SPACEY_ARGON2_ITERATIONS`: the cost of a password hash.
    pub(crate) hashing_cost: HashingCost,
    /// `SPACEY_PUBLIC_URL`: where people find the front end; links in mails begin with it.
    pub(crate) public_url: String,
    /// `SPACEY_DELETION_GRACE_DAYS`: how long after its owner asked for it an account is deleted.
    pub(crate) deletion_grace: SignedDuration,
    /// `SPACEY_SECURITY_EVENT_DAYS`: how long security events are kept.
    pub(crate) security_events_kept: SignedDuration,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader, listen: Option<&Listen>) -> Option<Self> {
        let demo = flag(reader, "SPACEY_DEMO", false);
        let access_token_lifetime = seconds(reader, "SPACEY_ACCESS_TOKEN_SECONDS", "900");
        let number = |text: &str| text.parse::<u32>().ok();
        let memory = reader.get(
            "SPACEY_ARGON2_MEMORY_KIB",
            "a number from 8 to 1048576 is accepted",
            "19456",
            |text| number(text).filter(|kib| (8..=1_048_576).contains(kib)),
        );
        let iterations = reader.get(
            "SPACEY_ARGON2_ITERATIONS",
            "a number from 1 to 20 is accepted",
            "2",
            |text| number(text).filter(|iterations| (1..=20).contains(iterations)),
        );
        let hashing_cost = match HashingCost::new(memory?, iterations?, 1) {
            Ok(cost) => Some(cost),
            Err(error) => {
                reader.contradiction(format!("SPACEY_ARGON2_…: {error}"));
                None
            }
        };
        let here = listen.map_or_else(String::new, |listen| {
            format!("http://{}", SocketAddr::new(listen.host, listen.port))
        });
        let public_url = reader.get(
            "SPACEY_PUBLIC_URL",
            "an address such as https://spacey.example.org, without ? and #, is accepted",
            here,
            |text| {
                let url = http_url(text)?;
                let plain = url.query().is_none() && url.fragment().is_none();
                let nobody = url.username().is_empty() && url.password().is_none();
                (plain && nobody).then(|| url.as_str().trim_end_matches('/').to_owned())
            },
        );
        let mut days = |name, accepted, default, least| {
            reader.get(name, accepted, default, |text| {
                let days = text.parse::<i64>().ok().filter(|days| (least..=3650).contains(days))?;
                Some(SignedDuration::from_hours(days * 24))
            })
        };
        let deletion_grace = days(
            "SPACEY_DELETION_GRACE_DAYS",
            "a number of days from 0 to 3650 is accepted",
            "14",
            0,
        );
        let security_events_kept = days(
            "SPACEY_SECURITY_EVENT_DAYS",
            "a number of days from 1 to 3650 is accepted",
            "90",
            1,
        );
        Some(Self {
            demo: demo?,
            access_token_lifetime: access_token_lifetime?,
            hashing_cost: hashing_cost?,
            public_url: public_url?,
            deletion_grace: deletion_grace?,
            security_events_kept: security_events_kept?,
        })
    }
}
