//! Public decks in GraphQL. Of the author nothing is shown but the name that was chosen, and of the author's own decks and notes no id.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use common::PublicationId;
use common::graphql::batch::Batch;
use common::graphql::{DateTime, PageInfo, Result, caller};
use common::page::{Page, PageRequest, encode_cursor};

use super::public_note::{MediaOfSamples, PublicNoteConnection};
use crate::model::{
    DEFAULT_PAGE, Licence, PublicFilter, PublicKey, PublicOrder, Publication, PublishedNote,
    Release, SampleKey,
};
use crate::service::{Service, Source};

/// What others may do with a public deck besides learning with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Licence", remote = "Licence")]
pub(super) enum LicenceName {
    /// Anything: Creative Commons Zero.
    #[graphql(name = "CC0")]
    Cc0,
    /// Anything that names the author: Creative Commons Attribution.
    CcBy,
    /// The same, under the same licence: Attribution-ShareAlike.
    CcBySa,
    /// Anything that names the author and is not commercial: Attribution-NonCommercial.
    CcByNc,
    /// The same, under the same licence: Attribution-NonCommercial-ShareAlike.
    CcByNcSa,
    /// Nothing.
    AllRightsReserved,
}

/// What a list of public decks is sorted by, from the greatest to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "PublicOrder")]
pub(super) enum PublicDeckOrder {
    /// By the time of their first release.
    Newest,
    /// By the mean of their stars, as if five more people had given three: one voice makes no best deck.
    Rating,
    /// By how many people have a clone.
    Subscribers,
}

/// A page of each of several public decks, by the page's arguments.
type Pages<K, T> = Batch<PageRequest<K>, HashMap<PublicationId, Arc<Page<T>>>>;

/// Public decks that were read together: what one is asked, all are (see [`common::graphql::batch`]).
#[derive(Debug, Default)]
pub(super) struct PublicBatch {
    ids: Vec<PublicationId>,
    ratings: Batch<(), HashMap<PublicationId, i64>>,
    releases: Pages<i64, Release>,
    samples: Batch<PageRequest<SampleKey>, Samples>,
}

/// A page of the notes of each of several public decks, with the files of all.
type Samples = (HashMap<PublicationId, Arc<Page<PublishedNote>>>, Arc<MediaOfSamples>);

/// A public deck, and those it was read with.
#[derive(Debug, Clone)]
pub(super) struct PublicDeckNode {
    publication: Arc<Publication>,
    batch: Arc<PublicBatch>,
}

impl PublicDeckNode {
    /// Public decks that were read together, in their order.
    pub(super) fn of(publications: Vec<Publication>) -> Vec<Self> {
        let ids = publications.iter().map(|publication| publication.id).collect();
        let batch = Arc::new(PublicBatch { ids, ..PublicBatch::default() });
        let node = |publication| {
            let (publication, batch) = (Arc::new(publication), Arc::clone(&batch));
            Self { publication, batch }
        };
        publications.into_iter().map(node).collect()
    }

    /// One public deck.
    pub(super) fn one(publication: Publication) -> Self {
        let batch = PublicBatch { ids: vec![publication.id], ..PublicBatch::default() };
        Self { publication: Arc::new(publication), batch: Arc::new(batch) }
    }
}

fn shared<T>(pages: HashMap<PublicationId, Page<T>>) -> HashMap<PublicationId, Arc<Page<T>>> {
    pages.into_iter().map(|(id, page)| (id, Arc::new(page))).collect()
}

/// A deck that its owner published with the decks in it. Anybody can read it, signed in or not.
#[Object(name = "PublicDeck")]
impl PublicDeckNode {
    /// By which it is found: 3 to 60 lower-case letters, digits and single hyphens.
    async fn slug(&self) -> &str {
        &self.publication.slug
    }

    /// What it is called: 1 to 100 characters.
    async fn title(&self) -> &str {
        &self.publication.title
    }

    /// What it is about: up to 2,000 characters, may be empty.
    async fn description(&self) -> &str {
        &self.publication.description
    }

    /// Its tags by name: at most 20.
    async fn tags(&self) -> Vec<&str> {
        self.publication.tags.list().iter().map(|tag| tag.text()).collect()
    }

    /// What others may do with it.
    async fn licence(&self) -> LicenceName {
        self.publication.licence.into()
    }

    /// What the author wants to be called: 1 to 100 characters; null when the author shows no name.
    async fn author_name(&self) -> Option<&str> {
        self.publication.author.as_deref()
    }

    /// When its first release came.
    async fn published_at(&self) -> DateTime {
        DateTime(self.publication.created_at)
    }

    /// When its latest release came.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.publication.updated_at)
    }

    /// The number of its latest release: 1 for the first.
    async fn release(&self) -> i64 {
        self.publication.release
    }

    /// How many decks are in that, itself among them.
    async fn deck_count(&self) -> i64 {
        self.publication.deck_count
    }

    /// How many notes are in that.
    async fn note_count(&self) -> i64 {
        self.publication.note_count
    }

    /// How many cards those make.
    async fn card_count(&self) -> i64 {
        self.publication.card_count
    }

    /// How many images and sounds its notes name: a clone has them too, and they count among one's own.
    async fn media_count(&self) -> i64 {
        self.publication.media_count
    }

    /// How many bytes those have.
    async fn media_bytes(&self) -> i64 {
        self.publication.media_bytes
    }

    /// The mean of its stars, 1 to 5; null when nobody rated it.
    async fn rating(&self) -> Option<f64> {
        self.publication.rating()
    }

    /// How many people rated it.
    async fn rating_count(&self) -> i64 {
        self.publication.rating_count
    }

    /// How many people have a clone of it.
    async fn subscriber_count(&self) -> i64 {
        self.publication.subscriber_count
    }

    /// The viewer's stars, 1 to 5; null when there are none, or nobody is signed in.
    #[graphql(cache_control(no_cache))]
    async fn viewer_rating(&self, ctx: &Context<'_>) -> Result<Option<i64>> {
        let Some(viewer) = &caller(ctx)?.viewer else { return Ok(None) };
        let load = async || {
            let service = ctx.data::<Arc<Service>>()?;
            Ok(service.ratings(viewer, self.batch.ids.clone()).await?)
        };
        let ratings = self.batch.ratings.get((), load).await?;
        Ok(ratings.get(&self.publication.id).copied())
    }

    /// Its releases, from the latest down: 50 unless `first` or `last` says otherwise, at most 500.
    async fn releases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: releases after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: releases before it.")] before: Option<String>,
    ) -> Result<ReleaseConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let load = async || {
            let service = ctx.data::<Arc<Service>>()?;
            Ok(shared(service.release_pages(self.batch.ids.clone(), page.clone()).await?))
        };
        let pages = self.batch.releases.get(page.clone(), load).await?;
        let empty = || Arc::new(Page::from_overfull(&page, Vec::new()));
        let page = pages.get(&self.publication.id).cloned().unwrap_or_else(empty);
        Ok(ReleaseConnection { page, count: self.publication.release })
    }

    /// The notes of its latest release by deck and place, to look at before it is cloned: 50 unless `first` or `last` says otherwise, at most
    /// 500.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: notes after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: notes before it.")] before: Option<String>,
    ) -> Result<PublicNoteConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let load = async || {
            let service = ctx.data::<Arc<Service>>()?;
            let pages = service.sample_pages(self.batch.ids.clone(), page.clone()).await?;
            let media = MediaOfSamples::new(pages.values().flat_map(|page| &page.rows));
            Ok((shared(pages), media))
        };
        let samples = self.batch.samples.get(page.clone(), load).await?;
        let (pages, media) = &*samples;
        let empty = || Arc::new(Page::from_overfull(&page, Vec::new()));
        let page = pages.get(&self.publication.id).cloned().unwrap_or_else(empty);
        let (media, count) = (Arc::clone(media), self.publication.note_count);
        Ok(PublicNoteConnection { page, media, count })
    }
}

/// A page of public decks.
#[derive(Debug)]
pub(super) struct PublicDeckConnection {
    pub(super) page: Page<PublicDeckNode>,
    pub(super) filter: PublicFilter,
    pub(super) order: PublicOrder,
}

impl PublicDeckConnection {
    fn cursor(&self, node: &PublicDeckNode) -> String {
        encode_cursor(&PublicKey::of(&node.publication, self.order))
    }
}

/// A page of public decks.
#[Object]
impl PublicDeckConnection {
    /// The public decks with their cursors.
    async fn edges(&self) -> Vec<PublicDeckEdge> {
        let edge = |node: &PublicDeckNode| PublicDeckEdge {
            cursor: self.cursor(node),
            node: node.clone(),
        };
        self.page.rows.iter().map(edge).collect()
    }

    /// The public decks.
    async fn nodes(&self) -> Vec<PublicDeckNode> {
        self.page.rows.clone()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |node| self.cursor(node))
    }

    /// How many public decks the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(ctx.data::<Arc<Service>>()?.public_count(self.filter.clone()).await?)
    }
}

/// A public deck in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct PublicDeckEdge {
    /// Names the public deck's place in the list, for `after` and `before`.
    cursor: String,
    /// The public deck.
    node: PublicDeckNode,
}

/// A page of the releases of a public deck.
#[derive(Debug)]
pub(super) struct ReleaseConnection {
    page: Arc<Page<Release>>,
    count: i64,
}

/// A page of the releases of a public deck.
#[Object]
impl ReleaseConnection {
    /// The releases with their cursors.
    async fn edges(&self) -> Vec<ReleaseEdge> {
        let edge = |release: &Release| ReleaseEdge {
            cursor: encode_cursor(&release.number),
            node: release.into(),
        };
        self.page.rows.iter().map(edge).collect()
    }

    /// The releases.
    async fn nodes(&self) -> Vec<ReleaseNode> {
        self.page.rows.iter().map(ReleaseNode::from).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |release| encode_cursor(&release.number))
    }

    /// How many releases there are.
    async fn total_count(&self) -> i64 {
        self.count
    }
}

/// A release in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct ReleaseEdge {
    /// Names the release's place in the list, for `after` and `before`.
    cursor: String,
    /// The release.
    node: ReleaseNode,
}

/// What a public deck was at a moment. It never changes.
#[derive(Debug, SimpleObject)]
#[graphql(name = "PublicDeckRelease")]
pub(super) struct ReleaseNode {
    /// Its number: 1 for the first.
    number: i64,
    /// What the author says has changed: up to 2,000 characters, may be empty.
    change_note: String,
    /// When it came.
    published_at: DateTime,
    /// How many decks are in it.
    deck_count: i64,
    /// How many notes are in it.
    note_count: i64,
    /// How many cards those make.
    card_count: i64,
}

impl From<&Release> for ReleaseNode {
    fn from(release: &Release) -> Self {
        Self {
            number: release.number,
            change_note: release.change_note.clone(),
            published_at: DateTime(release.published_at),
            deck_count: release.deck_count,
            note_count: release.note_count,
            card_count: release.card_count,
        }
    }
}

/// Where a deck comes from that is a clone.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct DeckSource {
    /// The release that was cloned, or pulled last; 0 where cloning was broken off: pulling does the rest.
    release: i64,
    /// Whether there is a later release to pull.
    update_available: bool,
    /// What it is a clone of; null when that is no longer public.
    public_deck: Option<PublicDeckNode>,
}

impl DeckSource {
    /// The sources of decks that were read together.
    pub(super) fn of<K: std::hash::Hash + Eq>(sources: HashMap<K, Source>) -> HashMap<K, Self> {
        let (keys, sources): (Vec<K>, Vec<Source>) = sources.into_iter().unzip();
        let public = sources.iter().filter_map(|source| source.publication.clone()).collect();
        let mut nodes = PublicDeckNode::of(public).into_iter();
        let node = |source: Source| {
            let public_deck = source.publication.as_ref().and_then(|_| nodes.next());
            let latest = source.publication.map_or(0, |publication| publication.release);
            let release = source.clone.release;
            Self { release, update_available: latest > release, public_deck }
        };
        keys.into_iter().zip(sources.into_iter().map(node)).collect()
    }
}
