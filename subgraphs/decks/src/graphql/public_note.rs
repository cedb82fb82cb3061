//! Notes of public decks in GraphQL, with the files that they name.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::MediaId;
use common::graphql::{PageInfo, Result};
use common::page::{Page, encode_cursor};
use tokio::sync::OnceCell;

use super::args::NoteType;
use super::note::NoteField;
use crate::model::{PublishedMedia, PublishedNote};
use crate::references;
use crate::service::Service;

/// A page of the notes of a public deck.
#[derive(Debug)]
pub(super) struct PublicNoteConnection {
    pub(super) page: Arc<Page<PublishedNote>>,
    pub(super) media: Arc<MediaOfSamples>,
    pub(super) count: i64,
}

impl PublicNoteConnection {
    fn node(&self, note: &PublishedNote) -> PublicNote {
        PublicNote { note: note.clone(), media: Arc::clone(&self.media) }
    }
}

/// A page of the notes of a public deck.
#[Object]
impl PublicNoteConnection {
    /// The notes with their cursors.
    async fn edges(&self) -> Vec<PublicNoteEdge> {
        let edge = |note: &PublishedNote| PublicNoteEdge {
            cursor: encode_cursor(&note.key()),
            node: self.node(note),
        };
        self.page.rows.iter().map(edge).collect()
    }

    /// The notes.
    async fn nodes(&self) -> Vec<PublicNote> {
        self.page.rows.iter().map(|note| self.node(note)).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |note| encode_cursor(&note.key()))
    }

    /// How many notes there are.
    async fn total_count(&self) -> i64 {
        self.count
    }
}

/// A note of a public deck in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct PublicNoteEdge {
    /// Names the note's place in the list, for `after` and `before`.
    cursor: String,
    /// The note.
    node: PublicNote,
}

/// A note of a public deck.
#[derive(Debug)]
pub(super) struct PublicNote {
    note: PublishedNote,
    media: Arc<MediaOfSamples>,
}

/// A note of a public deck.
#[Object]
impl PublicNote {
    /// What cards it makes.
    #[graphql(name = "type")]
    async fn kind(&self) -> NoteType {
        self.note.content.kind().into()
    }

    /// What it says: the fields of its type, then others.
    async fn fields(&self) -> Vec<NoteField> {
        self.note.content.fields().iter().map(NoteField::from).collect()
    }

    /// Its tags by name.
    async fn tags(&self) -> Vec<&str> {
        self.note.tags.list().iter().map(|tag| tag.text()).collect()
    }

    /// The images and sounds that its fields name, in their order. A clone has them as files of one's own.
    async fn media(&self, ctx: &Context<'_>) -> Result<Vec<PublicMedia>> {
        let ids = media_of(&self.note);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.media.found(ctx).await?;
        Ok(ids.iter().filter_map(|id| found.get(id)).map(PublicMedia::from).collect())
    }
}

fn media_of(note: &PublishedNote) -> Vec<MediaId> {
    let names = references::media_of(&note.content);
    names.iter().map(|name| PublishedMedia::id_of(note.publication, name)).collect()
}

/// The files of notes that were read together: the first note that is asked for its files reads those of all.
#[derive(Debug)]
pub(super) struct MediaOfSamples {
    ids: Vec<MediaId>,
    found: OnceCell<Result<HashMap<MediaId, PublishedMedia>>>,
}

impl MediaOfSamples {
    pub(super) fn new<'a>(notes: impl Iterator<Item = &'a PublishedNote>) -> Arc<Self> {
        let mut ids: Vec<MediaId> = notes.flat_map(media_of).collect();
        ids.sort_unstable();
        ids.dedup();
        Arc::new(Self { ids, found: OnceCell::new() })
    }

    async fn found(&self, ctx: &Context<'_>) -> Result<&HashMap<MediaId, PublishedMedia>> {
        let load = async || {
            let media = ctx.data::<Arc<Service>>()?.public_media(self.ids.clone()).await?;
            Ok(media.into_iter().map(|file| (file.id, file)).collect())
        };
        self.found.get_or_init(load).await.as_ref().map_err(Clone::clone)
    }
}

/// An image or a sound of a public deck.
#[derive(Debug, SimpleObject)]
pub(super) struct PublicMedia {
    /// By which the note knows it: the author's name for it with a part of the hash of its bytes.
    name: String,
    /// What it is, told from its bytes, such as `image/png` or `audio/mpeg`.
    content_type: &'static str,
    /// How many bytes it has.
    size: i64,
    /// Where its bytes are, a path at the gateway's address: they are given to whoever is signed in while the deck is public.
    url: String,
}

impl From<&PublishedMedia> for PublicMedia {
    fn from(file: &PublishedMedia) -> Self {
        Self {
            name: file.name.text().to_owned(),
            content_type: file.kind.content_type(),
            size: file.size,
            url: file.path(),
        }
    }
}
