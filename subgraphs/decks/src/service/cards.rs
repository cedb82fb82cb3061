//! Making and changing single cards, and what other domains are told of them. A card made here is the one card of a basic note.

use common::event::CardChanged;
use common::{DeckId, Error, Event, Viewer};

use super::Service;
use super::check::{batch_size, expect_version, no_duplicates};
use super::rewrite::Rewrite;
use crate::model::{Card, CardEdit, Content, Deck, NewCard, NewNote, Tags};
use crate::store::Changes;

impl Service {
    /// Makes cards at the end of a deck: all or none. Those with an id that the client made and that exist already, just so, are answered as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no cards, too many, or an id given twice; [`Error::NotFound`] for the deck; [`Error::Conflict`] when an id is that
    /// of something else; [`Error::LimitExceeded`] at [`crate::model::MAX_CARDS`].
    pub async fn create_cards(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewCard],
    ) -> Result<(Deck, Vec<Card>), Error> {
        batch_size("input.cards", "cards", new.len())?;
        let ids = new.iter().enumerate().filter_map(|(index, card)| Some((index, card.id?)));
        no_duplicates(ids, |index| format!("input.cards[{index}].id"))?;
        let note = |card: &NewCard| NewNote {
            id: None,
            card: card.id,
            guid: None,
            content: Content::basic(&card.question, &card.answer),
            tags: Tags::default(),
            source: card.source,
        };
        let notes: Vec<NewNote> = new.iter().map(note).collect();
        let create = || self.decide_create_notes(viewer, deck, &notes, "cards");
        let (deck, notes) = self.change(viewer.user, create).await?;
        Ok((deck, notes.into_iter().flat_map(|note| note.cards).collect()))
    }

    /// Changes a card's texts, which are those of its note: the other side of a reversed card changes along.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Outdated`] when it has another version than expected; [`Error::Invalid`] for a cloze, whose texts
    /// are those of the whole note.
    pub async fn update_card(&self, viewer: &Viewer, edit: &CardEdit) -> Result<Card, Error> {
        self.change(viewer.user, || self.decide_update_card(viewer, edit)).await
    }

    async fn decide_update_card(
        &self,
        viewer: &Viewer,
        edit: &CardEdit,
    ) -> Result<(Card, Changes), Error> {
        let card = self.cards(viewer, vec![edit.id]).await?.pop();
        let card = card.ok_or_else(|| Error::not_found("card", edit.id))?;
        expect_version(&card, edit.expected_version)?;
        let notes = self.notes_in_order(viewer, vec![card.note]).await?;
        let mut rewrite = Rewrite::start(self, viewer, &notes).await?;
        let mut answer = card.clone();
        for before in notes {
            let mut note = before.note.clone();
            let (question, answer_text) = (edit.question.as_ref(), edit.answer.as_ref());
            let content = note.content.with_sides(card.ordinal, question, answer_text);
            note.content = content.ok_or_else(|| {
                let message = "is a cloze's: edit its note with updateNotes";
                Error::invalid("input.id", message)
            })?;
            let written = rewrite.note(before, note)?;
            answer = written.cards.into_iter().find(|c| c.id == card.id).unwrap_or(answer);
        }
        Ok((answer, rewrite.finish().await?))
    }
}

/// What other domains are told of a card.
pub(super) fn told(card: &Card, deleted: bool) -> Event {
    Event::Card(CardChanged {
        card: card.id,
        deck: card.deck,
        owner: card.owner,
        version: card.version,
        deleted,
        position: card.position,
        created_at: card.created_at,
        note: Some(card.note),
        // Filled in when the change is put together.
        tags: Vec::new(),
    })
}
