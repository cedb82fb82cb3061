//! While everybody logs in at once, queries are answered: passwords are hashed a few at a time on threads of their own, and whoever finds the
//! queue full is told to try later.
//!
//! What is asserted is progress, not time: the queries are done while most of those in the queue still wait.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "the ownership matrix uses the rest of it")]
mod ownership_graph;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ownership_graph::{Graph, Who};
use serde_json::Value;
use users::{HashingCost, Limits, UsersSettings};

/// How many log in at once: more than may wait for their turn (256).
const LOGINS: usize = 400;

/// How the logins of a storm were answered so far.
#[derive(Default)]
struct Answered {
    wrong: AtomicUsize,
    turned_away: AtomicUsize,
}

impl Answered {
    fn count(&self, answer: &Value) {
        let error = &answer["errors"][0];
        match error["extensions"]["code"].as_str() {
            Some("WRONG_CREDENTIALS") => self.wrong.fetch_add(1, Ordering::SeqCst),
            Some("SERVICE_UNAVAILABLE") => {
                assert!(error["message"].as_str().unwrap().contains("try again"), "{answer}");
                self.turned_away.fetch_add(1, Ordering::SeqCst)
            }
            _ => panic!("{answer}"),
        };
    }
}

fn log_in(email: &str, password: &str) -> String {
    format!(
        "mutation {{ logIn(input: {{ email: \"{email}\", password: \"{password}\" }}) {{ accessToken }} }}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_are_answered_while_everybody_logs_in() {
    let mut limits = Limits::default();
    limits.log_in_network.free = u32::MAX;
    let graph = Arc::new(
        Graph::open_with(UsersSettings {
            hashing_cost: HashingCost::new(8192, 2, 1).unwrap(),
            hashing_threads: NonZeroUsize::MIN,
            limits,
            ..UsersSettings::default()
        })
        .await,
    );
    let answered = Arc::new(Answered::default());
    let storm: Vec<_> = (0..LOGINS)
        .map(|n| {
            let (graph, answered) = (graph.clone(), answered.clone());
            tokio::spawn(async move {
                let document = log_in(&format!("person{n}@example.org"), "wrong horse battery");
                answered.count(&graph.run(Who::Nobody, &document).await);
            })
        })
        .collect();
    // The queue is full.
    while answered.turned_away.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for _ in 0..10 {
        let public = graph.run(Who::Nobody, "{ config { frontend { deckColors } } }").await;
        assert!(public["data"]["config"]["frontend"]["deckColors"].is_array(), "{public}");
        let own = graph.run(Who::Ada, "{ viewer { name decks { nodes { name } } } }").await;
        assert!(graph.tells_of_ada(&own["data"]["viewer"].to_string()), "{own}");
    }
    let meanwhile = answered.wrong.load(Ordering::SeqCst);
    for login in storm {
        login.await.unwrap();
    }
    let (wrong, turned_away) =
        (answered.wrong.load(Ordering::SeqCst), answered.turned_away.load(Ordering::SeqCst));
    assert_eq!(wrong + turned_away, LOGINS, "each got an answer");
    assert!(wrong > 256, "those in the queue were served: {wrong}");
    assert!(meanwhile < wrong / 2, "queries waited for {meanwhile} of {wrong} logins");
    let right = log_in("ada@example.org", "correct horse battery staple");
    let right = graph.run(Who::Nobody, &right).await;
    assert!(
        right["data"]["logIn"]["accessToken"].is_string(),
        "later there is room again: {right}"
    );
}
