//! What changed since a device last asked, through GraphQL.

use common::UserId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Domain;

const CHANGES: &str = "query($user: [_Any!]!, $since: String, $first: Int! = 500) {
    _entities(representations: $user) { ... on User { deckChanges(since: $since, first: $first) {
        nextCursor hasMore resetRequired tombstones { id kind }
        nodes { __typename id
            ... on Deck { name archived } ... on Note { tags cards { id } } ... on Card { question } }
    } } }
}";

async fn changes(domain: &Domain, user: UserId, since: &Value, first: usize) -> Value {
    let user_key = json!([{ "__typename": "User", "id": user }]);
    let variables = json!({ "user": user_key, "since": since, "first": first });
    let mut data = domain.data(user, CHANGES, variables).await;
    data["_entities"][0]["deckChanges"].take()
}

/// Types and names of what came, and the kinds of what is gone; and where to go on.
async fn told(domain: &Domain, user: UserId, since: &Value) -> (Vec<String>, Vec<String>, Value) {
    let mut page = changes(domain, user, since, 500).await;
    assert_eq!((&page["hasMore"], &page["resetRequired"]), (&json!(false), &json!(false)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| page[name].as_array().unwrap().clone();
    let name = |node: &Value| match &*text(&node["__typename"]) {
        "Deck" => text(&node["name"]),
        "Note" => format!("{}", node["tags"]),
        _ => text(&node["question"]),
    };
    let mut nodes: Vec<String> = list("nodes").iter().map(name).collect();
    nodes.sort_unstable();
    let mut gone: Vec<String> = list("tombstones").iter().map(|gone| text(&gone["kind"])).collect();
    gone.sort_unstable();
    (nodes, gone, page["nextCursor"].take())
}

#[tokio::test]
async fn a_device_hears_of_every_change_once() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let (user, other) = (UserId::new(), UserId::new());
        domain.deck(other, "other").await;
        let deck = domain.deck(user, "deck").await;
        let fields = json!([{ "name": "Front", "value": "q" }, { "name": "Back", "value": "a" }]);
        let new = json!([{ "fields": fields, "tags": ["x"] }]);
        let note = domain.notes(user, &deck, new).await[0]["id"].take();
        let (nodes, gone, cursor) = told(&domain, user, &Value::Null).await;
        assert_eq!(
            (&nodes[..], gone.len()),
            (&["[\"x\"]".into(), "deck".into(), "q".into()][..], 0)
        );
        let (nodes, gone, cursor) = told(&domain, user, &cursor).await;
        assert!(nodes.is_empty() && gone.is_empty());

        let rename = "mutation { renameTag(input: { tag: \"x\", to: \"y\" }) { changedNotes } }";
        domain.data(user, rename, json!({})).await;
        let (nodes, gone, cursor) = told(&domain, user, &cursor).await;
        assert_eq!((&nodes[..], gone.len()), (&["[\"y\"]".into(), "q".into()][..], 0));

        let delete = "mutation($id: ID!) { deleteNotes(input: { ids: [$id] }) { trashId } }";
        let mut data = domain.data(user, delete, json!({ "id": note })).await;
        let trash = data["deleteNotes"]["trashId"].take();
        let (nodes, gone, cursor) = told(&domain, user, &cursor).await;
        assert_eq!(
            (&nodes[..], &gone[..]),
            (&["deck".into()][..], &["CARD".into(), "NOTE".into()][..])
        );
        // Who asks for the first time hears nothing of what is gone.
        let (nodes, gone, _) = told(&domain, user, &Value::Null).await;
        assert_eq!((&nodes[..], gone.len()), (&["deck".into()][..], 0));

        let restore =
            "mutation($id: ID!) { restoreDeleted(input: { trashId: $id }) { restored { id } } }";
        domain.data(user, restore, json!({ "id": trash })).await;
        let (nodes, gone, cursor) = told(&domain, user, &cursor).await;
        assert_eq!((nodes.len(), gone.len()), (3, 0));
        let delete = "mutation($id: ID!) { deleteDeck(input: { id: $id }) { trashId } }";
        domain.data(user, delete, json!({ "id": deck })).await;
        let (nodes, gone, _) = told(&domain, user, &cursor).await;
        assert_eq!((nodes.len(), &*gone.concat()), (0, "CARDDECKNOTE"));
        // Nobody else hears of it.
        let (nodes, gone, _) = told(&domain, other, &Value::Null).await;
        assert_eq!((&nodes[..], gone.len()), (&["other".into()][..], 0));
    }
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let questions: Vec<String> = (0..7).map(|nth| format!("q{nth}")).collect();
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        domain.cards(user, &deck, &questions).await;
        let (mut cursor, mut ids) = (Value::Null, Vec::new());
        loop {
            let mut page = changes(&domain, user, &cursor, 4).await;
            let nodes = page["nodes"].as_array().unwrap();
            assert!(nodes.len() <= 4);
            ids.extend(nodes.iter().map(|node| node["id"].to_string()));
            cursor = page["nextCursor"].take();
            if page["hasMore"] == false {
                break;
            }
        }
        assert_eq!(ids.len(), 15, "a deck, seven notes and seven cards");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 15);
    }
}

#[tokio::test]
async fn a_place_that_is_too_old_or_none_is_refused() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    domain.deck(user, "deck").await;
    let (_, _, cursor) = told(&domain, user, &Value::Null).await;
    domain.clock.advance(SignedDuration::from_hours(29 * 24));
    told(&domain, user, &cursor).await;
    domain.clock.advance(SignedDuration::from_secs(1));
    let page = changes(&domain, user, &cursor, 500).await;
    assert_eq!((&page["resetRequired"], &page["nextCursor"]), (&json!(true), &Value::Null));
    assert_eq!(page["nodes"], json!([]));
    // One that is ahead of what there is.
    let stranger = UserId::new();
    let (_, _, cursor) = told(&domain, user, &Value::Null).await;
    assert_eq!(changes(&domain, stranger, &cursor, 5).await["resetRequired"], true);

    let user_key = json!([{ "__typename": "User", "id": user }]);
    for (since, first, expected) in [
        (json!("no cursor"), 5, "since"),
        (Value::Null, 0, "first: is out of range: 1 to 500"),
        (Value::Null, 501, "first: is out of range: 1 to 500"),
    ] {
        let variables = json!({ "user": user_key, "since": since, "first": first });
        let (code, message) = domain.error(user, CHANGES, variables).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(expected), "{message}");
    }
    // Somebody else's changes cannot be asked for.
    let other = json!([{ "__typename": "User", "id": stranger }]);
    let data = domain.data(user, CHANGES, json!({ "user": other })).await;
    assert!(data["_entities"][0]["deckChanges"].is_null());
}
