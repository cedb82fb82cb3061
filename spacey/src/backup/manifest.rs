//! The list of what a backup has: `manifest.json`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The form of the list; a program reads those that are not newer than its own.
pub(super) const FORMAT: u32 = 1;

/// What a backup has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(super) format: u32,
    /// `spacey-` and the moment to the second: names sort as moments do.
    pub(crate) name: String,
    /// The version of the program that made it.
    pub(super) version: String,
    pub(super) taken_at: Timestamp,
    pub(crate) files: Vec<Kept>,
}

/// One of its objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    /// The object's name below the backup's.
    pub(super) object: String,
    /// Where it belongs below the data folder; of MongoDB none.
    pub(super) path: Option<String>,
    /// How long it is, and its SHA-256, in hexadecimal digits; of a file before it was compressed.
    pub(crate) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) fn name_at(now: Timestamp) -> String {
        format!("spacey-{}", now.strftime("%Y%m%dT%H%M%SZ"))
    }

    pub(super) fn new(name: String, taken_at: Timestamp, files: Vec<Kept>) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, name, version, taken_at, files }
    }

    /// How many bytes it has, before compression.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|kept| kept.bytes).sum()
    }
}

/// A digest as hexadecimal digits.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
