//! What the domain asks of a store about published decks, their releases, clones and ratings. Writing goes with the other changes of a decision.

use std::collections::HashMap;

use common::page::{Page, PageRequest};
use common::{DeckId, MediaId, PublicationId, UserId};
use uuid::Uuid;

use super::{Reply, pages, reading_down};
use crate::model::{
    Links, PublicFilter, PublicKey, PublicOrder, Publication, PublishedDeck, PublishedMedia,
    PublishedNote, PublishedPlace, Rating, Release, SampleKey, Subscription,
};

/// Where published decks are kept. What is no longer listed is answered all the same.
pub trait ShareStore: Send + Sync {
    /// Those of the published decks that exist, in any order.
    fn publications(&self, ids: Vec<PublicationId>) -> Reply<'_, Vec<Publication>>;

    /// The published deck with a slug.
    fn publication_by_slug(&self, slug: String) -> Reply<'_, Option<Publication>>;

    /// What is published of the decks, in any order.
    fn publications_of_decks(&self, decks: Vec<DeckId>) -> Reply<'_, Vec<Publication>>;

    /// Some of what a person published.
    fn publications_of(&self, owner: UserId, limit: u32) -> Reply<'_, Vec<Publication>>;

    /// One page of the published decks that are listed and meant, from the greatest to the least.
    fn public_page(
        &self,
        filter: PublicFilter,
        order: PublicOrder,
        page: PageRequest<PublicKey>,
    ) -> Reply<'_, Page<Publication>>;

    /// How many published decks are listed and meant.
    fn public_count(&self, filter: PublicFilter) -> Reply<'_, i64>;

    /// The same page of the releases of each, by number from the latest down, with one statement for all. One without any may be absent.
    fn release_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<i64>,
    ) -> Reply<'_, HashMap<PublicationId, Page<Release>>>;

    /// The decks of a release.
    fn release_decks(
        &self,
        id: PublicationId,
        number: i64,
    ) -> Reply<'_, Option<Vec<PublishedDeck>>>;

    /// The same page of the notes of the latest release of each, with one statement for all. One without any may be absent.
    fn sample_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<SampleKey>,
    ) -> Reply<'_, HashMap<PublicationId, Page<PublishedNote>>>;

    /// Where all notes of a release lie, in any order.
    fn release_places(&self, id: PublicationId, number: i64) -> Reply<'_, Vec<PublishedPlace>>;

    /// Notes as releases have them: for each origin and release the note, where there is one, in any order. One that stayed the same may be there
    /// once for several.
    fn notes_in_releases(
        &self,
        id: PublicationId,
        wanted: Vec<(Uuid, i64)>,
    ) -> Reply<'_, Vec<PublishedNote>>;

    /// Those of the files of published decks that exist, in any order.
    fn published_media(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<PublishedMedia>>;

    /// The files of a published deck, at most `limit`, in any order.
    fn published_media_of(&self, id: PublicationId, limit: u32) -> Reply<'_, Vec<PublishedMedia>>;

    /// Some decks that are public no more and have files still, with their authors.
    fn unlisted_with_media(&self, limit: u32) -> Reply<'_, Vec<(PublicationId, UserId)>>;

    /// Those of the decks that are clones, in any order.
    fn subscriptions(&self, decks: Vec<DeckId>) -> Reply<'_, Vec<Subscription>>;

    /// All clones of a person, also those in the trash.
    fn subscriptions_of(&self, owner: UserId) -> Reply<'_, Vec<Subscription>>;

    /// What of a clone came from where.
    fn links(&self, clone: DeckId) -> Reply<'_, Option<Links>>;

    /// The stars that a person gave to each.
    fn ratings(
        &self,
        user: UserId,
        ids: Vec<PublicationId>,
    ) -> Reply<'_, HashMap<PublicationId, i64>>;

    /// Some of the ratings of a person, as they are to be taken back.
    fn ratings_of(&self, user: UserId, limit: u32) -> Reply<'_, Vec<Rating>>;

    /// Unlists a published deck and deletes it for good: at most `limit` of its notes, and once none is left everything else. Answers whether it
    /// is gone.
    fn erase_publication(&self, id: PublicationId, limit: u32) -> Reply<'_, bool>;
}

/// What of published decks a decision changes.
#[derive(Debug, Clone, Default)]
pub struct ShareChanges {
    /// A published deck to store.
    pub new_publication: Option<Publication>,
    /// Published decks to replace, but for their ratings and subscribers; their revision is the one they had.
    pub publications: Vec<Publication>,
    /// A release to store.
    pub release: Option<NewRelease>,
    /// A clone to store, or to replace; its revision is the one it had, 0 for a new one.
    pub clone: Option<(Subscription, Links)>,
    /// Stars that change.
    pub rating: Option<Rating>,
    /// By how many people the subscribers change.
    pub subscribers: Vec<(PublicationId, i64)>,
    /// Files of published decks to store.
    pub new_media: Vec<PublishedMedia>,
    /// Files of published decks to delete.
    pub dropped_media: Vec<MediaId>,
}

impl ShareChanges {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new_publication.is_none()
            && self.publications.is_empty()
            && self.release.is_none()
            && self.clone.is_none()
            && self.rating.is_none()
            && self.subscribers.is_empty()
            && self.new_media.is_empty()
            && self.dropped_media.is_empty()
    }
}

/// A release, as it differs from the one before.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// The release.
    pub release: Release,
    /// All its decks.
    pub decks: Vec<PublishedDeck>,
    /// The origins of notes that it no longer has, or not so.
    pub ended: Vec<Uuid>,
    /// The notes that are new, or so.
    pub notes: Vec<PublishedNote>,
}

/// Cuts pages out of the releases of several published decks.
pub(super) fn release_pages(
    request: &PageRequest<i64>,
    releases: Vec<Release>,
) -> HashMap<PublicationId, Page<Release>> {
    let descending = reading_down(true, request);
    let of = |release: &Release| Some(release.publication);
    pages(request, descending, releases, of, |release| release.number)
}

/// Cuts pages out of the notes of several published decks.
pub(super) fn sample_pages(
    request: &PageRequest<SampleKey>,
    notes: Vec<PublishedNote>,
) -> HashMap<PublicationId, Page<PublishedNote>> {
    let descending = reading_down(false, request);
    pages(request, descending, notes, |note| Some(note.publication), PublishedNote::key)
}
