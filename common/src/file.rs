//! Files that a domain keeps and the gateway serves: what is known of one, and its bytes in pieces.
//!
//! A file never changes under its id: it is there or not. Whose it is, the domain knows; what is somebody else's is not there.

use bytes::Bytes;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::error::BoxError;

/// What is known of a file besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileInfo {
    /// What it is called: any text.
    pub name: String,
    /// Its media type, found by whoever keeps it.
    pub content_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// A name of its bytes, for caches: visible ASCII without quotation marks.
    pub tag: String,
}

/// Bytes of a file, piece by piece. It fails when the rest cannot be read.
pub type FileBytes = BoxStream<'static, Result<Bytes, BoxError>>;
