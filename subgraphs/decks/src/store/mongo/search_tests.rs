//! By which road MongoDB comes to what is searched: the shortest, in order, so that nothing is sorted and no more is read than lies on it.

use super::*;
use crate::search::{Query, parse};
use common::{Day, testing};
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
