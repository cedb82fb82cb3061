//! The GraphQL schema of the domain: mapping only. Rules are in [`crate::service`].

mod args;
mod batch;
mod card;
mod deck;
mod fast;
mod input;
mod media;
mod mutation;
mod node;
mod note;
mod note_mutation;
mod public_deck;
mod public_note;
mod search;
mod share_mutation;
mod sync;
mod transfer;
mod transfer_root;
mod trash;
mod user;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Any, Context, ID, MergedObject, Object, Schema, Union};
use common::graphql::entities::Representation;
use common::graphql::fast::FastOptions;
use common::graphql::{Result, caller};
use common::page::{MAX_PAGE, Page, PageRequest};
use common::{CardId, DeckId, Error, MediaId, NoteId, UserId};
use uuid::Uuid;

use crate::model::{DEFAULT_PAGE, PublicFilter, PublicOrder};
use crate::service::Service;
use batch::{CardBatch, DeckBatch};
use card::CardNode;
use deck::DeckNode;
use media::{MediaMutation, MediaNode};
use mutation::CardMutation;
use node::NodeInterface;
use note::NoteNode;
use note_mutation::NoteMutation;
use public_deck::{LicenceName, PublicDeckConnection, PublicDeckNode, PublicDeckOrder};
use search::SearchConnection;
use share_mutation::ShareMutation;
use transfer_root::{TransferMutation, TransferQuery, TransferSubscription};
use user::UserNode;

/// The subgraph's schema over the domain.
#[must_use]
pub(crate) fn schema(service: Arc<Service>) -> Schema<Query, Mutation, TransferSubscription> {
    Schema::build(Query::default(), Mutation::default(), TransferSubscription)
        .enable_subscription_in_federation()
        .data(service)
        .finish()
}

/// What can be changed.
#[derive(Debug, Default, MergedObject)]
pub(crate) struct Mutation(
    CardMutation,
    NoteMutation,
    MediaMutation,
    ShareMutation,
    TransferMutation,
);

/// What can be asked.
#[derive(Debug, Default, MergedObject)]
pub(crate) struct Query(DeckQuery, TransferQuery);

/// What can be asked of decks, notes and cards.
#[derive(Debug, Default)]
pub(crate) struct DeckQuery;

/// What can be asked.
//
// Each field says how long its answer may be kept: where one says nothing, the others would speak for it.
#[Object]
impl DeckQuery {
    /// One of the viewer's decks; null when there is none with this id.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deck's id.")] id: DeckId,
    ) -> Result<Option<DeckNode>> {
        let decks = ctx.data::<Arc<Service>>()?.decks(caller(ctx)?.viewer()?, vec![id]).await?;
        Ok(DeckBatch::nodes(decks).pop())
    }

    /// One of the viewer's cards; null when there is none with this id.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The card's id.")] id: CardId,
    ) -> Result<Option<CardNode>> {
        let cards = ctx.data::<Arc<Service>>()?.cards(caller(ctx)?.viewer()?, vec![id]).await?;
        Ok(CardBatch::nodes(cards).pop())
    }

    /// One of the viewer's notes; null when there is none with this id.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The note's id.")] id: NoteId,
    ) -> Result<Option<NoteNode>> {
        let notes = ctx.data::<Arc<Service>>()?.notes(caller(ctx)?.viewer()?, vec![id]).await?;
        Ok(NoteNode::of(notes).pop())
    }

    /// One of the viewer's media files; null when there is none with this id.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn media(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file's id.")] id: MediaId,
    ) -> Result<Option<MediaNode>> {
        let media = ctx.data::<Arc<Service>>()?.media(caller(ctx)?.viewer()?, vec![id]).await?;
        Ok(media.into_iter().next().map(MediaNode::from))
    }

    /// The viewer's cards that a query is true of: those with its words in the question first, the latest first in each part; 50 unless `first` says
    /// otherwise, at most 500.
    ///
    /// Words match in question or answer, without regard to case and accents: `word`, the beginning of one `wo*`, words that follow one another `"two
    /// words"`. `deck:name` or `deck:"a::path"` with the decks in it; `tag:name` with those below it; `added:7` for those made in the last
    /// 7 days of 24 hours.
    ///
    /// `is:due` for those that come back before the person's local day ends and that nothing keeps away, nor a deck that is archived; `is:new`,
    /// `is:learning` (also again), `is:review` (also those being learned again), `is:suspended`, `is:buried`, `is:leech`. `rated:7` for those answered within
    /// the last 7 local days, today among them; `rated:7:1` for those answered so with AGAIN (1), HARD (2), GOOD (3) or EASY (4).
    ///
    /// What stands side by side must all hold; `or` lets one suffice; `-` denies; parentheses group. A query that does
    /// not parse is the error BAD_USER_INPUT, with the character where something else was expected, and what.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn search_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The query: up to 1,000 characters, 50 words and conditions. Empty: all cards."
        )]
        query: String,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: cards after it.")] after: Option<String>,
    ) -> Result<SearchConnection> {
        let viewer = caller(ctx)?.viewer()?;
        let page = PageRequest::new(first, after.as_deref(), None, None, DEFAULT_PAGE)?;
        let (query, page) = ctx.data::<Arc<Service>>()?.search(viewer, &query, page).await?;
        Ok(SearchConnection::new(query, page))
    }

    /// The public deck with a slug; null when there is none. Anybody can read it, signed in or not. Answers may be cached for a minute, but for
    /// `viewerRating`.
    #[graphql(cache_control(max_age = 60))]
    async fn public_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slug, without regard to case.")] slug: String,
    ) -> Result<Option<PublicDeckNode>> {
        let found = ctx.data::<Arc<Service>>()?.public_deck(&slug).await?;
        Ok(found.map(PublicDeckNode::one))
    }

    /// Public decks, for anybody to read, signed in or not: 50 unless `first` or `last` says otherwise, at most 500. Answers may be cached for a
    /// minute, but for `viewerRating`.
    #[graphql(cache_control(max_age = 60))]
    #[expect(clippy::too_many_arguments, reason = "the connection's arguments, each by its name")]
    async fn public_decks(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Words, each of which begins one in title, description, tags or the author's name, without regard to case and accents: up to 200 characters, 20 words. All when absent or empty."
        )]
        query: Option<String>,
        #[graphql(desc = "Only those with all these tags, or ones below them: at most 20.")]
        tags: Option<Vec<String>>,
        #[graphql(desc = "Only those under this licence.")] licence: Option<LicenceName>,
        #[graphql(desc = "What the list is sorted by; by NEWEST when absent.")] order_by: Option<
            PublicDeckOrder,
        >,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: public decks after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: public decks before it.")] before: Option<String>,
    ) -> Result<PublicDeckConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let (query, tags) = (query.unwrap_or_default(), tags.unwrap_or_default());
        let filter = PublicFilter::new(&query, &tags, licence.map(Into::into))?;
        let order = order_by.map_or(PublicOrder::Newest, PublicOrder::from);
        let service = ctx.data::<Arc<Service>>()?;
        let page = service.public_decks(filter.clone(), order, page).await?;
        let Page { rows, has_previous, has_next } = page;
        let page = Page { rows: PublicDeckNode::of(rows), has_previous, has_next };
        Ok(PublicDeckConnection { page, filter, order })
    }

    /// What has this id and is the viewer's, whatever it is: a deck, a note, a card, a media file, or the viewer. Null when there is nothing.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of anything.")] id: ID,
    ) -> Result<Option<NodeInterface>> {
        Ok(self.nodes_of(ctx, &[id], |_| "id".into()).await?.pop().flatten())
    }

    /// What has these ids and is the viewer's, in their order; null for what is not there. At most 500.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of anything.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<NodeInterface>>> {
        if ids.len() > MAX_PAGE as usize {
            let message = format!("names {} ids: at most {MAX_PAGE} are accepted", ids.len());
            return Err(Error::invalid("ids", message).into());
        }
        self.nodes_of(ctx, &ids, |index| format!("ids[{index}]")).await
    }

    /// The entities with these keys, in order; null for what does not exist or is not the viewer's.
    #[graphql(name = "_entities", cache_control(no_cache))]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        representations: Vec<Any>,
    ) -> Result<FastOptions<Entity>> {
        let wanted = Representation::read_all(representations)?;
        let Some(viewer) = &caller(ctx)?.viewer else {
            return Ok(FastOptions(wanted.iter().map(|_| None).collect()));
        };
        let deck_ids: Vec<DeckId> = Representation::ids(&wanted, "Deck", "id")?;
        let card_ids: Vec<CardId> = Representation::ids(&wanted, "Card", "id")?;
        let decks = ctx.data::<Arc<Service>>()?.decks(viewer, deck_ids);
        let cards = ctx.data::<Arc<Service>>()?.cards(viewer, card_ids);
        let note_ids: Vec<NoteId> = Representation::ids(&wanted, "Note", "id")?;
        let notes = ctx.data::<Arc<Service>>()?.notes(viewer, note_ids);
        let media_ids: Vec<MediaId> = Representation::ids(&wanted, "Media", "id")?;
        let media = ctx.data::<Arc<Service>>()?.media(viewer, media_ids);
        let (decks, cards, notes, media) = futures::try_join!(decks, cards, notes, media)?;
        let media = media.into_iter().map(|media| (media.id, MediaNode::from(media)));
        let media: HashMap<MediaId, MediaNode> = media.collect();
        let notes = NoteNode::of(notes).into_iter().map(|node| (node.note.id, node));
        let notes: HashMap<NoteId, NoteNode> = notes.collect();
        let decks = DeckBatch::by_id(decks);
        let cards = CardBatch::by_id(cards);

        let entity = |wanted: &Representation| {
            Ok(match &*wanted.typename {
                "Deck" => decks.get(&wanted.id("id")?).cloned().map(Entity::Deck),
                "Note" => notes.get(&wanted.id("id")?).cloned().map(Entity::Note),
                "Card" => cards.get(&wanted.id("id")?).cloned().map(Entity::Card),
                "Media" => media.get(&wanted.id("id")?).cloned().map(Entity::Media),
                "User" => Some(wanted.id::<UserId>("id")?)
                    .filter(|id| *id == viewer.user)
                    .map(|id| Entity::User(UserNode { id })),
                _ => return Err(wanted.unknown_type()),
            })
        };
        let entities: std::result::Result<_, common::Error> = wanted.iter().map(entity).collect();
        Ok(FastOptions(entities?))
    }
}

impl DeckQuery {
    async fn nodes_of(
        &self,
        ctx: &Context<'_>,
        ids: &[ID],
        argument: impl Fn(usize) -> String,
    ) -> Result<Vec<Option<NodeInterface>>> {
        let viewer = caller(ctx)?.viewer()?;
        let id = |(index, id): (usize, &ID)| {
            let message = format!("{:?} is not an id: expected a UUID", id.as_str());
            Uuid::try_parse(id).map_err(|_| Error::invalid(argument(index), message))
        };
        let ids = ids.iter().enumerate().map(id).collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(node::nodes(ctx.data::<Arc<Service>>()?.nodes(viewer, &ids).await?))
    }
}

/// Anything another subgraph can name by its key.
#[derive(Debug, Clone, Union)]
#[graphql(name = "_Entity")]
enum Entity {
    /// A person, to whom decks belong.
    User(UserNode),
    /// A deck.
    Deck(DeckNode),
    /// A note.
    Note(NoteNode),
    /// A card.
    Card(CardNode),
    /// A media file.
    Media(MediaNode),
}
