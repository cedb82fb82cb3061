//! What the domain does when it is told of a person's account, and of what was learned of cards; and whether it is ready.

use common::endpoint::Domain;
use common::{Error, Event, UserId};
use futures::future::BoxFuture;

use super::Service;
use crate::model::Deck;
use crate::store::Changes;

/// How many decks of an account that is gone are deleted in one transaction.
const DECKS_AT_ONCE: u32 = 50;

impl Service {
    /// Deletes all decks of a person whose account is gone, some at a time, and what was published of them. From the first on, nothing new is made for that person.
    async fn forget(&self, user: UserId) -> Result<(), Error> {
        while self.change(user, || self.decide_forget(user)).await? {}
        self.forget_sharing(user).await
    }

    /// Answers whether there may be more to delete.
    async fn decide_forget(&self, user: UserId) -> Result<(bool, Changes), Error> {
        let mut owner = self.store.owner(user).await?;
        let decks = self.store.any_decks(user, DECKS_AT_ONCE).await?;
        if owner.gone && decks.is_empty() {
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
        let changes = Changes {
            owner: Some(owner),
            sharing: self.leaving(user, &leaving).await?,
            deleted_decks: decks,
            events,
            ..Changes::default()
        };
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
}
