//! Two phones of one person that are mostly offline: each keeps a copy of the collection and of what was learned, notes what its person does, sends it
//! when it is online, and reads what changed. Requests get lost, and so do answers; their clocks are wrong; they edit the same things. In the end both have
//! what somebody has who reads everything anew.

use std::collections::{BTreeMap, VecDeque};

use common::Clock;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Domains;

/// How many things are done in one run.
const STEPS: usize = 120;

const DECK_CHANGES: &str =
    "nextCursor hasMore resetRequired tombstones { id } nodes { __typename id
    ... on Deck { name archived version position cardCount parent { id } }
    ... on Note { version tags fields { name value } cards { id } }
    ... on Card { question answer version position deck { id } note { id } } }";
const LEARNING_CHANGES: &str = "nextCursor hasMore resetRequired tombstones { id }
    nodes { id state due reps lapses suspended flag stability }";

/// Chance that is the same in each run.
struct Chance(u64);

impl Chance {
    /// A number below `most`.
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    fn id(&mut self) -> String {
        let high = (0..16).fold(0u128, |id, _| (id << 8) | self.below(256) as u128);
        uuid::Uuid::from_u128(high).to_string()
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        if list.is_empty() { None } else { list.get(self.below(list.len())) }
    }
}

/// What a phone's person did, to be sent.
#[derive(Debug, Clone)]
struct Deed {
    in_learning: bool,
    document: &'static str,
    input: Value,
}

/// What a phone keeps of one domain.
#[derive(Debug, Clone, Default, PartialEq)]
struct Copy {
    nodes: BTreeMap<String, Value>,
    cursor: Value,
}

impl Copy {
    /// Takes a page in; answers whether there is more.
    fn take(&mut self, page: &Value) -> bool {
        if page["resetRequired"] == true {
            *self = Self::default();
            return true;
        }
        for node in page["nodes"].as_array().unwrap() {
            self.nodes.insert(text(&node["id"]), node.clone());
        }
        for gone in page["tombstones"].as_array().unwrap() {
            self.nodes.remove(&text(&gone["id"]));
        }
        self.cursor = page["nextCursor"].clone();
        page["hasMore"] == true
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

struct Phone {
    collection: Copy,
    learned: Copy,
    deeds: VecDeque<Deed>,
    /// How wrong its clock is.
    skew: SignedDuration,
}

impl Phone {
    fn new(skew: SignedDuration) -> Self {
        let (collection, learned, deeds) = (Copy::default(), Copy::default(), VecDeque::new());
        Self { collection, learned, deeds, skew }
    }

    fn all(&self, typename: &str) -> Vec<Value> {
        let is = |node: &&Value| node["__typename"] == typename;
        self.collection.nodes.values().filter(is).cloned().collect()
    }

    /// Notes something that its person does with what the phone has.
    fn act(&mut self, chance: &mut Chance, clock: &Clock) {
        let (decks, notes, cards) = (self.all("Deck"), self.all("Note"), self.all("Card"));
        let word = ["sun", "moon", "star"][chance.below(3)];
        let what = chance.below(16);
        let (deck, note, card) = (chance.of(&decks), chance.of(&notes), chance.of(&cards));
        let fields =
            json!([{ "name": "Front", "value": word }, { "name": "Back", "value": chance.id() }]);
        let at = (clock.now() + self.skew).to_string();
        let deed = |document, input| Some(Deed { in_learning: false, document, input });
        let done = match (what, deck, note, card) {
            (0, ..) => deed(
                "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }",
                json!({ "id": chance.id(), "name": word, "parentId": deck.map(|deck| &deck["id"]) }),
            ),
            (1..=3, Some(deck), ..) => deed(
                "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { id } } }",
                json!({ "deckId": deck["id"], "notes": [{
                    "id": chance.id(), "type": (["BASIC", "BASIC_REVERSED"][chance.below(2)]),
                    "fields": fields, "tags": [word] }] }),
            ),
            (4, Some(deck), ..) => deed(
                "mutation($input: UpdateDeckInput!) { updateDeck(input: $input) { deck { id } } }",
                json!({ "id": deck["id"], "name": word, "archived": chance.below(4) == 0,
                    "expectedVersion": deck["version"] }),
            ),
            (5 | 6, _, Some(note), _) => deed(
                "mutation($input: UpdateNotesInput!) { updateNotes(input: $input) { notes { id } } }",
                json!({ "notes": [{ "id": note["id"], "fields": fields, "tags": [word],
                    "expectedVersion": note["version"] }] }),
            ),
            (7, _, Some(note), _) => deed(
                "mutation($input: DeleteNotesInput!) { deleteNotes(input: $input) { trashId } }",
                json!({ "ids": [note["id"]] }),
            ),
            (8, Some(deck), _, Some(card)) => deed(
                "mutation($input: MoveCardsInput!) { moveCards(input: $input) { cards { id } } }",
                json!({ "cardIds": [card["id"]], "deckId": deck["id"] }),
            ),
            (9, ..) => deed(
                "mutation($input: RenameTagInput!) { renameTag(input: $input) { changedNotes } }",
                json!({ "tag": word, "to": (["sun", "moon::new"][chance.below(2)]) }),
            ),
            (10, Some(deck), ..) if chance.below(8) == 0 => deed(
                "mutation($input: DeleteDeckInput!) { deleteDeck(input: $input) { trashId } }",
                json!({ "id": deck["id"] }),
            ),
            (11, Some(deck), ..) => deed(
                "mutation($input: MoveDeckInput!) { moveDeck(input: $input) { deck { id } } }",
                json!({ "id": deck["id"], "parentId": chance.of(&decks).map(|deck| &deck["id"]) }),
            ),
            (12, _, _, Some(card)) => Some(Deed {
                in_learning: true,
                document: "mutation($input: ChangeCardsInput!) { changeCards(input: $input) { results { status } } }",
                input: json!({ "changes": [{ "id": chance.id(), "cardId": card["id"], "at": at,
                    "action": (["SUSPEND", "UNSUSPEND", "RESET"][chance.below(3)]) }] }),
            }),
            (_, _, _, Some(card)) => Some(Deed {
                in_learning: true,
                document: "mutation($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }",
                input: json!({ "reviews": [{ "id": chance.id(), "cardId": card["id"], "reviewedAt": at,
                    "rating": (["AGAIN", "HARD", "GOOD", "EASY"][chance.below(4)]) }] }),
            }),
            _ => None,
        };
        self.deeds.extend(done);
    }

    /// Sends what was done, until something gets lost. What others did meanwhile is overwritten, once.
    async fn send(&mut self, domains: &Domains, chance: &mut Chance, loss: usize) {
        while let Some(deed) = self.deeds.front().cloned() {
            if chance.below(100) < loss {
                return;
            }
            let domain = if deed.in_learning { &domains.learning } else { &domains.decks };
            let variables = json!({ "input": deed.input });
            let answer = domains.answer(domain, deed.document, variables).await;
            if chance.below(100) < loss {
                // It was done, and the phone does not know.
                return;
            }
            self.deeds.pop_front();
            match answer {
                Ok(data) => {
                    let results = data.pointer("/submitReviews/results").and_then(Value::as_array);
                    for result in results.into_iter().flatten() {
                        let status = text(&result["status"]);
                        assert!(["ACCEPTED", "DUPLICATE", "UNKNOWN_CARD"].contains(&&*status));
                    }
                }
                Err(error) if error.starts_with("OUTDATED") || error.starts_with("CONFLICT") => {
                    self.deeds.extend(without_version(deed));
                }
                // What it was about is gone, or lies elsewhere by now.
                Err(error) => {
                    let expected = ["NOT_FOUND", "BAD_USER_INPUT", "LIMIT_EXCEEDED"];
                    assert!(
                        expected.iter().any(|code| error.starts_with(code)),
                        "{deed:?}: {error}"
                    );
                }
            }
        }
    }

    /// Reads what changed in both domains, as far as nothing gets lost. Answers whether it read everything.
    async fn read(&mut self, domains: &Domains, chance: &mut Chance, loss: usize) -> bool {
        let parts = [
            (&domains.decks, &mut self.collection, "deckChanges", DECK_CHANGES),
            (&domains.learning, &mut self.learned, "learningChanges", LEARNING_CHANGES),
        ];
        for (domain, copy, field, fields) in parts {
            loop {
                let first = 1 + chance.below(20);
                let asked =
                    format!("{field}(since: {}, first: {first}) {{ {fields} }}", copy.cursor);
                let page = domains.person(domain, &asked).await[field].take();
                if chance.below(100) < loss {
                    return false;
                }
                if !copy.take(&page) {
                    break;
                }
            }
        }
        true
    }
}

/// The same edit whatever the version, if it expected one.
fn without_version(mut deed: Deed) -> Option<Deed> {
    let removed = [deed.input.as_object_mut()?.remove("expectedVersion")];
    let in_list = deed.input.pointer_mut("/notes/0").and_then(Value::as_object_mut);
    let in_list = in_list.and_then(|note| note.remove("expectedVersion"));
    removed.into_iter().flatten().next().or(in_list).map(|_| deed)
}

/// Everything, as somebody reads it who begins now.
async fn fresh(domains: &Domains, chance: &mut Chance) -> Phone {
    let mut reader = Phone::new(SignedDuration::ZERO);
    assert!(reader.read(domains, chance, 0).await);
    reader
}

/// What the lists of the online client have: names of decks, and ids of cards.
async fn online(domains: &Domains) -> BTreeMap<String, Value> {
    let fields = "decks(first: 500) { nodes { id name version archived } }";
    let decks = domains.person(&domains.decks, fields).await["decks"]["nodes"].take();
    let search = "{ searchCards(query: \"\", first: 500) { nodes { id question version } } }";
    let cards = domains.ask(&domains.decks, search, json!({})).await["searchCards"]["nodes"].take();
    let lists = [decks, cards];
    let nodes = lists.iter().flat_map(|list| list.as_array().unwrap());
    nodes.map(|node| (text(&node["id"]), node.clone())).collect()
}

/// Answers how many things that was, and how many of them were studied.
async fn both_end_with_what_is_there(domains: Domains, clock: Clock, seed: u64) -> [usize; 2] {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let hours = SignedDuration::from_hours;
    let mut phones = [Phone::new(hours(-3)), Phone::new(hours(5))];
    let create = "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
    for name in ["first", "second", "third"] {
        domains.change(create, json!({ "name": name })).await;
    }
    for phone in &mut phones {
        assert!(phone.read(&domains, &mut chance, 0).await);
    }
    for step in 0..STEPS {
        clock.advance(SignedDuration::from_mins(7));
        if step == STEPS / 2 {
            // A long holiday: what the phones know of the collection is too old now.
            clock.advance(hours(31 * 24));
        }
        let phone = &mut phones[chance.below(2)];
        phone.act(&mut chance, &clock);
        if chance.below(4) == 0 {
            phone.send(&domains, &mut chance, 25).await;
            phone.read(&domains, &mut chance, 25).await;
        }
    }
    for phone in &mut phones {
        // The connection gets better, and then good.
        for loss in [30, 10, 0] {
            phone.send(&domains, &mut chance, loss).await;
        }
        assert!(phone.deeds.is_empty());
    }
    let reader = fresh(&domains, &mut chance).await;
    for phone in &mut phones {
        while !phone.read(&domains, &mut chance, 20).await {}
        assert_eq!(phone.collection.nodes, reader.collection.nodes, "seed {seed}");
        assert_eq!(phone.learned.nodes, reader.learned.nodes, "seed {seed}");
    }
    let online = online(&domains).await;
    let kept = &reader.collection.nodes;
    let listed = kept.values().filter(|node| node["__typename"] != "Note").count();
    assert_eq!(online.len(), listed);
    for (id, node) in online {
        for (name, value) in node.as_object().unwrap() {
            assert_eq!(&kept[&id][name], value, "{name} of {id}");
        }
    }
    let cards = kept.iter().filter(|(_, node)| node["__typename"] == "Card").map(|(id, _)| id);
    assert!(cards.eq(reader.learned.nodes.keys()), "learning has the same cards");
    let studied = reader.learned.nodes.values().filter(|card| card["reps"].as_i64() > Some(0));
    [kept.len(), studied.count()]
}

fn clock() -> Clock {
    Clock::manual("2026-11-24T09:30:00Z".parse().unwrap())
}

#[tokio::test]
async fn in_sqlite() {
    let mut counts = [0, 0];
    for seed in 1..=12 {
        let clock = clock();
        let there = both_end_with_what_is_there(Domains::sqlite(&clock).await, clock, seed).await;
        counts = [counts[0] + there[0], counts[1] + there[1]];
    }
    assert!(counts[0] > 100 && counts[1] > 9, "{counts:?} is little to say anything of");
}

#[tokio::test]
async fn in_mongodb() {
    for seed in 1..=2 {
        let clock = clock();
        both_end_with_what_is_there(Domains::mongo(&clock).await, clock, seed).await;
    }
}
