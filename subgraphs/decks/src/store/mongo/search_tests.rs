//! By which road MongoDB comes to what is searched: the shortest, in order, so that nothing is sorted and no more is read than lies on it.

use super::*;
use crate::search::{Query, parse};
use crate::store::mongo::terms;
use common::{Day, testing};
use futures::TryStreamExt;
use mongodb::bson::Bson;

fn words(text: &str) -> Filter {
    match parse(text).unwrap() {
        Query::Words(words) => Filter::Words(words),
        Query::Any(parts) => Filter::Any(parts.iter().map(leaf).collect()),
        Query::All(parts) => Filter::All(parts.iter().map(leaf).collect()),
        other => panic!("{other:?}"),
    }
}

fn leaf(query: &Query) -> Filter {
    let Query::Words(words) = query else { panic!("{query:?}") };
    Filter::Words(words.clone())
}

/// A person with 500 cards: all have `common`, one in ten has `seldom`, one in a hundred `rare`; one in fifty is due.
async fn fill() -> (MongoStore, UserId) {
    let store = MongoStore::open(testing::mongo().await).await.unwrap();
    let owner = UserId::new();
    let cards = (0..500).map(|nth| {
        let id = common::CardId::new();
        let mut terms = vec!["", "?common", "!asked"];
        terms.extend((nth % 10 == 0).then_some("?seldom"));
        terms.extend((nth % 100 == 0).then_some("!rare"));
        let study = (nth % 50 == 0).then(|| doc! { "comesFrom": DateTime::from_millis(0) });
        doc! { "_id": id, "note": id, "owner": owner, "terms": terms, "study": study }
    });
    store.cards.clone_with_type::<Document>().insert_many(cards).await.unwrap();
    (store, owner)
}

#[tokio::test]
async fn the_shortest_road_is_taken() {
    let (store, owner) = fill().await;
    let due = || {
        Filter::Study(Study::Due(
            Day(9),
            Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1),
        ))
    };
    let any = |parts| Filter::Any(parts);
    let terms = |list: &[&str]| doc! { "terms": { "$in": list.to_vec() }, "owner": owner };
    for (filter, first, second) in [
        (words("common"), terms(&["?common"]), terms(&["!common"])),
        (words("common rare"), terms(&["?rare"]), terms(&["?rare", "!rare"])),
        (words("common seldom"), terms(&["?seldom"]), terms(&["!common", "!seldom"])),
        (words("\"common seldom\""), terms(&["?seldom"]), terms(&["?seldom", "!seldom"])),
        (words("common or rare"), terms(&["?common", "!common", "?rare", "!rare"]), doc! {}),
        (
            any(vec![Filter::Study(Study::Leech), words("rare")]),
            terms(&["=leech", "?rare", "!rare"]),
            doc! {},
        ),
        (Filter::Not(Box::new(words("rare"))), terms(&[""]), doc! {}),
        (Filter::All(Vec::new()), terms(&[""]), doc! {}),
    ] {
        let survey = store.survey(owner, &filter).await.unwrap();
        let (must, rest) = filter.clone().split();
        let road = survey.to_tier(0, &must, &rest);
        assert_eq!(road.condition(owner), first, "{filter:?}");
        if !must.is_empty() {
            let road = survey.to_tier(1, &must, &rest);
            assert_eq!(road.condition(owner), second, "{filter:?}");
        }
    }
    // What holds for few in no order of search is known by ids, also beside words.
    for (filter, expected) in [
        (due(), 10),
        (any(vec![due(), words("rare")]), 15),
        (Filter::All(vec![due(), Filter::Not(Box::new(words("common")))]), 10),
        (words("rar*"), 5),
    ] {
        let survey = store.survey(owner, &filter).await.unwrap();
        let road = store.passable(owner, survey.to_all(&filter)).await.unwrap();
        let condition = road.condition(owner);
        let ids = condition.get_document("_id").unwrap().get_array("$in").unwrap();
        assert_eq!(ids.len(), expected, "{filter:?}");
        assert!(ids.iter().all(|id| matches!(id, Bson::Binary(_))));
    }
}

#[tokio::test]
async fn a_page_reads_no_more_cards_than_it_holds() {
    let (store, owner) = fill().await;
    for query in ["common", "common or seldom", "common or rare or seldom"] {
        let filter = words(query);
        let road = store.survey(owner, &filter).await.unwrap().to_all(&filter);
        let find = doc! {
            "find": "cards", "filter": road.condition(owner), "sort": { "_id": -1 }, "limit": 51, "hint": "by_term",
        };
        let explain = doc! { "explain": find, "verbosity": "executionStats" };
        let plan = store.mongo.database().run_command(explain).await.unwrap();
        let stats = plan.get_document("executionStats").unwrap();
        assert_eq!(stats.get_i32("totalDocsExamined").unwrap(), 51, "{query}: {plan}");
        assert!(!plan.to_string().contains("\"SORT\""), "{query}: {plan}");
    }
}

/// What a process that knows no terms writes of a card, beside one that does.
#[tokio::test]
async fn cards_that_an_earlier_version_wrote_meanwhile_are_found_again() {
    let store = MongoStore::open(testing::mongo().await).await.unwrap();
    let owner = UserId::new();
    let card = |nth: u128, fields: Document| {
        let id = mongodb::bson::Uuid::from_bytes(nth.to_be_bytes());
        let mut card = doc! {
            "_id": id, "note": id, "owner": owner, "deck": id, "trash": null, "tagKeys": [],
            "foldedQuestion": " sun ", "foldedAnswer": " star ", "study": { "state": 0 },
        };
        card.extend(fields);
        card
    };
    let cards = store.cards.clone_with_type::<Document>();
    cards.insert_many((1..=7).map(|nth| card(nth, doc! {}))).await.unwrap();
    cards.update_many(doc! {}, vec![terms::renewal()]).await.unwrap();
    let id = |nth: u128| mongodb::bson::Uuid::from_bytes(nth.to_be_bytes());
    let write = async |nth, fields: Document| {
        cards.update_one(doc! { "_id": id(nth) }, doc! { "$set": fields }).await.unwrap();
    };
    // A card is edited, tagged, learned, deleted, and moved; one is new.
    write(1, doc! { "foldedQuestion": " moon " }).await;
    write(3, doc! { "tagKeys": ["sky"] }).await;
    write(4, doc! { "study": { "state": 2, "suspended": true } }).await;
    write(5, doc! { "trash": id(99) }).await;
    write(6, doc! { "deck": id(99) }).await;
    let new = doc! { "foldedQuestion": " moon ", "words": ["moon"] };
    cards.insert_one(card(8, new)).await.unwrap();

    let with = async |term: Bson| {
        let found = cards.find(doc! { "owner": owner, "terms": term }).sort(doc! { "_id": 1 });
        let found: Vec<Document> = found.await.unwrap().try_collect().await.unwrap();
        let number = |card: &Document| match card.get("_id") {
            Some(Bson::Binary(id)) => id.bytes[15],
            other => panic!("{other:?}"),
        };
        found.iter().map(number).collect::<Vec<u8>>()
    };
    assert_eq!(with("?moon".into()).await, Vec::<u8>::new());
    let mut after = None;
    let mut looks = 0;
    loop {
        after = crate::store::Store::mend(&store, after, 3).await.unwrap();
        looks += 1;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(looks, 3, "three at a time");
    assert_eq!(with("?moon".into()).await, [1, 8]);
    assert_eq!(with("?sun".into()).await, [2, 3, 4, 6, 7]);
    assert_eq!((with("#sky".into()).await, with("=suspended".into()).await), (vec![3], vec![4]));
    assert_eq!((with("=2".into()).await, with(id(99).into()).await), (vec![4], vec![6]));
    assert_eq!(with("".into()).await, [1, 2, 3, 4, 6, 7, 8]);
    let stale = cards.count_documents(terms::are_stale()).await.unwrap();
    assert_eq!(stale, 0);
}
