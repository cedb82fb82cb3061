//! How MongoDB answers searches: by an index in any case.

use super::*;
use common::event::StudyState;
use common::{Day, testing};

#[tokio::test]
async fn what_was_learned_is_found_by_an_index() {
    let store = MongoStore::open(testing::mongo().await).await.unwrap();
    let owner = UserId::new();
    let now = Timestamp::UNIX_EPOCH;
    for (study, index) in [
        (Study::State(&[StudyState::New]), "by_state"),
        (Study::State(&[StudyState::Learning, StudyState::Relearning]), "by_state"),
        (Study::Due(Day(1), now), "\"due\""),
        (Study::Suspended, "suspended"),
        (Study::Leech, "leech"),
        (Study::Buried(Day(1)), "buried"),
        (Study::Answered(now, None), "answered"),
        (Study::Answered(now, Some(3)), "answered"),
    ] {
        let filter = live(doc! { "owner": owner, "$and": [condition(&Filter::Study(study))] });
        let find = doc! { "find": "cards", "filter": filter, "sort": { "_id": -1 }, "limit": 51 };
        let explain = doc! { "explain": find, "verbosity": "allPlansExecution" };
        let plan = store.mongo.database().run_command(explain).await.unwrap();
        let planner = plan.get_document("queryPlanner").unwrap().to_string();
        assert!(planner.contains(index), "{study:?}: {planner}");
        assert!(!planner.contains("COLLSCAN"), "{study:?}: {planner}");
    }
}
