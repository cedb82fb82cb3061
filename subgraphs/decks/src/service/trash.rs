//! Deleting, restoring, and deleting for good. What is deleted lies in the trash for [`TRASH_KEPT`], an entry for each deletion, and is as if it
//! did not exist. Other domains are told that it is gone, and keep what they know of it until it comes back.

use common::{CardId, DeckId, Error, NoteId, PublicationId, TrashId, Viewer};

use super::cards::told;
use super::check::{batch_size, no_duplicates};
use super::moves::take_in;
use super::notes::at_once;
use super::{Service, tree};
use crate::model::{Card, Deck, MAX_CARDS_AT_ONCE, TRASH_KEPT, Trash, TrashKind};
use crate::store::Changes;

/// How many cards are deleted for good in one transaction.
const PURGED_AT_ONCE: u32 = 1_000;
/// How many transactions one call of [`Service::purge`] makes at most.
const PURGES: usize = 100;
/// The most characters of an entry's title.
const MAX_TITLE: usize = 100;

impl Service {
    /// Puts a deck with those in it and all their cards into the trash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_deck(&self, viewer: &Viewer, id: DeckId) -> Result<TrashId, Error> {
        let delete = self.change(viewer.user, || self.decide_delete_deck(viewer, id));
        let (entry, unlisted) = delete.await?;
        self.drop_public_media(viewer.user, unlisted).await?;
        Ok(entry)
    }

    /// Puts cards into the trash, all or none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no cards, too many, or one named twice; [`Error::NotFound`] for the first that is not there.
    pub async fn delete_cards(&self, viewer: &Viewer, ids: &[CardId]) -> Result<TrashId, Error> {
        batch_size("input.ids", "cards", ids.len())?;
        no_duplicates(ids.iter().copied().enumerate(), |index| format!("input.ids[{index}]"))?;
        let delete = async || {
            let cards = self.cards_in_order(viewer, ids).await?;
            self.decide_delete_cards(viewer, cards).await
        };
        self.change(viewer.user, delete).await
    }

    /// Puts notes with all their cards into the trash, all or none.
    ///
    /// # Errors
    /// As [`Service::delete_cards`]; [`Error::LimitExceeded`] at [`MAX_CARDS_AT_ONCE`].
    pub async fn delete_notes(&self, viewer: &Viewer, ids: &[NoteId]) -> Result<TrashId, Error> {
        batch_size("input.ids", "notes", ids.len())?;
        no_duplicates(ids.iter().copied().enumerate(), |index| format!("input.ids[{index}]"))?;
        let delete = async || {
            let notes = self.notes_in_order(viewer, ids.to_vec()).await?;
            let cards = notes.into_iter().flat_map(|note| note.cards);
            let cards: Vec<Card> = cards.filter(|card| card.trash.is_none()).collect();
            at_once(cards.len())?;
            self.decide_delete_cards(viewer, cards).await
        };
        self.change(viewer.user, delete).await
    }

    /// Takes everything of an entry out of the trash. Cards have what was learned of them. A deck whose parent is gone comes back at the top. A file whose
    /// name is another's by now gets the one beside it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an entry that is none of the viewer's, or older than [`TRASH_KEPT`]; [`Error::Conflict`] for cards whose
    /// deck is in the trash; [`Error::LimitExceeded`] where there is no room any more.
    pub async fn restore(&self, viewer: &Viewer, id: TrashId) -> Result<Trash, Error> {
        self.change(viewer.user, || self.decide_restore(viewer, id)).await
    }

    /// Deletes for good what has been in the trash for too long, a bounded part of it. Answers whether there may be more.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn purge(&self) -> Result<bool, Error> {
        for _ in 0..PURGES {
            let Some(entry) = self.store.expired(self.clock.now() - TRASH_KEPT).await? else {
                return Ok(false);
            };
            if entry.kind == TrashKind::Media {
                self.purge_media(entry.owner, Some(entry.id)).await?;
            } else {
                self.purge_media_of_notes(&entry).await?;
            }
            let decks = self.store.trashed_decks(entry.id).await?;
            self.erase(decks.iter().map(|deck| deck.id).collect()).await?;
            self.store.purge(entry.id, PURGED_AT_ONCE).await?;
        }
        Ok(true)
    }

    fn entry(&self, viewer: &Viewer, kind: TrashKind, text: &str, counts: [i64; 2]) -> Trash {
        let [deck_count, card_count] = counts;
        Trash {
            id: TrashId::new(),
            owner: viewer.user,
            kind,
            title: title(text),
            deck_count,
            card_count,
            media_count: 0,
            deleted_at: self.clock.now(),
        }
    }

    /// Answers also what is public no more.
    async fn decide_delete_deck(
        &self,
        viewer: &Viewer,
        id: DeckId,
    ) -> Result<((TrashId, Vec<PublicationId>), Changes), Error> {
        let deck = self.deck(viewer, id).await?;
        let mut owner = self.store.owner(viewer.user).await?;
        let mut decks = self.store.descendants(viewer.user, id).await?;
        let name = deck.name.clone();
        decks.push(deck);
        let cards = decks.iter().map(|deck| deck.card_count).sum();
        let entry = self.entry(viewer, TrashKind::Deck, &name, [count(decks.len()), cards]);
        owner.deck_count -= count(decks.len());
        for deck in &mut decks {
            deck.trash = Some(entry.id);
            deck.version += 1;
        }
        let sharing = self.leaving(viewer.user, &decks).await?;
        let unlisted = sharing.publications.iter().map(|publication| publication.id).collect();
        let changes = Changes {
            owner: Some(owner),
            events: decks.iter().map(|deck| deck.told(true)).collect(),
            trashed_with_deck: decks.iter().map(|deck| (deck.id, entry.id)).collect(),
            sharing,
            decks,
            trash: vec![entry.clone()],
            ..Changes::default()
        };
        Ok(((entry.id, unlisted), changes))
    }

    async fn decide_delete_cards(
        &self,
        viewer: &Viewer,
        mut cards: Vec<Card>,
    ) -> Result<(TrashId, Changes), Error> {
        let mut decks = self.decks_of(viewer, &cards, None).await?;
        let question = cards.first().map(|card| card.question.clone()).unwrap_or_default();
        let counts = [0, count(cards.len())];
        let entry = self.entry(viewer, TrashKind::Cards, &question, counts);
        for card in &mut cards {
            if let Some(deck) = decks.get_mut(&card.deck) {
                deck.card_count -= 1;
            }
            card.trash = Some(entry.id);
            card.version += 1;
        }
        let changes = Changes {
            decks: decks.into_values().collect(),
            events: cards.iter().map(|card| told(card, true)).collect(),
            cards,
            trash: vec![entry.clone()],
            ..Changes::default()
        };
        Ok((entry.id, changes))
    }

    async fn decide_restore(
        &self,
        viewer: &Viewer,
        id: TrashId,
    ) -> Result<(Trash, Changes), Error> {
        let expired = self.clock.now() - TRASH_KEPT;
        let entry = self.store.trash(vec![id]).await?.pop();
        let entry = entry.filter(|entry| {
            entry.owner == viewer.user
                && matches!(entry.kind, TrashKind::Deck | TrashKind::Cards | TrashKind::Media)
                && entry.deleted_at >= expired
        });
        let entry = entry.ok_or_else(|| Error::not_found("entry of the trash", id))?;
        let changes = match entry.kind {
            TrashKind::Deck => self.restore_decks(viewer, id).await?,
            TrashKind::Media => return Ok((entry, self.restore_media(viewer, id).await?)),
            TrashKind::Cards | TrashKind::Edit | TrashKind::Import => {
                self.restore_cards(viewer, id).await?
            }
        };
        Ok((entry, Changes { restored: vec![id], ..changes }))
    }

    async fn restore_decks(&self, viewer: &Viewer, id: TrashId) -> Result<Changes, Error> {
        let mut decks = self.store.trashed_decks(id).await?;
        let counts = self.store.trashed_counts(id).await?;
        let owner = self.owner_with_room(viewer, decks.len()).await?;
        let top = decks.iter().min_by_key(|deck| deck.ancestors.len());
        let above = top.map(|deck| deck.ancestors.clone()).unwrap_or_default();
        let parent = self.decks(viewer, above.last().copied().into_iter().collect()).await?.pop();
        let path = parent.as_ref().map(Deck::ancestors_of_children).unwrap_or_default();
        tree::rebase(&mut decks, above.len(), &path)?;
        for deck in &mut decks {
            deck.trash = None;
            deck.version += 1;
            // Notes were edited meanwhile, which takes cards out of the trash, or out of this entry.
            deck.card_count = counts.get(&deck.id).copied().unwrap_or(0);
        }
        let events = decks.iter().map(|deck| deck.told(false)).collect();
        let sharing = self.returning(viewer.user, &decks).await?;
        // What is decided rests on where the parent lies.
        decks.extend(parent);
        Ok(Changes { owner: Some(owner), decks, sharing, events, ..Changes::default() })
    }

    async fn restore_cards(&self, viewer: &Viewer, id: TrashId) -> Result<Changes, Error> {
        let limit = u32::try_from(MAX_CARDS_AT_ONCE).unwrap_or(u32::MAX);
        let mut cards = self.store.trashed_cards(id, limit).await?;
        let mut decks = self.decks_of(viewer, &cards, None).await?;
        for card in &mut cards {
            let Some(deck) = decks.get_mut(&card.deck) else {
                return Err(Error::Conflict(format!(
                    "the deck {} that cards of it lay in is in the trash: restore that one first",
                    card.deck
                )));
            };
            take_in(deck, 1)?;
            card.trash = None;
            card.version += 1;
        }
        let events = cards.iter().map(|card| told(card, false)).collect();
        let decks = decks.into_values().collect();
        Ok(Changes { decks, cards, events, ..Changes::default() })
    }
}

/// What an entry of the trash is called.
pub(super) fn title(text: &str) -> String {
    text.chars().take(MAX_TITLE).collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
