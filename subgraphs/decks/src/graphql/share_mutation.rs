//! Publishing, rating, cloning and pulling in GraphQL, with the inputs of that.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, MaybeUndefined, Object, SimpleObject};
use common::graphql::{Result, caller};
use common::{DeckId, Error, NoteId};

use super::batch::DeckBatch;
use super::deck::DeckNode;
use super::input::given;
use super::note::NoteNode;
use super::public_deck::{LicenceName, PublicDeckNode};
use crate::merge::Difference;
use crate::model::{
    ChangeNote, Description, MAX_BATCH, Name, NewClone, Publish, Pull, Slug, public_tags,
};
use crate::service::{ConflictKind, DeckConflict, LeftOut, PullConflict, Pulled, Service};

/// What can be changed of public decks and their clones.
#[derive(Debug, Default)]
pub(crate) struct ShareMutation;

/// What can be changed of public decks and their clones.
#[Object]
impl ShareMutation {
    /// Publishes a deck with the decks in it, for everybody to see: at most 500 decks, 10,000 cards and 16 MiB of text, and the images and sounds that
    /// its notes name, at most 10,000 with 512 MiB. What is published is a release, which never changes; publishing again makes the next one, if
    /// anything differs. Nothing of what was learned is published.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn publish_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck, and what to say of it.")] input: PublishDeckInput,
    ) -> Result<PublishDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let new = Publish::try_from(input)?;
        let publication = ctx.data::<Arc<Service>>()?.publish(viewer, &new).await?;
        Ok(PublishDeckPayload { public_deck: PublicDeckNode::one(publication) })
    }

    /// Makes a deck no longer public: nobody finds or clones it any more, or pulls from it. Clones stay. It can be published again.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn unpublish_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck.")] input: UnpublishDeckInput,
    ) -> Result<UnpublishDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let deck = ctx.data::<Arc<Service>>()?.unpublish(viewer, input.deck_id).await?;
        Ok(UnpublishDeckPayload { deck: DeckBatch::node(deck) })
    }

    /// Gives stars to a public deck, others in place of those given before, or takes them back. It takes a clone of it.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn rate_public_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which public deck, and the stars.")] input: RatePublicDeckInput,
    ) -> Result<RatePublicDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let RatePublicDeckInput { slug, stars } = input;
        let service = ctx.data::<Arc<Service>>()?;
        let publication = service.rate(viewer, &slug, stars.map(i64::from)).await?;
        Ok(RatePublicDeckPayload { public_deck: PublicDeckNode::one(publication) })
    }

    /// Clones a public deck: decks, notes and cards of one's own, of which nothing is learned yet, and the images and sounds that they name, for which
    /// there must be room. What the author changes later can be pulled with `pullPublicDeck`.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn clone_public_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which public deck, and where its clone goes.")]
        input: ClonePublicDeckInput,
    ) -> Result<ClonePublicDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let ClonePublicDeckInput { slug, id, parent_id } = input;
        let new = NewClone { slug, id, parent: parent_id };
        let deck = ctx.data::<Arc<Service>>()?.clone_deck(viewer, &new).await?;
        Ok(ClonePublicDeckPayload { deck: DeckBatch::node(deck) })
    }

    /// Pulls what the author changed into a clone. One's own changes are kept, and of what both changed one's own stays unless `onConflict` or
    /// `choices` say otherwise; each such note is told. Notes that the author deleted go to the trash unless one changed them oneself; those one
    /// deleted oneself stay deleted. Decks are treated likewise; one that the author deleted goes to the trash when nothing is left in it. What was
    /// learned stays with cards that stay.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn pull_public_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which clone, and what to do with what both changed.")]
        input: PullPublicDeckInput,
    ) -> Result<PullPublicDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let pull = Pull::try_from(input)?;
        let pulled = ctx.data::<Arc<Service>>()?.pull(viewer, &pull).await?;
        Ok(pulled.into())
    }
}

/// A deck to be published. What is absent stays as it was published before.
#[derive(Debug, InputObject)]
pub(super) struct PublishDeckInput {
    /// Which deck.
    deck_id: DeckId,
    /// By which it will be found, without regard to case: 3 to 60 letters a to z, digits, and single hyphens between them. It must be there the
    /// first time.
    slug: Option<String>,
    /// What it will be called: 1 to 100 characters. The deck's name the first time.
    title: Option<String>,
    /// What it is about: up to 2,000 characters. The deck's description the first time.
    description: Option<String>,
    /// Its tags: at most 20. None the first time.
    tags: Option<Vec<String>>,
    /// What others may do with it. It must be there the first time.
    licence: Option<LicenceName>,
    /// The name to show as the author's: 1 to 100 characters. Null shows none, as does the first time.
    author_name: MaybeUndefined<String>,
    /// What has changed since the last release: up to 2,000 characters. Empty when absent.
    change_note: Option<String>,
    /// The latest release the client has seen, 0 for none: when another is the latest by now, nothing is changed and the error is CONFLICT.
    expected_release: Option<i64>,
}

impl TryFrom<PublishDeckInput> for Publish {
    type Error = Error;

    fn try_from(input: PublishDeckInput) -> std::result::Result<Self, Error> {
        let author = |name: Option<String>| {
            name.map(|name| Name::new("input.authorName", &name)).transpose()
        };
        Ok(Self {
            deck: input.deck_id,
            slug: input.slug.map(|slug| Slug::new("input.slug", &slug)).transpose()?,
            title: input.title.map(|title| Name::new("input.title", &title)).transpose()?,
            description: input
                .description
                .map(|text| Description::new("input.description", text))
                .transpose()?,
            tags: input.tags.map(|tags| public_tags("input.tags", &tags)).transpose()?,
            licence: input.licence.map(Into::into),
            author: given(input.author_name).map(author).transpose()?,
            change_note: ChangeNote::new(
                "input.changeNote",
                input.change_note.unwrap_or_default(),
            )?,
            expected_release: input.expected_release,
        })
    }
}

/// Which deck is no longer to be public.
#[derive(Debug, InputObject)]
pub(super) struct UnpublishDeckInput {
    /// Which deck of one's own.
    deck_id: DeckId,
}

/// Stars for a public deck.
#[derive(Debug, InputObject)]
pub(super) struct RatePublicDeckInput {
    /// Which public deck.
    slug: String,
    /// 1 to 5. Null takes back those that were given.
    stars: Option<i32>,
}

/// A clone to be made.
#[derive(Debug, InputObject)]
pub(super) struct ClonePublicDeckInput {
    /// Which public deck.
    slug: String,
    /// An id of the client's own making for the deck that is made, any UUID. With it, sending the mutation twice makes the clone once.
    id: Option<DeckId>,
    /// The deck it will lie in. At the top when absent.
    parent_id: Option<DeckId>,
}

/// What to do with what both changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum OnConflict {
    /// One's own stays.
    KeepMine,
    /// The author's is taken.
    TakeTheirs,
}

/// What to do with one note that both changed.
#[derive(Debug, InputObject)]
pub(super) struct ConflictChoiceInput {
    /// Which note of the clone.
    note_id: NoteId,
    /// What to do with it.
    on_conflict: OnConflict,
}

/// What to pull.
#[derive(Debug, InputObject)]
pub(super) struct PullPublicDeckInput {
    /// Which clone: the deck that `clonePublicDeck` made.
    deck_id: DeckId,
    /// Only say what would be done; nothing is changed.
    #[graphql(default)]
    dry_run: bool,
    /// What to do with what both changed.
    #[graphql(default_with = "OnConflict::KeepMine")]
    on_conflict: OnConflict,
    /// The same for single notes: at most 1,000.
    #[graphql(default)]
    choices: Vec<ConflictChoiceInput>,
    /// The latest release the client has seen: when another is the latest by now, nothing is changed and the error is CONFLICT.
    expected_release: Option<i64>,
}

impl TryFrom<PullPublicDeckInput> for Pull {
    type Error = Error;

    fn try_from(input: PullPublicDeckInput) -> std::result::Result<Self, Error> {
        let count = input.choices.len();
        if count > MAX_BATCH {
            let message = format!("names {count} notes: at most {MAX_BATCH} are accepted at once");
            return Err(Error::invalid("input.choices", message));
        }
        let takes = |choice: OnConflict| choice == OnConflict::TakeTheirs;
        let choices = input.choices.into_iter();
        Ok(Self {
            deck: input.deck_id,
            dry_run: input.dry_run,
            take_theirs: takes(input.on_conflict),
            choices: choices.map(|choice| (choice.note_id, takes(choice.on_conflict))).collect(),
            expected_release: input.expected_release,
        })
    }
}

/// What was published.
#[derive(Debug, SimpleObject)]
pub(super) struct PublishDeckPayload {
    /// The public deck.
    public_deck: PublicDeckNode,
}

/// What is no longer public.
#[derive(Debug, SimpleObject)]
pub(super) struct UnpublishDeckPayload {
    /// The deck.
    deck: DeckNode,
}

/// What was rated.
#[derive(Debug, SimpleObject)]
pub(super) struct RatePublicDeckPayload {
    /// The public deck.
    public_deck: PublicDeckNode,
}

/// The clone that was made.
#[derive(Debug, SimpleObject)]
pub(super) struct ClonePublicDeckPayload {
    /// The deck.
    deck: DeckNode,
}

/// What was pulled, or with `dryRun` would be.
#[derive(Debug, SimpleObject)]
pub(super) struct PullPublicDeckPayload {
    /// The clone.
    deck: DeckNode,
    /// The release that was cloned, or pulled last, before.
    from_release: i64,
    /// The latest release.
    to_release: i64,
    /// How many decks are new.
    added_decks: i64,
    /// How many decks changed or lie elsewhere.
    updated_decks: i64,
    /// How many decks were put into the trash.
    deleted_decks: i64,
    /// How many notes are new.
    added_notes: i64,
    /// How many notes changed or lie elsewhere.
    updated_notes: i64,
    /// How many notes were put into the trash.
    deleted_notes: i64,
    /// The notes that both changed.
    conflicts: Vec<PullConflictNode>,
    /// The decks that both changed.
    deck_conflicts: Vec<DeckConflictNode>,
    /// How many images and sounds that the notes name are new.
    added_media: i64,
    /// How many of them are left out, most often because there is no room: a later pull brings them.
    left_out_media_count: i64,
    /// The first 100 of these, by name.
    left_out_media: Vec<LeftOutMedia>,
}

/// An image or a sound that is left out.
#[derive(Debug, SimpleObject)]
pub(super) struct LeftOutMedia {
    /// What the notes call it.
    name: String,
    /// How many bytes it has.
    size: i64,
    /// Why it is left out.
    reason: String,
}

impl From<LeftOut> for LeftOutMedia {
    fn from(file: LeftOut) -> Self {
        let LeftOut { name, size, reason } = file;
        Self { name: name.text().to_owned(), size, reason }
    }
}

impl From<Pulled> for PullPublicDeckPayload {
    fn from(pulled: Pulled) -> Self {
        let (notes, rest): (Vec<_>, Vec<_>) = pulled
            .conflicts
            .into_iter()
            .map(|PullConflict { note, kind, differences }| (note, (kind, differences)))
            .unzip();
        let node = |(note, (kind, differences)): (NoteNode, (ConflictKind, Vec<Difference>))| {
            let fields = differences.into_iter().map(FieldConflict::from).collect();
            PullConflictNode { note, kind: kind.into(), fields }
        };
        let (decks, of_decks): (Vec<_>, Vec<_>) = pulled
            .deck_conflicts
            .into_iter()
            .map(|DeckConflict { deck, kind, differences }| (deck, (kind, differences)))
            .unzip();
        let deck_node = |(deck, (kind, differences)): (_, (ConflictKind, Vec<Difference>))| {
            let fields = differences.into_iter().map(FieldConflict::from).collect();
            DeckConflictNode { deck, kind: kind.into(), fields }
        };
        Self {
            deck: DeckBatch::node(pulled.deck),
            from_release: pulled.from,
            to_release: pulled.to,
            added_decks: pulled.added_decks,
            updated_decks: pulled.updated_decks,
            deleted_decks: pulled.deleted_decks,
            added_notes: pulled.added,
            updated_notes: pulled.updated,
            deleted_notes: pulled.deleted,
            conflicts: NoteNode::of(notes).into_iter().zip(rest).map(node).collect(),
            deck_conflicts: DeckBatch::nodes(decks)
                .into_iter()
                .zip(of_decks)
                .map(deck_node)
                .collect(),
            added_media: pulled.media.added,
            left_out_media_count: pulled.media.left_out_count,
            left_out_media: pulled.media.left_out.into_iter().map(LeftOutMedia::from).collect(),
        }
    }
}

/// Why a note or a deck could not simply follow the author's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ConflictKind")]
pub(super) enum PullConflictKind {
    /// Both changed the same fields, or the type.
    Edited,
    /// Both moved it, or it cannot lie where the author moved it, in a deck that one deleted or moved into it: it stays, unless one takes the author's.
    Moved,
    /// The author deleted it, and one changed it oneself, or has something in it: it is kept.
    DeletedThere,
}

/// A note that both changed.
#[derive(Debug, SimpleObject)]
#[graphql(name = "PullConflict")]
pub(super) struct PullConflictNode {
    /// The note as it was before.
    note: NoteNode,
    /// What happened to it.
    kind: PullConflictKind,
    /// What both changed.
    fields: Vec<FieldConflict>,
}

/// A deck that both changed.
#[derive(Debug, SimpleObject)]
#[graphql(name = "PullDeckConflict")]
pub(super) struct DeckConflictNode {
    /// The deck as it was before.
    deck: DeckNode,
    /// What happened to it.
    kind: PullConflictKind,
    /// What both changed: `name`, `description` or `color`.
    fields: Vec<FieldConflict>,
}

/// A field that both changed, and differently. Null stands for a field that is not there.
#[derive(Debug, SimpleObject)]
pub(super) struct FieldConflict {
    /// The field's name; null: the note's type.
    field: Option<String>,
    /// What it was when the two were last compared.
    base: Option<String>,
    /// What the author made of it.
    theirs: Option<String>,
    /// What one made of it oneself.
    mine: Option<String>,
}

impl From<Difference> for FieldConflict {
    fn from(difference: Difference) -> Self {
        let Difference { field, base, theirs, mine } = difference;
        Self { field, base, theirs, mine }
    }
}
