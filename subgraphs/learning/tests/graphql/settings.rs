//! Settings of decks: read, set, inherited, reset, and what they do to the queue.

use common::event::DeckChanged;
use common::{DeckId, Event, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Domain, caller, of};

const SET: &str = "mutation($input: SetDeckSettingsInput!) { setDeckSettings(input: $input) {
    deckId settings { version presetId own { newPerDay learningSteps } effective { newPerDay desiredRetention } }
} }";
const RESET: &str = "mutation($input: ResetDeckSettingsInput!) { resetDeckSettings(input: $input) {
    settings { version own { newPerDay } effective { newPerDay } }
} }";
const PRESET: &str = "mutation($input: SaveStudyPresetInput!) { saveStudyPreset(input: $input) {
    preset { id name version own { newPerDay } effective { newPerDay reviewsPerDay } }
} }";
const DELETE: &str =
    "mutation($input: DeleteStudyPresetInput!) { deleteStudyPreset(input: $input) { deletedId } }";

/// A deck within another.
async fn child(domain: &Domain, owner: UserId, parent: &str) -> String {
    let deck = DeckId::new();
    let parent = Some(parent.parse().unwrap());
    let told = DeckChanged { deck, owner, version: 1, deleted: false, parent, archived: None };
    domain.tell(vec![Event::Deck(told)]).await;
    deck.to_string()
}

async fn effective(domain: &Domain, user: UserId, deck: &str, field: &str) -> Value {
    let query = format!(
        "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on Deck {{ studySettings {{ effective {{ it: {field} }} }} }} }} }}"
    );
    let data = domain.data(user, &query, json!({ "of": [of("Deck", deck)] })).await;
    data["_entities"][0]["studySettings"]["effective"]["it"].clone()
}

#[tokio::test]
async fn settings_are_inherited_and_reset_in_sqlite() {
    settings_are_inherited_and_reset(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn settings_are_inherited_and_reset_in_mongodb() {
    settings_are_inherited_and_reset(&Domain::mongo().await.0).await;
}

async fn settings_are_inherited_and_reset(domain: &Domain) {
    let user = domain.user().await;
    let (top, _) = domain.deck(user, 0).await;
    let leaf = child(domain, user, &top).await;
    assert_eq!(effective(domain, user, &leaf, "desiredRetention").await, json!(0.9));
    let settings = json!({ "newPerDay": 3, "desiredRetention": 0.85, "learningSteps": [60, 600] });
    let input = json!({ "deckId": top, "settings": settings, "expectedVersion": 0 });
    let set = domain.data(user, SET, json!({ "input": input })).await;
    assert_eq!(
        set["setDeckSettings"],
        json!({ "deckId": top, "settings": {
            "version": 1, "presetId": null, "own": { "newPerDay": 3, "learningSteps": [60, 600] },
            "effective": { "newPerDay": 3, "desiredRetention": 0.85 },
        } })
    );
    assert_eq!(effective(domain, user, &leaf, "desiredRetention").await, json!(0.85));

    let preset = json!({ "name": " Hard ", "settings": { "newPerDay": 1 } });
    let made = domain.data(user, PRESET, json!({ "input": preset })).await;
    let made = &made["saveStudyPreset"]["preset"];
    assert_eq!((&made["name"], &made["version"]), (&json!("Hard"), &json!(1)));
    assert_eq!(made["effective"], json!({ "newPerDay": 1, "reviewsPerDay": 200 }));
    let input = json!({ "deckId": leaf, "presetId": made["id"], "settings": {} });
    domain.data(user, SET, json!({ "input": input })).await;
    assert_eq!(effective(domain, user, &leaf, "newPerDay").await, json!(1));
    assert_eq!(effective(domain, user, &leaf, "desiredRetention").await, json!(0.9));
    let presets = domain.mine(user, "studyPresets { id name }").await;
    assert_eq!(presets, json!([{ "id": made["id"], "name": "Hard" }]));

    let stale = json!({ "id": made["id"], "expectedVersion": 7 });
    let (code, _) = domain.error(caller(user), DELETE, json!({ "input": stale })).await;
    assert_eq!(code, "CONFLICT");
    let input = json!({ "id": made["id"], "expectedVersion": 1 });
    domain.data(user, DELETE, json!({ "input": input })).await;
    assert_eq!(effective(domain, user, &leaf, "newPerDay").await, json!(3), "inherited again");

    let stale = json!({ "deckId": top, "settings": {}, "expectedVersion": 0 });
    let (code, message) = domain.error(caller(user), SET, json!({ "input": stale })).await;
    assert!(code == "CONFLICT" && message.contains("version 1 by now, not 0"), "{message}");
    let input = json!({ "deckId": top, "expectedVersion": 1 });
    let reset = domain.data(user, RESET, json!({ "input": input })).await;
    assert_eq!(
        reset["resetDeckSettings"]["settings"],
        json!({ "version": 2, "own": { "newPerDay": null }, "effective": { "newPerDay": 20 } })
    );
}

#[tokio::test]
async fn what_is_out_of_range_is_refused_and_changes_nothing() {
    let (domain, _) = Domain::sqlite().await;
    let (user, stranger) = (domain.user().await, domain.user().await);
    let (deck, _) = domain.deck(user, 0).await;
    let unknown = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
    for (settings, message) in [
        (json!({ "newPerDay": -1 }), "input.settings.newPerDay: 0 to 9,999 are accepted"),
        (
            json!({ "desiredRetention": 0.5 }),
            "input.settings.desiredRetention: 0.7 to 0.99 is accepted",
        ),
        (
            json!({ "easyDays": ["NORMAL"] }),
            "input.settings.easyDays: seven are accepted, Monday to Sunday",
        ),
        (
            json!({ "learningSteps": [0] }),
            "input.settings.learningSteps: at most 20 steps of 1 to 2,592,000 seconds (30 days) are accepted",
        ),
    ] {
        let input = json!({ "deckId": deck, "settings": settings });
        let error = domain.error(caller(user), SET, json!({ "input": input })).await;
        assert_eq!(error, ("BAD_USER_INPUT".into(), message.into()));
    }
    for (who, deck, preset) in [
        (stranger, deck.as_str(), None),
        (user, unknown, None),
        (user, deck.as_str(), Some(unknown)),
    ] {
        let input = json!({ "deckId": deck, "presetId": preset, "settings": {} });
        let (code, _) = domain.error(caller(who), SET, json!({ "input": input })).await;
        assert_eq!(code, "NOT_FOUND");
    }
    for name in ["", " ", "two\nlines"] {
        let input = json!({ "name": name, "settings": {} });
        let (code, _) = domain.error(caller(user), PRESET, json!({ "input": input })).await;
        assert_eq!(code, "BAD_USER_INPUT");
    }
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Deck { studySettings { version } } } }";
    let data = domain.data(user, query, json!({ "of": [of("Deck", &deck)] })).await;
    assert_eq!(data["_entities"][0]["studySettings"]["version"], 0);
}

#[tokio::test]
async fn a_queue_keeps_the_settings_of_each_deck() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 6).await;
    let set = async |settings: Value| {
        let input = json!({ "deckId": deck, "settings": settings });
        domain.data(user, SET, json!({ "input": input })).await;
    };
    set(json!({ "newPerDay": 2, "learningSteps": [120], "learnAhead": 60, "fuzz": false })).await;
    assert_eq!(domain.queue(user).await, cards[..2]);
    let queue = domain.mine(user, "studyQueue(limit: 1) { previews { rating interval } }").await;
    assert_eq!(queue[0]["previews"][0], json!({ "rating": "AGAIN", "interval": 120.0 }));
    let more = domain.mine(user, "studyQueue(extraNew: 3) { card { id } }").await;
    assert_eq!(more.as_array().unwrap().len(), 5);
    domain
        .submit(user, vec![domain.review(&cards[0], "AGAIN"), domain.review(&cards[1], "EASY")])
        .await;
    assert_eq!(domain.queue(user).await, Vec::<String>::new(), "due in two minutes, one ahead");
    domain.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(domain.queue(user).await, cards[..1]);

    // A day later with a longer list of steps: what was learned stays learned.
    set(json!({ "learningSteps": [60, 600, 86_400], "newPerDay": 0, "fuzz": false })).await;
    domain.clock.advance(SignedDuration::from_hours(24 * 9));
    assert_eq!(domain.queue(user).await, cards[..2]);
    let result = domain.submit(user, vec![domain.review(&cards[1], "GOOD")]).await.remove(0);
    assert_eq!(result["card"]["state"], "REVIEW");
    let ahead = domain.mine(user, "studyQueue(aheadDays: 365) { card { id } }").await;
    assert_eq!(ahead.as_array().unwrap().len(), 2);
    let nothing = domain.mine(user, "studyQueue(tag: \"kanji\") { card { id } }").await;
    assert_eq!(nothing, json!([]));
}
