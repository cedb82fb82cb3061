//! Making cards of drafts that a person accepted in the generation domain. What was accepted is not refused: it is told once the person has
//! been answered. So the number of cards of a deck is not bounded here; generation looks at it before.

use common::Error;
use common::event::{AcceptedCard, DraftsAccepted};

use super::Service;
use super::cards::told;
use crate::model::{Card, CardText, Content, Deck, Guid, Note, Source, Tags};
use crate::store::Changes;

impl Service {
    /// Makes the cards that are not there yet. In a deck that lies in the trash they lie in it, too, and come back with it; with one that is gone
    /// for good they are gone.
    pub(super) async fn take_accepted(&self, accepted: &DraftsAccepted) -> Result<(), Error> {
        self.change(accepted.owner, || self.decide_accepted(accepted)).await
    }

    async fn decide_accepted(&self, accepted: &DraftsAccepted) -> Result<((), Changes), Error> {
        let owner = accepted.owner;
        let ids: Vec<_> = accepted.cards.iter().map(|card| card.note.uuid()).collect();
        // Also those that were made and deleted since.
        let made = self.store.taken(ids).await?;
        let new = accepted.cards.iter().filter(|card| !made.contains(&card.note.uuid()));
        let new: Vec<&AcceptedCard> = new.collect();
        let deck = self.store.any_deck(accepted.deck).await?;
        let Some(mut deck) = deck.filter(|deck| deck.owner == owner && !new.is_empty()) else {
            return Ok(((), Changes::default()));
        };
        let now = self.clock.now();
        let (places, moved_cards) = self.places_at_end(&deck, new.len(), now).await?;
        deck.last_place = places.last().copied().unwrap_or(deck.last_place);
        let mut changes = Changes { moved_cards, ..Changes::default() };
        for (new, position) in new.into_iter().zip(places) {
            let Some((note, card)) = written(new, &deck, position, now) else {
                tracing::error!(draft = %new.note, "an accepted draft can be no card");
                continue;
            };
            deck.card_count += 1;
            if card.trash.is_none() {
                changes.events.push(told(&card, false));
            }
            changes.new_notes.push(note);
            changes.new_cards.push(card);
        }
        let moved = changes.moved_cards.iter().map(|card| super::moves::moved(owner, card));
        changes.events.extend(moved);
        changes.decks.push(deck);
        Ok(((), changes))
    }
}

/// The basic note of a draft, and its card; nothing when its texts are none that a card can have.
fn written(
    accepted: &AcceptedCard,
    deck: &Deck,
    position: i64,
    now: jiff::Timestamp,
) -> Option<(Note, Card)> {
    let side = |text: &String| CardText::new("draft", text.clone()).ok();
    let content = Content::basic(&side(&accepted.question)?, &side(&accepted.answer)?);
    let sides = content.cards().into_iter().next()?;
    let note = Note {
        id: accepted.note,
        owner: deck.owner,
        guid: Guid::of(accepted.note),
        content,
        tags: Tags::default(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let card = Card {
        id: accepted.card,
        position,
        source: accepted.source.map(|(start, end)| Source { start, end }),
        trash: deck.trash,
        ..Card::of(&note, sides, deck.id)
    };
    Some((note, card))
}
