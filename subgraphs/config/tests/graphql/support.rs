//! A world for the tests: the domain through its endpoint on a store, and those who ask it.

use std::sync::Arc;

use async_graphql::{Response, Variables};
use common::{
    Backend, Caller, Clock, Endpoint, Roles, SessionId, SubgraphRequest, UserId, Viewer, testing,
};
use config::store::{Store, mongo::MongoStore, sqlite::SqliteStore};
use config::{Environment, MIGRATIONS};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{ENTRIES, FRONTEND, SET};

/// The domain on a store.
pub(crate) struct World {
    pub(crate) endpoint: Arc<dyn Endpoint>,
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let (folder, sqlite) = testing::sqlite(MIGRATIONS);
        Self { _folder: Some(folder), ..Self::on(Backend::Sqlite(sqlite)).await }
    }

    pub(crate) async fn on_mongo() -> Self {
        Self::on(Backend::Mongo(testing::mongo().await)).await
    }

    pub(crate) async fn on(backend: Backend) -> Self {
        let clock = Clock::manual(Timestamp::now());
        Self::with(backend, clock, &[]).await
    }

    pub(crate) async fn with(backend: Backend, clock: Clock, variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let environment = Environment::read(&variables.collect()).unwrap();
        let endpoint = config::open(backend.clone(), environment, clock.clone()).await.unwrap();
        Self { endpoint, backend, clock, _folder: None }
    }

    /// Another process on the same store.
    pub(crate) async fn other(&self, variables: &[(&str, &str)]) -> Self {
        Self::with(self.backend.clone(), self.clock.clone(), variables).await
    }

    pub(crate) async fn respond(
        &self,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> Response {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let caller = Caller::new(viewer.cloned(), "test");
        self.endpoint.execute(request, Arc::new(caller)).await.unwrap()
    }

    pub(crate) async fn data(
        &self,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> Value {
        let response = self.respond(viewer, document, variables).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    pub(crate) async fn error(
        &self,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> Value {
        let response = self.respond(viewer, document, variables).await;
        assert_eq!(response.errors.len(), 1, "{:?}", response.errors);
        serde_json::to_value(&response.errors[0]).unwrap()
    }

    pub(crate) async fn frontend(&self) -> Value {
        self.data(None, FRONTEND, json!({})).await["config"]["frontend"].take()
    }

    pub(crate) async fn set(&self, admin: &Viewer, key: &str, value: Value) -> Value {
        let input = json!({ "input": { "key": key, "value": value } });
        self.data(Some(admin), SET, input).await["setConfig"]["entry"].take()
    }

    pub(crate) async fn entry(&self, key: &str) -> Value {
        let mut entries = self.data(Some(&person(true)), ENTRIES, json!({})).await;
        let entries = entries["configEntries"].as_array_mut().unwrap();
        entries.iter_mut().find(|entry| entry["key"] == key).unwrap().take()
    }

    pub(crate) async fn store(&self) -> Box<dyn Store> {
        match &self.backend {
            Backend::Sqlite(sqlite) => Box::new(SqliteStore::new(sqlite.clone())),
            Backend::Mongo(mongo) => Box::new(MongoStore::open(mongo.clone()).await.unwrap()),
        }
    }

    pub(crate) fn statements(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.statements(),
            Backend::Mongo(mongo) => mongo.commands(),
        }
    }
}

pub(crate) fn person(admin: bool) -> Viewer {
    let roles = Roles { beta: true, admin };
    Viewer::new(UserId::new(), SessionId::new(), roles)
}
