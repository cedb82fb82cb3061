//! The users domain: accounts, sessions and roles.
//!
//! It says who somebody is and what they may do; the gateway checks the access tokens it issues, and every other domain learns of an
//! account's time zone and end through events.

mod cookies;
mod graphql;
mod hashing;
pub mod mail;
pub mod model;
mod revocations;
mod service;
mod settings;
pub mod store;

use std::sync::{Arc, Weak};
use std::time::Duration;

use common::outbox::Outbox;
use common::token::{Accepted, AccessTokens};
use common::vouched::{Admission, Admissions, Vouched};
use common::{
    Backend, Client, Clock, Endpoint, EndpointError, Error, KeyVerifier, Revocations, Roles, UserId,
};
use futures::future::BoxFuture;

pub use hashing::{HashingCost, InvalidHashingCost};
pub use settings::{Limits, UsersSettings};
pub use store::sqlite::MIGRATIONS;

use mail::Mailer;
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
    /// Sees to it that there is an account with this address and at least these roles. One that is there keeps its
    /// name, and its password too unless its address was never confirmed: then whoever signed up with it may be anybody.
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

impl Users {
    /// Forgets what was kept long enough, and deletes the accounts whose time has come. This is done every ten minutes without being asked.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn tidy_up(&self) -> Result<(), Error> {
        self.service.tidy_up().await
    }
}

impl KeyVerifier for Users {
    fn identify<'a>(
        &'a self,
        secret: &'a str,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Option<Accepted>, EndpointError>> {
        Box::pin(async { self.service.identify_api_key(secret, client).await.map_err(failed) })
    }
}

impl Admissions for Users {
    fn admit<'a>(
        &'a self,
        person: &'a Vouched,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Admission, EndpointError>> {
        Box::pin(async { self.service.admit_person(person, client).await.map_err(failed) })
    }
}

/// The domain's own error, as the seam between processes has it.
fn failed(error: Error) -> EndpointError {
    EndpointError::Failed { endpoint: "users".into(), source: Box::new(error) }
}

/// How often to look for mail that is to be tried again.
const MAIL_EVERY: Duration = Duration::from_secs(5);
/// How often to forget what was kept long enough.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// Opens the domain on a store: a SQLite file that was opened with [`MIGRATIONS`], or a MongoDB database.
///
/// What changes about accounts is told to `subscribers`. Sessions that end are noted in `revocations`, those that ended lately at once.
/// Mail leaves through `mailer`; sending, and forgetting what was kept long enough, goes on until the last clone is dropped.
///
/// # Errors
/// [`Error::Store`] when the store cannot be used.
pub async fn open(
    backend: Backend,
    settings: UsersSettings,
    tokens: Arc<AccessTokens>,
    revocations: Arc<Revocations>,
    mailer: Arc<dyn Mailer>,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
) -> Result<Users, Error> {
    let store: Arc<dyn Store> = match backend {
        Backend::Sqlite(sqlite) => Arc::new(store::sqlite::SqliteStore::new(sqlite)),
        // Boxed: it is large, and so would be all that wait for it.
        Backend::Mongo(mongo) => Arc::new(Box::pin(store::mongo::MongoStore::open(mongo)).await?),
    };
    let outbox = Outbox::start("users", store.clone(), subscribers);
    let service = Service::new(store, outbox, settings, tokens, revocations, mailer, clock);
    service.load_revocations().await?;
    service.expect_legacy_hashes().await?;
    let service = Arc::new(service);
    tokio::spawn(send_mail(Arc::downgrade(&service)));
    tokio::spawn(tidy_up(Arc::downgrade(&service)));
    Ok(Users { endpoint: Arc::new(graphql::endpoint(Arc::clone(&service))), service })
}

/// Sends mail as it comes, until the domain is closed.
async fn send_mail(service: Weak<Service>) {
    while let Some(service) = service.upgrade() {
        if let Err(error) = service.send_mail().await {
            tracing::warn!(%error, "mail waits to be sent");
        }
        // Mail that is queued meanwhile leaves at once. The domain can be closed while this waits.
        let waiting = service.mail_waits();
        let _ = tokio::time::timeout(MAIL_EVERY, waiting).await;
    }
}

/// Forgets what was kept long enough, now and then, until the domain is closed.
async fn tidy_up(service: Weak<Service>) {
    while let Some(open) = service.upgrade() {
        if let Err(error) = open.tidy_up().await {
            tracing::warn!(%error, "what was kept long enough is forgotten later");
        }
        drop(open);
        tokio::time::sleep(TIDY_EVERY).await;
    }
}
