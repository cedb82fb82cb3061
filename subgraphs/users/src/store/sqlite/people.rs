//! In a SQLite file: which accounts belong to people for whom another issuer vouches.

use common::UserId;
use rusqlite::{OptionalExtension, params};

use super::accounts::{insert, user};
use super::{SqliteStore, insert_event};
use crate::model::{PasswordHash, PersonKey, User};
use crate::store::{Answer, Joined, PeopleStore};

impl PeopleStore for SqliteStore {
    fn account_of(&self, PersonKey(key): PersonKey) -> Answer<'_, Option<User>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT user.* FROM person JOIN user ON user.id = person.user_id WHERE key = ?1",
            )?;
            let mut rows = statement.query([key])?;
            rows.next()?.map(user).transpose()
        }))
    }

    fn insert_person(
        &self,
        PersonKey(key): PersonKey,
        user: User,
        hash: PasswordHash,
    ) -> Answer<'_, Joined> {
        Box::pin(self.0.write(move |connection| {
            let known = connection
                .prepare_cached("SELECT 1 FROM person WHERE key = ?1")?
                .query_row([key], |_| Ok(()))
                .optional()?;
            if known.is_some() {
                return Ok(Joined::Known);
            }
            if !insert(connection, &user, &hash)? {
                return Ok(Joined::AddressTaken);
            }
            connection
                .prepare_cached("INSERT INTO person (key, user_id) VALUES (?1, ?2)")?
                .execute(params![key, user.id])?;
            insert_event(connection, &user.event())?;
            Ok(Joined::Made)
        }))
    }

    fn forget_people(&self, user: UserId) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached("DELETE FROM person WHERE user_id = ?1")?.execute([user])?;
            Ok(())
        }))
    }
}
