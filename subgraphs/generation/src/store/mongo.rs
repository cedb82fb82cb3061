//! Jobs in a MongoDB database: collections `jobs`, `allowances`, `owners` (of accounts that are gone), `outbox`, and `queue`, whose one document everybody
//! touches who adds or begins a job, so that of two at once one begins anew.

mod contents;

use common::mongo::Mongo;
use common::outbox::OutboxStore;
use common::page::{Direction, PageRequest};
use common::{Event, EventId, GenerationJobId, StoreError, UserId};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use mongodb::bson::{self, Bson, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Inserted, Reply, Store, admit, at_once, moment, read, written};
use crate::allowance::{Allowance, given};
use crate::model::Job;
use crate::queue::{self, Active, Bounds};
use contents::Contents;

/// The states of jobs that are not over.
const ACTIVE: i32 = 2;

/// A store in a MongoDB database.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    jobs: Collection<JobDocument>,
    owners: Collection<Document>,
    queue: Collection<Document>,
    outbox: Collection<EventDocument>,
    allowances: Collection<AllowanceDocument>,
    contents: Contents,
}

/// A change within a transaction; its error is the driver's, so that it can ask for another try.
type Step<T> = mongodb::error::Result<Result<T, StoreError>>;

impl MongoStore {
    /// Uses a database, and makes the indexes that are missing.
    ///
    /// # Errors
    /// What the server says.
    pub async fn open(mongo: Mongo) -> Result<Self, StoreError> {
        let keyed = doc! { "key": { "$exists": true } };
        let unique = IndexOptions::builder().unique(true).partial_filter_expression(keyed).build();
        mongo.ensure_index("jobs", "by_key", doc! { "owner": 1, "key": 1 }, unique).await?;
        let active = doc! { "state": { "$lt": ACTIVE } };
        let active = IndexOptions::builder().partial_filter_expression(active).build();
        mongo.ensure_index("jobs", "under_way", doc! { "state": 1, "lease": 1 }, active).await?;
        // It began with what no query names, so none could use it.
        mongo.drop_index("jobs", "active").await?;
        for (name, keys) in
            [("of_owner", doc! { "owner": 1, "_id": 1 }), ("by_age", doc! { "finishedAt": 1 })]
        {
            mongo.ensure_index("jobs", name, keys, IndexOptions::default()).await?;
        }
        // A transaction makes no collection while another writes.
        for collection in ["owners", "queue", "outbox", "allowances"] {
            let id = doc! { "_id": 1 };
            mongo.ensure_index(collection, "_id_", id, IndexOptions::default()).await?;
        }
        Ok(Self {
            jobs: mongo.collection("jobs"),
            owners: mongo.collection("owners"),
            queue: mongo.collection("queue"),
            outbox: mongo.collection("outbox"),
            allowances: mongo.collection("allowances"),
            contents: Contents::open(&mongo).await?,
            mongo,
        })
    }

    /// Lets nobody else add or begin a job until the transaction ends.
    async fn lock(&self, session: &mut ClientSession) -> mongodb::error::Result<()> {
        let (queue, touch) = (doc! { "_id": "queue" }, doc! { "$inc": { "changes": 1_i64 } });
        self.queue.update_one(queue, touch).upsert(true).session(session).await?;
        Ok(())
    }

    async fn active(&self, session: &mut ClientSession) -> Step<Vec<Active>> {
        let jobs = self.jobs.clone_with_type::<ActiveDocument>();
        let fields = doc! { "owner": 1, "turn": 1, "lease": 1 };
        let found = jobs.find(doc! { "state": { "$lt": ACTIVE } }).projection(fields);
        let mut cursor = found.session(&mut *session).await?;
        let found: Vec<ActiveDocument> = cursor.stream(session).try_collect().await?;
        Ok(found.into_iter().map(ActiveDocument::read).collect())
    }

    async fn add(
        &self,
        session: &mut ClientSession,
        mut job: Job,
        bounds: &Bounds,
    ) -> Step<Inserted> {
        self.lock(session).await?;
        let owner = job.owner.to_bson();
        let gone = self.owners.find_one(doc! { "_id": owner }).session(&mut *session).await?;
        if gone.is_some() {
            return Ok(Ok(Inserted::Gone));
        }
        if let Some(key) = &job.request.key {
            let known = doc! { "owner": owner, "key": key };
            if let Some(known) = self.jobs.find_one(known).session(&mut *session).await? {
                return Ok(known.read().map(Inserted::Known));
            }
        }
        let of_owner = self.jobs.count_documents(doc! { "owner": owner });
        let kept = of_owner.session(&mut *session).await? as usize;
        let active = match self.active(session).await? {
            Ok(active) => active,
            Err(error) => return Ok(Err(error)),
        };
        job.turn = match admit(&active, job.owner, kept, bounds) {
            Ok(turn) => turn,
            Err(full) => return Ok(Ok(Inserted::Full(full))),
        };
        let known = self.allowances.find_one(doc! { "_id": owner }).session(&mut *session).await?;
        let known = match known.map(AllowanceDocument::read).transpose() {
            Ok(known) => known,
            Err(error) => return Ok(Err(error)),
        };
        let allowance = Allowance::now(known, bounds.points_each, job.created_at);
        let left = match allowance.pay(job.points, bounds.points_each) {
            Ok(left) => left,
            Err(short) => return Ok(Ok(Inserted::Short(short))),
        };
        let left = doc! { "$set": { "parts": left.parts, "at": date(left.at) } };
        let of_owner = self.allowances.update_one(doc! { "_id": owner }, left).upsert(true);
        of_owner.session(&mut *session).await?;
        let document = match JobDocument::of(&job) {
            Ok(document) => document,
            Err(error) => return Ok(Err(error)),
        };
        self.jobs.insert_one(document).session(session).await?;
        Ok(Ok(Inserted::New(job)))
    }

    async fn begin(
        &self,
        session: &mut ClientSession,
        worker: Uuid,
        (now, until): (Timestamp, Timestamp),
        bounds: &Bounds,
    ) -> Step<Option<Job>> {
        self.lock(session).await?;
        let active = match self.active(session).await? {
            Ok(active) => active,
            Err(error) => return Ok(Err(error)),
        };
        let Some(id) = queue::next(&active, bounds, now) else { return Ok(Ok(None)) };
        let Some(found) = self.jobs.find_one(doc! { "_id": id }).session(&mut *session).await?
        else {
            return Ok(Ok(None));
        };
        let begun = found.read().and_then(|mut job| {
            job.begin(now);
            Ok((set(&job)?, job))
        });
        let (mut changes, job) = match begun {
            Ok(begun) => begun,
            Err(error) => return Ok(Err(error)),
        };
        changes.insert("worker", bson::Uuid::from_bytes(worker.into_bytes()));
        changes.insert("lease", date(until));
        let last = doc! { "_id": id, "version": job.version - 1 };
        let changed = self.jobs.update_one(last, doc! { "$set": changes }).session(session).await?;
        // It was changed by its owner meanwhile: there is another look at the next occasion.
        Ok(Ok((changed.matched_count == 1).then_some(job)))
    }

    async fn put(
        &self,
        session: &mut ClientSession,
        job: &Job,
        events: &[EventDocument],
        refund: u32,
    ) -> Step<bool> {
        let changes = match set(job) {
            Ok(changes) => changes,
            Err(error) => return Ok(Err(error)),
        };
        let mut update = doc! { "$set": changes };
        if job.state.number() != 1 {
            update.insert("$unset", doc! { "worker": "", "lease": "" });
        }
        let last = doc! { "_id": job.id, "version": job.version - 1 };
        let changed = self.jobs.update_one(last, update).session(&mut *session).await?;
        if changed.matched_count != 1 {
            return Ok(Ok(false));
        }
        if refund > 0 {
            let back = doc! { "$inc": { "parts": given(refund) } };
            let of_owner = self.allowances.update_one(doc! { "_id": job.owner }, back);
            of_owner.session(&mut *session).await?;
        }
        if !events.is_empty() {
            self.outbox.insert_many(events).session(session).await?;
        }
        Ok(Ok(true))
    }

    async fn found(
        &self,
        filter: Document,
        order: i32,
        limit: i64,
    ) -> Result<Vec<Job>, StoreError> {
        let found = self.jobs.find(filter).sort(doc! { "_id": order }).limit(limit).await?;
        let found: Vec<JobDocument> = found.try_collect().await?;
        found.into_iter().map(JobDocument::read).collect()
    }
}

impl Store for MongoStore {
    fn insert(&self, job: Job, bounds: Bounds) -> Reply<'_, Inserted> {
        let (this, mongo) = (self.clone(), self.mongo.clone());
        Box::pin(async move {
            let inserted = mongo.transaction(move |session| {
                let (this, job) = (this.clone(), job.clone());
                Box::pin(async move { this.add(session, job, &bounds).await })
            });
            inserted.await?
        })
    }

    fn by_key(&self, owner: UserId, key: String) -> Reply<'_, Option<Job>> {
        Box::pin(async move {
            let found = self.jobs.find_one(doc! { "owner": owner, "key": key }).await?;
            found.map(JobDocument::read).transpose()
        })
    }

    fn jobs(&self, ids: Vec<GenerationJobId>) -> Reply<'_, Vec<Job>> {
        let ids: Vec<Bson> = ids.into_iter().map(Bson::from).collect();
        Box::pin(async move { self.found(doc! { "_id": { "$in": ids } }, 1, 0).await })
    }

    fn page(&self, owner: UserId, page: PageRequest<GenerationJobId>) -> Reply<'_, Vec<Job>> {
        Box::pin(async move {
            let (beyond, order) = match page.direction {
                Direction::Forward => ("$lt", -1),
                Direction::Backward => ("$gt", 1),
            };
            let mut filter = doc! { "owner": owner };
            if let Some(cursor) = page.cursor {
                filter.insert("_id", doc! { beyond: cursor });
            }
            self.found(filter, order, i64::from(page.limit) + 1).await
        })
    }

    fn claim(
        &self,
        worker: Uuid,
        now: Timestamp,
        until: Timestamp,
        bounds: Bounds,
    ) -> Reply<'_, Option<Job>> {
        let (this, mongo) = (self.clone(), self.mongo.clone());
        Box::pin(async move {
            // Mostly there is nothing to begin: that takes no transaction.
            let waiting = doc! { "state": { "$lt": ACTIVE }, "$or": [
            { "lease": { "$exists": false } }, { "lease": { "$lte": date(now) } } ] };
            if this.jobs.find_one(waiting).await?.is_none() {
                return Ok(None);
            }
            let begun = mongo.transaction(move |session| {
                let this = this.clone();
                Box::pin(async move { this.begin(session, worker, (now, until), &bounds).await })
            });
            begun.await?
        })
    }

    fn renew(&self, job: GenerationJobId, worker: Uuid, until: Timestamp) -> Reply<'_, bool> {
        Box::pin(async move {
            let worker = bson::Uuid::from_bytes(worker.into_bytes());
            let held = doc! { "_id": job, "worker": worker, "state": 1 };
            let keep = doc! { "$set": { "lease": date(until) } };
            Ok(self.jobs.update_one(held, keep).await?.matched_count == 1)
        })
    }

    fn replace(&self, job: Job, events: Vec<Event>, refund: u32) -> Reply<'_, bool> {
        let (this, mongo) = (self.clone(), self.mongo.clone());
        Box::pin(async move {
            let events: Vec<_> = events.iter().map(EventDocument::of).collect::<Result<_, _>>()?;
            let replaced = mongo.transaction(move |session| {
                let (this, job, events) = (this.clone(), job.clone(), events.clone());
                Box::pin(async move { this.put(session, &job, &events, refund).await })
            });
            replaced.await?
        })
    }

    fn remove(&self, job: GenerationJobId, version: i64) -> Reply<'_, bool> {
        Box::pin(async move {
            let removed = self.jobs.delete_one(doc! { "_id": job, "version": version }).await?;
            Ok(removed.deleted_count == 1)
        })
    }

    fn purge(&self, before: Timestamp, limit: u32) -> Reply<'_, u64> {
        Box::pin(async move {
            let jobs = self.jobs.clone_with_type::<Document>();
            let old = doc! { "finishedAt": { "$lt": date(before) } };
            let found = jobs.find(old).projection(doc! { "_id": 1 }).limit(i64::from(limit));
            let found: Vec<Document> = found.await?.try_collect().await?;
            let ids: Vec<Bson> =
                found.into_iter().filter_map(|mut job| job.remove("_id")).collect();
            let removed = jobs.delete_many(doc! { "_id": { "$in": ids } }).await?;
            Ok(removed.deleted_count)
        })
    }

    fn allowance(&self, owner: UserId) -> Reply<'_, Option<Allowance>> {
        Box::pin(async move {
            let found = self.allowances.find_one(doc! { "_id": owner }).await?;
            found.map(AllowanceDocument::read).transpose()
        })
    }

    fn forget(&self, owner: UserId, now: Timestamp) -> Reply<'_, ()> {
        let (this, mongo) = (self.clone(), self.mongo.clone());
        Box::pin(async move {
            let forgotten = mongo.transaction(move |session| {
                let this = this.clone();
                Box::pin(async move {
                    // So that nobody adds a job meanwhile.
                    this.lock(session).await?;
                    let gone = doc! { "$setOnInsert": { "_id": owner } };
                    let owners = this.owners.update_one(doc! { "_id": owner }, gone);
                    if owners.upsert(true).session(&mut *session).await?.matched_count > 0 {
                        return Ok(());
                    }
                    let jobs = this.jobs.delete_many(doc! { "owner": owner });
                    jobs.session(&mut *session).await?;
                    let allowances = this.allowances.delete_one(doc! { "_id": owner });
                    allowances.session(&mut *session).await?;
                    this.contents.forget(session, owner, now).await
                })
            });
            forgotten.await
        })
    }

    fn ping(&self) -> Reply<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

impl OutboxStore for MongoStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let oldest = self.outbox.find(doc! {}).sort(doc! { "_id": 1 }).limit(limit);
            let found: Vec<EventDocument> = oldest.await?.try_collect().await?;
            at_once(found.into_iter().map(|event| (event.id.into(), event.event)).collect())
        })
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let ids: Vec<Bson> = events.into_iter().map(Bson::from).collect();
            self.outbox.delete_many(doc! { "_id": { "$in": ids } }).await?;
            Ok(())
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    owner: bson::Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    state: i32,
    turn: i64,
    version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_at: Option<DateTime>,
    /// As JSON: so that no text is ever read as a structure of the database's.
    body: String,
}

impl JobDocument {
    fn of(job: &Job) -> Result<Self, StoreError> {
        Ok(Self {
            id: job.id.to_bson(),
            owner: job.owner.to_bson(),
            key: job.request.key.clone(),
            state: job.state.number(),
            turn: job.turn,
            version: job.version,
            finished_at: job.finished_at.map(date),
            body: written(job)?,
        })
    }

    fn read(self) -> Result<Job, StoreError> {
        read(&self.body)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct AllowanceDocument {
    parts: i64,
    at: DateTime,
}

impl AllowanceDocument {
    fn read(self) -> Result<Allowance, StoreError> {
        Ok(Allowance { parts: self.parts, at: moment(self.at.timestamp_millis())? })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ActiveDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    owner: bson::Uuid,
    turn: i64,
    #[serde(default)]
    lease: Option<DateTime>,
}

impl ActiveDocument {
    fn read(self) -> Result<Active, StoreError> {
        Ok(Active {
            id: self.id.into(),
            owner: self.owner.into(),
            turn: self.turn,
            lease: self.lease.map(|until| moment(until.timestamp_millis())).transpose()?,
        })
    }
}

/// An event as JSON: the form in which the domains exchange it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct EventDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    event: String,
}

impl EventDocument {
    fn of(event: &Event) -> Result<Self, StoreError> {
        let event = serde_json::to_string(event).map_err(|e| StoreError::Other(Box::new(e)))?;
        Ok(Self { id: EventId::new().to_bson(), event })
    }
}

/// What a new version of a job changes.
fn set(job: &Job) -> Result<Document, StoreError> {
    let mut changes = doc! {
        "state": job.state.number(),
        "turn": job.turn,
        "version": job.version,
        "body": written(job)?,
    };
    if let Some(finished_at) = job.finished_at {
        changes.insert("finishedAt", date(finished_at));
    }
    Ok(changes)
}

fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}
