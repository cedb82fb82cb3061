//! What is learned of cards is found by the search in decks; what is put aside, or tagged anew, in decks is so in learning: the two domains
//! together, on both stores, with nothing between them but events.

use std::sync::Arc;
use std::time::Duration;

use common::{Clock, Later, testing};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Domains;

fn clock() -> Clock {
    Clock::manual("2026-11-24T09:30:00Z".parse().unwrap())
}

const CREATE_DECK: &str =
    "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
const CREATE_NOTES: &str = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { id cards { id } } } }";
const SUBMIT: &str =
    "mutation($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }";
const ACT: &str = "mutation($input: ChangeCardsInput!) { changeCards(input: $input) { results { status reason } } }";
const UPDATE_DECK: &str =
    "mutation($input: UpdateDeckInput!) { updateDeck(input: $input) { deck { archived } } }";

/// A person at two domains, with short ways to use them.
struct World {
    domains: Domains,
    clock: Clock,
}

impl World {
    async fn deck(&self, name: &str, parent: &Value) -> Value {
        let input = json!({ "name": name, "parentId": parent });
        self.domains.change(CREATE_DECK, input).await["createDeck"]["deck"]["id"].take()
    }

    /// The note's id and that of its card.
    async fn note(&self, deck: &Value, question: &str, tag: &str) -> (Value, Value) {
        let fields =
            json!([{ "name": "Front", "value": question }, { "name": "Back", "value": "a" }]);
        let note = json!({ "fields": fields, "tags": [tag] });
        let input = json!({ "deckId": deck, "notes": [note] });
        let mut data = self.domains.change(CREATE_NOTES, input).await;
        let note = data["createNotes"]["notes"][0].take();
        (note["id"].clone(), note["cards"][0]["id"].clone())
    }

    async fn review(&self, card: &Value, rating: &str) -> Value {
        let (id, at) = (json!(uuid::Uuid::new_v4()), self.clock.now().to_string());
        let review = json!({ "id": id, "cardId": card, "rating": rating, "reviewedAt": at });
        let input = json!({ "input": { "reviews": [review] } });
        let data = self.domains.ask(&self.domains.learning, SUBMIT, input).await;
        assert_eq!(data["submitReviews"]["results"][0]["status"], "ACCEPTED");
        self.clock.advance(SignedDuration::from_secs(1));
        id
    }

    async fn act(&self, card: &Value, action: &str) {
        let (id, at) = (uuid::Uuid::new_v4(), self.clock.now().to_string());
        let change = json!({ "id": id, "cardId": card, "action": action, "at": at });
        let input = json!({ "input": { "changes": [change] } });
        let data = self.domains.ask(&self.domains.learning, ACT, input).await;
        assert_eq!(data["changeCards"]["results"][0]["status"], "ACCEPTED", "{data}");
        self.clock.advance(SignedDuration::from_secs(1));
    }

    /// The questions of the cards that are found, by name.
    async fn found(&self, query: &str) -> Vec<String> {
        let search = "query($query: String!) { searchCards(query: $query) { nodes { question } } }";
        let data = self.domains.ask(&self.domains.decks, search, json!({ "query": query })).await;
        questions(&data["searchCards"]["nodes"])
    }

    async fn put_aside(&self, deck: &Value, archived: bool) {
        self.domains.change(UPDATE_DECK, json!({ "id": deck, "archived": archived })).await;
    }

    /// How many cards the study queue has, and what the numbers say.
    async fn to_study(&self, arguments: &str) -> usize {
        let fields = format!("studyQueue(limit: 99{arguments}) {{ card {{ id }} }}");
        let data = self.domains.person(&self.domains.learning, &fields).await;
        data["studyQueue"].as_array().unwrap().len()
    }
}

fn questions(nodes: &Value) -> Vec<String> {
    let text = |node: &Value| node["question"].as_str().unwrap().to_owned();
    let mut found: Vec<String> = nodes.as_array().unwrap().iter().map(text).collect();
    found.sort_unstable();
    found
}

async fn worlds() -> [World; 2] {
    let [first, second] = [clock(), clock()];
    let (sqlite, mongo) = (Domains::sqlite(&first).await, Domains::mongo(&second).await);
    [World { domains: sqlite, clock: first }, World { domains: mongo, clock: second }]
}

#[tokio::test]
async fn what_is_learned_is_found_at_once() {
    for world in worlds().await {
        let deck = world.deck("deck", &Value::Null).await;
        let (_, one) = world.note(&deck, "one", "t").await;
        let (_, two) = world.note(&deck, "two", "t").await;
        assert_eq!(world.found("is:new").await, ["one", "two"]);
        world.review(&one, "EASY").await;
        let again = world.review(&two, "AGAIN").await;
        assert_eq!(world.found("is:new").await, [""; 0]);
        assert_eq!(world.found("is:learning").await, ["two"]);
        assert_eq!(world.found("is:review").await, ["one"]);
        assert_eq!(world.found("is:due").await, ["two"]);
        assert_eq!(world.found("rated:1").await, ["one", "two"]);
        assert_eq!(world.found("rated:1:1").await, ["two"]);
        // What the search finds is what learning counts.
        let stats = world.domains.person(&world.domains.learning, "stats { dueToday newCards }");
        assert_eq!(stats.await["stats"], json!({ "dueToday": 1, "newCards": 0 }));

        world.act(&two, "SUSPEND").await;
        world.act(&one, "BURY").await;
        assert_eq!(world.found("is:suspended").await, ["two"]);
        assert_eq!(world.found("is:buried").await, ["one"]);
        assert_eq!(world.found("is:due").await, [""; 0]);
        let undo = "mutation($input: UndoReviewsInput!) { undoReviews(input: $input) { results { status } } }";
        let at = world.clock.now().to_string();
        let undone = json!({ "id": uuid::Uuid::new_v4(), "reviewId": again, "at": at });
        let input = json!({ "input": { "undos": [undone] } });
        world.domains.ask(&world.domains.learning, undo, input).await;
        assert_eq!(world.found("is:new").await, ["two"]);
        assert_eq!(world.found("rated:1").await, ["one"]);
        world.clock.advance(SignedDuration::from_hours(24 * 30));
        assert_eq!(world.found("is:due").await, ["one"]);
        assert_eq!(world.found("-rated:30").await, ["one", "two"]);
    }
}

#[tokio::test]
async fn what_is_put_aside_is_not_learned() {
    for world in worlds().await {
        let shelf = world.deck("shelf", &Value::Null).await;
        let inner = world.deck("inner", &shelf).await;
        let other = world.deck("other", &Value::Null).await;
        for deck in [&inner, &inner, &other] {
            world.note(deck, "q", "t").await;
        }
        let (_, card) = world.note(&inner, "q", "t").await;
        world.review(&card, "AGAIN").await;
        world.clock.advance(SignedDuration::from_mins(2));
        assert_eq!(world.to_study("").await, 4);
        let counts = async || {
            let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Deck { counts { new learning total } } } }";
            let of = json!({ "of": [{ "__typename": "Deck", "id": inner }] });
            let mut data = world.domains.ask(&world.domains.learning, query, of).await;
            data["_entities"][0]["counts"].take()
        };
        assert_eq!(counts().await, json!({ "new": 2, "learning": 1, "total": 3 }));

        world.put_aside(&shelf, true).await;
        assert_eq!(world.to_study("").await, 1, "only the other deck's");
        assert_eq!(world.to_study(&format!(", deckId: {inner}")).await, 0);
        assert_eq!(counts().await, json!({ "new": 0, "learning": 0, "total": 3 }));
        let numbers = "stats { dueToday newCards reviewsToday } statistics { reviews } forecast(days: 1) { due }";
        let numbers = world.domains.person(&world.domains.learning, numbers).await;
        let stats = json!({ "dueToday": 0, "newCards": 1, "reviewsToday": 1 });
        assert_eq!(numbers["stats"], stats);
        assert_eq!(numbers["statistics"]["reviews"], 1, "what was done was done");
        assert_eq!(numbers["forecast"][0]["due"], 0);
        assert_eq!(world.found("is:due").await, [""; 0]);

        // Out of what is put aside it comes again, and so does all once it is taken back.
        let r#move = "mutation($input: MoveDeckInput!) { moveDeck(input: $input) { deck { id } } }";
        world.domains.change(r#move, json!({ "id": inner })).await;
        assert_eq!(world.to_study("").await, 4);
        world.domains.change(r#move, json!({ "id": inner, "parentId": shelf })).await;
        assert_eq!(world.to_study("").await, 1);
        world.put_aside(&shelf, false).await;
        assert_eq!(world.to_study("").await, 4);
        assert_eq!(world.found("is:due").await, ["q"]);
    }
}

#[tokio::test]
async fn a_tag_that_is_renamed_in_the_trash_is_right_once_restored() {
    const DELETE: &str =
        "mutation($input: DeleteDeckInput!) { deleteDeck(input: $input) { trashId } }";
    const RESTORE: &str = "mutation($input: RestoreDeletedInput!) { restoreDeleted(input: $input) { restored { id } } }";
    const RENAME: &str =
        "mutation($input: RenameTagInput!) { renameTag(input: $input) { changedNotes } }";
    const EDIT: &str =
        "mutation($input: UpdateNotesInput!) { updateNotes(input: $input) { notes { id } } }";
    const MOVE: &str =
        "mutation($input: MoveCardsInput!) { moveCards(input: $input) { cards { id } } }";
    for world in worlds().await {
        let tagged = async |tag: &str| world.to_study(&format!(", tag: \"{tag}\"")).await;
        let deck = world.deck("deck", &Value::Null).await;
        let stays = world.deck("stays", &Value::Null).await;
        world.note(&deck, "q", "old").await;
        // A note with a card in either deck.
        let text = |text: &str| json!([{ "name": "Text", "value": text }]);
        let cloze =
            json!([{ "type": "CLOZE", "fields": text("{{c1::a}} {{c2::b}}"), "tags": ["both"] }]);
        let mut data =
            world.domains.change(CREATE_NOTES, json!({ "deckId": stays, "notes": cloze })).await;
        let note = data["createNotes"]["notes"][0].take();
        let to = json!({ "cardIds": [note["cards"][1]["id"]], "deckId": deck });
        world.domains.change(MOVE, to).await;
        assert_eq!((tagged("old").await, tagged("both").await), (1, 2));

        let data = world.domains.change(DELETE, json!({ "id": deck })).await;
        assert_eq!((tagged("old").await, tagged("both").await), (0, 1));
        world.domains.change(RENAME, json!({ "tag": "old", "to": "new" })).await;
        let edit = json!({ "notes": [{ "id": note["id"], "tags": ["edited"] }] });
        world.domains.change(EDIT, edit).await;
        assert_eq!((tagged("new").await, tagged("edited").await), (0, 1), "nothing came back");
        let trash = json!({ "trashId": data["deleteDeck"]["trashId"] });
        world.domains.change(RESTORE, trash).await;
        assert_eq!((tagged("old").await, tagged("both").await), (0, 0));
        assert_eq!((tagged("new").await, tagged("edited").await), (1, 2));
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_is_delivered_later() {
    let clock = clock();
    let (later, learned_of) = (Later::new("decks"), Later::new("learning"));
    let (_first, sqlite) = testing::sqlite(learning::MIGRATIONS);
    let backend = common::Backend::Sqlite(sqlite);
    let learning = learning::open(backend, vec![later.clone()], clock.clone()).await.unwrap();
    learned_of.is(&learning);
    let (_second, sqlite) = testing::sqlite(decks::MIGRATIONS);
    let backend = common::Backend::Sqlite(sqlite);
    let decks = decks::open(backend, vec![learned_of], clock.clone()).await.unwrap();
    let domains = Domains::of(Arc::clone(&decks), Arc::clone(&learning));
    let world = World { domains, clock };
    let deck = world.deck("deck", &Value::Null).await;
    let (_, card) = world.note(&deck, "one", "t").await;
    // Decks cannot be told: the review is accepted all the same, and nothing of it is known there.
    world.review(&card, "EASY").await;
    assert_eq!(world.found("is:new").await, ["one"]);
    later.is(&decks);
    let waited = async {
        while world.found("is:review").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited).await.unwrap();
    assert_eq!(world.found("rated:1:4").await, ["one"]);
}
