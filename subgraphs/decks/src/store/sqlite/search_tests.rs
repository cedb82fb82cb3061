//! How SQLite answers searches: by an index that has nobody's cards but the owner's, in the order of the search, so that nothing is sorted and it
//! ends as soon as the page is full.

use super::*;
use crate::search::{Query, parse};
use crate::store::sqlite::MIGRATIONS;
use common::event::StudyState;
use common::{Day, testing};
use jiff::Timestamp;

async fn plan(filter: Filter) -> Vec<String> {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let (text, values) = page(UserId::new(), &Texts::of(filter), &[], 0, Some(CardId::new()), 51);
    let explain = move |connection: &Connection| {
        let mut select = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
        let steps = select.query_map(params_from_iter(values), |row| row.get(3))?;
        Ok(steps.collect::<rusqlite::Result<_>>()?)
    };
    sqlite.read(explain).await.unwrap()
}

fn words() -> Filter {
    let Query::Words(words) = parse("word").unwrap() else { panic!() };
    Filter::Words(words)
}

#[tokio::test]
async fn what_was_learned_is_found_by_an_index() {
    let now = Timestamp::UNIX_EPOCH;
    let study = Filter::Study;
    let by_number = "SEARCH study USING PRIMARY KEY (owner_id=? AND seq<?)";
    let suspended = "SEARCH study USING COVERING INDEX study_suspended (owner_id=? AND seq<?)";
    let leech = "SEARCH study USING COVERING INDEX study_leech (owner_id=? AND seq<?)";
    let by_word = "SCAN card_text VIRTUAL TABLE";
    let not = |filter| Filter::Not(Box::new(filter));
    for (filter, first) in [
        (study(Study::State(&[StudyState::New])), by_number),
        (study(Study::Due(Day(1), now)), by_number),
        (study(Study::Suspended), suspended),
        (study(Study::Leech), leech),
        (study(Study::Buried(Day(1))), by_number),
        (study(Study::Answered(now, Some(2))), by_number),
        (not(study(Study::Suspended)), by_number),
        (Filter::Any(vec![study(Study::Leech), words()]), by_number),
        (Filter::All(vec![study(Study::Leech), words()]), leech),
        (
            Filter::All(vec![study(Study::Leech), study(Study::Suspended)]),
            "SEARCH study USING INDEX study_leech",
        ),
        (Filter::All(vec![study(Study::Buried(Day(1))), words()]), by_word),
    ] {
        let steps = plan(filter.clone()).await;
        assert!(steps[0].starts_with(first), "{filter:?}: {steps:#?}");
        let sorts = |step: &String| step.contains("TEMP B-TREE");
        let reads_all = |step: &String| {
            ["SCAN study", "SCAN card"].contains(&&**step)
                || step.starts_with("SCAN study ")
                || step.starts_with("SCAN card ")
        };
        assert!(!steps.iter().any(|step| sorts(step) || reads_all(step)), "{filter:?}: {steps:#?}");
    }
}
