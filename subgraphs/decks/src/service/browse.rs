//! What anybody can read of published decks, signed in or not, and rating them. A deck that is not public is answered as one that is not there.

use std::collections::HashMap;

use common::page::{Page, PageRequest};
use common::{DeckId, Error, PublicationId, Viewer};

use super::Service;
use crate::model::{
    PublicFilter, PublicKey, PublicOrder, Publication, PublishedNote, Rating, Release, SampleKey,
    Slug, Subscription,
};
use crate::store::Changes;
use crate::store::sharing::ShareChanges;

/// Where a clone comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What is remembered of it.
    pub clone: Subscription,
    /// The published deck; `None` when it is no longer public.
    pub publication: Option<Publication>,
}

impl Service {
    /// The public deck with a slug.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn public_deck(&self, slug: &str) -> Result<Option<Publication>, Error> {
        let Ok(Slug(slug)) = Slug::new("slug", slug) else { return Ok(None) };
        let found = self.store.publication_by_slug(slug).await?;
        Ok(found.filter(|publication| publication.listed))
    }

    /// The public deck with a slug, which must be there.
    pub(super) async fn listed(&self, slug: &str) -> Result<Publication, Error> {
        let found = self.public_deck(slug).await?;
        found.ok_or_else(|| Error::not_found("public deck", slug))
    }

    /// One page of the public decks that are meant, from the greatest to the least.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is one of another order; [`Error::Store`].
    pub async fn public_decks(
        &self,
        filter: PublicFilter,
        order: PublicOrder,
        page: PageRequest<PublicKey>,
    ) -> Result<Page<Publication>, Error> {
        super::read::refuse_other_order(page.cursor.is_some_and(|PublicKey(by, ..)| by != order))?;
        Ok(self.store.public_page(filter, order, page).await?)
    }

    /// How many public decks are meant.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn public_count(&self, filter: PublicFilter) -> Result<i64, Error> {
        Ok(self.store.public_count(filter).await?)
    }

    /// The same page of the releases of each of the public decks, which were answered before.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn release_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<i64>,
    ) -> Result<HashMap<PublicationId, Page<Release>>, Error> {
        Ok(self.store.release_pages(ids, page).await?)
    }

    /// The same page of the notes of the latest release of each of the public decks, which were answered before.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn sample_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<SampleKey>,
    ) -> Result<HashMap<PublicationId, Page<PublishedNote>>, Error> {
        Ok(self.store.sample_pages(ids, page).await?)
    }

    /// The viewer's stars for each of the public decks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn ratings(
        &self,
        viewer: &Viewer,
        ids: Vec<PublicationId>,
    ) -> Result<HashMap<PublicationId, i64>, Error> {
        Ok(self.store.ratings(viewer.user, ids).await?)
    }

    /// As what those of the viewer's decks are public that are.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn publications_of(
        &self,
        viewer: &Viewer,
        decks: Vec<DeckId>,
    ) -> Result<HashMap<DeckId, Publication>, Error> {
        let mut found = self.store.publications_of_decks(decks).await?;
        found.retain(|publication| publication.listed && publication.owner == viewer.user);
        Ok(found.into_iter().map(|publication| (publication.deck, publication)).collect())
    }

    /// Where those of the viewer's decks come from that are clones.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn sources(
        &self,
        viewer: &Viewer,
        decks: Vec<DeckId>,
    ) -> Result<HashMap<DeckId, Source>, Error> {
        let mut clones = self.store.subscriptions(decks).await?;
        clones.retain(|clone| clone.owner == viewer.user);
        if clones.is_empty() {
            return Ok(HashMap::new());
        }
        let ids = clones.iter().map(|clone| clone.publication).collect();
        let found = self.store.publications(ids).await?;
        let listed = found.into_iter().filter(|publication| publication.listed);
        let listed: HashMap<PublicationId, Publication> =
            listed.map(|publication| (publication.id, publication)).collect();
        let source = |clone: Subscription| {
            let publication = listed.get(&clone.publication).cloned();
            (clone.deck, Source { clone, publication })
        };
        Ok(clones.into_iter().map(source).collect())
    }

    /// Gives the viewer's stars to a public deck, others in their place, or takes them back.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for stars that are not 1 to 5, or for one's own deck; [`Error::Conflict`] for those who have no
    /// clone of it.
    pub async fn rate(
        &self,
        viewer: &Viewer,
        slug: &str,
        stars: Option<i64>,
    ) -> Result<Publication, Error> {
        if let Some(stars) = stars.filter(|stars| !(1..=5).contains(stars)) {
            return Err(Error::invalid("input.stars", format!("{stars} is out of range: 1 to 5")));
        }
        self.change(viewer.user, || self.decide_rate(viewer, slug, stars)).await
    }

    async fn decide_rate(
        &self,
        viewer: &Viewer,
        slug: &str,
        stars: Option<i64>,
    ) -> Result<(Publication, Changes), Error> {
        let mut publication = self.listed(slug).await?;
        let (id, user) = (publication.id, viewer.user);
        if publication.owner == user {
            return Err(Error::invalid("input.slug", "is your own deck: others rate it"));
        }
        let before = self.store.ratings(user, vec![id]).await?.get(&id).copied();
        if before == stars {
            return Ok((publication, Changes::default()));
        }
        if stars.is_some() && !self.is_subscriber(user, id).await? {
            let message = "a deck is rated by those who have a clone of it: clone it first";
            return Err(Error::Conflict(message.into()));
        }
        publication.rating_sum += stars.unwrap_or(0) - before.unwrap_or(0);
        publication.rating_count += i64::from(stars.is_some()) - i64::from(before.is_some());
        let rating = Some(Rating { publication: id, user, before, stars });
        // The account must still be there.
        let owner = Some(self.owner_with_room(viewer, 0).await?);
        let sharing = ShareChanges { rating, ..ShareChanges::default() };
        Ok((publication, Changes { owner, sharing, ..Changes::default() }))
    }
}
