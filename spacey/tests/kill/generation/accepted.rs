//! Drafts that are accepted when processes are killed (SIGKILL) between the transaction that accepts them and the one in which decks makes the cards, or
//! between that one and its answer: after the next start each is a card exactly once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{SENTENCES, Until};
use super::services::Service;
use super::tap::Events;
use super::{PATIENCE, PRICE, Person, World};

const ACCEPT: &str = "mutation($id: ID!) { acceptDrafts(input: { jobId: $id }) { job { drafts { state card { id } } } } }";
const DRAFTS: &str = "query($id: ID!) { generationJob(id: $id) { drafts { state card { id } } } }";

impl Person {
    /// The ids of the cards in the deck, and how many there are in all.
    async fn cards(&self) -> Result<(BTreeSet<String>, u64), String> {
        let document =
            "query($id: ID!) { deck(id: $id) { cardCount cards(first: 100) { nodes { id } } } }";
        let data = self.ask(document, json!({ "id": self.deck })).await?;
        let id = |card: &Value| card["id"].as_str().unwrap().to_owned();
        let ids = data["deck"]["cards"]["nodes"].as_array().unwrap().iter().map(id).collect();
        Ok((ids, data["deck"]["cardCount"].as_u64().unwrap()))
    }
}

impl World {
    /// Accepts the drafts of a job and kills processes before decks was told, or before it has answered.
    pub(super) async fn keeps_what_is_accepted(&mut self, events: Events, victims: &[Service]) {
        let what = format!("{events:?} {victims:?}");
        self.model.goes(Until::End);
        let id = self.person.start(&Uuid::new_v4().to_string(), Self::text()).await.unwrap();
        self.person.job_when(&id, |job| job["state"] == "READY").await;
        self.paid += PRICE;
        let before = self.person.cards().await.unwrap();
        let held = self.services.tap.held();
        self.services.tap.let_events(events);
        // Whether it is answered before the kill does not matter: it is stored.
        let accepting = self.person.ask(ACCEPT, json!({ "id": id }));
        let killing = async {
            self.services.tap.holds_more_than(held).await;
            self.services.kill(victims).await;
        };
        drop(futures::future::join(accepting, killing).await);
        self.services.tap.let_events(Events::Pass);
        self.services.restart(victims).await;

        let job = loop {
            match self.person.ask(DRAFTS, json!({ "id": id })).await {
                Ok(data) => break data["generationJob"].clone(),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let drafts = job["drafts"].as_array().unwrap();
        assert!(drafts.iter().all(|draft| draft["state"] == "ACCEPTED"), "{what}: {job}");
        let card = |draft: &Value| draft["card"]["id"].as_str().unwrap().to_owned();
        let mut expected = before.0.clone();
        expected.extend(drafts.iter().map(card));
        let all = before.1 + SENTENCES.len() as u64;
        assert_eq!(expected.len() as u64, all, "{what}");
        let began = Instant::now();
        loop {
            let seen = self.person.cards().await;
            if seen == Ok((expected.clone(), all)) {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {seen:?} is not {expected:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Accepted again, and told again by the next start, they are the same.
        let again = self.person.ask(ACCEPT, json!({ "id": id })).await.unwrap();
        assert_eq!(again["acceptDrafts"]["job"], job, "{what}");
        self.services.kill(&[Service::Generation]).await;
        self.services.restart(&[Service::Generation]).await;
        assert_eq!(self.person.cards().await.unwrap(), (expected, all), "{what}");
    }
}
