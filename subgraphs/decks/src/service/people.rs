//! What the domain does besides answering GraphQL: it is told of people's accounts and of what was learned of cards, serves files, and says whether
//! it is ready.

use std::ops::Range;

use common::endpoint::Domain;
use common::page::{Direction, PageRequest};
use common::{Error, Event, FileBytes, FileInfo, UserId, Viewer};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::Service;
use crate::model::{Deck, MediaFilter};
use crate::store::Changes;

/// How many decks of an account that is gone are deleted in one transaction.
const DECKS_AT_ONCE: u32 = 50;
/// How many of its media files.
const MEDIA_AT_ONCE: u32 = 20;

impl Service {
    /// Deletes all decks and media of a person whose account is gone, some at a time, and what was published. From the first on, nothing new is made for
    /// that person.
    async fn forget(&self, user: UserId) -> Result<(), Error> {
        while self.change(user, || self.decide_forget(user)).await? {}
        self.forget_sharing(user).await
    }

    /// Answers whether there may be more to delete.
    async fn decide_forget(&self, user: UserId) -> Result<(bool, Changes), Error> {
        let mut owner = self.store.owner(user).await?;
        let decks = self.store.any_decks(user, DECKS_AT_ONCE).await?;
        let page =
            PageRequest { direction: Direction::Forward, limit: MEDIA_AT_ONCE, cursor: None };
        let media = self.store.media_page(user, MediaFilter::default(), page).await?.rows;
        if owner.gone && decks.is_empty() && media.is_empty() {
            return Ok((false, Changes::default()));
        }
        owner.gone = true;
        // Of those in the trash others were told before.
        let live = || decks.iter().filter(|deck| deck.trash.is_none());
        owner.deck_count -= i64::from(live().count() as u32);
        let events =
            live().map(|deck| Deck { version: deck.version + 1, ..deck.clone() }.told(true));
        let events = events.collect();
        let leaving: Vec<Deck> = live().cloned().collect();
        let sharing = self.leaving(user, &leaving).await?;
        let changes = self.without_media(&mut owner, &media).await?;
        let changes =
            Changes { owner: Some(owner), sharing, deleted_decks: decks, events, ..changes };
        Ok((true, changes))
    }
}

impl Domain for Service {
    fn apply<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut studied = Vec::new();
            for event in events {
                match event {
                    // An account comes back from being gone by no event, so versions need not be compared.
                    Event::User(user) if user.deleted => self.forget(user.user).await?,
                    Event::User(user) => self.store.put_person(user.clone()).await?,
                    Event::Studied(cards) => studied.push(cards.clone()),
                    // What this domain tells itself.
                    Event::Deck(_) | Event::Card(_) => {}
                }
            }
            if !studied.is_empty() {
                self.store.put_study(studied).await?;
            }
            Ok(())
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { Ok(self.store.ping().await?) })
    }

    fn file<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
    ) -> BoxFuture<'a, Result<Option<FileInfo>, Error>> {
        Box::pin(async move {
            let media = self.media(viewer, vec![id.into()]).await?.pop();
            Ok(media.map(|media| FileInfo {
                name: media.name.text().to_owned(),
                content_type: media.kind.content_type().to_owned(),
                size: u64::try_from(media.size).unwrap_or(0),
                tag: media.hash.to_string(),
            }))
        })
    }

    fn file_bytes<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Option<FileBytes>, Error>> {
        Box::pin(async move {
            let media = self.media(viewer, vec![id.into()]).await?.pop();
            let bytes = |media| self.read_media(&media, range).map_err(Into::into).boxed();
            Ok(media.map(bytes))
        })
    }
}
