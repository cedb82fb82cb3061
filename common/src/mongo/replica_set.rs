//! A replica set as a whole, for whoever brings a backup back: what is in it, who uses it, and which era begins.
//!
//! It reads and writes no data of a domain.

use futures::TryStreamExt;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{ClientOptions, ReadConcern};

use super::{ERA, ERA_FIELD, OWN, app_name};
use crate::StoreError;

/// The databases that MongoDB keeps for itself.
const MONGODBS_OWN: [&str; 3] = ["admin", "config", "local"];
const UNAUTHORIZED: i32 = 13;

/// A replica set.
#[derive(Debug, Clone)]
pub struct ReplicaSet(Client);

/// A collection, as long as it is not dropped and made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionId {
    /// Its name.
    pub name: String,
    /// Another each time that it is made, in hexadecimal digits.
    pub id: String,
}

impl ReplicaSet {
    /// Connects to the one at `uri`.
    ///
    /// # Errors
    /// [`StoreError::Unsuitable`] when the address is wrong.
    pub async fn connect(uri: &str) -> Result<Self, StoreError> {
        let unsuitable = |error: Error| StoreError::Unsuitable(error.to_string());
        let mut options = ClientOptions::parse(uri).await.map_err(unsuitable)?;
        options.app_name = Some("spacey restore".into());
        options.server_selection_timeout.get_or_insert(super::SELECTION_TIMEOUT);
        super::make_safe(&mut options);
        Client::with_options(options).map(Self).map_err(unsuitable)
    }

    /// The names of the databases in it, but MongoDB's own.
    ///
    /// # Errors
    /// What the server says.
    pub async fn databases(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.0.list_database_names().await?;
        names.retain(|name| !MONGODBS_OWN.contains(&name.as_str()));
        Ok(names)
    }

    /// From where programs use one of these databases now; whoever may not see other users' connections sees those of its own user alone.
    ///
    /// # Errors
    /// What the server says.
    pub async fn used_from(&self, databases: &[String]) -> Result<Vec<String>, StoreError> {
        let found = match self.connections(databases, true).await {
            Err(error) if is_unauthorized(&error) => self.connections(databases, false).await?,
            found => found?,
        };
        let mut clients: Vec<String> = found
            .iter()
            .filter_map(|connection| connection.get_str("client").ok())
            .map(|client| client.rsplit_once(':').map_or(client, |(host, _)| host).to_owned())
            .collect();
        clients.sort();
        clients.dedup();
        Ok(clients)
    }

    async fn connections(
        &self,
        databases: &[String],
        all_users: bool,
    ) -> Result<Vec<Document>, Error> {
        let names: Vec<String> = databases.iter().map(|name| app_name(name)).collect();
        let pipeline = [
            doc! { "$currentOp": { "allUsers": all_users, "idleConnections": true } },
            doc! { "$match": { "appName": { "$in": names } } },
        ];
        let admin = self.0.database("admin");
        let looking = admin.aggregate(pipeline).read_concern(ReadConcern::local());
        looking.await?.try_collect().await
    }

    /// The collections of a database.
    ///
    /// # Errors
    /// What the server says.
    pub async fn collections(&self, database: &str) -> Result<Vec<CollectionId>, StoreError> {
        let listed: Vec<_> =
            self.0.database(database).list_collections().await?.try_collect().await?;
        let of = |listed: mongodb::results::CollectionSpecification| CollectionId {
            id: listed.info.uuid.map(|uuid| format!("{uuid:?}")).unwrap_or_default(),
            name: listed.name,
        };
        Ok(listed.into_iter().map(of).collect())
    }

    /// Removes a collection, or does nothing when there is none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn drop_collection(&self, database: &str, name: &str) -> Result<(), StoreError> {
        Ok(self.0.database(database).collection::<Document>(name).drop().await?)
    }

    /// Begins an era in a database, which nobody uses: see [`Mongo::era`](super::Mongo::era).
    ///
    /// # Errors
    /// What the server says.
    pub async fn begin_era(&self, database: &str, era: i32) -> Result<(), StoreError> {
        let collection = self.0.database(database).collection::<Document>(OWN);
        let change = doc! { "$set": { ERA_FIELD: era } };
        collection.update_one(doc! { "_id": ERA }, change).upsert(true).await?;
        Ok(())
    }
}

fn is_unauthorized(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(error) if error.code == UNAUTHORIZED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn it_sees_who_uses_a_database_and_begins_eras_that_later_connections_see() {
        let mongo = testing::mongo().await;
        let database = mongo.database().name().to_owned();
        assert_eq!(mongo.era(), 0);
        mongo.collection::<Document>("words").insert_one(doc! { "a": 1 }).await.unwrap();

        let uri = testing::mongo_uri().await;
        let set = ReplicaSet::connect(&uri).await.unwrap();
        assert!(set.databases().await.unwrap().contains(&database));
        let databases = [database.clone()];
        assert_eq!(set.used_from(&databases).await.unwrap(), ["127.0.0.1"]);
        assert!(set.used_from(&["of_nobody".into()]).await.unwrap().is_empty());

        let [words] = set.collections(&database).await.unwrap().try_into().unwrap();
        assert_eq!(words.name, "words");
        set.drop_collection(&database, "words").await.unwrap();
        set.drop_collection(&database, "words").await.unwrap();
        mongo.collection::<Document>("words").insert_one(doc! { "a": 1 }).await.unwrap();
        let [again] = set.collections(&database).await.unwrap().try_into().unwrap();
        assert_ne!(again.id, words.id);

        for era in [7, 8] {
            set.begin_era(&database, era).await.unwrap();
            let later = crate::mongo::Mongo::connect(&uri, &database).await.unwrap();
            assert_eq!(later.era(), era);
        }
        mongo.database().drop().await.unwrap();
    }
}
