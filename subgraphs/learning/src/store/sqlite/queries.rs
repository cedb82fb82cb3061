//! The reads that take more than a line.

use std::collections::{BTreeMap, HashMap};

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{cursor, rows};
use crate::entry::Logged;
use crate::model::{Stats, StoredDeck};
use crate::scheduler::{AnswerKey, Day};
use crate::store::{CardChange, ChangeKey, Changes, QueueCards, QueueQuery};
use crate::submission::streak;
use crate::tally::{ALL_DECKS, Tally};

pub(super) fn decks(
    connection: &Connection,
    owner: UserId,
    ids: &[DeckId],
    today: Day,
) -> Result<Vec<StoredDeck>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/decks.sql"))?;
    let ids = rows::id_list(ids.iter().map(|id| id.uuid()));
    let mut rows = select.query(params![owner, ids, today.0])?;
    let mut decks: Vec<StoredDeck> = Vec::new();
    // The cards of one deck follow one another.
    while let Some(row) = rows.next()? {
        let id: DeckId = row.get(0)?;
        if decks.last().is_none_or(|deck| deck.id != id) {
            decks.push(StoredDeck { id, new: 0, new_away: 0, studied: Vec::new() });
        }
        let Some(deck) = decks.last_mut() else { continue };
        match row.get::<_, Option<u8>>(1)? {
            None => {}
            Some(0) => {
                deck.new += 1;
                deck.new_away += usize::from(!row.get::<_, bool>(8)?);
            }
            Some(_) => deck.studied.push(rows::studied(row)?),
        }
    }
    Ok(decks)
}

pub(super) fn queue(
    connection: &Connection,
    owner: UserId,
    query: &QueueQuery,
) -> Result<QueueCards, StoreError> {
    let today = query.today;
    let decks = rows::id_list(query.decks.iter().map(|id| id.uuid()));
    let mut done = connection.prepare_cached(include_str!("sql/done.sql"))?;
    let done = done.query_map(params![owner, today.0, decks], |row| {
        Ok((row.get::<_, DeckId>(0)?, rows::tally(row, 1)?.done()))
    })?;
    let done = done.collect::<rusqlite::Result<HashMap<_, _>>>()?;
    let candidate = |row: &rusqlite::Row<'_>| rows::candidate(row, today);
    let tag = query.tag.as_deref();
    let mut steps = connection.prepare_cached(include_str!("sql/steps.sql"))?;
    let ahead = query.ahead.as_millisecond();
    let mut steps = rows::all(
        steps.query_map(params![owner, decks, today.0, ahead, tag, query.steps], candidate)?,
    )?;
    steps.sort_unstable_by_key(|card| (card.due_at(), card.id));
    let tagged = match tag {
        Some(_) => "EXISTS (SELECT 1 FROM json_each(c.tags) AS tag WHERE tag.value = ?5)",
        None => "?5 IS NULL",
    };
    let learned = include_str!("sql/learned_cards.sql").replace("{tagged}", tagged);
    let mut learned = connection.prepare_cached(&learned)?;
    let until = query.until.0;
    let learned = rows::all(
        learned.query_map(params![owner, decks, today.0, until, tag, query.learned], candidate)?,
    )?;
    let mut new = connection.prepare_cached(include_str!("sql/new_cards.sql"))?;
    let new = rows::all(new.query_map(params![owner, decks, today.0, tag, query.new], candidate)?)?;
    let mut studied = connection.prepare_cached(include_str!("sql/studied_notes.sql"))?;
    let studied =
        studied.query_map(params![owner, today.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let studied = rows::all(studied)?;
    Ok(QueueCards { done, steps, learned, new, studied })
}

pub(super) fn reviews(
    connection: &Connection,
    owner: UserId,
    cards: &[CardId],
    page: PageRequest<AnswerKey>,
) -> Result<HashMap<CardId, Vec<Logged>>, StoreError> {
    let mut select = connection.prepare_cached(match page.direction {
        Direction::Forward => include_str!("sql/reviews_forward.sql"),
        Direction::Backward => include_str!("sql/reviews_backward.sql"),
    })?;
    let cards = rows::id_list(cards.iter().map(|id| id.uuid()));
    let (at, id) = cursor(page.cursor);
    let mut reviews: HashMap<CardId, Vec<Logged>> = HashMap::new();
    for logged in select.query_map(params![owner, cards, at, id, page.limit + 1], rows::logged)? {
        let logged = logged?;
        reviews.entry(logged.sent.card).or_default().push(logged);
    }
    Ok(reviews)
}

pub(super) fn answer_before(
    connection: &Connection,
    owner: UserId,
    later: u32,
) -> Result<Option<AnswerKey>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/answer_before.sql"))?;
    let key = |row: &rusqlite::Row<'_>| Ok((rows::moment(row, 0)?, row.get(1)?));
    Ok(select.query_row(params![owner, later], key).optional()?)
}

pub(super) fn changes(
    connection: &Connection,
    owner: UserId,
    after: ChangeKey,
    limit: u32,
) -> Result<Changes, StoreError> {
    let (last_seq, settings_seq) = connection
        .prepare_cached(
            "SELECT coalesce(max(seq), 0), coalesce(max(settings_seq), 0) FROM sync WHERE owner = ?1",
        )?
        .query_row([owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut select = connection.prepare_cached(include_str!("sql/changed_cards.sql"))?;
    let cards = select.query_map(params![owner, after.seq, after.card, limit], |row| {
        let card = rows::card(row)?;
        let (live, seq): (bool, i64) = (row.get(26)?, row.get(27)?);
        let key = ChangeKey { seq, card: card.id };
        Ok(CardChange { key, card: live.then_some(card) })
    })?;
    Ok(Changes { cards: rows::all(cards)?, last_seq, settings_seq })
}

pub(super) fn tallies(
    connection: &Connection,
    owner: UserId,
    decks: Option<&[DeckId]>,
    (first, last): (Day, Day),
) -> Result<Vec<(Day, Tally)>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/tallies.sql"))?;
    let decks = match decks {
        Some(decks) => rows::id_list(decks.iter().map(|id| id.uuid())),
        None => rows::id_list(std::iter::once(ALL_DECKS)),
    };
    let mut rows = select.query(params![owner, first.0, last.0, decks])?;
    let mut tallies: BTreeMap<Day, Tally> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        tallies.entry(Day(row.get(0)?)).or_default().merge(&rows::tally(row, 1)?);
    }
    Ok(tallies.into_iter().collect())
}

pub(super) fn forecast(
    connection: &Connection,
    owner: UserId,
    decks: &[DeckId],
    today: Day,
    last: Day,
) -> Result<BTreeMap<Day, u32>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/forecast.sql"))?;
    let decks = rows::id_list(decks.iter().map(|id| id.uuid()));
    let days = select.query_map(params![owner, decks, today.0, last.0], |row| {
        Ok((Day(row.get(0)?), row.get(1)?))
    })?;
    Ok(days.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn stats(
    connection: &Connection,
    owner: UserId,
    asleep: &[DeckId],
    today: Day,
    tomorrow: Timestamp,
) -> Result<Stats, StoreError> {
    let asleep = rows::id_list(asleep.iter().map(|id| id.uuid()));
    let mut select = connection.prepare_cached(include_str!("sql/stats.sql"))?;
    let mut stats = select
        .query_row(params![owner, today.0, tomorrow.as_millisecond(), asleep], |row| {
            Ok(Stats { due_today: row.get(0)?, new_cards: row.get(1)?, ..Stats::default() })
        })?;
    let mut days = connection.prepare_cached(include_str!("sql/days_back.sql"))?;
    let days = days.query_map(params![owner, today.0], |row| {
        let day = Day(row.get(0)?);
        if day == today {
            stats.reviews_today += row.get::<_, u32>(1)?;
            stats.time_today_ms += row.get::<_, i64>(2)?;
        }
        Ok(day)
    })?;
    let streak = streak(today, days)?;
    Ok(Stats { streak_days: streak, ..stats })
}
