//! Tags through GraphQL: lists with numbers, tagging many notes, renaming and merging.

use crate::support::Domain;
use common::{Event, UserId};
use serde_json::{Value, json};

const TAG: &str =
    "mutation($input: TagNotesInput!) { tagNotes(input: $input) { notes { tags version } } }";
const RENAME: &str =
    "mutation($input: RenameTagInput!) { renameTag(input: $input) { changedNotes } }";
const MERGE: &str =
    "mutation($input: MergeTagsInput!) { mergeTags(input: $input) { changedNotes } }";

/// The tags with their numbers of notes: `a 2, b 1`.
async fn tags(domain: &Domain, user: UserId, arguments: &str) -> String {
    let query = format!(
        "query($me: _Any!) {{ _entities(representations: [$me]) {{ ... on User {{ tags{arguments} {{ nodes {{ name noteCount }} totalCount pageInfo {{ hasNextPage }} }} }} }} }}"
    );
    let me = json!({ "__typename": "User", "id": user.to_string() });
    let data = domain.data(user, &query, json!({ "me": me })).await;
    let tags = &data["_entities"][0]["tags"];
    let nodes = tags["nodes"].as_array().unwrap().iter();
    let seen = (tags["totalCount"].as_u64().unwrap(), tags["pageInfo"]["hasNextPage"].as_bool());
    assert_eq!(seen.0 > nodes.len() as u64, seen.1.unwrap(), "{tags}");
    let text = |tag: &Value| format!("{} {}", tag["name"].as_str().unwrap(), tag["noteCount"]);
    nodes.map(text).collect::<Vec<_>>().join(", ")
}

async fn notes(domain: &Domain, user: UserId, count: usize) -> Vec<String> {
    let deck = domain.deck(user, "deck").await;
    let fields = json!([{ "name": "Front", "value": "q" }, { "name": "Back", "value": "a" }]);
    let notes = json!(vec![json!({ "fields": fields }); count]);
    let notes = domain.notes(user, &deck, notes).await;
    let ids = notes.as_array().unwrap().iter();
    ids.map(|note| note["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn tags_are_given_counted_renamed_and_merged() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let ids = notes(&domain, user, 1_000).await;
        let tag = async |ids: &[String], add: &[&str], remove: &[&str]| {
            let input = json!({ "input": { "noteIds": ids, "add": add, "remove": remove } });
            domain.data(user, TAG, input).await["tagNotes"]["notes"].take()
        };
        let tagged = tag(&ids, &["Lang::fr", "all"], &[]).await;
        assert_eq!(tagged[999], json!({ "tags": ["all", "Lang::fr"], "version": 2 }));
        tag(&ids[..3], &["lang", "LANG::FR", "x"], &["ALL"]).await;
        assert_eq!(tags(&domain, user, "").await, "all 997, lang 3, Lang::fr 1000, x 3");
        assert_eq!(tags(&domain, user, "(first: 2)").await, "all 997, lang 3");
        assert_eq!(tags(&domain, user, "(below: \"LANG\")").await, "lang 3, Lang::fr 1000");

        let rename = async |tag: &str, to: &str| {
            let data =
                domain.data(user, RENAME, json!({ "input": { "tag": tag, "to": to } })).await;
            data["renameTag"]["changedNotes"].as_i64().unwrap()
        };
        assert_eq!(rename("lang", "language::of").await, 1_000);
        assert_eq!(
            tags(&domain, user, "").await,
            "all 997, language::of 3, language::of::fr 1000, x 3"
        );
        // Only the spelling, and below itself.
        assert_eq!(rename("all", "All").await, 997);
        assert_eq!(rename("x", "x::y").await, 3);
        assert_eq!(rename("none", "some").await, 0);
        assert_eq!(
            tags(&domain, user, "").await,
            "All 997, language::of 3, language::of::fr 1000, x::y 3"
        );

        let input = json!({ "input": { "tags": ["x::y", "language"], "into": "All" } });
        domain.data(user, MERGE, input).await;
        assert_eq!(tags(&domain, user, "").await, "All 1000, All::of 3, All::of::fr 1000");
        assert_eq!(tags(&domain, UserId::new(), "").await, "");
    }
}

#[tokio::test]
async fn what_cannot_be_a_tag_is_named_and_changes_nothing() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let ids = notes(&domain, user, 2).await;
    let input = json!({ "input": { "noteIds": ids, "add": ["a::b"] } });
    domain.data(user, TAG, input).await;
    let long = "x".repeat(99);
    for (document, input, start) in [
        (TAG, json!({ "noteIds": [] }), "input.noteIds: names 0 notes"),
        (TAG, json!({ "noteIds": [ids[0], ids[0]] }), "input.noteIds[1]"),
        (TAG, json!({ "noteIds": ids, "add": ["ok", "a::"] }), "input.add[1]: has an empty level"),
        (RENAME, json!({ "tag": "a", "to": "b c" }), "input.to: must not"),
        (RENAME, json!({ "tag": "a", "to": long }), "input.to: \"a::b\" would become"),
        (MERGE, json!({ "tags": [], "into": "x" }), "input.tags: names 0 tags"),
        (MERGE, json!({ "tags": ["q", "a"], "into": long }), "input.to: \"a::b\" would become"),
    ] {
        let (code, message) = domain.error(user, document, json!({ "input": input })).await;
        assert_eq!(code, "BAD_USER_INPUT", "{message}");
        assert!(message.starts_with(start), "{message}");
    }
    let missing = json!({ "input": { "noteIds": [ids[0], user.to_string()], "add": ["c"] } });
    assert_eq!(domain.error(user, TAG, missing).await.0, "NOT_FOUND");
    let foreign = json!({ "input": { "noteIds": ids, "add": ["c"] } });
    assert_eq!(domain.error(UserId::new(), TAG, foreign).await.0, "NOT_FOUND");
    assert_eq!(tags(&domain, user, "").await, "a::b 2");
}

#[tokio::test]
async fn others_hear_of_tags_also_of_cards_in_the_trash_with_their_deck() {
    let delete_notes =
        "mutation($input: DeleteNotesInput!) { deleteNotes(input: $input) { trashId } }";
    let delete_deck =
        "mutation($input: DeleteDeckInput!) { deleteDeck(input: $input) { trashId } }";
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let fields = json!([{ "name": "Front", "value": "q" }, { "name": "Back", "value": "a" }]);
        let note = json!({ "fields": fields, "tags": ["a"] });
        let notes = domain.notes(user, &deck, json!([note, note])).await;
        let input = json!({ "input": { "ids": [notes[0]["id"]] } });
        domain.data(user, delete_notes, input).await;
        domain.data(user, delete_deck, json!({ "input": { "id": deck } })).await;
        domain.heard.take();
        let input = json!({ "input": { "tag": "a", "to": "b" } });
        let data = domain.data(user, RENAME, input).await;
        assert_eq!(data["renameTag"]["changedNotes"], 2);
        // The other one is told of when it comes back.
        let heard = domain.heard.take();
        let [Event::Card(told)] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!(
            (told.card.to_string(), told.deleted),
            (text(&notes[1]["cards"][0]["id"]), false)
        );
        assert_eq!(told.tags, ["b"]);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
