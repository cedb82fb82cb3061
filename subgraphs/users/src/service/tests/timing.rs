//! Answers that must not tell whether there is an account take the same time: measured, and compared as distributions.
//!
//! The two kinds of calls are made in turns, so that whatever else the machine does meets both. They are compared by how often one of the first
//! kind took longer than one of the second: half of the time when the distributions are the same, always or never when they are apart. A
//! machine may have a bad moment, so a comparison has three tries; one of calls that do differ shows that a difference is seen.

use std::time::Instant;

use super::*;

/// How many calls of each kind are measured.
const CALLS: usize = 60;
/// How far from one half is no more by chance: with 60 calls more than five standard deviations.
const APART: f64 = 0.3;

/// How often a call of the first kind took longer than one of the second, as a fraction: 0.5 when none can be told from the other.
async fn longer(first: impl AsyncFn(usize), second: impl AsyncFn(usize)) -> f64 {
    let mut times = [Vec::new(), Vec::new()];
    for call in 0..CALLS {
        let start = Instant::now();
        first(call).await;
        times[0].push(start.elapsed());
        let start = Instant::now();
        second(call).await;
        times[1].push(start.elapsed());
    }
    let [first, second] = times;
    let longer = first.iter().map(|one| second.iter().filter(|other| one > *other).count());
    longer.sum::<usize>() as f64 / (CALLS * CALLS) as f64
}

async fn is_apart(first: impl AsyncFn(usize), second: impl AsyncFn(usize)) -> bool {
    for _ in 0..3 {
        if (longer(&first, &second).await - 0.5).abs() < APART {
            return false;
        }
    }
    true
}

/// A network of its own for each call: what is measured is not how often one may try.
fn somebody(call: usize) -> Caller {
    let address = std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(call).unwrap());
    let client = common::Client::new(Some(address.into()), None);
    Caller { client, ..nobody() }
}

fn cost_measured() -> HashingCost {
    HashingCost::new(2048, 2, 1).unwrap()
}

/// A tenth of the usual cost: what a login does besides is no smaller part of it than on a faster machine.
fn measured() -> Fixture {
    let mut it = fixture_with(cost_measured());
    it.service.settings.limits.log_in_anywhere.free = u32::MAX;
    it.service.settings.limits.mail.free = u32::MAX;
    it
}

#[tokio::test]
async fn logging_in_takes_the_same_time_with_and_without_an_account() {
    let it = measured();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let log_in = async |email: &str, call| {
        it.service.log_in(&somebody(call), email, "wrong horse").await.err().unwrap();
    };
    let known = async |call| log_in("ada@example.org", call).await;
    let unknown = async |call| log_in("eve@example.org", call).await;
    assert!(!is_apart(known, unknown).await);

    let without_a_hash = async |call| {
        it.service.refresh(&somebody(call), Some("nonsense")).await.err().unwrap();
    };
    assert!(is_apart(known, without_a_hash).await, "what differs is told apart");
}

#[tokio::test]
async fn logging_in_takes_the_same_time_whatever_hash_an_account_has() {
    let it = measured();
    for (email, cost) in
        [("bo@example.org", Some(7)), ("cy@example.org", Some(5)), ("ada@example.org", None)]
    {
        it.service.sign_up(&nobody(), input(email)).await.unwrap();
        if let Some(cost) = cost {
            let (user, hash) = it.account(email).await;
            let legacy = PasswordHash(bcrypt::hash(PASSWORD, cost).unwrap());
            it.store.replace_hash(user.id, hash, legacy).await.unwrap();
        }
    }
    let log_in = async |email: &str, call| {
        it.service.log_in(&somebody(call), email, "wrong horse").await.err().unwrap();
    };
    let costly = async |call| log_in("bo@example.org", call).await;
    let cheap = async |call| log_in("cy@example.org", call).await;
    let upgraded = async |call| log_in("ada@example.org", call).await;
    let unknown = async |call| log_in("eve@example.org", call).await;
    it.service.expect_legacy_hashes().await.unwrap();
    assert!(!is_apart(costly, unknown).await);
    assert!(!is_apart(cheap, unknown).await, "a hash that cost less is made up for");
    assert!(!is_apart(upgraded, unknown).await);

    // Without what is made up, it shows.
    let other = service(&it.store, &it.clock, &it.told, &it.mailer, cost_measured());
    let unaware = async |call| {
        other.log_in(&somebody(call), "eve@example.org", "wrong horse").await.err().unwrap();
    };
    assert!(is_apart(costly, unaware).await, "what differs is told apart");
}

#[tokio::test]
async fn signing_up_takes_the_same_time_with_a_taken_and_a_free_address() {
    let it = measured();
    let count = std::sync::atomic::AtomicUsize::new(0);
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let taken = async |call| {
        it.service.sign_up(&somebody(call), input("ada@example.org")).await.unwrap();
    };
    let free = async |call| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let email = format!("person{n}@example.org");
        it.service.sign_up(&somebody(call), input(&email)).await.unwrap();
    };
    assert!(!is_apart(taken, free).await);
}

#[tokio::test]
async fn asking_for_a_new_password_takes_the_same_time_with_and_without_an_account() {
    let it = measured();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let ask = async |email: &str, call| {
        it.service.request_password_reset(&somebody(call), email).await.unwrap();
    };
    let known = async |call| ask("ada@example.org", call).await;
    let unknown = async |call| ask("eve@example.org", call).await;
    assert!(!is_apart(known, unknown).await);
    let work = async |email: &str| it.work(async || ask(email, 7).await).await;
    assert_eq!(work("ada@example.org").await, work("eve@example.org").await);
}

#[tokio::test]
async fn asking_for_another_address_takes_the_same_time_whether_or_not_it_is_taken() {
    let mut it = measured();
    it.service.settings.limits.log_in.free = u32::MAX;
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    it.service.sign_up(&nobody(), input("eve@example.org")).await.unwrap();
    let signed_in = it.service.log_in(&nobody(), "ada@example.org", "correct horse").await.unwrap();
    let viewer = it.service.tokens.verify(&signed_in.access_token, it.clock.now()).unwrap();
    let ask = async |email: &str, call| {
        let caller = Caller { viewer: Some(viewer.clone()), ..somebody(call) };
        it.service.request_email_change(&caller, "correct horse", email).await.unwrap();
    };
    let count = std::sync::atomic::AtomicUsize::new(0);
    let taken = async |call| {
        // Asking for the same twice in a row would be less work.
        ask(&format!("other{call}@example.org"), call).await;
        ask("eve@example.org", call).await;
    };
    let free = async |call| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ask(&format!("another{n}@example.org"), call).await;
        ask("free@example.org", call).await;
    };
    assert!(!is_apart(taken, free).await);
    let work = async |email: &str| {
        ask("between@example.org", 1).await;
        it.work(async || ask(email, 7).await).await
    };
    assert_eq!(work("eve@example.org").await, work("free@example.org").await);
}
