//! How much is asked of the store: the number of statements depends on the operation alone, not on how many decks and cards there are.

use common::UserId;
use serde_json::{Value, json};

use crate::support::{Domain, of};

/// A person's decks and cards, of which the first of each deck was reviewed.
struct Library {
    user: UserId,
    decks: Vec<Value>,
    cards: Vec<Value>,
}

impl Library {
    async fn new(domain: &Domain, decks: usize, cards: usize) -> Self {
        let user = domain.user().await;
        let mut library = Self { user, decks: Vec::new(), cards: Vec::new() };
        for _ in 0..decks {
            let (deck, cards) = domain.deck(user, cards).await;
            let reviews = ["AGAIN", "GOOD"].map(|rating| domain.review(&cards[0], rating));
            domain.submit(user, reviews.to_vec()).await;
            library.decks.push(of("Deck", deck));
            library.cards.extend(cards.iter().map(|card| of("Card", card)));
        }
        library
    }

    /// What is asked for, of what, with the number of statements in SQLite and of commands in MongoDB.
    fn operations(&self) -> [(&'static str, Vec<Value>, u64, u64); 6] {
        let me = || vec![of("User", self.user)];
        let mixed = self.decks.iter().chain(&self.cards).cloned().collect();
        [
            ("... on Deck { counts { total } recallScore }", self.decks.clone(), 3, 4),
            ("... on Card { state due retrievability }", self.cards.clone(), 2, 2),
            (
                "... on Card { stability reviews(first: 9) { nodes { id } edges { cursor } } }",
                self.cards.clone(),
                3,
                3,
            ),
            ("__typename", mixed, 5, 6),
            (
                "... on User { studyQueue { card { id reviews { nodes { id } } } previews { due } } }",
                me(),
                10,
                10,
            ),
            ("... on User { stats { dueToday streakDays } }", me(), 4, 6),
        ]
    }
}

async fn run(domain: &Domain, user: UserId, selection: &str, of: &[Value]) {
    let query =
        format!("query($of: [_Any!]!) {{ _entities(representations: $of) {{ {selection} }} }}");
    let data = domain.data(user, &query, json!({ "of": of })).await;
    let entities = data["_entities"].as_array().unwrap();
    assert!(entities.len() == of.len() && !entities.contains(&Value::Null), "{data}");
}

/// How much is counted, the least of some runs: once a second it is looked for undelivered events as well.
async fn least<F: Future<Output = ()>>(count: impl Fn() -> u64, run: impl Fn() -> F) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = count();
        run().await;
        least = least.min(count() - before);
    }
    least
}

#[tokio::test]
async fn statements_do_not_grow_with_rows_in_sqlite() {
    let (domain, sqlite) = Domain::sqlite().await;
    for (decks, cards) in [(2, 3), (10, 20)] {
        let library = Library::new(&domain, decks, cards).await;
        for (selection, of, expected, _) in library.operations() {
            let count = || sqlite.statements();
            let counted = least(count, || run(&domain, library.user, selection, &of)).await;
            assert_eq!(counted, expected, "{selection}");
        }
    }
}

#[tokio::test]
async fn commands_do_not_grow_with_rows_in_mongodb() {
    let (domain, mongo) = Domain::mongo().await;
    for (decks, cards) in [(2, 3), (10, 20)] {
        let library = Library::new(&domain, decks, cards).await;
        for (selection, of, _, expected) in library.operations() {
            let count = || mongo.commands();
            let counted = least(count, || run(&domain, library.user, selection, &of)).await;
            assert_eq!(counted, expected, "{selection}");
        }
    }
}

#[tokio::test]
async fn commands_of_a_submission_do_not_grow_with_reviews_in_mongodb() {
    let (domain, mongo) = Domain::mongo().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 40).await;
    let mut counts = Vec::new();
    for cards in [&cards[..1], &cards[1..]] {
        let submit = async || {
            let reviews = cards.iter().map(|card| domain.review(card, "GOOD")).collect();
            domain.submit(user, reviews).await;
        };
        counts.push(least(|| mongo.commands(), submit).await);
    }
    // The person, decks, presets; the cards, the known entries; the rules, the number of the change, the log, the sums before and after, the cards, the event; the
    // commit; the event read, and forgotten once it was delivered.
    assert_eq!(counts, [15, 15]);
}
