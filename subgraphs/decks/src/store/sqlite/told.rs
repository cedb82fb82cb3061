//! What other domains tell: where persons are, and what was learned of cards. Only what is newer is kept.

use common::event::{CardStudied, CardsStudied, StudyDue, UserChanged};
use common::{StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::model::Person;

pub(super) fn put_person(connection: &Connection, user: &UserChanged) -> Result<(), StoreError> {
    let UserChanged { user: id, version, time_zone, rollover_hour, .. } = user;
    connection.prepare_cached(include_str!("sql/put_person.sql"))?.execute(params![
        id,
        version,
        time_zone,
        rollover_hour
    ])?;
    Ok(())
}

pub(super) fn person(connection: &Connection, id: UserId) -> Result<Option<Person>, StoreError> {
    let sql = "SELECT time_zone, rollover_hour FROM person WHERE id = ?1";
    let person = connection
        .prepare_cached(sql)?
        .query_row([id], |row| Ok(Person { time_zone: row.get(0)?, rollover_hour: row.get(1)? }));
    Ok(person.optional()?)
}

pub(super) fn put_study(
    connection: &Connection,
    studied: &[CardsStudied],
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(include_str!("sql/put_study.sql"))?;
    for CardsStudied { owner, cards } in studied {
        for card in cards {
            let (due_at, due_day) = match card.due {
                None => (None, None),
                Some(StudyDue::At(at)) => (Some(at.as_millisecond()), None),
                Some(StudyDue::On(day)) => (None, Some(day.0)),
            };
            let CardStudied { suspended, flag, lapses, leech, .. } = card;
            let buried_until = card.buried_until.map(|day| day.0);
            let [again, hard, good, easy] =
                card.answered.map(|at| at.map(Timestamp::as_millisecond));
            let answered_at = [again, hard, good, easy].into_iter().max().flatten();
            put.execute(params![
                owner,
                card.card,
                card.version,
                card.state.number(),
                due_at,
                due_day,
                suspended,
                buried_until,
                flag,
                lapses,
                leech,
                answered_at,
                again,
                hard,
                good,
                easy,
            ])?;
        }
    }
    Ok(())
}
