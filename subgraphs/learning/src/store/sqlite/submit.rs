//! One batch of reviews in one transaction: read what it names, let [`crate::submission`] decide, write.

use std::collections::HashMap;

use common::{CardId, StoreError, UserId};
use rusqlite::{Connection, params};

use super::{Submitted, cards, rows};
use crate::model::{Review, StoredCard};
use crate::scheduler::{Answer, Scheduler};
use crate::submission::{Known, admit};

pub(super) fn submit(
    connection: &Connection,
    owner: UserId,
    batch: &[Review],
    scheduler: &Scheduler,
) -> Result<Submitted, StoreError> {
    let mut known = known(connection, owner, batch)?;
    let admission = admit(batch, &known);
    let logs = answers(connection, owner, &admission.cards_to_replay(&known))?;
    let settled = admission
        .settle(scheduler, &known, logs)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;

    let mut put = connection.prepare_cached(include_str!("sql/put_review.sql"))?;
    for review in &admission.accepted {
        put.execute(params![
            owner,
            review.id,
            review.card,
            review.rating.number(),
            review.reviewed_at.as_millisecond(),
            review.received_at.as_millisecond(),
            review.duration_ms,
            review.time_zone,
            review.session,
            review.day.0,
        ])?;
    }
    let mut add = connection.prepare_cached(include_str!("sql/add_work.sql"))?;
    for (day, work) in admission.work() {
        add.execute(params![owner, day.0, work.reviews, work.duration_ms])?;
    }
    for card in settled {
        put_memory(connection, &card)?;
        known.cards.insert(card.id, card);
    }
    Ok(Submitted { verdicts: admission.verdicts, cards: known.cards })
}

fn known(connection: &Connection, owner: UserId, batch: &[Review]) -> Result<Known, StoreError> {
    let ids: Vec<CardId> = batch.iter().map(|review| review.card).collect();
    let cards = cards(connection, owner, &ids)?;
    let mut select = connection.prepare_cached(include_str!("sql/reviews_by_id.sql"))?;
    let ids = rows::id_list(batch.iter().map(|review| review.id.uuid()));
    let reviews = rows::all(select.query_map(params![owner, ids], rows::review)?)?;
    Ok(Known {
        reviews: reviews.into_iter().map(|review| (review.id, review)).collect(),
        cards: cards.into_iter().map(|card| (card.id, card)).collect(),
    })
}

fn answers(
    connection: &Connection,
    owner: UserId,
    cards: &[CardId],
) -> Result<HashMap<CardId, Vec<Answer>>, StoreError> {
    let mut logs: HashMap<CardId, Vec<Answer>> = HashMap::new();
    if cards.is_empty() {
        return Ok(logs);
    }
    let mut select = connection.prepare_cached(include_str!("sql/answers.sql"))?;
    let cards = rows::id_list(cards.iter().map(|id| id.uuid()));
    for row in select.query_map(params![owner, cards], rows::answer)? {
        let (card, answer) = row?;
        logs.entry(card).or_default().push(answer);
    }
    Ok(logs)
}

fn put_memory(connection: &Connection, card: &StoredCard) -> Result<(), StoreError> {
    let Some(memory) = &card.memory else { return Ok(()) };
    let (due_at, due_day) = rows::due_columns(memory.due);
    let (last_reviewed_at, last_review) = memory.last;
    connection.prepare_cached(include_str!("sql/put_memory.sql"))?.execute(params![
        card.id,
        card.model,
        memory.state.number(),
        memory.step,
        due_at,
        due_day,
        memory.stability,
        memory.difficulty,
        memory.half_life.0,
        memory.reps,
        memory.lapses,
        memory.leech,
        last_reviewed_at.as_millisecond(),
        last_review,
        memory.last_day.0,
        memory.introduced_day.0,
        memory.reviewed_day.map(|day| day.0),
    ])?;
    Ok(())
}
