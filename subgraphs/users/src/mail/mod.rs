//! The one way by which mail leaves: a seam with two ends, an SMTP server, and a folder that a developer can look into.

mod compose;
mod mailbox;
mod smtp;

use common::MailId;
use common::error::BoxError;
use futures::future::BoxFuture;

use crate::model::Email;

pub use mailbox::{Mailbox, StoredLetter};
pub use smtp::{InvalidSmtpSettings, SmtpMailer, SmtpSettings, SmtpTls};

pub(crate) use compose::{Content, Link};

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its message id is made of this.
    pub id: MailId,
    /// The one recipient.
    pub to: Email,
    /// One line.
    pub subject: &'static str,
    /// The content as plain text.
    pub text: String,
    /// The same as HTML. What came from people is escaped.
    pub html: String,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It may be sent later: the server could not be reached, or asked to try again.
    #[error("the mail cannot be sent now")]
    Later(#[source] BoxError),
    /// It never will be: the server refused it for good.
    #[error("the mail was refused")]
    Never(#[source] BoxError),
}

/// Sends mail.
pub trait Mailer: Send + Sync {
    /// Sends a letter. When it answers `Ok`, somebody else has taken responsibility for it.
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), MailError>>;
}
