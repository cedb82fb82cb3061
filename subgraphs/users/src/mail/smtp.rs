//! Mail through an SMTP server, by `lettre`.
//!
//! Headers are built from parsed addresses and fixed subjects, so nothing that somebody typed can add one. A mail has one recipient.

use std::time::Duration;

use futures::future::BoxFuture;
use lettre::message::{Mailbox as Sender, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::{Letter, MailError, Mailer};

/// How the connection to the server is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// It is encrypted from the start (port 465).
    Implicit,
    /// It must be encrypted before anything is sent, by STARTTLS (port 587).
    StartTls,
    /// It is not: for a server on the same machine.
    Off,
}

/// Which server to send through, and as whom.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name, which its certificate must carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// User name and password, where it wants them.
    pub credentials: Option<(String, SecretString)>,
    /// From whom mails are, such as `Spacey <noreply@example.org>`.
    pub from: String,
    /// How long each step may take.
    pub timeout: Duration,
}

/// Settings that no mail can be sent with.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtpSettings {
    /// The sender is no address.
    #[error("{from:?} is no sender: an address such as Spacey <noreply@example.org> is accepted")]
    From {
        /// What was given.
        from: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Sends through an SMTP server.
#[derive(Debug)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl SmtpMailer {
    /// Prepares to send; the server is first called when there is mail.
    ///
    /// # Errors
    /// [`InvalidSmtpSettings`] when nothing can be sent so.
    pub fn new(settings: &SmtpSettings) -> Result<Self, InvalidSmtpSettings> {
        let from: Sender = settings
            .from
            .parse()
            .map_err(|_| InvalidSmtpSettings::From { from: settings.from.clone() })?;
        let parameters =
            || TlsParameters::new(settings.host.clone()).map_err(InvalidSmtpSettings::Tls);
        let tls = match settings.tls {
            SmtpTls::Implicit => Tls::Wrapper(parameters()?),
            SmtpTls::StartTls => Tls::Required(parameters()?),
            SmtpTls::Off => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout));
        if let Some((user, password)) = &settings.credentials {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: builder.build(), from })
    }

    fn message(&self, letter: Letter) -> Result<Message, MailError> {
        let never = |error: &dyn std::fmt::Display| MailError::Never(error.to_string().into());
        let to = letter.to.as_str().parse().map_err(|error| never(&error))?;
        Message::builder()
            .from(self.from.clone())
            .to(Sender::new(None, to))
            .subject(letter.subject)
            // The same when it is sent again, so that a mail program shows it once.
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .map_err(|error| never(&error))
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(async move {
            let message = self.message(letter)?;
            match self.transport.send(message).await {
                Ok(_) => Ok(()),
                // 5xx: the server will say the same again. What it cannot do, such as SMTPUTF8, it will not be able to do later.
                Err(error) if error.is_permanent() || error.is_client() => {
                    Err(MailError::Never(Box::new(error)))
                }
                Err(error) => Err(MailError::Later(Box::new(error))),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use common::MailId;

    use super::*;
    use crate::model::Email;

    fn settings(from: &str) -> SmtpSettings {
        SmtpSettings {
            host: "127.0.0.1".into(),
            port: 9,
            tls: SmtpTls::Off,
            credentials: None,
            from: from.into(),
            timeout: Duration::from_secs(2),
        }
    }

    fn letter(to: &str) -> Letter {
        Letter {
            id: MailId::new(),
            to: Email::new("", to).unwrap(),
            subject: "Hello",
            text: "text ü\n.\nbcc: x".into(),
            html: "<p>html</p>".into(),
        }
    }

    #[test]
    fn a_message_has_one_recipient_both_parts_and_a_message_id_that_stays() {
        let mailer = SmtpMailer::new(&settings("Spacey <noreply@example.org>")).unwrap();
        let letter = letter("o'neil+cards@example.org");
        let message = mailer.message(letter.clone()).unwrap();
        assert_eq!(message.envelope().to().len(), 1);
        assert_eq!(message.envelope().to()[0].to_string(), "o'neil+cards@example.org");
        let text = String::from_utf8(message.formatted()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Message-ID: <{}@example.org>", letter.id)), "{head}");
        assert!(!head.to_lowercase().contains("bcc"), "{head}");
        assert!(body.contains("text/plain") && body.contains("text/html"), "{body}");
    }

    #[test]
    fn a_sender_that_is_none_is_refused() {
        for from in ["", "nobody", "a@b.org\r\nbcc: c@d.org", "a@b.org, c@d.org"] {
            assert!(SmtpMailer::new(&settings(from)).is_err(), "{from:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_tried_later() {
        let mailer = SmtpMailer::new(&settings("noreply@example.org")).unwrap();
        let error = mailer.send(letter("ada@example.org")).await.unwrap_err();
        assert!(matches!(error, MailError::Later(_)), "{error}");
    }
}
