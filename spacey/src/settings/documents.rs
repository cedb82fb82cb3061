//! Which operations may be asked for without their text, and which alone are answered; and how many answers are kept.

use std::path::PathBuf;

use gateway::Untrusted;

use super::path;
use super::reader::Reader;

/// Persisted queries and trusted documents.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    /// `SPACEY_PERSISTED_QUERIES_BYTES`: how many bytes of texts are kept by their hash; 0 for none.
    pub(crate) persisted_bytes: usize,
    /// `SPACEY_TRUSTED_DOCUMENTS`: a file of trusted documents, or a folder of such files.
    pub(crate) trusted: Option<PathBuf>,
    /// `SPACEY_UNTRUSTED_OPERATIONS`: what becomes of all others.
    pub(crate) untrusted: Untrusted,
    /// `SPACEY_RESPONSE_CACHE_BYTES`: how many bytes of answers are kept that are the same for everybody; 0 for none.
    pub(crate) kept_answers: usize,
}

impl Documents {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut bytes = |name| {
            let accepted = "a number from 0, for none, to 1073741824 is accepted";
            reader.get(name, accepted, "16777216", |text| {
                text.parse().ok().filter(|bytes| *bytes <= 1 << 30)
            })
        };
        let persisted_bytes = bytes("SPACEY_PERSISTED_QUERIES_BYTES");
        let kept_answers = bytes("SPACEY_RESPONSE_CACHE_BYTES");
        let trusted = reader.optional(
            "SPACEY_TRUSTED_DOCUMENTS",
            "a file, or a folder of files, is accepted",
            path,
        );
        let untrusted = reader.get(
            "SPACEY_UNTRUSTED_OPERATIONS",
            "answer, log and refuse are accepted",
            "answer",
            |text| match text {
                "answer" => Some(Untrusted::Answered),
                "log" => Some(Untrusted::Logged),
                "refuse" => Some(Untrusted::Refused),
                _ => None,
            },
        );
        let (persisted_bytes, untrusted) = (persisted_bytes?, untrusted?);
        if trusted.is_none() && untrusted != Untrusted::Answered {
            reader.contradiction(
                "SPACEY_UNTRUSTED_OPERATIONS needs SPACEY_TRUSTED_DOCUMENTS: which ones are trusted",
            );
            return None;
        }
        Some(Self { persisted_bytes, trusted, untrusted, kept_answers: kept_answers? })
    }
}
