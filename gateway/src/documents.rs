//! Finds the text of an operation that a client did not send in full: a persisted query by its hash, a trusted document by its id.
//!
//! Refused: a hash or an id that is not known, a text that has another hash than the client says, and, where only trusted documents are
//! answered, every other operation. A persisted query is kept once it was found to be one that can be run, so that nobody fills the
//! store with mistakes.
//!
//! Protocols: <https://www.apollographql.com/docs/apollo-server/performance/apq>; GraphQL over HTTP, appendix A (persisted documents).

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::cache::OperationCache;
use crate::client::Application;
use crate::code::Code;
use crate::decode::Asked;
use crate::outcome::Outcome;
use crate::settings::{DocumentSettings, Untrusted};
use crate::trusted::TrustedDocuments;

/// What texts are known.
#[derive(Debug)]
pub(crate) struct Documents {
    trusted: Arc<TrustedDocuments>,
    untrusted: Untrusted,
    /// Texts by hash. None where persisted queries are off.
    persisted: Option<OperationCache<String>>,
}

/// The text of an operation.
#[derive(Debug)]
pub(crate) struct Found<'r> {
    pub(crate) text: Cow<'r, str>,
    /// The hash by which it is to be kept once it was found good.
    new: Option<&'r str>,
}

impl Documents {
    pub(crate) fn new(settings: &DocumentSettings) -> Self {
        let cached_bytes = settings.persisted_bytes;
        let keep = |cached_bytes| OperationCache::new(cached_bytes, String::len);
        Self {
            trusted: settings.trusted.clone(),
            untrusted: settings.untrusted,
            persisted: (cached_bytes > 0).then(|| keep(cached_bytes)),
        }
    }

    /// The text of what `application` asks for.
    ///
    /// # Errors
    /// [`Outcome::Refused`] when there is none, or it may not be answered.
    pub(crate) fn find<'r>(
        &'r self,
        asked: &'r Asked,
        application: &Application,
    ) -> Result<Found<'r>, Outcome> {
        let found = match asked {
            Asked::Text(text) => Found { text: text.into(), new: None },
            Asked::Id(id) => return self.trusted(id, application),
            Asked::Hash { hash, text: Some(text) } => new(hash, text)?,
            Asked::Hash { hash, text: None } => {
                // A manifest's ids are hashes, and its clients send them as such.
                if let Ok(trusted) = self.trusted(hash, application) {
                    return Ok(trusted);
                }
                self.persisted(hash)?
            }
        };
        self.check(&found.text, application)?;
        Ok(found)
    }

    /// Keeps what was found and turned out to be good.
    pub(crate) fn keep(&self, found: &Found<'_>) {
        if let (Some(persisted), Some(hash)) = (&self.persisted, found.new) {
            persisted.insert(hash, None, Arc::new(found.text.clone().into_owned()));
        }
    }

    fn trusted(&self, id: &str, application: &Application) -> Result<Found<'_>, Outcome> {
        match self.trusted.by_id(id, application) {
            Some(text) => Ok(Found { text: text.into(), new: None }),
            None => Err(Outcome::refused(
                Code::DocumentNotFound,
                "this application has no trusted document with this id",
            )),
        }
    }

    fn persisted(&self, hash: &str) -> Result<Found<'static>, Outcome> {
        let Some(persisted) = &self.persisted else {
            return Err(Outcome::refused(
                Code::PersistedQueryNotSupported,
                "PersistedQueryNotSupported",
            ));
        };
        match persisted.get(hash, None) {
            Some(text) => Ok(Found { text: text.to_string().into(), new: None }),
            // Clients know it by these very words, and send hash and text then.
            None => Err(Outcome::refused(Code::PersistedQueryNotFound, "PersistedQueryNotFound")),
        }
    }

    fn check(&self, text: &str, application: &Application) -> Result<(), Outcome> {
        if self.untrusted == Untrusted::Answered || self.trusted.has(text, application) {
            return Ok(());
        }
        if self.untrusted == Untrusted::Refused {
            return Err(Outcome::refused(
                Code::DocumentNotTrusted,
                "only operations that were registered before are answered here, for the applications they were registered for",
            ));
        }
        let (name, version) = (application.name.as_deref(), application.version.as_deref());
        tracing::warn!(name, version, "an operation that is not among the trusted documents");
        Ok(())
    }
}

/// A text that is sent with its hash.
fn new<'r>(hash: &'r str, text: &'r str) -> Result<Found<'r>, Outcome> {
    if hex(&Sha256::digest(text)) != hash {
        return Err(Outcome::bad_request(
            "provided sha does not match query: sha256Hash is the SHA-256 of the text, in lower-case hexadecimal",
        ));
    }
    Ok(Found { text: text.into(), new: Some(hash) })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
