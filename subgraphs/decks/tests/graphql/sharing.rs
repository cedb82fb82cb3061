//! Public decks through GraphQL: publishing, browsing without signing in, rating, cloning, pulling, and what is left when decks and accounts go.

use crate::batches::statements;
use crate::support::Domain;
use common::event::UserChanged;
use common::{Caller, Event, UserId};
use serde_json::{Value, json};

pub(crate) const PUBLISH: &str = "mutation($input: PublishDeckInput!) {
    publishDeck(input: $input) { publicDeck { slug title release deckCount noteCount cardCount authorName licence tags } }
}";
const CLONE: &str = "mutation($input: ClonePublicDeckInput!) {
    clonePublicDeck(input: $input) { deck { id name cardCount source { release updateAvailable publicDeck { slug } } } }
}";
pub(crate) const RATE: &str = "mutation($input: RatePublicDeckInput!) {
    ratePublicDeck(input: $input) { publicDeck { rating ratingCount viewerRating } }
}";
const PULL: &str = "mutation($input: PullPublicDeckInput!) { pullPublicDeck(input: $input) {
    fromRelease toRelease addedDecks addedNotes updatedNotes deletedNotes deck { source { release updateAvailable } }
    conflicts { kind note { fields { value } } fields { field base theirs mine } }
} }";
pub(crate) const UNPUBLISH: &str = "mutation($id: ID!) { unpublishDeck(input: { deckId: $id }) { deck { publication { slug } } } }";
const BROWSE: &str = "query($query: String, $tags: [String!], $licence: Licence) {
    publicDecks(query: $query, tags: $tags, licence: $licence, orderBy: SUBSCRIBERS) { totalCount nodes {
        slug title description tags licence authorName release deckCount noteCount cardCount rating ratingCount subscriberCount
        viewerRating releases { totalCount nodes { number changeNote noteCount } }
        notes(first: 1) { totalCount nodes { type tags fields { name value } } pageInfo { hasNextPage endCursor } }
    } }
}";

/// A deck with another in it, each with a note; it is published.
pub(crate) struct Published {
    pub(crate) author: UserId,
    pub(crate) deck: String,
    pub(crate) inner: String,
    pub(crate) notes: Vec<String>,
}

fn note(front: &str, back: &str, tags: &[&str]) -> Value {
    json!({ "tags": tags, "fields": [{ "name": "Front", "value": front }, { "name": "Back", "value": back }] })
}

pub(crate) async fn published(domain: &Domain, slug: &str) -> Published {
    let author = UserId::new();
    let above = domain.deck(author, "private above").await;
    let deck = domain.deck_in(author, &above, "Verbes").await;
    let inner = domain.deck_in(author, &deck, "Inner").await;
    let first = json!([note("être", "be", &["verb"]), note("avoir", "have", &["verb::common"])]);
    let mut notes = domain.notes(author, &deck, first).await.as_array().unwrap().clone();
    let second = domain.notes(author, &inner, json!([note("aller", "go", &[])])).await;
    notes.extend(second.as_array().unwrap().clone());
    let notes = notes.iter().map(|note| note["id"].as_str().unwrap().to_owned()).collect();
    let input = json!({ "input": { "deckId": deck, "slug": slug, "licence": "CC_BY", "tags": ["Language::French"],
        "description": "Les verbes", "authorName": "Ada", "changeNote": "the first" } });
    let data = domain.data(author, PUBLISH, input).await;
    let expected = json!({ "slug": slug.to_lowercase(), "title": "Verbes", "release": 1, "deckCount": 2, "noteCount": 3,
        "cardCount": 3, "authorName": "Ada", "licence": "CC_BY", "tags": ["Language::French"] });
    assert_eq!(data["publishDeck"]["publicDeck"], expected);
    Published { author, deck, inner, notes }
}

pub(crate) async fn clone(domain: &Domain, user: UserId, slug: &str) -> String {
    let data = domain.data(user, CLONE, json!({ "input": { "slug": slug } })).await;
    let deck = &data["clonePublicDeck"]["deck"];
    assert_eq!(deck["source"]["publicDeck"]["slug"], slug);
    assert_eq!(deck["source"]["updateAvailable"], false);
    deck["id"].as_str().unwrap().to_owned()
}

async fn anonymous(domain: &Domain, document: &str, variables: Value) -> Value {
    let response = domain.execute(Caller::anonymous("test"), document, variables).await;
    assert!(response.errors.is_empty(), "{document}: {:?}", response.errors);
    response.data.into_json().unwrap()
}

pub(crate) async fn edit(domain: &Domain, user: UserId, note: &str, field: &str, value: &str) {
    let update =
        "mutation($input: UpdateNotesInput!) { updateNotes(input: $input) { notes { id } } }";
    let fields = json!([{ "name": field, "value": value }]);
    domain
        .data(user, update, json!({ "input": { "notes": [{ "id": note, "fields": fields }] } }))
        .await;
}

/// The notes of a deck and of the one in it: ids by fronts.
async fn notes_of(domain: &Domain, user: UserId, deck: &str) -> Vec<(String, String, String)> {
    let query = "query($id: ID!) { deck(id: $id) { cards { nodes { id question note { id } } }
        children { nodes { cards { nodes { id question note { id } } } } } } }";
    let data = domain.data(user, query, json!({ "id": deck })).await;
    let deck = &data["deck"];
    let inner = deck["children"]["nodes"].as_array().unwrap().iter();
    let cards = inner.chain([deck]).flat_map(|deck| deck["cards"]["nodes"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<_> = cards
        .map(|card| (text(&card["question"]), text(&card["note"]["id"]), text(&card["id"])))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn anybody_finds_what_is_published_and_nothing_else_of_its_author() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let of = published(&domain, "French-Verbs").await;
        for (query, tags, licence, count) in [
            ("", json!([]), Value::Null, 1),
            ("VERB french ada", json!([]), Value::Null, 1),
            ("nothing", json!([]), Value::Null, 0),
            ("", json!(["language"]), json!("CC_BY"), 1),
            ("", json!([]), json!("CC0"), 0),
        ] {
            let variables = json!({ "query": query, "tags": tags, "licence": licence });
            let data = anonymous(&domain, BROWSE, variables).await;
            assert_eq!(data["publicDecks"]["totalCount"], count, "{query}");
            assert_eq!(data["publicDecks"]["nodes"].as_array().unwrap().len(), count, "{query}");
            let text = data.to_string();
            for private in [&of.author.to_string(), &of.deck, &of.inner, "private above"] {
                assert!(!text.contains(private), "{text}");
            }
            let Some(node) = data["publicDecks"]["nodes"].get(0) else { continue };
            assert_eq!(node["rating"], Value::Null);
            assert_eq!(node["viewerRating"], Value::Null);
            assert_eq!(node["releases"]["nodes"][0]["changeNote"], "the first");
            assert_eq!(node["notes"]["totalCount"], 3);
            assert_eq!(node["notes"]["pageInfo"]["hasNextPage"], true);
            let cursor = node["notes"]["pageInfo"]["endCursor"].as_str().unwrap();
            let rest = "query($after: String) { publicDeck(slug: \"FRENCH-verbs\") { notes(after: $after) { nodes { fields { value } } } } }";
            let rest = anonymous(&domain, rest, json!({ "after": cursor })).await;
            let mut fronts: Vec<&str> = rest["publicDeck"]["notes"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .chain(node["notes"]["nodes"].as_array().unwrap())
                .map(|note| note["fields"][0]["value"].as_str().unwrap())
                .collect();
            fronts.sort_unstable();
            assert_eq!(fronts, ["aller", "avoir", "être"]);
        }
        // What is no longer public reads as what never was, wherever it is named.
        let other = UserId::new();
        let cloned = clone(&domain, other, "french-verbs").await;
        let data = domain.data(of.author, UNPUBLISH, json!({ "id": of.deck })).await;
        assert_eq!(data["unpublishDeck"]["deck"]["publication"], Value::Null);
        let found = "query($slug: String!) { publicDeck(slug: $slug) { title } publicDecks { totalCount } }";
        for slug in ["french-verbs", "never-was", "-"] {
            let data = anonymous(&domain, found, json!({ "slug": slug })).await;
            assert_eq!(data, json!({ "publicDeck": null, "publicDecks": { "totalCount": 0 } }));
            for (document, input) in
                [(CLONE, json!({ "slug": slug })), (RATE, json!({ "slug": slug, "stars": 5 }))]
            {
                let error = domain.error(other, document, json!({ "input": input })).await;
                let message = format!("public deck {slug} was not found");
                assert_eq!(error, ("NOT_FOUND".to_owned(), message));
            }
        }
        let source = "query($id: ID!) { deck(id: $id) { cardCount source { release updateAvailable publicDeck { slug } } } }";
        let data = domain.data(other, source, json!({ "id": cloned })).await;
        let expected = json!({ "release": 1, "updateAvailable": false, "publicDeck": null });
        assert_eq!(data["deck"], json!({ "cardCount": 2, "source": expected }));
        let (code, _) = domain.error(other, PULL, json!({ "input": { "deckId": cloned } })).await;
        assert_eq!(code, "NOT_FOUND");
        // It comes back under its slug, and clones can be pulled again.
        domain.data(of.author, PUBLISH, json!({ "input": { "deckId": of.deck } })).await;
        domain.data(other, PULL, json!({ "input": { "deckId": cloned } })).await;
    }
}

#[tokio::test]
async fn a_clone_takes_what_the_author_changes_and_keeps_what_one_changed_oneself() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let of = published(&domain, "verbs").await;
        let user = UserId::new();
        domain.heard.take();
        let deck = clone(&domain, user, "verbs").await;
        let heard = domain.heard.take();
        let decks = heard.iter().filter(|event| matches!(event, Event::Deck(_))).count();
        let cards = heard.iter().filter(|event| matches!(event, Event::Card(_))).count();
        assert_eq!((decks, cards), (2, 3), "others hear of a clone as of any deck");
        let before = notes_of(&domain, user, &deck).await;
        assert!(before.iter().all(|(_, id, _)| !of.notes.contains(id)), "notes of one's own");
        let id_of = |front: &str| before.iter().find(|note| note.0 == front).unwrap().1.clone();

        edit(&domain, of.author, &of.notes[0], "Back", "to be").await;
        edit(&domain, of.author, &of.notes[1], "Back", "to have").await;
        domain.notes(of.author, &of.deck, json!([note("faire", "do", &[])])).await;
        let delete = "mutation($id: ID!) { deleteNotes(input: { ids: [$id] }) { trashId } }";
        domain.data(of.author, delete, json!({ "id": of.notes[2] })).await;
        edit(&domain, user, &id_of("avoir"), "Back", "possess").await;
        let input =
            json!({ "input": { "deckId": of.deck, "changeNote": "more", "expectedRelease": 1 } });
        let data = domain.data(of.author, PUBLISH, input.clone()).await;
        assert_eq!(data["publishDeck"]["publicDeck"]["release"], 2);
        let extensions = domain.extensions(of.author, PUBLISH, input).await;
        assert_eq!(extensions["code"], "CONFLICT");
        assert_eq!(extensions["current"]["release"], 2);

        let conflict = json!([{ "kind": "EDITED", "note": { "fields": [{ "value": "avoir" }, { "value": "possess" }] },
            "fields": [{ "field": "Back", "base": "have", "theirs": "to have", "mine": "possess" }] }]);
        let told = json!({ "fromRelease": 1, "toRelease": 2, "addedDecks": 0, "addedNotes": 1, "updatedNotes": 1,
            "deletedNotes": 1, "conflicts": conflict });
        let with_source = |told: &Value, release: i64| {
            let mut told = told.clone();
            told["deck"] =
                json!({ "source": { "release": release, "updateAvailable": release == 1 } });
            told
        };
        let dry = json!({ "input": { "deckId": deck, "dryRun": true } });
        let data = domain.data(user, PULL, dry).await;
        assert_eq!(data["pullPublicDeck"], with_source(&told, 1));
        assert_eq!(notes_of(&domain, user, &deck).await, before, "nothing has changed");
        let late = json!({ "input": { "deckId": deck, "expectedRelease": 1 } });
        assert_eq!(domain.extensions(user, PULL, late).await["code"], "CONFLICT");

        let choices = json!([{ "noteId": id_of("avoir"), "onConflict": "TAKE_THEIRS" }]);
        let input =
            json!({ "input": { "deckId": deck, "expectedRelease": 2, "choices": choices } });
        let data = domain.data(user, PULL, input).await;
        let mut taken = with_source(&told, 2);
        taken["updatedNotes"] = json!(2);
        assert_eq!(data["pullPublicDeck"], taken);
        let after = notes_of(&domain, user, &deck).await;
        let fronts: Vec<&str> = after.iter().map(|note| &*note.0).collect();
        assert_eq!(fronts, ["avoir", "faire", "être"]);
        let kept = |front: &str| after.iter().find(|note| note.0 == front);
        for front in ["avoir", "être"] {
            let before = before.iter().find(|note| note.0 == front);
            assert_eq!(kept(front), before, "the same note and card, of which things are learned");
        }
        let data = domain.data(user, PULL, json!({ "input": { "deckId": deck } })).await;
        assert_eq!(data["pullPublicDeck"]["updatedNotes"], 0);
        assert_eq!(data["pullPublicDeck"]["conflicts"], json!([]));

        for (who, document, input, code, text) in [
            (user, PULL, json!({ "deckId": of.deck }), "NOT_FOUND", "deck"),
            (
                of.author,
                PULL,
                json!({ "deckId": of.deck }),
                "BAD_USER_INPUT",
                "input.deckId: is no clone",
            ),
            (
                of.author,
                CLONE,
                json!({ "slug": "verbs" }),
                "BAD_USER_INPUT",
                "input.slug: is your own",
            ),
            (
                user,
                PUBLISH,
                json!({ "deckId": deck, "slug": "VERBS", "licence": "CC0" }),
                "CONFLICT",
                "input.slug: verbs is taken",
            ),
            (
                user,
                PUBLISH,
                json!({ "deckId": deck, "licence": "CC0" }),
                "BAD_USER_INPUT",
                "input.slug: is missing",
            ),
            (
                user,
                PUBLISH,
                json!({ "deckId": deck, "slug": "mine" }),
                "BAD_USER_INPUT",
                "input.licence: is missing",
            ),
            (
                user,
                PUBLISH,
                json!({ "deckId": deck, "slug": "search", "licence": "CC0" }),
                "BAD_USER_INPUT",
                "input.slug: search is reserved",
            ),
            (
                user,
                PUBLISH,
                json!({ "deckId": of.deck, "slug": "mine", "licence": "CC0" }),
                "NOT_FOUND",
                "deck",
            ),
            (user, CLONE, json!({ "slug": "verbs", "parentId": of.deck }), "NOT_FOUND", "deck"),
            (user, CLONE, json!({ "slug": "verbs", "id": of.deck }), "CONFLICT", "input.id"),
        ] {
            let (found, message) = domain.error(who, document, json!({ "input": input })).await;
            assert_eq!(found, code, "{message}");
            assert!(message.starts_with(text), "{message}");
        }
        let empty = domain.deck(user, "empty").await;
        let input = json!({ "input": { "deckId": empty, "slug": "empty", "licence": "CC0" } });
        assert!(domain.error(user, PUBLISH, input).await.1.contains("nothing to publish"));
    }
}

#[tokio::test]
async fn those_with_a_clone_rate_a_deck_once_each() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let of = published(&domain, "rated").await;
        let (one, other) = (UserId::new(), UserId::new());
        let rate = async |user: UserId, stars: Value| {
            let data = domain
                .data(user, RATE, json!({ "input": { "slug": "rated", "stars": stars } }))
                .await;
            let rated = &data["ratePublicDeck"]["publicDeck"];
            (rated["rating"].clone(), rated["ratingCount"].clone(), rated["viewerRating"].clone())
        };
        let input = json!({ "input": { "slug": "rated", "stars": 5 } });
        assert_eq!(domain.error(one, RATE, input.clone()).await.0, "CONFLICT");
        assert_eq!(domain.error(of.author, RATE, input).await.0, "BAD_USER_INPUT");
        let deck = clone(&domain, one, "rated").await;
        clone(&domain, other, "rated").await;
        let wrong = json!({ "input": { "slug": "rated", "stars": 6 } });
        assert_eq!(
            domain.error(one, RATE, wrong).await.1,
            "input.stars: 6 is out of range: 1 to 5"
        );
        assert_eq!(rate(one, json!(5)).await, (json!(5.0), json!(1), json!(5)));
        assert_eq!(rate(other, json!(2)).await, (json!(3.5), json!(2), json!(2)));
        assert_eq!(rate(one, json!(4)).await, (json!(3.0), json!(2), json!(4)));
        assert_eq!(rate(one, json!(4)).await, (json!(3.0), json!(2), json!(4)));

        // Who deletes the clone is no subscriber, until it comes back.
        let subscribers = async || {
            let query = "{ publicDeck(slug: \"rated\") { subscriberCount } }";
            anonymous(&domain, query, json!({})).await["publicDeck"]["subscriberCount"].clone()
        };
        let second = clone(&domain, one, "rated").await;
        assert_eq!(subscribers().await, 2, "a person counts once");
        let delete = "mutation($id: ID!) { deleteDeck(input: { id: $id }) { trashId } }";
        domain.data(one, delete, json!({ "id": second })).await;
        assert_eq!(subscribers().await, 2);
        let data = domain.data(one, delete, json!({ "id": deck })).await;
        assert_eq!(subscribers().await, 1);
        let restore =
            "mutation($id: ID!) { restoreDeleted(input: { trashId: $id }) { restored { id } } }";
        domain.data(one, restore, json!({ "id": data["deleteDeck"]["trashId"] })).await;
        assert_eq!(subscribers().await, 2);
        assert_eq!(rate(one, Value::Null).await, (json!(2.0), json!(1), Value::Null));

        // An account that ends takes its stars and its clones along.
        let gone = |user| {
            Event::User(UserChanged {
                user,
                version: 9,
                deleted: true,
                time_zone: "UTC".into(),
                rollover_hour: 4,
            })
        };
        domain.endpoint.apply([gone(other)].into()).await.unwrap();
        let query = "{ publicDeck(slug: \"rated\") { subscriberCount ratingCount rating } }";
        let data = anonymous(&domain, query, json!({})).await;
        let expected = json!({ "subscriberCount": 1, "ratingCount": 0, "rating": null });
        assert_eq!(data["publicDeck"], expected);
        // The author's takes what was published along; the clones of others stay, without a name.
        domain.endpoint.apply([gone(of.author)].into()).await.unwrap();
        assert_eq!(anonymous(&domain, query, json!({})).await["publicDeck"], Value::Null);
        let left = "query($id: ID!) { deck(id: $id) { name cardCount source { release publicDeck { slug } } } }";
        let data = domain.data(one, left, json!({ "id": deck })).await;
        let source = json!({ "release": 1, "publicDeck": null });
        assert_eq!(data["deck"], json!({ "name": "Verbes", "cardCount": 2, "source": source }));
    }
}

#[tokio::test]
async fn a_deleted_deck_is_no_longer_public_until_it_is_published_again() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let of = published(&domain, "gone").await;
    let delete = "mutation($id: ID!) { deleteDeck(input: { id: $id }) { trashId } }";
    let data = domain.data(of.author, delete, json!({ "id": of.deck })).await;
    let query = "{ publicDeck(slug: \"gone\") { slug } }";
    assert_eq!(anonymous(&domain, query, json!({})).await["publicDeck"], Value::Null);
    let restore =
        "mutation($id: ID!) { restoreDeleted(input: { trashId: $id }) { restored { id } } }";
    domain.data(of.author, restore, json!({ "id": data["deleteDeck"]["trashId"] })).await;
    assert_eq!(anonymous(&domain, query, json!({})).await["publicDeck"], Value::Null);
    let again = domain.data(of.author, PUBLISH, json!({ "input": { "deckId": of.deck } })).await;
    assert_eq!(again["publishDeck"]["publicDeck"]["release"], 1, "it is what it was");

    let mine = domain.deck(user, "mine").await;
    domain.notes(user, &mine, json!([note("a", "b", &[])])).await;
    let input = json!({ "input": { "deckId": mine, "slug": "gone", "licence": "CC0" } });
    assert_eq!(domain.error(user, PUBLISH, input).await.0, "CONFLICT");
}

#[tokio::test]
async fn lists_of_public_decks_and_of_clones_take_the_same_statements_however_long() {
    let ((sqlite, file), (mongo, database)) = (Domain::sqlite().await, Domain::mongo().await);
    let counts: [(&Domain, &dyn Fn() -> u64); 2] =
        [(&sqlite, &|| file.statements()), (&mongo, &|| database.commands())];
    for (domain, count) in counts {
        let user = UserId::new();
        let mine = "query($me: _Any!) { _entities(representations: [$me]) { ... on User { decks { nodes {
            name publication { slug releases { nodes { number } } } source { release publicDeck { slug viewerRating } }
        } } } } }";
        let me = json!({ "me": { "__typename": "User", "id": user.to_string() } });
        for (nth, public, own) in [(1, 4, 4), (5, 4, 4)] {
            for n in 0..nth {
                let slug = format!("deck-{nth}-{n}");
                published(domain, &slug).await;
                clone(domain, user, &slug).await;
            }
            let browse = async || {
                let response =
                    domain.execute(crate::support::caller(user), BROWSE, json!({})).await;
                assert!(response.errors.is_empty(), "{:?}", response.errors);
            };
            // The page, and for all of it the viewer's ratings, releases and notes; the count is one more.
            assert_eq!(statements(count, browse).await, public + 1, "{nth}");
            let own_decks = async || drop(domain.data(user, mine, me.clone()).await);
            // The page, publications, and sources with what they are of, and the viewer's ratings of those.
            assert_eq!(statements(count, own_decks).await, own + 1, "{nth}");
        }
    }
}
