//! The users domain: accounts, sessions and roles.
//!
//! It says who somebody is and what they may do; the gateway checks the access tokens it issues, and every other domain learns of an
//! account's time zone and end through events. Mail, password reset and API keys are not here.

mod cookies;
mod graphql;
mod hashing;
pub mod model;
mod revocations;
mod service;
mod settings;
pub mod store;

use std::sync::Arc;

use common::outbox::Outbox;
use common::token::AccessTokens;
use common::{Backend, Clock, Endpoint, Error, Revocations, Roles, UserId};

pub use hashing::{HashingCost, InvalidHashingCost};
pub use settings::UsersSettings;
pub use store::sqlite::MIGRATIONS;

use service::Service;
use store::Store;

/// The domain, opened.
#[derive(Clone)]
pub struct Users {
    /// Its GraphQL side.
    pub endpoint: Arc<dyn Endpoint>,
    service: Arc<Service>,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Users")
    }
}

impl Users {
    /// Sees to it that there is an account with this address and at least these roles. One that is there keeps its name and password.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a value does not keep the rules that hold for everybody.
    pub async fn ensure_account(
        &self,
        email: &str,
        name: &str,
        password: &str,
        roles: Roles,
    ) -> Result<UserId, Error> {
        self.service.ensure_account(email, name, password, roles).await
    }
}

/// Opens the domain on a store: a SQLite file that was opened with [`MIGRATIONS`], or a MongoDB database.
///
/// What changes about accounts is told to `subscribers`. Sessions that end are noted in `revocations`, those that ended lately at once.
///
/// # Errors
/// [`Error::Store`] when the store cannot be used.
pub async fn open(
    backend: Backend,
    settings: UsersSettings,
    tokens: Arc<AccessTokens>,
    revocations: Arc<Revocations>,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
) -> Result<Users, Error> {
    let store: Arc<dyn Store> = match backend {
        Backend::Sqlite(sqlite) => Arc::new(store::sqlite::SqliteStore::new(sqlite)),
        Backend::Mongo(mongo) => Arc::new(store::mongo::MongoStore::open(mongo).await?),
    };
    let outbox = Outbox::start("users", store.clone(), subscribers);
    let service = Service::new(store, outbox, settings, tokens, revocations, clock);
    service.load_revocations().await?;
    let service = Arc::new(service);
    Ok(Users { endpoint: Arc::new(graphql::endpoint(Arc::clone(&service))), service })
}
