//! How rows become values, and values parameters.

use common::{DeckId, ReviewId, StoreError};
use jiff::Timestamp;
use rusqlite::{Row, types::Type};
use uuid::Uuid;

use crate::entry::{LogEntry, Logged};
use crate::model::{Candidate, Session, StoredCard, Studied};
use crate::scheduler::{
    Action, CardState, Day, Due, HalfLife, Memory, Phase, Progress, Rating, RulesId,
};
use crate::tally::Tally;

/// The columns that `cards.sql` and others list first.
pub(super) fn card(row: &Row<'_>) -> rusqlite::Result<StoredCard> {
    let optional = |column| -> rusqlite::Result<Option<Timestamp>> {
        row.get::<_, Option<i64>>(column)?.map(|at| timestamp(at, column)).transpose()
    };
    let last_at = optional(20)?;
    let answered = [optional(22)?, optional(23)?, optional(24)?, optional(25)?];
    Ok(StoredCard {
        id: row.get(0)?,
        deck: row.get(1)?,
        model: row.get(2)?,
        weights: row.get(3)?,
        progress: Progress {
            memory: memory(row)?,
            suspended: row.get(17)?,
            buried_until: row.get::<_, Option<i32>>(18)?.map(Day),
            flag: row.get(19)?,
            answered,
            last: last_at.zip(row.get(21)?),
        },
    })
}

fn memory(row: &Row<'_>) -> rusqlite::Result<Option<Memory>> {
    let state = CardState::from_number(row.get(4)?)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(4, row.get(4)?))?;
    if state == CardState::New {
        return Ok(None);
    }
    Ok(Some(Memory {
        state,
        step: row.get(5)?,
        due: due(row.get(6)?, row.get(7)?)?,
        stability: row.get(8)?,
        difficulty: row.get(9)?,
        half_life: HalfLife(row.get(10)?),
        reps: row.get(11)?,
        lapses: row.get(12)?,
        leech: row.get(13)?,
        last: (moment(row, 14)?, row.get(15)?),
        last_day: Day(row.get(16)?),
    }))
}

/// The columns of `decks.sql` after the deck's id and the card's state.
pub(super) fn studied(row: &Row<'_>) -> rusqlite::Result<Studied> {
    Ok(Studied {
        due: due(row.get(2)?, row.get(3)?)?,
        stability: row.get(4)?,
        half_life: HalfLife(row.get(5)?),
        last_day: Day(row.get(6)?),
        weights: row.get(7)?,
        comes: row.get(8)?,
    })
}

/// The columns of `steps.sql`, `learned_cards.sql` and `new_cards.sql`. Learned cards are compared on the local day `today`.
pub(super) fn candidate(row: &Row<'_>, today: Day) -> rusqlite::Result<Candidate> {
    let (due_at, due_day): (Option<i64>, Option<i32>) = (row.get(3)?, row.get(4)?);
    let due =
        if due_at.is_none() && due_day.is_none() { None } else { Some(due(due_at, due_day)?) };
    let last: Option<i32> = row.get(5)?;
    let stability: Option<f64> = row.get(6)?;
    let urgency = last
        .zip(stability)
        .map_or(0.0, |(last, stability)| f64::from(today.0.saturating_sub(last)) / stability);
    Ok(Candidate { id: row.get(0)?, deck: row.get(1)?, note: row.get(2)?, due, urgency })
}

/// The columns of an entry. What entries from before their log was summed lack is filled in by [`super::upgrade`].
pub(super) fn logged(row: &Row<'_>) -> rusqlite::Result<Logged> {
    Ok(Logged {
        sent: LogEntry {
            id: row.get(0)?,
            card: row.get(1)?,
            action: action(row)?,
            at: moment(row, 6)?,
            received_at: moment(row, 7)?,
            duration_ms: row.get(8)?,
            time_zone: row.get(9)?,
            session: row.get(10)?,
            day: Day(row.get(11)?),
            hour: row.get::<_, Option<u8>>(12)?.unwrap_or(0),
        },
        deck: row.get::<_, Option<DeckId>>(13)?.unwrap_or_else(|| Uuid::nil().into()),
        rules: RulesId(row.get(14)?),
        phase: row.get::<_, Option<u8>>(15)?.map_or(Phase::Uncounted, Phase::from_number),
    })
}

fn action(row: &Row<'_>) -> rusqlite::Result<Action> {
    let kind: u8 = row.get(2)?;
    Ok(match kind {
        0 => Action::Answer(rating(row, 3)?),
        1 => Action::Practice(rating(row, 3)?),
        2 => Action::Suspend,
        3 => Action::Unsuspend,
        4 => Action::Bury,
        5 => Action::Unbury,
        6 => Action::Flag(row.get(4)?),
        7 => Action::Reset,
        8 => Action::SetDue(Day(row.get(4)?)),
        9 => Action::Undo(row.get(5)?),
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other.into())),
    })
}

/// Kind, rating, value and target of an action, as [`action`] reads them.
pub(super) fn action_columns(action: Action) -> (u8, u8, Option<i32>, Option<ReviewId>) {
    match action {
        Action::Answer(rating) => (0, rating.number(), None, None),
        Action::Practice(rating) => (1, rating.number(), None, None),
        Action::Suspend => (2, 0, None, None),
        Action::Unsuspend => (3, 0, None, None),
        Action::Bury => (4, 0, None, None),
        Action::Unbury => (5, 0, None, None),
        Action::Flag(flag) => (6, 0, Some(flag.into()), None),
        Action::Reset => (7, 0, None, None),
        Action::SetDue(day) => (8, 0, Some(day.0), None),
        Action::Undo(review) => (9, 0, None, Some(review)),
    }
}

/// A tally from its columns, which start at `column`.
pub(super) fn tally(row: &Row<'_>, column: usize) -> rusqlite::Result<Tally> {
    Ok(Tally::from_bytes(row.get(column)?, row.get_ref(column + 1)?.as_blob()?))
}

/// A column that holds JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        owner: row.get(1)?,
        deck: row.get(2)?,
        started_at: moment(row, 3)?,
        finished_at: row.get::<_, Option<i64>>(4)?.map(|_| moment(row, 4)).transpose()?,
    })
}

/// The two columns of a due date.
pub(super) fn due_columns(due: Due) -> (Option<i64>, Option<i32>) {
    match due {
        Due::At(moment) => (Some(moment.as_millisecond()), None),
        Due::On(day) => (None, Some(day.0)),
    }
}

/// Ids as one parameter: a JSON array of hexadecimal digits, which SQL turns back by `unhex`. Each is in it once, so that a join with it
/// gives each row once.
pub(super) fn id_list(ids: impl Iterator<Item = uuid::Uuid>) -> String {
    let mut ids: Vec<uuid::Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut list = String::with_capacity(2 + ids.len() * 35);
    let mut buffer = uuid::Uuid::encode_buffer();
    list.push('[');
    for (place, id) in ids.into_iter().enumerate() {
        list.push_str(if place == 0 { "\"" } else { ",\"" });
        list.push_str(id.as_simple().encode_lower(&mut buffer));
        list.push('"');
    }
    list.push(']');
    list
}

/// All rows of a query.
pub(super) fn all<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> Result<Vec<T>, StoreError> {
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn due(at: Option<i64>, day: Option<i32>) -> rusqlite::Result<Due> {
    match (at, day) {
        (Some(at), _) => Ok(Due::At(timestamp(at, 5)?)),
        (None, Some(day)) => Ok(Due::On(Day(day))),
        (None, None) => Err(rusqlite::Error::InvalidColumnType(5, "due_at".into(), Type::Null)),
    }
}

fn rating(row: &Row<'_>, column: usize) -> rusqlite::Result<Rating> {
    let number: u8 = row.get(column)?;
    Rating::from_number(number)
        .ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(column, number.into()))
}

pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    timestamp(row.get(column)?, column)
}

fn timestamp(milliseconds: i64, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, milliseconds))
}
