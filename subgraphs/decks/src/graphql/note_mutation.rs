//! What can be changed of notes and tags.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use common::graphql::{Result, caller};
use common::{DeckId, Error, NoteId, TrashId};

use super::args::NoteType;
use super::batch::DeckBatch;
use super::deck::DeckNode;
use super::note::NoteNode;
use crate::model::{Content, FieldEdit, Guid, NewNote, NoteEdit, NoteKind, Tag, Tagging, Tags};
use crate::service::Service;

/// What can be changed of notes and tags.
#[derive(Debug, Default)]
pub(crate) struct NoteMutation;

/// What can be changed of notes and tags.
#[Object]
impl NoteMutation {
    /// Makes notes whose cards lie at the end of a deck: all, or none. They may make 10,000 cards at once.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn create_notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The notes to make, and where.")] input: CreateNotesInput,
    ) -> Result<CreateNotesPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let deck = input.deck_id;
        let (deck, notes) =
            ctx.data::<Arc<Service>>()?.create_notes(viewer, deck, &input.notes()?).await?;
        Ok(CreateNotesPayload { deck: DeckBatch::node(deck), notes: NoteNode::of(notes) })
    }

    /// Edits notes: all, or none. Cards that a note makes before and after keep their ids and what was learned; those it makes no longer are
    /// gone, and come back with what was learned when it is written so again within 30 days. Another version than an expected one is the error
    /// CONFLICT, with the note as it is in `extensions.current`.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn update_notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which notes, and what to change.")] input: UpdateNotesInput,
    ) -> Result<UpdateNotesPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let notes = ctx.data::<Arc<Service>>()?.update_notes(viewer, &input.edits()?).await?;
        Ok(UpdateNotesPayload { notes: NoteNode::of(notes) })
    }

    /// Deletes notes with all their cards: all, or none. For 30 days `restoreDeleted` brings them back, with what was learned.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which notes.")] input: DeleteNotesInput,
    ) -> Result<DeleteNotesPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let trash_id = ctx.data::<Arc<Service>>()?.delete_notes(viewer, &input.ids).await?;
        Ok(DeleteNotesPayload { deleted_ids: input.ids, trash_id })
    }

    /// Gives notes tags, and takes some away: all notes, or none.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn tag_notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which notes, and which tags.")] input: TagNotesInput,
    ) -> Result<TagNotesPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let edit = Tagging {
            notes: input.note_ids,
            add: tags("input.add", input.add.unwrap_or_default())?.list().to_vec(),
            remove: tags("input.remove", input.remove.unwrap_or_default())?.list().to_vec(),
        };
        let notes = ctx.data::<Arc<Service>>()?.tag_notes(viewer, &edit).await?;
        Ok(TagNotesPayload { notes: NoteNode::of(notes) })
    }

    /// Renames a tag with those below it, in all notes. It may become one that exists.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn rename_tag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tag, and its new name.")] input: RenameTagInput,
    ) -> Result<RenameTagPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let tag = Tag::new("input.tag", &input.tag)?;
        let to = Tag::new("input.to", &input.to)?;
        let changed = ctx.data::<Arc<Service>>()?.rename_tags(viewer, &[tag], &to).await?;
        Ok(RenameTagPayload { changed_notes: changed })
    }

    /// Makes one tag of several, in all notes. Those below them go along.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn merge_tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tags, and what they become.")] input: MergeTagsInput,
    ) -> Result<MergeTagsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let tags = tags("input.tags", input.tags)?;
        let into = Tag::new("input.into", &input.into)?;
        let service = ctx.data::<Arc<Service>>()?;
        Ok(MergeTagsPayload {
            changed_notes: service.rename_tags(viewer, tags.list(), &into).await?,
        })
    }
}

/// Notes to be made in one deck.
#[derive(Debug, InputObject)]
pub(super) struct CreateNotesInput {
    /// The deck at whose end their cards will lie.
    deck_id: DeckId,
    /// The notes: 1 to 1,000. All are made, or none.
    notes: Vec<NewNoteInput>,
}

/// A note to be made.
#[derive(Debug, InputObject)]
#[graphql(name = "NewNote")]
pub(super) struct NewNoteInput {
    /// An id of the client's own making, any UUID. With it, sending the mutation twice makes the note once.
    id: Option<NoteId>,
    /// By which it is known elsewhere: 1 to 64 characters without white space. One is made when absent.
    guid: Option<String>,
    /// What cards it makes.
    #[graphql(name = "type", default_with = "NoteType::Basic")]
    kind: NoteType,
    /// What it says. `Front` and `Back`, or `Text` of a cloze: 1 to 10,000 characters; `Extra` of a cloze and 20 more of any name: up to 10,000.
    fields: Vec<NoteFieldInput>,
    /// Its tags: up to 100 of 100 characters, without white space, with levels such as `language::french`.
    tags: Option<Vec<String>>,
}

/// A field to be written.
#[derive(Debug, InputObject)]
pub(super) struct NoteFieldInput {
    /// Its name: that of a field of the type, or any other of 1 to 100 characters.
    name: String,
    /// What it says. Null takes away a field that is none of the type's.
    value: Option<String>,
}

impl From<NoteFieldInput> for FieldEdit {
    fn from(input: NoteFieldInput) -> Self {
        Self { name: input.name, value: input.value }
    }
}

impl CreateNotesInput {
    /// The notes, checked.
    fn notes(self) -> std::result::Result<Vec<NewNote>, Error> {
        let note = |(index, note): (usize, NewNoteInput)| {
            let path = |field: &str| format!("input.notes[{index}].{field}");
            let fields = note.fields.into_iter().map(FieldEdit::from).collect();
            Ok(NewNote {
                id: note.id,
                card: None,
                guid: note.guid.map(|guid| Guid::new(&path("guid"), guid)).transpose()?,
                content: Content::new(&path("fields"), note.kind.into(), fields)?,
                tags: tags(&path("tags"), note.tags.unwrap_or_default())?,
                source: None,
            })
        };
        self.notes.into_iter().enumerate().map(note).collect()
    }
}

/// Notes to be edited.
#[derive(Debug, InputObject)]
pub(super) struct UpdateNotesInput {
    /// The notes: 1 to 1,000. All are edited, or none.
    notes: Vec<NoteEditInput>,
}

/// What to change about a note. What is absent stays as it is.
#[derive(Debug, InputObject)]
#[graphql(name = "NoteEdit")]
pub(super) struct NoteEditInput {
    /// Which note.
    id: NoteId,
    /// What cards it is to make. The first two fields stay the first two, whatever the type calls them.
    #[graphql(name = "type")]
    kind: Option<NoteType>,
    /// The fields to write; the others stay as they are.
    fields: Option<Vec<NoteFieldInput>>,
    /// Its new tags, in place of all it has.
    tags: Option<Vec<String>>,
    /// The version the client has seen: when the note has another by now, nothing is changed and the error is CONFLICT.
    expected_version: Option<i64>,
}

impl UpdateNotesInput {
    /// The edits, checked.
    fn edits(self) -> std::result::Result<Vec<NoteEdit>, Error> {
        let edit = |(index, note): (usize, NoteEditInput)| {
            let path = format!("input.notes[{index}].tags");
            Ok(NoteEdit {
                id: note.id,
                kind: note.kind.map(NoteKind::from),
                fields: note.fields.unwrap_or_default().into_iter().map(FieldEdit::from).collect(),
                tags: note.tags.map(|list| tags(&path, list)).transpose()?,
                expected_version: note.expected_version,
            })
        };
        self.notes.into_iter().enumerate().map(edit).collect()
    }
}

/// Which notes to delete.
#[derive(Debug, InputObject)]
pub(super) struct DeleteNotesInput {
    /// Which notes: 1 to 1,000. All are deleted, or none.
    ids: Vec<NoteId>,
}

/// Which notes get which tags.
#[derive(Debug, InputObject)]
pub(super) struct TagNotesInput {
    /// Which notes: 1 to 1,000.
    note_ids: Vec<NoteId>,
    /// Tags they get: up to 100.
    add: Option<Vec<String>>,
    /// Tags they lose: up to 100. Those below them stay.
    remove: Option<Vec<String>>,
}

/// A tag's new name.
#[derive(Debug, InputObject)]
pub(super) struct RenameTagInput {
    /// Which tag. Those below it go along.
    tag: String,
    /// Its new name.
    to: String,
}

/// Tags that become one.
#[derive(Debug, InputObject)]
pub(super) struct MergeTagsInput {
    /// Which tags: 1 to 100.
    tags: Vec<String>,
    /// What they become.
    into: String,
}

fn tags(path: &str, texts: Vec<String>) -> std::result::Result<Tags, Error> {
    let tag = |(index, text): (usize, String)| Tag::new(&format!("{path}[{index}]"), &text);
    let tags: std::result::Result<_, _> = texts.into_iter().enumerate().map(tag).collect();
    Tags::new(path, tags?)
}

/// The notes that were made.
#[derive(Debug, SimpleObject)]
pub(super) struct CreateNotesPayload {
    /// The deck their cards lie in.
    deck: DeckNode,
    /// The notes, in the order they were given.
    notes: Vec<NoteNode>,
}

/// The notes that were edited.
#[derive(Debug, SimpleObject)]
pub(super) struct UpdateNotesPayload {
    /// The notes, in the order they were given.
    notes: Vec<NoteNode>,
}

/// The notes that were deleted.
#[derive(Debug, SimpleObject)]
pub(super) struct DeleteNotesPayload {
    /// Their ids.
    deleted_ids: Vec<NoteId>,
    /// The entry of the trash they lie in.
    trash_id: TrashId,
}

/// The notes that were tagged.
#[derive(Debug, SimpleObject)]
pub(super) struct TagNotesPayload {
    /// The notes, in the order they were given.
    notes: Vec<NoteNode>,
}

/// What renaming a tag changed.
#[derive(Debug, SimpleObject)]
pub(super) struct RenameTagPayload {
    /// How many notes, those in the trash included.
    changed_notes: i64,
}

/// What merging tags changed.
#[derive(Debug, SimpleObject)]
pub(super) struct MergeTagsPayload {
    /// How many changes of a note, those in the trash included.
    changed_notes: i64,
}
