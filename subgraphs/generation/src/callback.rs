//! What the service that exists tells by itself: cards of one of its notes that a person put into a deck. They are no drafts of a job, so nothing is
//! kept of them here; decks makes the cards, and has them on disk when the call is answered.
//!
//! Told again they are the same cards: the id of each follows from whose it is, its deck, its texts and its place in the note's text. So a call that
//! is repeated because its answer was lost makes nothing twice, also after the person has edited or deleted a card.

use std::collections::HashMap;
use std::sync::Arc;

use common::event::{AcceptedCard, DraftsAccepted};
use common::viewer::Roles;
use common::{Caller, CardId, DeckId, Endpoint, Error, SessionId, UserId, Viewer};
use uuid::Uuid;

use crate::decks::Decks;
use crate::model::side;

/// The most cards of one call.
pub const MAX_TOLD: usize = 1_000;
/// How many cards an event tells of at most.
const OF_AN_EVENT: usize = 100;
/// The namespace of the ids of notes that are told so.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a1d_4c0e_27b5_4f64_9d5e_b9a1_02c7_83f0);

/// A card of a note, as the service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldCard {
    /// The deck it names, which must be that of the call.
    pub deck: DeckId,
    /// Its question: 1 to 10,000 characters, not blank.
    pub question: String,
    /// Its answer: likewise.
    pub answer: String,
    /// Where it comes from, in code points of the note's text. The text is not told, so the place cannot be kept in UTF-16 code units as that of other
    /// cards is: it only tells two cards of the same words apart.
    pub source: Option<(u64, u64)>,
}

/// Takes what the service tells.
pub struct Callback(Decks);

impl Callback {
    /// For cards of these decks.
    #[must_use]
    pub fn new(decks: Arc<dyn Endpoint>) -> Self {
        Self(Decks::new(decks))
    }

    /// Makes cards of a person's deck, all or none, and answers the id of each in the order they were told.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a card that can be none, one of another deck, and for none or more than [`MAX_TOLD`]; [`Error::NotFound`] for a deck that is
    /// not the person's; [`Error::LimitExceeded`] when it has no room; [`Error::Unavailable`] when decks does not answer: some may be made then, which
    /// are the same when they are told again.
    pub async fn take(
        &self,
        owner: UserId,
        deck: DeckId,
        told: Vec<ToldCard>,
    ) -> Result<Vec<CardId>, Error> {
        if !(1..=MAX_TOLD).contains(&told.len()) {
            let message = format!("{} cards: 1 to {MAX_TOLD} are accepted", told.len());
            return Err(Error::invalid("body", message));
        }
        let mut alike = HashMap::new();
        let mut cards = Vec::with_capacity(told.len());
        for (place, card) in told.into_iter().enumerate() {
            let ToldCard { deck: named, question, answer, source } = card;
            if named != deck {
                let message = format!("{named} is not the deck {deck} of the address");
                return Err(Error::invalid(format!("body[{place}].deckID"), message));
            }
            let question = side(&format!("body[{place}].question"), question)?;
            let answer = side(&format!("body[{place}].answer"), answer)?;
            let words = format!(
                "{owner} {deck} {source:?} {} {question} {answer}",
                question.chars().count()
            );
            // Two that are alike in one call are two cards.
            let nth = alike.entry(words.clone()).or_insert(0_u32);
            let note = Uuid::new_v5(&NAMESPACE, format!("{nth} {words}").as_bytes());
            *nth += 1;
            let card = Uuid::new_v5(&note, b"card").into();
            cards.push(AcceptedCard { note: note.into(), card, question, answer, source: None });
        }
        let viewer = Viewer::new(owner, SessionId::new(), Roles::default());
        let caller = Arc::new(Caller::new(Some(viewer), Uuid::new_v4().to_string()));
        self.0.room(&caller, deck).await?.takes(cards.len())?;
        let ids = cards.iter().map(|card| card.card).collect();
        let of_event = |cards: &[AcceptedCard]| DraftsAccepted { owner, deck, cards: cards.into() };
        self.0.tell(&caller, cards.chunks(OF_AN_EVENT).map(of_event).collect()).await?;
        Ok(ids)
    }
}
