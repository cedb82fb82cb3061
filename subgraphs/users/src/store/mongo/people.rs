//! In a MongoDB database: which accounts belong to people for whom another issuer vouches.

use common::{StoreError, UserId};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Binary, doc};
use serde::{Deserialize, Serialize};

use super::accounts::UserDocument;
use super::{EventDocument, MongoStore};
use crate::model::{PasswordHash, PersonKey, User};
use crate::store::{Answer, Joined, PeopleStore};

impl PeopleStore for MongoStore {
    fn account_of(&self, key: PersonKey) -> Answer<'_, Option<User>> {
        Box::pin(async move {
            let Some(person) = self.people.find_one(doc! { "_id": binary(key) }).await? else {
                return Ok(None);
            };
            let found = self.users.find_one(doc! { "_id": person.user }).await?;
            found.map(|document| Ok(document.read()?.0)).transpose()
        })
    }

    fn insert_person(&self, key: PersonKey, user: User, hash: PasswordHash) -> Answer<'_, Joined> {
        Box::pin(async move {
            let person = PersonDocument { id: binary(key), user: user.id.to_bson() };
            let document = UserDocument::of(&user, &hash);
            let event = EventDocument::of(&user.event())?;
            let this = self.clone();
            let inserted = self.mongo.transaction(move |session| {
                let (this, person) = (this.clone(), person.clone());
                let (document, event) = (document.clone(), event.clone());
                Box::pin(async move {
                    this.people.insert_one(person).session(&mut *session).await?;
                    this.users.insert_one(document).session(&mut *session).await?;
                    this.outbox.insert_one(event).session(session).await?;
                    Ok(())
                })
            });
            match inserted.await {
                Ok(()) => Ok(Joined::Made),
                Err(StoreError::Duplicate { index }) if index == "email" => {
                    Ok(Joined::AddressTaken)
                }
                Err(StoreError::Duplicate { .. }) => Ok(Joined::Known),
                Err(error) => Err(error),
            }
        })
    }

    fn forget_people(&self, user: UserId) -> Answer<'_, ()> {
        Box::pin(async move {
            self.people.delete_many(doc! { "user": user.to_bson() }).await?;
            Ok(())
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PersonDocument {
    #[serde(rename = "_id")]
    id: Binary,
    user: bson::Uuid,
}

fn binary(PersonKey(bytes): PersonKey) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}
