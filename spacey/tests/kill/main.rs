//! Nothing that was acknowledged is lost: the program itself, under a load of edits, reviews and imports by several clients at once, is killed
//! (SIGKILL) at random moments and started again on the same data. After each start everything is compared with what the clients were told.
//!
//! SQLite and MongoDB run the same. `SPACEY_KILLS` says how often each is killed, `SPACEY_KILL_SEED` from which seed the moments and what the
//! clients do are drawn; the seed is printed. A kill of a process is no power cut: that what was answered is on disk, and not just with the
//! kernel, is a matter of `synchronous=FULL` and of MongoDB's journal, which this does not show.
//!
//! Another kind of load is another [`load::Load`]: see [`collection`], [`studying`] and [`importing`]. Jobs of card generation, which several processes
//! work on, are killed at each of their steps by [`generation`].

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(
    clippy::print_stdout,
    reason = "the seed, and what was done, are for whoever looks at a failure"
)]

mod account;
mod collection;
mod generation;
mod importing;
mod load;
mod program;
mod seen;
mod server;
mod stores;
mod studying;

use std::time::{Duration, Instant};

use account::Account;
use collection::Collection;
use importing::Importing;
use load::{Load, World};
use program::Program;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use stores::Stores;
use studying::Studying;

/// How often the program is killed when nothing else is said.
const KILLS: u32 = 10;
const ACCOUNTS: usize = 2;
/// How long the load goes on before a kill, in milliseconds.
const LOAD: std::ops::Range<u64> = 20..500;
/// How long the program may take for its start before it is killed then, in milliseconds.
const START: std::ops::Range<u64> = 0..400;

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: a number is accepted, not {text:?}")))
}

/// A load, and whose of the accounts it is.
type Owned = (usize, Box<dyn Load>);

/// Lets all loads go on until the program is killed. Each knows afterwards what it was told.
async fn load_until_killed(loads: &mut [Owned], program: Program, after: Duration) {
    let client = program.client();
    let work = loads.iter_mut().map(|(_, load)| {
        let client = client.clone();
        async move { while load.step(&client).await.is_ok() {} }
    });
    let kill = async {
        tokio::time::sleep(after).await;
        program.kill().await;
    };
    futures::future::join(futures::future::join_all(work), kill).await;
}

async fn nothing_acknowledged_is_lost(mut stores: Stores) {
    let kills: u32 = number("SPACEY_KILLS").unwrap_or(KILLS);
    let seed: u64 = number("SPACEY_KILL_SEED").unwrap_or_else(rand::random);
    println!("SPACEY_KILL_SEED={seed} SPACEY_KILLS={kills} on {}", stores.name());
    let mut random = StdRng::seed_from_u64(seed);
    let began = Instant::now();

    let mut program = stores.start().await;
    let mut accounts = Vec::new();
    let mut loads: Vec<Owned> = Vec::new();
    for nth in 0..ACCOUNTS {
        let account = Account::sign_up(&program.client(), nth).await;
        let mut dice = || StdRng::seed_from_u64(random.random());
        // Two clients edit the same person's collection, a third studies.
        for name in ["a", "b"] {
            loads.push((nth, Box::new(Collection::new(account.clone(), name, dice()))));
        }
        let studying = Studying::new(account.clone(), &program.client(), dice()).await;
        loads.push((nth, Box::new(studying)));
        accounts.push(account);
    }
    // One imports beside the others' edits, one with a log that nobody else adds to.
    let (mut dice, account) = (|| StdRng::seed_from_u64(random.random()), accounts[0].clone());
    loads.push((0, Box::new(Importing::new(account, "i", dice(), false))));
    let account = Account::sign_up(&program.client(), ACCOUNTS).await;
    loads.push((ACCOUNTS, Box::new(Importing::new(account.clone(), "j", dice(), true))));
    accounts.push(account);
    let mut at_start = 0;
    for nth in 1..=kills {
        let after = Duration::from_millis(random.random_range(LOAD));
        load_until_killed(&mut loads, program, after).await;
        // One that is killed while it recovers has recovered nothing halfway.
        while random.random_bool(0.2) {
            let start = stores.begin_start();
            tokio::time::sleep(Duration::from_millis(random.random_range(START))).await;
            start.kill().await;
            at_start += 1;
        }
        program = stores.start().await;
        let client = program.client();
        stores.free_claims().await;
        for account in &accounts {
            account.log_in(&client).await;
            account.wait_for_imports(&client).await;
        }
        stores.wait_until_all_is_told().await;
        for (whose, account) in accounts.iter().enumerate() {
            let seen = account.read(&client).await;
            let world = World { client: &client, stores: &stores, seen: &seen, kill: nth };
            let theirs = loads.iter_mut().filter(|(owner, _)| *owner == whose);
            for (_, load) in theirs {
                load.check(&world).await;
            }
            stores.compare_copies(account.user, &seen).await;
        }
    }
    let told: u64 = loads.iter().map(|(_, load)| load.acknowledged()).sum();
    let doubtful: u64 = loads.iter().map(|(_, load)| load.in_doubt()).sum();
    println!(
        "{}: killed {kills} times under load and {at_start} times at start; {told} changes acknowledged, all there; {doubtful} were in doubt, \
         each made whole or not at all; {:.0} s",
        stores.name(),
        began.elapsed().as_secs_f64()
    );
    assert!(told > u64::from(kills), "there was hardly any load: {told}");
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_sqlite() {
    nothing_acknowledged_is_lost(Stores::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_mongodb() {
    nothing_acknowledged_is_lost(Stores::mongo().await).await;
}
