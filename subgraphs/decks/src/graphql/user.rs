//! What a person has of decks, tags, trash and media.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::graphql::sdl::key;
use common::graphql::{PageInfo, Result, caller};
use common::page::{Page, PageRequest, encode_cursor};
use common::{UserId, Viewer};
use tokio::sync::OnceCell;

use super::args::{DeckFilterInput, DeckOrderInput};
use super::batch::DeckBatch;
use super::deck::{DeckConnection, DecksOf};
use super::media::{MediaConnection, MediaFilterInput};
use super::sync::DeckChanges;
use super::trash::TrashConnection;
use crate::model::{DEFAULT_PAGE, DeckFilter, DeckOrder, Tag, Tagged};
use crate::service::Service;

/// A person, by id.
#[derive(Debug, Clone)]
pub(super) struct UserNode {
    pub(super) id: UserId,
}

impl UserNode {
    /// The viewer, if it is this person.
    fn viewer<'a>(&self, ctx: &'a Context<'_>) -> Result<Option<&'a Viewer>> {
        let viewer = caller(ctx)?.viewer()?;
        Ok(Some(viewer).filter(|viewer| viewer.user == self.id))
    }
}

/// A person.
#[Object(name = "User", directive = key::apply("id".into()))]
impl UserNode {
    /// The person's id, a UUID.
    pub(super) async fn id(&self) -> UserId {
        self.id
    }

    /// The person's decks: 50 unless `first` or `last` says otherwise, at most 500. Only the viewer's own can be asked for.
    #[expect(clippy::too_many_arguments, reason = "the connection's arguments, each by its name")]
    async fn decks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: decks after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: decks before it.")] before: Option<String>,
        #[graphql(
            desc = "The order of the list.",
            default_with = "Some(DeckOrderInput::default())"
        )]
        order_by: Option<DeckOrderInput>,
        #[graphql(desc = "Which decks are meant; all when absent.")] filter: Option<
            DeckFilterInput,
        >,
    ) -> Result<Option<DeckConnection>> {
        let Some(viewer) = self.viewer(ctx)? else { return Ok(None) };
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let order = DeckOrder::from(order_by.unwrap_or_default());
        let filter = DeckFilter::from(filter.unwrap_or_default());
        let page = ctx.data::<Arc<Service>>()?.deck_page(viewer, filter, order, page).await?;
        let Page { rows, has_previous, has_next } = page;
        let page = Page { rows: DeckBatch::nodes(rows), has_previous, has_next };
        Ok(Some(DeckConnection { page, by: order.by, of: DecksOf::Viewer(filter) }))
    }

    /// The tags of the person's notes by name, with their numbers of notes: 50 unless `first` or `last` says otherwise, at most 500. Only
    /// the viewer's own can be asked for.
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: tags after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: tags before it.")] before: Option<String>,
        #[graphql(desc = "Only this tag and those below it.")] below: Option<String>,
    ) -> Result<Option<TagConnection>> {
        let Some(viewer) = self.viewer(ctx)? else { return Ok(None) };
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let below = below.map(|tag| Tag::new("below", &tag)).transpose()?;
        let page = ctx.data::<Arc<Service>>()?.tags(viewer, below.clone(), page).await?;
        Ok(Some(TagConnection { page, below }))
    }

    /// What changed in the person's collection since a device last asked, in pages: decks, notes with their tags, and cards that were made, changed, moved or
    /// deleted. Without `since`, everything there is. Only the viewer's own can be asked for.
    async fn deck_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `nextCursor` of an earlier answer, at most 29 days old.")]
        since: Option<String>,
        #[graphql(desc = "At most so many: 1 to 500.", default = 200)] first: i32,
    ) -> Result<Option<DeckChanges>> {
        let Some(viewer) = self.viewer(ctx)? else { return Ok(None) };
        let page = ctx.data::<Arc<Service>>()?.changes(viewer, since.as_deref(), first).await?;
        Ok(Some(page.into()))
    }

    /// What the person deleted in the last 30 days, newest first: 50 entries unless `first` or `last` says otherwise, at most 500. Only
    /// the viewer's own can be asked for.
    async fn trash(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: entries after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: entries before it.")] before: Option<String>,
    ) -> Result<Option<TrashConnection>> {
        let Some(viewer) = self.viewer(ctx)? else { return Ok(None) };
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        Ok(Some(TrashConnection(ctx.data::<Arc<Service>>()?.trash(viewer, page).await?)))
    }

    /// The person's media files by name: 50 unless `first` or `last` says otherwise, at most 500. Only the viewer's own can be asked for.
    async fn media_files(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: files after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: files before it.")] before: Option<String>,
        #[graphql(desc = "Which files are meant; all when absent.")] filter: Option<
            MediaFilterInput,
        >,
    ) -> Result<Option<MediaConnection>> {
        let Some(viewer) = self.viewer(ctx)? else { return Ok(None) };
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let filter = filter.unwrap_or_default().into();
        let page = ctx.data::<Arc<Service>>()?.media_page(viewer, filter, page).await?;
        Ok(Some(MediaConnection { page, filter, totals: OnceCell::new() }))
    }
}

/// A page of a person's tags.
#[derive(Debug)]
pub(super) struct TagConnection {
    page: Page<Tagged>,
    below: Option<Tag>,
}

fn cursor(tagged: &Tagged) -> String {
    encode_cursor(&tagged.tag.key())
}

/// A page of a person's tags.
#[Object]
impl TagConnection {
    /// The tags with their cursors.
    async fn edges(&self) -> Vec<TagEdge> {
        let edge = |tagged| TagEdge { cursor: cursor(tagged), node: TagNode::from(tagged) };
        self.page.rows.iter().map(edge).collect()
    }

    /// The tags.
    async fn nodes(&self) -> Vec<TagNode> {
        self.page.rows.iter().map(TagNode::from).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, cursor)
    }

    /// How many tags the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let viewer = caller(ctx)?.viewer()?;
        Ok(ctx.data::<Arc<Service>>()?.tag_count(viewer, self.below.clone()).await?)
    }
}

/// A tag in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct TagEdge {
    /// Names the tag's place in the list, for `after` and `before`.
    cursor: String,
    /// The tag.
    node: TagNode,
}

/// A tag of notes. It has levels, such as `language::french`.
#[derive(Debug, SimpleObject)]
#[graphql(name = "Tag")]
pub(super) struct TagNode {
    /// The tag with all its levels. Tags are the same without regard to case; where they are written differently it is one of the ways.
    name: String,
    /// How many notes have just this tag.
    note_count: i64,
}

impl From<&Tagged> for TagNode {
    fn from(tagged: &Tagged) -> Self {
        Self { name: tagged.tag.text().to_owned(), note_count: tagged.notes }
    }
}
