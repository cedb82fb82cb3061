//! What the domain does besides answering GraphQL: it is told of people's accounts and of what was learned of cards, serves people's files, and
//! says whether it is ready.

use std::ops::Range;

use common::endpoint::Domain;
use common::page::{Direction, PageRequest};
use common::{Error, Event, FileBytes, FileInfo, UserId, Viewer};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::Service;
use super::media::portion;
use crate::model::{ContentHash, Deck, FileFormat, MediaFilter, MediaKind, MediaName};
use crate::store::Changes;

/// How many decks of an account that is gone are deleted in one transaction.
const DECKS_AT_ONCE: u32 = 50;
/// How many cards of an import that was under way.
const STAGED_AT_ONCE: u32 = 1_000;
/// How many of its media files.
const MEDIA_AT_ONCE: u32 = 100;

impl Service {
    /// Deletes all decks and media of a person whose account is gone, some at a time, and what was published. From the first on, nothing new is made for
    /// that person.
    async fn forget(&self, user: UserId) -> Result<(), Error> {
        // Whoever is at work on one is fenced off by its absence.
        let transfers = self.store.transfers(user, None).await?;
        for transfer in &transfers {
            self.store.delete_transfer(transfer.id).await?;
        }
        while self.change(user, || self.decide_forget(user)).await? {}
        self.purge_media(user, None).await?;
        // One may have begun meanwhile; from now on none does.
        let late = self.store.transfers(user, None).await?;
        for transfer in &late {
            self.store.delete_transfer(transfer.id).await?;
        }
        for staging in transfers.iter().chain(&late).filter_map(|transfer| transfer.body.staging) {
            while !self.store.purge(staging, STAGED_AT_ONCE).await? {}
        }
        self.forget_sharing(user).await
    }

    /// Answers whether there may be more to delete.
    async fn decide_forget(&self, user: UserId) -> Result<(bool, Changes), Error> {
        let mut owner = self.store.owner(user).await?;
        let decks = self.store.any_decks(user, DECKS_AT_ONCE).await?;
        let page =
            PageRequest { direction: Direction::Forward, limit: MEDIA_AT_ONCE, cursor: None };
        let filter = MediaFilter { with_staged: true, ..MediaFilter::default() };
        let media = portion(self.store.media_page(user, filter, page).await?.rows);
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
                    Event::Accepted(accepted) => self.take_accepted(accepted).await?,
                    Event::Studied(cards) => studied.push(cards.clone()),
                    // What this domain tells itself.
                    Event::Deck(_) | Event::Card(_) | Event::History(_) => {}
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

    fn public_revision(&self) -> u64 {
        self.public.get()
    }

    fn file<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
    ) -> BoxFuture<'a, Result<Option<FileInfo>, Error>> {
        Box::pin(async move {
            if let Some(export) = self.exported(viewer, id.into()).await? {
                let form =
                    export.body.format.map_or("application/octet-stream", FileFormat::content_type);
                return Ok(Some(FileInfo {
                    name: export.body.name,
                    content_type: form.to_owned(),
                    size: export.body.size,
                    tag: export.id.to_string(),
                }));
            }
            let info = |name: &MediaName, kind: MediaKind, size: i64, hash: ContentHash| FileInfo {
                name: name.text().to_owned(),
                content_type: kind.content_type().to_owned(),
                size: u64::try_from(size).unwrap_or(0),
                tag: hash.to_string(),
            };
            if let Some(media) = self.media(viewer, vec![id.into()]).await?.pop() {
                return Ok(Some(info(&media.name, media.kind, media.size, media.hash)));
            }
            let public = self.public_file(id.into()).await?;
            Ok(public.map(|file| info(&file.name, file.kind, file.size, file.hash)))
        })
    }

    fn file_bytes<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Option<FileBytes>, Error>> {
        Box::pin(async move {
            if let Some(export) = self.exported(viewer, id.into()).await? {
                return Ok(Some(self.read_export(&export, range).map_err(Into::into).boxed()));
            }
            let media = self.media(viewer, vec![id.into()]).await?.pop();
            let whose = match media {
                Some(media) => Some((media.owner, media.hash)),
                None => self.public_file(id.into()).await?.map(|file| (file.owner, file.hash)),
            };
            let bytes =
                |(owner, hash)| self.read_bytes(owner, hash, range).map_err(Into::into).boxed();
            Ok(whose.map(bytes))
        })
    }
}
