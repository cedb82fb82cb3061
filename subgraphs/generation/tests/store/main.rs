//! What every store of the domain must do: one suite, run on each.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod contents;
mod points;

use std::collections::HashSet;

use common::event::{AcceptedCard, DraftsAccepted};
use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, Event, GenerationJobId, NoteId, UserId, testing};
use futures::future::join_all;
use generation::MIGRATIONS;
use generation::model::{Job, Request, State};
use generation::queue::Bounds;
use generation::store::mongo::MongoStore;
use generation::store::sqlite::SqliteStore;
use generation::store::{Full, Inserted, Store};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// What is held of MongoDB.
const EXPECTED: testing::Expected = testing::Expected {
    not_indexed: &[],
    shard_keys: &[],
    all_shards: &[],
    fields: include_str!("../../fields.txt"),
};

macro_rules! suite {
    ($($case:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
                let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
                super::$case(&SqliteStore::new(sqlite)).await;
            })*
        }
        mod mongo {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
                let mongo = testing::mongo().await;
                let store = MongoStore::open(mongo.clone()).await.unwrap();
                mongo.heard().listen();
                super::$case(&store).await;
                mongo.heard().check(&mongo, &EXPECTED).await;
            })*
        }
    };
}

use contents::{
    a_content_is_kept_as_it_was_given_and_replaced_in_its_last_version,
    a_person_has_no_more_contents_than_may_be_even_at_once,
    an_account_that_is_gone_has_no_contents_and_gets_none,
    of_a_person_no_more_contents_are_processed_than_may_be_even_at_once,
    pages_of_contents_are_read_both_ways, what_is_being_processed_is_found,
    what_is_deleted_is_kept_for_the_service_to_delete,
    what_may_have_got_lost_is_kept_until_it_is_due,
};
use points::{
    a_job_takes_its_points_and_too_few_make_none, a_key_that_is_known_costs_nothing,
    of_many_jobs_at_once_no_more_are_made_than_points_are_there,
    points_are_given_back_once_whoever_ends_the_job_first,
};

suite! {
    a_job_is_kept_as_it_was_given
    a_job_is_found_by_its_key
    of_many_with_one_key_one_is_added
    there_are_no_more_than_may_be_even_at_once
    each_job_is_begun_by_one_worker_and_in_turn
    a_lease_that_is_over_lets_another_begin_it
    only_the_next_version_replaces_a_job
    events_are_kept_with_the_job_and_delivered_in_order
    pages_are_read_both_ways
    old_jobs_are_purged
    an_account_that_is_gone_leaves_nothing_and_gets_nothing
    it_answers_a_ping
    a_content_is_kept_as_it_was_given_and_replaced_in_its_last_version
    a_person_has_no_more_contents_than_may_be_even_at_once
    pages_of_contents_are_read_both_ways
    what_is_deleted_is_kept_for_the_service_to_delete
    what_is_being_processed_is_found
    an_account_that_is_gone_has_no_contents_and_gets_none
    of_a_person_no_more_contents_are_processed_than_may_be_even_at_once
    what_may_have_got_lost_is_kept_until_it_is_due
    a_job_takes_its_points_and_too_few_make_none
    points_are_given_back_once_whoever_ends_the_job_first
    of_many_jobs_at_once_no_more_are_made_than_points_are_there
    a_key_that_is_known_costs_nothing
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(1_764_000_000_123).unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn job(owner: UserId, key: Option<&str>) -> Job {
    let request = Request {
        deck: DeckId::new(),
        address: None,
        content: None,
        text: "$where \u{0} 😀 {\"$gt\": \"\"}".into(),
        instructions: Some("é".into()),
        max_cards: 20,
        prompt: None,
        wanted_cards: None,
        key: key.map(str::to_owned),
    };
    Job::new(GenerationJobId::new(), owner, request, now())
}

async fn added(store: &impl Store, owner: UserId) -> Job {
    match store.insert(job(owner, None), Bounds::default()).await.unwrap() {
        Inserted::New(job) => job,
        other => panic!("{other:?}"),
    }
}

async fn read(store: &impl Store, id: GenerationJobId) -> Option<Job> {
    store.jobs(vec![id]).await.unwrap().pop()
}

fn over(job: &Job, state: State, at: Timestamp) -> Job {
    Job { version: job.version + 1, state, finished_at: Some(at), ..job.clone() }
}

async fn a_job_is_kept_as_it_was_given(store: &impl Store) {
    let job = added(store, UserId::new()).await;
    assert_eq!(store.jobs(vec![job.id, GenerationJobId::new()]).await.unwrap(), [job]);
    assert_eq!(store.jobs(vec![]).await.unwrap(), []);
}

async fn a_job_is_found_by_its_key(store: &impl Store) {
    let owner = UserId::new();
    let keyed = job(owner, Some("$k"));
    let Inserted::New(keyed) = store.insert(keyed, Bounds::default()).await.unwrap() else {
        panic!("it is new")
    };
    added(store, owner).await;
    assert_eq!(store.by_key(owner, "$k".into()).await.unwrap(), Some(keyed));
    assert_eq!(store.by_key(owner, "k".into()).await.unwrap(), None);
    assert_eq!(store.by_key(UserId::new(), "$k".into()).await.unwrap(), None);
}

async fn of_many_with_one_key_one_is_added(store: &impl Store) {
    let (owner, other) = (UserId::new(), UserId::new());
    let inserted =
        join_all((0..50).map(|_| store.insert(job(owner, Some("k")), Bounds::default()))).await;
    let mut new = 0;
    let mut ids = HashSet::new();
    for inserted in inserted {
        match inserted.unwrap() {
            Inserted::New(job) => {
                new += 1;
                ids.insert(job.id);
            }
            Inserted::Known(job) => {
                ids.insert(job.id);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((new, ids.len()), (1, 1));
    let of_other = store.insert(job(other, Some("k")), Bounds::default()).await.unwrap();
    assert!(matches!(of_other, Inserted::New(_)), "a key is each person's own");
}

async fn there_are_no_more_than_may_be_even_at_once(store: &impl Store) {
    let bounds = Bounds { active: 5, active_each: 3, kept_each: 4, ..Bounds::default() };
    let [a, b] = [UserId::new(), UserId::new()];
    let inserted = join_all((0..10).map(|_| store.insert(job(a, None), bounds))).await;
    let inserted: Vec<_> = inserted.into_iter().map(Result::unwrap).collect();
    let new: Vec<&Job> = inserted
        .iter()
        .filter_map(|inserted| match inserted {
            Inserted::New(job) => Some(job),
            _ => None,
        })
        .collect();
    assert_eq!(new.len(), 3);
    let full = inserted.iter().filter(|i| **i == Inserted::Full(Full::ActiveOfOwner)).count();
    assert_eq!(full, 7);
    for _ in 0..2 {
        store.insert(job(b, None), bounds).await.unwrap();
    }
    let full = store.insert(job(b, None), bounds).await.unwrap();
    assert_eq!(full, Inserted::Full(Full::Active));
    assert!(store.replace(over(new[0], State::Ready, now()), vec![], 0).await.unwrap());
    assert!(matches!(store.insert(job(a, None), bounds).await.unwrap(), Inserted::New(_)));
    assert!(store.replace(over(new[1], State::Ready, now()), vec![], 0).await.unwrap());
    let full = store.insert(job(a, None), bounds).await.unwrap();
    assert_eq!(full, Inserted::Full(Full::KeptOfOwner));
}

async fn each_job_is_begun_by_one_worker_and_in_turn(store: &impl Store) {
    let [a, b] = [UserId::new(), UserId::new()];
    let bounds = Bounds { running: 3, running_each: 2, ..Bounds::default() };
    let worker = Uuid::new_v4();
    assert_eq!(store.claim(worker, now(), later(9), bounds).await.unwrap(), None);
    for owner in [a, a, a, b] {
        added(store, owner).await;
    }
    let claims = (0..10).map(|_| store.claim(worker, now(), later(9), bounds));
    let claimed: Vec<Job> = join_all(claims).await.into_iter().filter_map(Result::unwrap).collect();
    let ids: HashSet<_> = claimed.iter().map(|job| job.id).collect();
    assert_eq!((claimed.len(), ids.len()), (3, 3), "three of all, each once");
    assert_eq!(claimed.iter().filter(|job| job.owner == a).count(), 2, "two of one person");
    for job in claimed {
        assert_eq!((job.state, job.attempts, job.version), (State::Running, 1, 2));
        assert_eq!(read(store, job.id).await, Some(job));
    }
}

async fn a_lease_that_is_over_lets_another_begin_it(store: &impl Store) {
    let [first, second] = [Uuid::new_v4(), Uuid::new_v4()];
    let bounds = Bounds::default();
    added(store, UserId::new()).await;
    let job = store.claim(first, now(), later(10), bounds).await.unwrap().unwrap();
    assert_eq!(store.claim(second, later(9), later(19), bounds).await.unwrap(), None);
    assert!(store.renew(job.id, first, later(20)).await.unwrap());
    assert!(!store.renew(job.id, second, later(30)).await.unwrap(), "it is not its own");
    assert_eq!(store.claim(second, later(19), later(29), bounds).await.unwrap(), None);
    let again = store.claim(second, later(20), later(30), bounds).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts, again.version), (job.id, 2, 3));
    assert!(!store.renew(job.id, first, later(40)).await.unwrap(), "it has lost it");
    assert!(!store.replace(over(&job, State::Ready, now()), vec![], 0).await.unwrap());
    assert!(store.replace(over(&again, State::Ready, now()), vec![], 0).await.unwrap());
    assert!(!store.renew(job.id, second, later(40)).await.unwrap(), "it is over");
}

async fn only_the_next_version_replaces_a_job(store: &impl Store) {
    let job = added(store, UserId::new()).await;
    let changes = (0..8).map(|n| {
        let changed = Job { version: 2, rejected: n, ..job.clone() };
        store.replace(changed, vec![], 0)
    });
    let done = join_all(changes).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
    assert_eq!(done, 1);
    assert!(!store.replace(Job { version: 4, ..job.clone() }, vec![], 0).await.unwrap());
    assert!(!store.remove(job.id, 1).await.unwrap());
    assert!(store.remove(job.id, 2).await.unwrap());
    assert_eq!(read(store, job.id).await, None);
    assert!(!store.replace(Job { version: 3, ..job }, vec![], 0).await.unwrap());
}

fn accepted(owner: UserId, text: String) -> Event {
    let card = AcceptedCard {
        note: NoteId::new(),
        card: CardId::new(),
        question: text.clone(),
        answer: text,
        source: Some((0, 3)),
    };
    Event::Accepted(DraftsAccepted { owner, deck: DeckId::new(), cards: vec![card] })
}

async fn events_are_kept_with_the_job_and_delivered_in_order(store: &impl Store) {
    let owner = UserId::new();
    let mut job = added(store, owner).await;
    let events: Vec<_> = (0..3).map(|n| accepted(owner, n.to_string())).collect();
    for event in &events {
        job.version += 1;
        assert!(store.replace(job.clone(), vec![event.clone()], 0).await.unwrap());
    }
    let lost = accepted(owner, "lost".into());
    assert!(
        !store.replace(job.clone(), vec![lost], 0).await.unwrap(),
        "the version is there already"
    );
    let pending = store.pending(10).await.unwrap();
    let (ids, told): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
    assert_eq!(told, events);
    assert_eq!(store.pending(2).await.unwrap().len(), 2);
    store.delivered(ids[..1].to_vec()).await.unwrap();
    assert_eq!(store.pending(10).await.unwrap().len(), 2);
    store.delivered(ids).await.unwrap();
    // What is more than another process takes at once comes bit by bit.
    for _ in 0..3 {
        job.version += 1;
        let large = accepted(owner, "a".repeat(3 << 20));
        assert!(store.replace(job.clone(), vec![large], 0).await.unwrap());
    }
    for _ in 0..3 {
        let pending = store.pending(10).await.unwrap();
        assert_eq!(pending.len(), 1);
        store.delivered(vec![pending[0].0]).await.unwrap();
    }
    assert_eq!(store.pending(10).await.unwrap(), []);
}

async fn pages_are_read_both_ways(store: &impl Store) {
    let owner = UserId::new();
    let mut jobs = Vec::new();
    for _ in 0..5 {
        jobs.insert(0, added(store, owner).await);
        added(store, UserId::new()).await;
    }
    let page = |direction, limit, cursor| PageRequest { direction, limit, cursor };
    let newest = page(Direction::Forward, 2, None);
    assert_eq!(store.page(owner, newest).await.unwrap(), jobs[..3], "one beyond the limit");
    let older = page(Direction::Forward, 9, Some(jobs[2].id));
    assert_eq!(store.page(owner, older).await.unwrap(), jobs[3..]);
    let newer = page(Direction::Backward, 1, Some(jobs[3].id));
    let expected: Vec<_> = jobs[1..3].iter().rev().cloned().collect();
    assert_eq!(store.page(owner, newer).await.unwrap(), expected, "in the direction of reading");
}

async fn old_jobs_are_purged(store: &impl Store) {
    let owner = UserId::new();
    let mut jobs = Vec::new();
    for age in 0..4 {
        let job = over(&added(store, owner).await, State::Failed, later(age));
        assert!(store.replace(job.clone(), vec![], 0).await.unwrap());
        jobs.push(job);
    }
    let waiting = added(store, owner).await;
    assert_eq!(store.purge(later(3), 2).await.unwrap(), 2);
    assert_eq!(store.purge(later(3), 2).await.unwrap(), 1);
    assert_eq!(store.purge(later(3), 2).await.unwrap(), 0);
    assert_eq!(read(store, jobs[3].id).await.as_ref(), Some(&jobs[3]));
    assert!(read(store, waiting.id).await.is_some());
}

async fn an_account_that_is_gone_leaves_nothing_and_gets_nothing(store: &impl Store) {
    let [gone, other] = [UserId::new(), UserId::new()];
    let first = added(store, gone).await;
    let of_other = added(store, other).await;
    for _ in 0..2 {
        store.forget(gone, now()).await.unwrap();
    }
    assert_eq!(read(store, first.id).await, None);
    let inserted = store.insert(job(gone, None), Bounds::default()).await.unwrap();
    assert_eq!(inserted, Inserted::Gone);
    assert!(!store.replace(over(&first, State::Ready, now()), vec![], 0).await.unwrap());
    assert!(read(store, of_other.id).await.is_some());
}

async fn it_answers_a_ping(store: &impl Store) {
    store.ping().await.unwrap();
}

#[tokio::test]
async fn after_a_restart_a_file_has_no_leases() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let store = SqliteStore::new(sqlite);
    added(&store, UserId::new()).await;
    let [first, second] = [Uuid::new_v4(), Uuid::new_v4()];
    let bounds = Bounds::default();
    let job = store.claim(first, now(), later(10), bounds).await.unwrap().unwrap();
    store.release().await.unwrap();
    let again = store.claim(second, now(), later(10), bounds).await.unwrap().unwrap();
    assert_eq!(again.id, job.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stores_are_described() {
    let mongo = common::testing::mongo().await;
    MongoStore::open(mongo.clone()).await.unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/database/generation.md");
    common::testing::check_page(
        page.as_ref(),
        "generation",
        generation::MIGRATIONS,
        &mongo,
        &EXPECTED,
    )
    .await;
}
