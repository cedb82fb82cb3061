//! What a person does with drafts: edits them, takes them as cards, or rejects them.
//!
//! A draft that is accepted gets the ids of its note and its card here, in the same transaction that keeps the event by which decks makes them. So
//! it becomes a card once, whatever fails.

use std::sync::Arc;

use common::event::{AcceptedCard, DraftsAccepted};
use common::{Caller, CardId, DeckId, DraftId, Error, Event, NoteId, Viewer};

use super::{Change, Service};
use crate::model::{Choice, Draft, DraftEdit, Fate, Job, State, side};

/// Drafts of which somebody decided.
#[derive(Debug)]
pub struct Accepted {
    /// The job as it is now.
    pub job: Job,
    /// The drafts that were named.
    pub drafts: Vec<Draft>,
}

impl Service {
    /// Makes cards of drafts of the viewer's job, in its deck or another one of the viewer's. Those that are cards already stay what they are; of
    /// those that are named, rejected ones are taken, too.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the job, the deck or a draft; [`Error::Conflict`] when the job is not ready; [`Error::LimitExceeded`] when the
    /// deck is full; [`Error::Unavailable`] when decks does not answer.
    pub async fn accept(
        &self,
        caller: &Arc<Caller>,
        choice: Choice,
        deck: Option<DeckId>,
    ) -> Result<Accepted, Error> {
        let viewer = caller.viewer()?;
        let job = self.job(viewer, choice.job).await?;
        let deck = deck.unwrap_or(job.request.deck);
        let room = self.decks.room(caller, deck).await?;
        let accept = |job: &mut Job| {
            let places = places(job, &choice)?;
            let mut cards = Vec::new();
            for &place in &places {
                let draft = &mut job.drafts[place];
                if let Fate::Accepted { .. } = draft.fate {
                    continue;
                }
                let (note, card) = (NoteId::new(), CardId::new());
                draft.fate = Fate::Accepted { deck, note, card };
                cards.push(AcceptedCard {
                    note,
                    card,
                    question: draft.question.clone(),
                    answer: draft.answer.clone(),
                    source: draft.source,
                });
            }
            room.takes(cards.len())?;
            if cards.is_empty() {
                return Ok((places, Change::None));
            }
            let accepted = DraftsAccepted { owner: job.owner, deck, cards };
            Ok((places, Change::Told(Event::Accepted(accepted))))
        };
        let (places, job) = self.change(viewer, choice.job, accept).await?;
        Ok(chosen(job, &places))
    }

    /// Rejects drafts of the viewer's job; those that are cards already cannot be.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the job or a draft; [`Error::Conflict`] when the job is not ready, or a draft that is named is a card.
    pub async fn reject(&self, viewer: &Viewer, choice: Choice) -> Result<Accepted, Error> {
        let reject = |job: &mut Job| {
            let places = places(job, &choice)?;
            for &place in &places {
                let draft = &mut job.drafts[place];
                if let Fate::Accepted { card, .. } = draft.fate {
                    return Err(Error::Conflict(format!(
                        "the draft {} is the card {card} already: delete that one",
                        draft.id
                    )));
                }
                draft.fate = Fate::Rejected;
            }
            Ok((places, Change::Job))
        };
        let (places, job) = self.change(viewer, choice.job, reject).await?;
        Ok(chosen(job, &places))
    }

    /// Changes the texts of a draft; one that was rejected is proposed again.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::NotFound`]; [`Error::Conflict`] when the job is not ready, or the draft is a card.
    pub async fn edit(&self, viewer: &Viewer, edit: DraftEdit) -> Result<(Job, Draft), Error> {
        let question =
            edit.question.map(|question| side("input.question", question)).transpose()?;
        let answer = edit.answer.map(|answer| side("input.answer", answer)).transpose()?;
        let choice = Choice::new(edit.job, Some(vec![edit.draft]))?;
        let change = |job: &mut Job| {
            let places = places(job, &choice)?;
            for &place in &places {
                let draft = &mut job.drafts[place];
                if let Fate::Accepted { card, .. } = draft.fate {
                    return Err(Error::Conflict(format!(
                        "the draft {} is the card {card} already: edit that one",
                        draft.id
                    )));
                }
                draft.question = question.clone().unwrap_or_else(|| draft.question.clone());
                draft.answer = answer.clone().unwrap_or_else(|| draft.answer.clone());
                draft.fate = Fate::Proposed;
                draft.edited = true;
            }
            Ok((places, Change::Job))
        };
        let (places, job) = self.change(viewer, edit.job, change).await?;
        let Accepted { job, mut drafts } = chosen(job, &places);
        let draft = drafts.pop().ok_or_else(|| Error::not_found("draft", edit.draft))?;
        Ok((job, draft))
    }
}

/// Where the drafts stand that are chosen, each once.
fn places(job: &Job, choice: &Choice) -> Result<Vec<usize>, Error> {
    if job.state != State::Ready {
        return Err(Error::Conflict(format!("the job {} is not ready", job.id)));
    }
    let Some(ids) = &choice.drafts else {
        let proposed = job.drafts.iter().enumerate();
        let proposed = proposed.filter(|(_, draft)| draft.fate == Fate::Proposed);
        return Ok(proposed.map(|(place, _)| place).collect());
    };
    let place = |id: &DraftId| {
        let found = job.drafts.iter().position(|draft| draft.id == *id);
        found.ok_or_else(|| Error::not_found("draft", id))
    };
    let mut places: Vec<usize> = ids.iter().map(place).collect::<Result<_, _>>()?;
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

fn chosen(job: Job, places: &[usize]) -> Accepted {
    let drafts = places.iter().filter_map(|place| job.drafts.get(*place).cloned()).collect();
    Accepted { job, drafts }
}
