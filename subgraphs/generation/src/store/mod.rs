//! What the domain asks of a store. The suite in `tests/store` says what each implementation must do.
//!
//! A store holds no rule but those that must hold while others write: how many jobs there may be, what they may cost, one job for a key, and whose
//! turn it is.

pub mod contents;
pub mod mongo;
pub mod sqlite;

use common::outbox::OutboxStore;
use common::page::PageRequest;
use common::{Event, GenerationJobId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use uuid::Uuid;

pub use contents::{Added, ContentStore, Most, Removal, What};

use crate::allowance::{Allowance, Short};
use crate::model::Job;
use crate::queue::{self, Active, Bounds};

/// The answer of a store, when it comes.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The most bytes of events that are delivered at once, but for a single one: less than what a domain in another process takes in.
const DELIVERED_AT_ONCE: usize = 8 << 20;

/// Where jobs are kept.
pub trait Store: OutboxStore + ContentStore {
    /// Adds a job with its turn, and takes its points, unless there is one of the same person with the same key, no room, or too few points.
    fn insert(&self, job: Job, bounds: Bounds) -> Reply<'_, Inserted>;

    /// A person's job with this key.
    fn by_key(&self, owner: UserId, key: String) -> Reply<'_, Option<Job>>;

    /// Those of the jobs that exist, in any order.
    fn jobs(&self, ids: Vec<GenerationJobId>) -> Reply<'_, Vec<Job>>;

    /// A person's jobs, the newest first: one more than the page's limit where there are as many, in the direction of reading.
    fn page(&self, owner: UserId, page: PageRequest<GenerationJobId>) -> Reply<'_, Vec<Job>>;

    /// Begins the job whose turn it is, if there is room, for `worker`, who has it to itself until `until`.
    fn claim(
        &self,
        worker: Uuid,
        now: Timestamp,
        until: Timestamp,
        bounds: Bounds,
    ) -> Reply<'_, Option<Job>>;

    /// Lets `worker` keep a running job until `until`; answers whether it still has it.
    fn renew(&self, job: GenerationJobId, worker: Uuid, until: Timestamp) -> Reply<'_, bool>;

    /// Stores a job in place of its last version, with events for delivery, and gives `refund` points back to its owner; answers `false` and changes
    /// nothing when that is another one by now.
    fn replace(&self, job: Job, events: Vec<Event>, refund: u32) -> Reply<'_, bool>;

    /// Deletes a job of that version; answers whether it did.
    fn remove(&self, job: GenerationJobId, version: i64) -> Reply<'_, bool>;

    /// Deletes some jobs that were over before a moment, at most `limit`; answers how many.
    fn purge(&self, before: Timestamp, limit: u32) -> Reply<'_, u64>;

    /// What a person has left for jobs; none when they have used nothing.
    fn allowance(&self, owner: UserId) -> Reply<'_, Option<Allowance>>;

    /// Deletes everything of a person whose account is gone, for whom nothing is added from then on, and keeps that the service is to delete all it
    /// has of them. A second time it does nothing.
    fn forget(&self, owner: UserId, now: Timestamp) -> Reply<'_, ()>;

    /// Whether the store answers now.
    fn ping(&self) -> Reply<'_, ()>;
}

/// What became of a job that was to be added.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// It is there.
    New(Job),
    /// The person has one with this key.
    Known(Job),
    /// There is no room.
    Full(Full),
    /// There are too few points.
    Short(Short),
    /// The account is gone.
    Gone,
}

/// Of what there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Jobs that are not over, of all people.
    Active,
    /// Jobs that are not over, of this person.
    ActiveOfOwner,
    /// Jobs of this person.
    KeptOfOwner,
}

/// The turn of a new job, or why there is no room for it.
fn admit(active: &[Active], owner: UserId, kept: usize, bounds: &Bounds) -> Result<i64, Full> {
    if active.iter().filter(|job| job.owner == owner).count() >= bounds.active_each {
        return Err(Full::ActiveOfOwner);
    }
    if kept >= bounds.kept_each {
        return Err(Full::KeptOfOwner);
    }
    if active.len() >= bounds.active {
        return Err(Full::Active);
    }
    Ok(queue::turn(active, owner))
}

fn written(job: &Job) -> Result<String, StoreError> {
    serde_json::to_string(job).map_err(|error| StoreError::Other(Box::new(error)))
}

fn read(body: &str) -> Result<Job, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn moment(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// As many of the events, from the first on, as are delivered at once.
fn at_once(
    events: Vec<(common::EventId, String)>,
) -> Result<Vec<(common::EventId, Event)>, StoreError> {
    let mut bytes = 0;
    let fits = |(index, (_, event)): &(usize, (common::EventId, String))| {
        bytes += event.len();
        *index == 0 || bytes <= DELIVERED_AT_ONCE
    };
    let read = |(id, event): (common::EventId, String)| {
        let read = serde_json::from_str(&event);
        let event = read.map_err(|error| StoreError::Corrupt(format!("event {id}: {error}")))?;
        Ok((id, event))
    };
    let fitting = events.into_iter().enumerate().take_while(fits);
    fitting.map(|(_, event)| read(event)).collect()
}
