//! Notes in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::NoteId;
use common::graphql::sdl::key;
use common::graphql::{DateTime, Result};

use super::args::NoteType;
use super::batch::CardBatch;
use super::card::CardNode;
use super::media::{MediaNode, MediaOfNotes};
use crate::model::{Field, Note};
use crate::service::NoteWithCards;

/// A note and its cards.
#[derive(Debug, Clone)]
pub(super) struct NoteNode {
    pub(super) note: Arc<Note>,
    cards: Arc<[CardNode]>,
    media: Arc<MediaOfNotes>,
}

impl NoteNode {
    /// Notes that were read together, in their order.
    pub(super) fn of(notes: Vec<NoteWithCards>) -> Vec<Self> {
        let (notes, cards): (Vec<_>, Vec<_>) =
            notes.into_iter().map(|NoteWithCards { note, cards }| (note, cards)).unzip();
        let counts: Vec<usize> = cards.iter().map(Vec::len).collect();
        let mut nodes = CardBatch::nodes(cards.into_iter().flatten().collect()).into_iter();
        let notes: Vec<Arc<Note>> = notes.into_iter().map(Arc::new).collect();
        let media = MediaOfNotes::new(&notes);
        let node = |(note, count)| Self {
            note,
            cards: nodes.by_ref().take(count).collect(),
            media: Arc::clone(&media),
        };
        notes.into_iter().zip(counts).map(node).collect()
    }
}

/// What is written down once, and makes one or more cards.
#[Object(name = "Note", directive = key::apply("id".into()))]
impl NoteNode {
    /// The note's id, a UUID.
    pub(super) async fn id(&self) -> NoteId {
        self.note.id
    }

    /// By which it is known when it is exported and imported again: 1 to 64 characters.
    async fn guid(&self) -> &str {
        self.note.guid.text()
    }

    /// What cards it makes.
    #[graphql(name = "type")]
    async fn kind(&self) -> NoteType {
        self.note.content.kind().into()
    }

    /// What it says: the fields of its type, then others.
    async fn fields(&self) -> Vec<NoteField> {
        let fields = self.note.content.fields().iter();
        fields.map(NoteField::from).collect()
    }

    /// Its tags by name.
    async fn tags(&self) -> Vec<&str> {
        self.note.tags.list().iter().map(|tag| tag.text()).collect()
    }

    /// Its cards in order: at least one. Those in the trash are not among them.
    async fn cards(&self) -> Vec<CardNode> {
        self.cards.to_vec()
    }

    /// The images and sounds that its fields name and that are there, in their order: at most 100.
    async fn media(&self, ctx: &Context<'_>) -> Result<Vec<MediaNode>> {
        self.media.of(ctx, &self.note).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.note.created_at)
    }

    /// When its type, fields or tags last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.note.updated_at)
    }

    /// Starts at 1 and grows with each change.
    async fn version(&self) -> i64 {
        self.note.version
    }
}

/// A named text of a note.
#[derive(Debug, SimpleObject)]
pub(super) struct NoteField {
    /// Its name: that of the type's field, or 1 to 100 characters.
    name: String,
    /// What it says, as it was written: up to 10,000 characters.
    value: String,
}

impl From<&Field> for NoteField {
    fn from(field: &Field) -> Self {
        Self { name: field.name.clone(), value: field.value.clone() }
    }
}
