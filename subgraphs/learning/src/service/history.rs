//! What was learned of cards elsewhere: taken in after an import, as entries of their logs, and told for an export, in the same terms.

use std::collections::HashSet;
use std::sync::Arc;

use common::history::{CardHistory, HistoryTold, PastReview, Schedule};
use common::{Caller, CardId, Error, ReviewId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Learner, Models, Service, unusable};
use crate::entry::{LogEntry, Logged};
use crate::model::StoredCard;
use crate::scheduler::{
    Action, Calendar, CardState, Due, Memory, Phase, Progress, Restored, Rulebook, advance,
};
use crate::submission::Terms;

/// How many cards are told of at once.
pub const MAX_TOLD: usize = 50;

impl Service {
    /// Takes in what was learned of people's cards before they were imported, in order. Taking it in again changes nothing; of cards that are not
    /// there nothing is kept.
    pub(super) async fn take_histories(&self, all: &[&HistoryTold]) -> Result<(), Error> {
        // Of one import there are many: what they are read against is read once.
        for of_import in all.chunk_by(|one, next| (one.owner, one.at) == (next.owner, next.at)) {
            let Some(HistoryTold { owner, at, .. }) = of_import.first() else { continue };
            let learner = self.learner_at(*owner, *at).await?;
            let terms = Self::terms(&learner.models, &self.tree(*owner).await?);
            for told in of_import {
                self.take_history(told, &learner.moment.calendar, &terms).await?;
            }
        }
        Ok(())
    }

    async fn take_history(
        &self,
        told: &HistoryTold,
        calendar: &Calendar,
        terms: &Arc<Terms>,
    ) -> Result<(), Error> {
        let mut batch = Vec::with_capacity(told.size());
        for card in &told.cards {
            self.add_entries(&mut batch, card, calendar, told.at)?;
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.store.submit(told.owner, Arc::from(batch), Arc::clone(terms)).await?;
        Ok(())
    }

    fn add_entries(
        &self,
        batch: &mut Vec<LogEntry>,
        card: &CardHistory,
        calendar: &Calendar,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut last = None;
        for review in &card.reviews {
            let Ok(reviewed_at) = Timestamp::from_millisecond(review.at) else { continue };
            if review.button > 0 {
                last = Some(reviewed_at);
            }
            let name = format!("review {}", review.at);
            let action = Action::Past(*review);
            batch.push(entry(card.card, &name, action, reviewed_at, review.taken, calendar, at));
        }
        if let Some(schedule) = card.schedule {
            let restored = Restored::new(schedule, &self.average, calendar, last, at);
            let action = Action::Restore(restored.map_err(unusable)?);
            batch.push(entry(card.card, "schedule", action, at, 0, calendar, at));
        }
        Ok(())
    }

    /// What is known of a person's cards, for a service that exports them: in no order, without those of which nothing is known.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is asked for a person: no client can ask it; [`Error::Invalid`] for more than [`MAX_TOLD`] cards.
    pub async fn histories(
        &self,
        caller: &Caller,
        owner: UserId,
        cards: Vec<CardId>,
    ) -> Result<Vec<CardHistory>, Error> {
        if caller.viewer.is_some() {
            return Err(Error::NotAllowed("this is for services"));
        }
        if cards.len() > MAX_TOLD {
            let message = format!("names {} cards: at most {MAX_TOLD} are accepted", cards.len());
            return Err(Error::invalid("cardIds", message));
        }
        let Learner { moment, models } = self.learner(owner).await?;
        let stored = self.store.cards(owner, cards.clone()).await?;
        let (mut logs, rulebook) = self.store.logs(owner, cards).await?;
        let mut told = Vec::with_capacity(stored.len());
        for card in stored {
            let log = logs.remove(&card.id).unwrap_or_default();
            let history = tell(&card, log, &rulebook, &models, moment.today);
            told.extend(history.map_err(unusable)?);
        }
        Ok(told)
    }
}

fn entry(
    card: CardId,
    name: &str,
    action: Action,
    at: Timestamp,
    duration_ms: u32,
    calendar: &Calendar,
    received_at: Timestamp,
) -> LogEntry {
    let to_millisecond =
        |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    LogEntry {
        // Made of the card's, so that taking it in again finds it.
        id: ReviewId::from(Uuid::new_v5(&card.uuid(), name.as_bytes())),
        card,
        action,
        at: to_millisecond(at),
        duration_ms,
        time_zone: None,
        session: None,
        day: calendar.day_of(at),
        hour: calendar.hour_of(at),
        received_at: to_millisecond(received_at),
    }
}

/// What is to be told of a card.
fn tell(
    card: &StoredCard,
    mut log: Vec<Logged>,
    rulebook: &Rulebook,
    models: &Models,
    today: crate::scheduler::Day,
) -> Result<Option<CardHistory>, crate::scheduler::ModelError> {
    log.sort_unstable_by_key(|logged| logged.sent.key());
    let undone: HashSet<ReviewId> = log
        .iter()
        .filter_map(|logged| match logged.sent.action {
            Action::Undo(review) => Some(review),
            _ => None,
        })
        .collect();
    let mut progress = Progress::default();
    let (mut reviews, mut restored) = (Vec::new(), None);
    for logged in &log {
        let entry = logged.entry();
        if undone.contains(&entry.id) && entry.action.rating().is_some() {
            continue;
        }
        let rules = rulebook.rules(entry.rules);
        let before = progress.memory.clone();
        let (after, phase) = advance(models.current(), &rules, card.id, progress, entry)?;
        progress = after;
        match entry.action {
            Action::Past(past) => reviews.push(past),
            Action::Restore(found) => {
                restored = Some((found, found.memory(&rules, &entry)));
            }
            _ => reviews.extend(past(logged, phase, before.as_ref(), progress.memory.as_ref())),
        }
    }
    let schedule = schedule(card, restored, models, today);
    if reviews.is_empty() && schedule.is_none() {
        return Ok(None);
    }
    Ok(Some(CardHistory { card: card.id, reviews, schedule }))
}

/// An entry of the log as a review in the past; `None` for what Anki's log has no place for.
fn past(
    logged: &Logged,
    phase: Phase,
    before: Option<&Memory>,
    after: Option<&Memory>,
) -> Option<PastReview> {
    let (button, kind) = match logged.sent.action {
        Action::Answer(rating) => (
            rating.number(),
            match phase {
                Phase::Young | Phase::Mature => 1,
                Phase::Relearning => 2,
                Phase::Practice => 3,
                Phase::New | Phase::Learning | Phase::Uncounted => 0,
            },
        ),
        Action::Practice(rating) => (rating.number(), 3),
        Action::Reset | Action::SetDue(_) => (0, 4),
        _ => return None,
    };
    Some(PastReview {
        at: logged.sent.at.as_millisecond(),
        button,
        interval: after.map_or(0, interval),
        last_interval: before.map_or(0, interval),
        factor: after.map_or(0, |memory| factor(memory.difficulty)),
        taken: logged.sent.duration_ms,
        kind,
    })
}

/// Days, or negative in seconds.
fn interval(memory: &Memory) -> i64 {
    match memory.due {
        Due::On(day) => i64::from(day.since(memory.last_day)),
        Due::At(at) => -at.duration_since(memory.last.0).as_secs().max(0),
    }
}

/// The difficulty, 1 to 10, as Anki's log keeps it: 100 to 1100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "100 to 1100")]
fn factor(difficulty: f32) -> u32 {
    (((difficulty.clamp(1.0, 10.0) - 1.0) / 9.0 + 0.1) * 1_000.0).round() as u32
}

/// Where a card stands; as its file said it, if nothing happened since.
fn schedule(
    card: &StoredCard,
    restored: Option<(Restored, Option<Memory>)>,
    models: &Models,
    today: crate::scheduler::Day,
) -> Option<Schedule> {
    let progress = &card.progress;
    let marks = |schedule: Schedule| Schedule {
        suspended: progress.suspended,
        buried: progress.is_buried(today),
        flag: progress.flag,
        ..schedule
    };
    if let Some((restored, memory)) = &restored
        && *memory == progress.memory
    {
        return Some(marks(restored.schedule));
    }
    let before = restored.map(|(restored, _)| restored.schedule);
    let Some(memory) = &progress.memory else {
        let is_marked = progress.suspended || progress.flag > 0 || progress.is_buried(today);
        return is_marked.then(|| marks(new_schedule(before)));
    };
    let (due_at, due_day) = match memory.due {
        Due::At(at) => (Some(at.as_millisecond()), None),
        Due::On(day) => (None, Some(day.0)),
    };
    let model = models.of(card.weights);
    Some(marks(Schedule {
        state: memory.state.number(),
        due_at,
        due_day,
        interval: interval(memory),
        ease: before.map_or(0, |before| before.ease).max(1_300),
        reps: memory.reps,
        lapses: memory.lapses,
        // How many there are is a matter of settings; one at least is left.
        steps_left: u32::from(matches!(memory.state, CardState::Learning | CardState::Relearning)),
        stability: Some(memory.stability),
        difficulty: Some(memory.difficulty),
        desired_retention: None,
        decay: Some(model.decay()),
        last_review: Some(memory.last.0.as_second()),
        ..new_schedule(before)
    }))
}

fn new_schedule(before: Option<Schedule>) -> Schedule {
    Schedule {
        state: 0,
        due_at: None,
        due_day: None,
        interval: 0,
        ease: 0,
        reps: 0,
        lapses: 0,
        steps_left: 0,
        suspended: false,
        buried: false,
        flag: 0,
        stability: None,
        difficulty: None,
        desired_retention: None,
        decay: None,
        last_review: None,
        position: before.and_then(|before| before.position),
    }
}
