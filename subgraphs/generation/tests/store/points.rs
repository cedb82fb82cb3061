//! What jobs cost: taken with the job, given back with its end, never twice.

use common::UserId;
use futures::future::join_all;
use generation::allowance::{Allowance, given, price};
use generation::model::{Job, State};
use generation::queue::Bounds;
use generation::store::{Inserted, Store};

use super::{job, later, now, over};

/// Of 20 drafts.
const PRICE: u32 = 30;

fn bounds(points_each: u32) -> Bounds {
    Bounds { points_each, active_each: 100, ..Bounds::default() }
}

async fn points(store: &impl Store, owner: UserId, most: u32) -> u32 {
    Allowance::now(store.allowance(owner).await.unwrap(), most, now()).points()
}

async fn added(store: &impl Store, owner: UserId, most: u32) -> Job {
    match store.insert(job(owner, None), bounds(most)).await.unwrap() {
        Inserted::New(job) => job,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_job_takes_its_points_and_too_few_make_none(store: &impl Store) {
    let [owner, other] = [UserId::new(), UserId::new()];
    assert_eq!((price(20), store.allowance(owner).await.unwrap()), (PRICE, None));
    added(store, owner, 70).await;
    added(store, owner, 70).await;
    assert_eq!(points(store, owner, 70).await, 10);
    let Inserted::Short(short) = store.insert(job(owner, None), bounds(70)).await.unwrap() else {
        panic!("there are enough")
    };
    assert_eq!((short.price, short.points), (PRICE, 10));
    assert_eq!(points(store, owner, 70).await, 10, "nothing was taken");
    added(store, other, 70).await;
    let soon = Job { created_at: later(i64::try_from(short.seconds).unwrap()), ..job(owner, None) };
    assert!(matches!(store.insert(soon, bounds(70)).await.unwrap(), Inserted::New(_)));
}

pub(crate) async fn points_are_given_back_once_whoever_ends_the_job_first(store: &impl Store) {
    let owner = UserId::new();
    let first = added(store, owner, 1_000).await;
    let second = added(store, owner, 1_000).await;
    let ends = (0..8).map(|_| store.replace(over(&first, State::Failed, now()), vec![], PRICE));
    let ended = join_all(ends).await.into_iter().filter(|ended| *ended.as_ref().unwrap()).count();
    assert_eq!((ended, points(store, owner, 1_000).await), (1, 970));
    assert!(store.replace(over(&second, State::Ready, now()), vec![], 0).await.unwrap());
    assert_eq!(points(store, owner, 1_000).await, 970, "what was made is paid");
    let left = store.allowance(owner).await.unwrap().unwrap();
    assert_eq!(left, Allowance { parts: given(970), at: now() });
}

pub(crate) async fn of_many_jobs_at_once_no_more_are_made_than_points_are_there(
    store: &impl Store,
) {
    let owner = UserId::new();
    let inserts = (0..20).map(|_| store.insert(job(owner, None), bounds(5 * PRICE)));
    let inserted: Vec<_> = join_all(inserts).await.into_iter().map(Result::unwrap).collect();
    let new = inserted.iter().filter(|inserted| matches!(inserted, Inserted::New(_))).count();
    let short = inserted.iter().filter(|inserted| matches!(inserted, Inserted::Short(_))).count();
    assert_eq!((new, short, points(store, owner, 5 * PRICE).await), (5, 15, 0));
}

pub(crate) async fn a_key_that_is_known_costs_nothing(store: &impl Store) {
    let owner = UserId::new();
    let calls = (0..50).map(|_| store.insert(job(owner, Some("k")), bounds(1_000)));
    join_all(calls).await.into_iter().for_each(|call| drop(call.unwrap()));
    assert_eq!(points(store, owner, 1_000).await, 970);
}
