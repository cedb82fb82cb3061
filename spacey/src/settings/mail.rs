//! How mail leaves: through an SMTP server, or into a folder.

use std::time::Duration;

use secrecy::SecretString;
use users::mail::{SmtpMailer, SmtpSettings, SmtpTls};

use super::reader::Reader;
use super::{parse, seconds};

/// How mail leaves.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// `SPACEY_SMTP_…`: the server to send through; without one, mail is put into the folder `mail` of the data folder.
    pub(crate) smtp: Option<SmtpSettings>,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let line = |text: &str| {
            let fine = !text.is_empty() && !text.contains(char::is_control);
            fine.then(|| text.to_owned())
        };
        let host =
            reader.optional("SPACEY_SMTP_HOST", "the name of a server is accepted", |text| {
                line(text).filter(|text| !text.contains([' ', '/', '@']))
            });
        let tls = reader.get(
            "SPACEY_SMTP_TLS",
            "starttls, implicit and off are accepted",
            "starttls",
            |text| match text {
                "starttls" => Some(SmtpTls::StartTls),
                "implicit" => Some(SmtpTls::Implicit),
                "off" => Some(SmtpTls::Off),
                _ => None,
            },
        );
        let default = match tls {
            Some(SmtpTls::Implicit) => "465",
            Some(SmtpTls::Off) => "25",
            _ => "587",
        };
        let port =
            reader.get("SPACEY_SMTP_PORT", "a port from 1 to 65535 is accepted", default, |text| {
                parse::<u16>(text).filter(|port| *port > 0)
            });
        let user = reader.optional("SPACEY_SMTP_USER", "a name is accepted", line);
        let password = reader.secret("SPACEY_SMTP_PASSWORD", "a password is accepted", |text| {
            (!text.is_empty()).then(|| SecretString::from(text))
        });
        let from = reader.get(
            "SPACEY_MAIL_FROM",
            "an address such as Spacey <noreply@example.org> is accepted",
            "Spacey <noreply@localhost.localdomain>",
            line,
        );
        let timeout = seconds(reader, "SPACEY_SMTP_TIMEOUT_SECONDS", "20");
        let (tls, port, from, timeout): (_, _, _, Duration) = (tls?, port?, from?, timeout?);
        let credentials = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => {
                reader.contradiction(
                    "SPACEY_SMTP_USER and SPACEY_SMTP_PASSWORD go together: set both or none",
                );
                return None;
            }
        };
        let smtp = host.map(|host| SmtpSettings { host, port, tls, credentials, from, timeout });
        let Some(smtp) = smtp else { return Some(Self { smtp: None }) };
        let is_near = matches!(&*smtp.host, "localhost" | "127.0.0.1" | "::1");
        if smtp.tls == SmtpTls::Off && !is_near && smtp.credentials.is_some() {
            reader.contradiction(
                "SPACEY_SMTP_TLS is off while there is a password: it would be sent for everybody to read",
            );
            return None;
        }
        // Whatever is wrong with them is said now, and not when the first mail is sent.
        if let Err(error) = SmtpMailer::new(&smtp) {
            reader.contradiction(format!("SPACEY_MAIL_FROM, SPACEY_SMTP_…: {error}"));
            return None;
        }
        Some(Self { smtp: Some(smtp) })
    }
}
