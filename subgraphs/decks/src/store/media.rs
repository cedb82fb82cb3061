//! What the domain asks of a store for media. What is written is part of [`super::Changes`], so that it is made with everything else or not at all.
//!
//! Bytes are kept in chunks, once for each person, however many files have them: never across people, so that nobody can find out by them what
//! another person has.

use bytes::Bytes;
use common::page::{Page, PageRequest};
use common::{MediaId, TransferId, TrashId, UserId};

use super::Reply;
use crate::model::{ContentHash, Media, MediaFilter, MediaName, MediaTotals};

/// How many bytes a chunk has; the last one of a file has what is left.
pub const CHUNK: usize = 256 << 10;

/// Bytes to store, under their owner and their hash.
#[derive(Debug, Clone)]
pub struct NewContent {
    /// Whose they are.
    pub owner: UserId,
    /// Their name.
    pub hash: ContentHash,
    /// The bytes.
    pub bytes: Bytes,
}

impl NewContent {
    /// The chunks in order.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (i64, &[u8])> {
        (0..).zip(self.bytes.chunks(CHUNK))
    }
}

/// Where media are kept.
pub trait MediaStore: Send + Sync {
    /// Those of the files that exist, in any order.
    fn media(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<Media>>;

    /// Those of a person's files with these names, in any order.
    fn media_named(&self, owner: UserId, names: Vec<MediaName>) -> Reply<'_, Vec<Media>>;

    /// Everything for which a person's bytes are kept: the ids of files, of files in the trash and of files of public decks that have some of them,
    /// in any order. There is nothing else, so bytes that are none of these are wanted no more.
    fn holders(
        &self,
        owner: UserId,
        hashes: Vec<ContentHash>,
    ) -> Reply<'_, Vec<(MediaId, ContentHash)>>;

    /// Some of a person's files in an entry of the trash, or in any, with the entry.
    fn trashed_media(
        &self,
        owner: UserId,
        entry: Option<TrashId>,
        limit: u32,
    ) -> Reply<'_, Vec<(Media, TrashId)>>;

    /// Some of the files that are named only by notes which end with an entry of the trash: by some, and by no others.
    fn media_ending_with(&self, entry: TrashId, limit: u32) -> Reply<'_, Vec<Media>>;

    /// Some of the files that an import stored and that are not its owner's own yet.
    fn staged_media(&self, import: TransferId, limit: u32) -> Reply<'_, Vec<Media>>;

    /// Those of the files that an import stored and that are not their owner's own yet, with the import.
    fn staging_of(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<(MediaId, TransferId)>>;

    /// Those of the names that a person's notes name, also notes in the trash, in any order.
    fn names_in_notes(&self, owner: UserId, names: Vec<MediaName>) -> Reply<'_, Vec<MediaName>>;

    /// One page of a person's files by name.
    fn media_page(
        &self,
        owner: UserId,
        filter: MediaFilter,
        page: PageRequest<String>,
    ) -> Reply<'_, Page<Media>>;

    /// How many of a person's files are meant, and their sizes.
    fn media_totals(&self, owner: UserId, filter: MediaFilter) -> Reply<'_, MediaTotals>;

    /// A chunk of some bytes, by its number from 0; none when there is no such.
    fn media_chunk(
        &self,
        owner: UserId,
        hash: ContentHash,
        number: i64,
    ) -> Reply<'_, Option<Bytes>>;
}
