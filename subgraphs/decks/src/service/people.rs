//! What the domain does when it is told of a person's account, and whether it is ready.

use common::endpoint::Domain;
use common::{Error, Event, UserId};
use futures::future::BoxFuture;

use super::{Service, decks};
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
        let events = live()
            .map(|deck| decks::told(&Deck { version: deck.version + 1, ..deck.clone() }, true));
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
            for event in events {
                // An account comes back from being gone by no event, so versions need not be compared.
                if let Event::User(user) = event
                    && user.deleted
                {
                    self.forget(user.user).await?;
                }
            }
            Ok(())
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { Ok(self.store.ping().await?) })
    }
}
