//! Phones: what they keep of learning comes from `learningChanges` alone, and what they did offline is sent until it is answered for. Whatever happens on
//! the way, they end with what an online client sees.

use std::collections::BTreeMap;

use common::event::CardChanged;
use common::{Event, ReviewId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Domain, SUBMIT, of};

const CHANGES: &str = "{ nodes { id state due suspended flag reps lapses stability } tombstones { id } settingsChanged nextCursor hasMore resetRequired }";
const CARDS: &str = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Card { id state due suspended flag reps lapses stability } } }";

/// A device with a clock of its own, which is wrong by some minutes.
struct Phone {
    user: UserId,
    skew: SignedDuration,
    cursor: Option<String>,
    cards: BTreeMap<String, Value>,
    reviews: Vec<Value>,
    changes: Vec<Value>,
}

impl Phone {
    fn new(user: UserId, skew_minutes: i64) -> Self {
        let skew = SignedDuration::from_mins(skew_minutes);
        Self { user, skew, cursor: None, cards: BTreeMap::new(), reviews: vec![], changes: vec![] }
    }

    fn now(&self, domain: &Domain) -> String {
        (domain.clock.now() + self.skew).to_string()
    }

    fn review(&mut self, domain: &Domain, card: &str, rating: &str) {
        let mut review = domain.review(card, rating);
        review["reviewedAt"] = self.now(domain).into();
        review["timeZone"] = "Europe/Zurich".into();
        self.reviews.push(review);
    }

    fn change(&mut self, domain: &Domain, card: &str, action: &str) {
        let (id, at) = (ReviewId::new().to_string(), self.now(domain));
        self.changes.push(json!({ "id": id, "cardId": card, "action": action, "at": at }));
    }

    /// Sends what was done offline, in no order. When the answer is lost, all of it is kept to be sent again.
    async fn send(&mut self, domain: &Domain, answer_is_lost: bool) {
        let mutation = "mutation($changes: [CardChangeInput!]!) { changeCards(input: {changes: $changes}) { results { status } } }";
        let mut backward = self.reviews.clone();
        backward.reverse();
        if !backward.is_empty() {
            domain.data(self.user, SUBMIT, json!({ "reviews": backward })).await;
        }
        if !self.changes.is_empty() {
            domain.data(self.user, mutation, json!({ "changes": self.changes })).await;
        }
        if !answer_is_lost {
            self.reviews.clear();
            self.changes.clear();
        }
    }

    /// Reads what changed, two cards at a time. A lost answer is asked for again.
    async fn pull(&mut self, domain: &Domain) {
        loop {
            let since = self.cursor.as_ref().map(|cursor| format!(", since: \"{cursor}\""));
            let field = format!("learningChanges(first: 2{}) {CHANGES}", since.unwrap_or_default());
            let lost = domain.mine(self.user, &field).await;
            let page = domain.mine(self.user, &field).await;
            assert_eq!(lost["nodes"], page["nodes"], "asking again gives the same");
            if page["resetRequired"] == true {
                self.cursor = None;
                self.cards.clear();
                continue;
            }
            for card in page["nodes"].as_array().unwrap() {
                self.cards.insert(card["id"].as_str().unwrap().to_owned(), card.clone());
            }
            for gone in page["tombstones"].as_array().unwrap() {
                self.cards.remove(gone["id"].as_str().unwrap());
            }
            self.cursor = Some(page["nextCursor"].as_str().unwrap().to_owned());
            if page["hasMore"] == false {
                return;
            }
        }
    }
}

/// What an online client sees.
async fn online(domain: &Domain, user: UserId, cards: &[String]) -> BTreeMap<String, Value> {
    let wanted: Vec<Value> = cards.iter().map(|card| of("Card", card)).collect();
    let data = domain.data(user, CARDS, json!({ "of": wanted })).await;
    let there = data["_entities"].as_array().unwrap().iter().filter(|card| !card.is_null());
    there.map(|card| (card["id"].as_str().unwrap().to_owned(), card.clone())).collect()
}

#[tokio::test]
async fn phones_converge_in_sqlite() {
    phones_converge(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn phones_converge_in_mongodb() {
    phones_converge(&Domain::mongo().await.0).await;
}

async fn phones_converge(domain: &Domain) {
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 7).await;
    let (mut left, mut right) = (Phone::new(user, 9), Phone::new(user, -50));
    left.pull(domain).await;
    assert_eq!(left.cards, online(domain, user, &cards).await);

    // Both are offline for some days, and study the same cards.
    for (day, ratings) in [["GOOD", "EASY"], ["GOOD", "AGAIN"], ["HARD", "GOOD"]].iter().enumerate()
    {
        for (nth, card) in cards.iter().take(5).enumerate() {
            if (nth + day).is_multiple_of(2) {
                left.review(domain, card, ratings[nth % 2]);
            }
            if nth != day {
                right.review(domain, card, ratings[(nth + 1) % 2]);
            }
            domain.clock.advance(SignedDuration::from_mins(7));
        }
        domain.clock.advance(SignedDuration::from_hours(23));
    }
    left.change(domain, &cards[0], "SUSPEND");
    right.change(domain, &cards[0], "UNSUSPEND");
    right.change(domain, &cards[5], "RESET");

    // One of them meets a dead spot: its answer is lost, and it sends all of it again later.
    right.send(domain, true).await;
    left.send(domain, false).await;
    right.pull(domain).await;
    right.review(domain, &cards[1], "GOOD");
    right.send(domain, false).await;
    // Meanwhile a card was deleted elsewhere.
    let gone = CardChanged {
        card: cards[6].parse().unwrap(),
        deck: deck.parse().unwrap(),
        owner: user,
        version: 2,
        deleted: true,
        position: 6,
        created_at: domain.clock.now(),
        note: None,
        tags: Vec::new(),
    };
    domain.tell(vec![Event::Card(gone)]).await;
    for phone in [&mut left, &mut right] {
        phone.pull(domain).await;
        let seen = online(domain, user, &cards).await;
        assert_eq!(seen.len(), 6);
        assert_eq!(phone.cards, seen);
    }
    assert_eq!(left.cards[&cards[0]]["suspended"], true, "the later of the two by their clocks");
    let results =
        domain.mine(user, "statistics(from: \"2026-11-20\", to: \"2026-12-20\") { reviews }").await;
    let sent = 8 + 12 + 1;
    assert_eq!(results["reviews"], sent, "each review counts once, however often it was sent");

    // Another one that starts from nothing sees the same.
    let mut fresh = Phone::new(user, 0);
    fresh.pull(domain).await;
    assert_eq!(fresh.cards, left.cards);
}

#[tokio::test]
async fn a_cursor_that_is_too_old_or_from_the_future_starts_over() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 3).await;
    let mut phone = Phone::new(user, 0);
    phone.pull(&domain).await;
    let ask = async |cursor: &str| {
        let field = format!("learningChanges(since: \"{cursor}\") {CHANGES}");
        domain.mine(user, &field).await
    };
    let cursor = phone.cursor.clone().unwrap();
    let nothing = ask(&cursor).await;
    assert_eq!((&nothing["nodes"], &nothing["resetRequired"]), (&json!([]), &json!(false)));
    domain.clock.advance(SignedDuration::from_hours(24 * 180));
    assert_eq!(ask(&cursor).await["resetRequired"], false);
    domain.clock.advance(SignedDuration::from_secs(1));
    let reset = ask(&cursor).await;
    assert_eq!((&reset["resetRequired"], &reset["nextCursor"]), (&json!(true), &Value::Null));
    phone.pull(&domain).await;
    assert_eq!(phone.cards.len(), cards.len());

    // As after a backup was brought back: the device has seen changes that are not there any more.
    let now: Timestamp = domain.clock.now();
    let ahead = (999_999_i64, common::CardId::new(), now.as_millisecond());
    let ahead = common::page::encode_cursor(&ahead);
    assert_eq!(ask(&ahead).await["resetRequired"], true);
}

#[tokio::test]
async fn changed_settings_are_told() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, _) = domain.deck(user, 1).await;
    let mut phone = Phone::new(user, 0);
    phone.pull(&domain).await;
    let changed = async |cursor: &str| {
        domain
            .mine(
                user,
                &format!("learningChanges(since: \"{cursor}\") {{ settingsChanged nextCursor }}"),
            )
            .await
    };
    let before = phone.cursor.clone().unwrap();
    assert_eq!(changed(&before).await["settingsChanged"], false);
    let set =
        "mutation($input: SetDeckSettingsInput!) { setDeckSettings(input: $input) { deckId } }";
    domain
        .data(user, set, json!({ "input": { "deckId": deck, "settings": { "newPerDay": 1 } } }))
        .await;
    let told = changed(&before).await;
    assert_eq!(told["settingsChanged"], true);
    assert_eq!(changed(told["nextCursor"].as_str().unwrap()).await["settingsChanged"], false);
}
