//! Files of public decks, and decks that move and go, through GraphQL.

use std::sync::Arc;

use common::{Caller, UserId};
use serde_json::{Value, json};

use crate::batches::statements;
use crate::media::uploaded;
use crate::support::{Domain, caller};

const PUBLISH: &str = "mutation($input: PublishDeckInput!) {
    publishDeck(input: $input) { publicDeck { release mediaCount mediaBytes } }
}";
const CLONE: &str = "mutation($input: ClonePublicDeckInput!) { clonePublicDeck(input: $input) { deck {
    id cards { nodes { note { fields { value } media { name size } } } } children { nodes { id name } }
} } }";
const BROWSE: &str = "{ publicDecks { nodes { mediaCount mediaBytes notes { nodes {
    fields { value } media { name contentType size url }
} } } } }";
const PULL: &str = "mutation($input: PullPublicDeckInput!) { pullPublicDeck(input: $input) {
    addedDecks updatedDecks deletedDecks addedMedia leftOutMediaCount leftOutMedia { name size reason }
    deckConflicts { kind deck { name } fields { field base theirs mine } }
} }";

/// A public deck with a note that names a file, and decks in it.
async fn published(domain: &Domain, author: UserId, slug: &str, inner: &[&str]) -> Vec<String> {
    uploaded(domain, author, "cell.gif").await;
    let mut decks = vec![domain.deck(author, slug).await];
    for name in inner {
        decks.push(domain.deck_in(author, &decks[0], name).await);
    }
    let fields = json!([{ "name": "Front", "value": "![](media:cell.gif)" }, { "name": "Back", "value": "b" }]);
    domain.notes(author, &decks[0], json!([{ "fields": fields }])).await;
    let input = json!({ "input": { "deckId": decks[0], "slug": slug, "licence": "CC0" } });
    let data = domain.data(author, PUBLISH, input).await;
    let expected = json!({ "release": 1, "mediaCount": 1, "mediaBytes": 10 });
    assert_eq!(data["publishDeck"]["publicDeck"], expected);
    decks
}

async fn on_both(run: impl AsyncFn(Domain)) {
    Box::pin(run(Domain::sqlite().await.0)).await;
    Box::pin(run(Domain::mongo().await.0)).await;
}

#[tokio::test]
async fn anybody_sees_which_files_a_public_deck_has_and_a_clone_has_them() {
    on_both(async |domain| {
        let (author, user) = (UserId::new(), UserId::new());
        published(&domain, author, "cells", &[]).await;
        let response = domain.execute(Caller::anonymous("test"), BROWSE, json!({})).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let data = response.data.into_json().unwrap();
        let note = &data["publicDecks"]["nodes"][0]["notes"]["nodes"][0];
        let file = &note["media"][0];
        let name = file["name"].as_str().unwrap();
        assert!(name.starts_with("cell-") && name.ends_with(".gif"), "{name}");
        assert_eq!(note["fields"][0]["value"], format!("![](media:{name})"));
        assert_eq!((&file["contentType"], &file["size"]), (&json!("image/gif"), &json!(10)));
        let url = file["url"].as_str().unwrap();
        let id = url.strip_prefix("/media/").unwrap().split('/').next().unwrap();
        let id: uuid::Uuid = id.parse().unwrap();
        let stranger = Arc::new(caller(UserId::new()));
        let info = domain.endpoint.file(id, stranger).await.unwrap().unwrap();
        assert_eq!((&*info.name, info.size), (name, 10));

        let data = domain.data(user, CLONE, json!({ "input": { "slug": "cells" } })).await;
        let note = &data["clonePublicDeck"]["deck"]["cards"]["nodes"][0]["note"];
        assert_eq!(note["fields"][0]["value"], format!("![](media:{name})"));
        assert_eq!(note["media"], json!([{ "name": name, "size": 10 }]));
    })
    .await;
}

#[tokio::test]
async fn a_pull_moves_and_deletes_decks_and_tells_what_is_in_the_way() {
    on_both(async |domain| {
        let (author, user) = (UserId::new(), UserId::new());
        let inner = ["moved", "both", "gone", "kept"];
        let decks = published(&domain, author, "cells", &inner).await;
        let data = domain.data(user, CLONE, json!({ "input": { "slug": "cells" } })).await;
        let clone = data["clonePublicDeck"]["deck"]["id"].clone();
        let children = data["clonePublicDeck"]["deck"]["children"]["nodes"].as_array().unwrap();
        let mine = |name: &str| {
            let child = children.iter().find(|child| child["name"] == name);
            child.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let move_to = "mutation($input: MoveDeckInput!) { moveDeck(input: $input) { deck { id } } }";
        let rename = "mutation($input: UpdateDeckInput!) { updateDeck(input: $input) { deck { id } } }";
        let delete = "mutation($id: ID!) { deleteDeck(input: { id: $id }) { trashId } }";
        for (who, deck, parent) in [
            (author, &decks[1], &decks[4]),
            (author, &decks[2], &decks[1]),
            (user, &mine("both"), &mine("gone")),
        ] {
            let input = json!({ "input": { "id": deck, "parentId": parent } });
            domain.data(who, move_to, input).await;
        }
        for (who, deck, name) in
            [(author, &decks[4], "theirs"), (user, &mine("kept"), "mine")]
        {
            domain.data(who, rename, json!({ "input": { "id": deck, "name": name } })).await;
        }
        domain.data(author, delete, json!({ "id": decks[3] })).await;
        let input = json!({ "input": { "deckId": decks[0] } });
        domain.data(author, PUBLISH, input).await;

        let told = |conflicts: Value, updated: i64, deleted: i64| {
            json!({ "addedDecks": 0, "updatedDecks": updated, "deletedDecks": deleted, "addedMedia": 0,
                "leftOutMediaCount": 0, "leftOutMedia": [], "deckConflicts": conflicts })
        };
        let name = json!([{ "field": "name", "base": "kept", "theirs": "theirs", "mine": "mine" }]);
        let conflicts = json!([
            { "kind": "EDITED", "deck": { "name": "mine" }, "fields": name },
            { "kind": "MOVED", "deck": { "name": "both" }, "fields": [] },
            { "kind": "DELETED_THERE", "deck": { "name": "gone" }, "fields": [] },
        ]);
        let dry = json!({ "input": { "deckId": clone, "dryRun": true } });
        let data = domain.data(user, PULL, dry).await;
        assert_eq!(data["pullPublicDeck"], told(conflicts.clone(), 1, 0));
        // With the author's way nothing is left in the deck that is gone.
        let theirs = json!({ "input": { "deckId": clone, "onConflict": "TAKE_THEIRS" } });
        let data = domain.data(user, PULL, theirs).await;
        let taken = json!([conflicts[0], conflicts[1]]);
        assert_eq!(data["pullPublicDeck"], told(taken, 3, 1));
        let tree = "query($id: ID!) { deck(id: $id) { children { nodes { name children { nodes { name
            children { nodes { name } } } } } } } }";
        let data = domain.data(user, tree, json!({ "id": clone })).await;
        let nodes = |name: &str, inside: Value| json!([{ "name": name, "children": { "nodes": inside } }]);
        let both = json!([{ "name": "both" }]);
        assert_eq!(data["deck"]["children"]["nodes"], nodes("theirs", nodes("moved", both)));
        let trash = "query($me: _Any!) { _entities(representations: [$me]) { ... on User { trash { nodes { title deckCount } } } } }";
        let me = json!({ "me": { "__typename": "User", "id": user.to_string() } });
        let data = domain.data(user, trash, me).await;
        let entry = json!([{ "title": "gone", "deckCount": 1 }]);
        assert_eq!(data["_entities"][0]["trash"]["nodes"], entry);
    })
    .await;
}

#[tokio::test]
async fn the_files_of_a_list_of_public_decks_take_one_statement() {
    let ((sqlite, file), (mongo, database)) = (Domain::sqlite().await, Domain::mongo().await);
    let counts: [(&Domain, &dyn Fn() -> u64); 2] =
        [(&sqlite, &|| file.statements()), (&mongo, &|| database.commands())];
    for (domain, count) in counts {
        for decks in [1, 4] {
            for nth in 0..decks {
                published(domain, UserId::new(), &format!("deck-{decks}-{nth}"), &[]).await;
            }
            let browse = async || {
                let data = domain.data(UserId::new(), BROWSE, json!({})).await;
                let nodes = data["publicDecks"]["nodes"].as_array().unwrap();
                assert!(
                    nodes.iter().all(|deck| deck["notes"]["nodes"][0]["media"][0]["size"] == 10)
                );
            };
            // The decks, their notes, and the files of all.
            assert_eq!(statements(count, browse).await, 3, "{decks}");
        }
    }
}
