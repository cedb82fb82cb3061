//! Reviews: a person's phone that sends reviews in batches, also late and twice, changes cards and undoes reviews; two requests at a time. When
//! no answer comes it sends the same again, as phones do.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, ReviewId};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use learning::entry::Logged;
use learning::model::StoredCard;
use learning::scheduler::{Day, Model, Phase, replay};
use learning::tally::Tally;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{Rng, RngExt};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::Account;
use crate::load::{Load, World};
use crate::program::{Client, Lost};
use crate::seen::id;

const CARDS: usize = 40;
/// One in so many requests is given up before its answer can have come, and sent again.
const GIVEN_UP: u32 = 8;

/// Entries of the log that are sent in one request.
#[derive(Debug, Clone)]
struct Batch {
    kind: Kind,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reviews,
    Changes,
    Undos,
}

#[derive(Debug, Clone)]
struct Entry {
    id: Uuid,
    at: Timestamp,
    /// As it is sent.
    input: Value,
}

impl Batch {
    fn request(&self) -> (&'static str, Value) {
        let entries: Value = self.entries.iter().map(|entry| entry.input.clone()).collect();
        let (mutation, list) = match self.kind {
            Kind::Reviews => (
                "mutation($input: SubmitReviewsInput!) { of: submitReviews(input: $input) { results { id status reason } } }",
                "reviews",
            ),
            Kind::Changes => (
                "mutation($input: ChangeCardsInput!) { of: changeCards(input: $input) { results { id status reason } } }",
                "changes",
            ),
            Kind::Undos => (
                "mutation($input: UndoReviewsInput!) { of: undoReviews(input: $input) { results { id status reason } } }",
                "undos",
            ),
        };
        (mutation, json!({ "input": { list: entries } }))
    }
}

pub(crate) struct Studying {
    account: Account,
    cards: Vec<Uuid>,
    dice: StdRng,
    /// Entries that are in the log, as was said.
    acknowledged: BTreeMap<Uuid, Timestamp>,
    /// Reviews that can be undone: the latest.
    undoable: Vec<Entry>,
    /// Batches that were answered.
    done: Vec<Batch>,
    /// Batches that were sent and not answered.
    doubtful: Vec<Batch>,
    in_doubt: u64,
}

impl Studying {
    pub(crate) async fn new(account: Account, client: &Client, dice: StdRng) -> Self {
        let deck =
            "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let input = json!({ "input": { "name": "study", "description": "study" } });
        let data = account.ask(client, deck, &input).await.unwrap();
        let cards: Value = (0..CARDS)
            .map(|nth| json!({ "question": format!("study {nth}"), "answer": "answer" }))
            .collect();
        let input = json!({ "deckId": data["createDeck"]["deck"]["id"], "cards": cards });
        let create =
            "mutation($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }";
        let data = account.ask(client, create, &json!({ "input": input })).await.unwrap();
        let cards = data["createCards"]["cards"].as_array().unwrap();
        Self {
            account,
            cards: cards.iter().map(|card| id(&card["id"])).collect(),
            dice,
            acknowledged: BTreeMap::new(),
            undoable: Vec::new(),
            done: Vec::new(),
            doubtful: Vec::new(),
            in_doubt: 0,
        }
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(u128::from(self.dice.next_u64()) << 64 | u128::from(self.dice.next_u64()))
    }

    /// Mostly now, sometimes what was collected offline: to the millisecond.
    fn moment(&mut self) -> Timestamp {
        let late = match self.dice.random_range(0..5) {
            0 => self.dice.random_range(0..30 * 86_400),
            _ => 0,
        };
        let at = Timestamp::now() - SignedDuration::from_secs(late);
        Timestamp::from_millisecond(at.as_millisecond()).unwrap()
    }

    fn draw(&mut self) -> Batch {
        match self.dice.random_range(0..10) {
            0 => self.changes(),
            1 if !self.undoable.is_empty() => self.undos(),
            2 if !self.done.is_empty() => {
                // One whose answer got lost on its way, as far as the phone knows.
                self.done.choose(&mut self.dice).cloned().unwrap()
            }
            _ => self.reviews(),
        }
    }

    fn reviews(&mut self) -> Batch {
        let count = *[1, 2, 5, 20, 100].choose(&mut self.dice).unwrap();
        let mut entries: Vec<Entry> = (0..count)
            .map(|_| {
                let (id, at) = (self.id(), self.moment());
                let rating = ["AGAIN", "HARD", "GOOD", "GOOD", "EASY"].choose(&mut self.dice).unwrap();
                let card = self.cards.choose(&mut self.dice).unwrap();
                let input = json!({
                    "id": id, "cardId": card, "rating": rating, "reviewedAt": at.to_string(),
                    "durationMs": self.dice.random_range(0..60_000), "practice": self.dice.random_bool(0.1),
                });
                Entry { id, at, input }
            })
            .collect();
        if self.dice.random_bool(0.1) {
            entries.push(entries[0].clone());
        }
        Batch { kind: Kind::Reviews, entries }
    }

    fn changes(&mut self) -> Batch {
        let count = self.dice.random_range(1..5);
        let entries = (0..count).map(|_| {
            let (id, at) = (self.id(), self.moment());
            let actions = ["SUSPEND", "UNSUSPEND", "BURY", "UNBURY", "FLAG", "RESET", "SET_DUE"];
            let action = actions.choose(&mut self.dice).unwrap();
            let card = self.cards.choose(&mut self.dice).unwrap();
            let mut input =
                json!({ "id": id, "cardId": card, "action": action, "at": at.to_string() });
            if *action == "FLAG" {
                input["flag"] = json!(self.dice.random_range(0..8));
            } else if *action == "SET_DUE" {
                let day = at + SignedDuration::from_hours(24 * self.dice.random_range(1..60));
                input["dueOn"] = json!(day.to_string()[..10]);
            }
            Entry { id, at, input }
        });
        Batch { kind: Kind::Changes, entries: entries.collect() }
    }

    /// Of the latest reviews some: those of both requests together are far fewer than the hundred that can be undone.
    fn undos(&mut self) -> Batch {
        let count = self.dice.random_range(1..4);
        let reviews = self.undoable.iter().cloned().sample(&mut self.dice, count);
        let entries = reviews.into_iter().map(|review| {
            let (id, at) = (self.id(), self.moment());
            let input = json!({ "id": id, "reviewId": review.id, "at": at.to_string() });
            Entry { id, at, input }
        });
        Batch { kind: Kind::Undos, entries: entries.collect() }
    }

    /// Sends a batch; sometimes gives it up, so that it is under way twice.
    async fn send(
        account: &Account,
        client: &Client,
        batch: &Batch,
        given_up: Option<Duration>,
    ) -> Result<Value, Lost> {
        let (mutation, variables) = batch.request();
        if let Some(after) = given_up {
            let once = account.ask(client, mutation, &variables);
            drop(tokio::time::timeout(after, once).await);
        }
        Ok(account.ask(client, mutation, &variables).await?["of"]["results"].take())
    }

    /// Each entry of a batch that was answered is in the log now.
    fn take_in(&mut self, batch: Batch, results: &Value) {
        let results = results.as_array().unwrap();
        assert_eq!(results.len(), batch.entries.len());
        for (entry, result) in batch.entries.iter().zip(results) {
            let status = result["status"].as_str().unwrap();
            if status == "INVALID" && batch.kind == Kind::Undos {
                // By now it is none of the last hundred.
                assert!(result["reason"].to_string().contains("can be undone"), "{result}");
                continue;
            }
            let known = self.acknowledged.insert(entry.id, entry.at).is_some();
            match status {
                "ACCEPTED" => assert!(!known, "{} was accepted twice", entry.id),
                "DUPLICATE" => {}
                _ => panic!("{result} for {}", entry.input),
            }
        }
        if batch.kind == Kind::Reviews {
            self.undoable.extend(batch.entries.iter().cloned());
            self.undoable.sort_by_key(|entry| (entry.at, entry.id));
            self.undoable.dedup_by_key(|entry| entry.id);
            let old = self.undoable.len().saturating_sub(20);
            self.undoable.drain(..old);
        }
        if self.done.len() < 50 {
            self.done.push(batch);
        } else {
            let place = self.dice.random_range(0..50);
            self.done[place] = batch;
        }
    }

    async fn step(&mut self, client: &Client) -> Result<(), Lost> {
        let batches = [self.draw(), self.draw()];
        let mut give_up = || {
            let after = Duration::from_millis(self.dice.random_range(0..20));
            self.dice.random_ratio(1, GIVEN_UP).then_some(after)
        };
        let after = [give_up(), give_up()];
        let account = self.account.clone();
        let sent = batches.iter().zip(after);
        let sent = sent.map(|(batch, after)| Self::send(&account, client, batch, after));
        let results = futures::future::join_all(sent).await;
        let mut all = Ok(());
        for (batch, result) in batches.into_iter().zip(results) {
            match result {
                Ok(results) => self.take_in(batch, &results),
                Err(Lost) => {
                    self.doubtful.push(batch);
                    all = Err(Lost);
                }
            }
        }
        all
    }

    async fn check(&mut self, world: &World<'_>) {
        let kill = world.kill;
        self.settle(world).await;
        let owner = self.account.user;
        let log = self.log(world).await;
        assert_eq!(
            world.stores.log_size(owner).await,
            self.acknowledged.len() as u64,
            "after kill {kill}: the log has what nobody sent"
        );
        let model = Model::average().unwrap();
        // The rules that the entries name.
        let (_, rulebook) = world.stores.learning().logs(owner, Vec::new()).await.unwrap();
        let ids: Vec<CardId> = self.cards.iter().map(|id| CardId::from(*id)).collect();
        let stored = world.stores.learning().cards(owner, ids).await.unwrap();
        assert_eq!(stored.len(), self.cards.len());
        self.check_search(world, &stored).await;
        let mut tallies: BTreeMap<(DeckId, Day), Tally> = BTreeMap::new();
        for card in stored {
            let of_card = log.values().filter(|logged| logged.sent.card == card.id);
            let entries = of_card.map(Logged::entry).collect();
            let replayed = replay(&model, &rulebook, card.id, entries).unwrap();
            assert_eq!(card.progress, replayed.progress, "after kill {kill}: {:?}", card.id);
            for (id, phase) in replayed.phases {
                let logged = &log[&id];
                assert_eq!(logged.phase, phase, "after kill {kill}: {id:?}");
                if let Some(counted) = logged.counted(phase).filter(|_| phase != Phase::Uncounted) {
                    tallies.entry((logged.deck, logged.sent.day)).or_default().add(&counted);
                }
            }
        }
        let of_all = self.tallies(world, None).await;
        let mut sums: BTreeMap<Day, Tally> = BTreeMap::new();
        for ((_, day), tally) in &tallies {
            sums.entry(*day).or_default().merge(tally);
        }
        assert_eq!(of_all, sums, "after kill {kill}: the sums of all decks");
    }

    /// Decks knows what learning does of the cards: they are found by it.
    async fn check_search(&self, world: &World<'_>, stored: &[StoredCard]) {
        world.stores.wait_until_all_is_told().await;
        let count = |is: fn(&StoredCard) -> bool| stored.iter().filter(|card| is(card)).count();
        for (query, expected) in [
            ("is:suspended", count(|card| card.progress.suspended)),
            ("is:new", count(|card| card.progress.memory.is_none())),
        ] {
            let search =
                "query($query: String!) { searchCards(query: $query, first: 0) { totalCount } }";
            let query = json!({ "query": format!("deck:study {query}") });
            let data = self.account.ask(world.client, search, &query).await.unwrap();
            let found = data["searchCards"]["totalCount"].as_u64().unwrap();
            assert_eq!(found, expected as u64, "after kill {}: {query}", world.kill);
        }
    }

    /// Finds out about what was in doubt: a batch is in the log wholly or not at all. Then sends it again, as a phone does.
    async fn settle(&mut self, world: &World<'_>) {
        for batch in std::mem::take(&mut self.doubtful) {
            self.in_doubt += 1;
            let ids: Vec<Uuid> = batch.entries.iter().map(|entry| entry.id).collect();
            let new: Vec<Uuid> =
                ids.iter().copied().filter(|id| !self.acknowledged.contains_key(id)).collect();
            let found = self.entries(world, &new).await;
            let whole = ids.iter().filter(|id| found.contains_key(&ReviewId::from(**id))).count();
            let many = ids.iter().filter(|id| !self.acknowledged.contains_key(id)).count();
            // An undo that came too late is refused alone.
            if batch.kind != Kind::Undos {
                assert!(
                    whole == 0 || whole == many,
                    "after kill {}: {whole} of {many}",
                    world.kill
                );
            }
            let results =
                Self::send(&self.account, world.client, &batch, None).await.expect("an answer");
            for (id, result) in ids.iter().zip(results.as_array().unwrap()) {
                let stored = found.contains_key(&ReviewId::from(*id));
                assert!(!stored || result["status"] == "DUPLICATE", "{id} is stored: {result}");
            }
            self.take_in(batch, &results);
        }
    }

    /// All of the log: each entry that was acknowledged, as it was sent.
    async fn log(&self, world: &World<'_>) -> HashMap<ReviewId, Logged> {
        let ids: Vec<Uuid> = self.acknowledged.keys().copied().collect();
        let log = self.entries(world, &ids).await;
        for (id, at) in &self.acknowledged {
            let Some(logged) = log.get(&ReviewId::from(*id)) else {
                panic!("after kill {}: {id} was acknowledged and is lost", world.kill);
            };
            assert_eq!(logged.sent.at, *at);
        }
        // The pages of each card hold each review once.
        let page = PageRequest { direction: Direction::Forward, limit: u32::MAX - 1, cursor: None };
        let ids: Vec<CardId> = self.cards.iter().map(|id| CardId::from(*id)).collect();
        let pages = world.stores.learning().reviews(self.account.user, ids, page).await.unwrap();
        let mut paged: Vec<ReviewId> =
            pages.values().flatten().map(|logged| logged.sent.id).collect();
        let is_review = |logged: &&Logged| logged.sent.action.rating().is_some();
        let mut reviews: Vec<ReviewId> =
            log.values().filter(is_review).map(|logged| logged.sent.id).collect();
        paged.sort_unstable();
        reviews.sort_unstable();
        assert!(paged == reviews, "after kill {}: reviews in the cards' pages", world.kill);
        log
    }

    async fn entries(&self, world: &World<'_>, ids: &[Uuid]) -> HashMap<ReviewId, Logged> {
        let ids = ids.iter().map(|id| ReviewId::from(*id)).collect();
        let found = world.stores.learning().entries(self.account.user, ids).await.unwrap();
        found.into_iter().map(|logged| (logged.sent.id, logged)).collect()
    }

    async fn tallies(&self, world: &World<'_>, decks: Option<Vec<DeckId>>) -> BTreeMap<Day, Tally> {
        let all = (Day(0), Day(99_999));
        let tallies = world.stores.learning().tallies(self.account.user, decks, all).await.unwrap();
        tallies.into_iter().filter(|(_, tally)| *tally != Tally::default()).collect()
    }
}

impl Load for Studying {
    fn step<'a>(&'a mut self, client: &'a Client) -> BoxFuture<'a, Result<(), Lost>> {
        self.step(client).boxed()
    }

    fn check<'a>(&'a mut self, world: &'a World<'a>) -> BoxFuture<'a, ()> {
        self.check(world).boxed()
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged.len() as u64
    }

    fn in_doubt(&self) -> u64 {
        self.in_doubt
    }
}
