//! What becomes of published decks, clones and ratings when decks go to the trash, come out of it, or are deleted for good, and when an
//! account ends. A deck that is deleted is no longer public, also when it is restored: its owner publishes it again.

use std::collections::HashSet;

use common::{DeckId, Error, PublicationId, UserId};

use super::Service;
use crate::model::Deck;
use crate::store::Changes;
use crate::store::sharing::ShareChanges;

/// How many notes of a published deck are deleted at once.
const ERASED_AT_ONCE: u32 = 1_000;
/// How many of a person's published decks, and ratings, are read at once.
const READ_AT_ONCE: u32 = 100;

impl Service {
    /// What changes when decks of a person that are not in the trash go.
    pub(super) async fn leaving(
        &self,
        owner: UserId,
        decks: &[Deck],
    ) -> Result<ShareChanges, Error> {
        let ids: Vec<DeckId> = decks.iter().map(|deck| deck.id).collect();
        if ids.is_empty() {
            return Ok(ShareChanges::default());
        }
        let mut publications = self.store.publications_of_decks(ids.clone()).await?;
        publications.retain(|publication| publication.listed);
        for publication in &mut publications {
            publication.listed = false;
        }
        let subscribers = self.subscribers(owner, &ids, -1).await?;
        Ok(ShareChanges { publications, subscribers, ..ShareChanges::default() })
    }

    /// What changes when decks of a person come out of the trash.
    pub(super) async fn returning(
        &self,
        owner: UserId,
        decks: &[Deck],
    ) -> Result<ShareChanges, Error> {
        let ids: Vec<DeckId> = decks.iter().map(|deck| deck.id).collect();
        let subscribers = self.subscribers(owner, &ids, 1).await?;
        Ok(ShareChanges { subscribers, ..ShareChanges::default() })
    }

    /// By how much the subscribers change when these decks of a person come or go: a person counts once, however many clones there are.
    async fn subscribers(
        &self,
        owner: UserId,
        decks: &[DeckId],
        people: i64,
    ) -> Result<Vec<(PublicationId, i64)>, Error> {
        let clones = self.store.subscriptions_of(owner).await?;
        let (these, others): (Vec<_>, Vec<_>) =
            clones.into_iter().partition(|clone| decks.contains(&clone.deck));
        if these.is_empty() {
            return Ok(Vec::new());
        }
        let live = self.store.decks(others.iter().map(|clone| clone.deck).collect()).await?;
        let live: HashSet<DeckId> = live.iter().map(|deck| deck.id).collect();
        let others = others.iter().filter(|clone| live.contains(&clone.deck));
        let mut seen: HashSet<PublicationId> = others.map(|clone| clone.publication).collect();
        let counted = these.into_iter().filter(|clone| seen.insert(clone.publication));
        Ok(counted.map(|clone| (clone.publication, people)).collect())
    }

    /// Whether a person has a clone of a published deck that is not in the trash.
    pub(super) async fn is_subscriber(
        &self,
        person: UserId,
        publication: PublicationId,
    ) -> Result<bool, Error> {
        let clones = self.store.subscriptions_of(person).await?;
        let of_it = clones.iter().filter(|clone| clone.publication == publication);
        let decks: Vec<DeckId> = of_it.map(|clone| clone.deck).collect();
        Ok(!decks.is_empty() && !self.store.decks(decks).await?.is_empty())
    }

    /// Deletes for good what was published of decks. It may be broken off and begun anew.
    pub(super) async fn erase(&self, decks: Vec<DeckId>) -> Result<(), Error> {
        for publication in self.store.publications_of_decks(decks).await? {
            self.drop_public_media(publication.owner, vec![publication.id]).await?;
            while !self.store.erase_publication(publication.id, ERASED_AT_ONCE).await? {}
        }
        Ok(())
    }

    /// Deletes what a person published, and takes back the person's ratings.
    pub(super) async fn forget_sharing(&self, user: UserId) -> Result<(), Error> {
        loop {
            let published = self.store.publications_of(user, READ_AT_ONCE).await?;
            if published.is_empty() {
                break;
            }
            self.erase(published.iter().map(|publication| publication.deck).collect()).await?;
        }
        while self.change(user, || self.decide_forget_rating(user)).await? {}
        Ok(())
    }

    async fn decide_forget_rating(&self, user: UserId) -> Result<(bool, Changes), Error> {
        let rating = self.store.ratings_of(user, 1).await?.pop();
        let more = rating.is_some();
        let sharing = ShareChanges { rating, ..ShareChanges::default() };
        Ok((more, Changes { sharing, ..Changes::default() }))
    }
}
