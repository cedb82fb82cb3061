//! Pages of a list that changes between them: what was there from the first page to the last comes exactly once, in order.

use std::collections::BTreeSet;

use common::page::{Direction, PageRequest};
use decks::model::{CardKey, CardList, CardSort};

use super::{Collection, Config, MIGRATIONS, Move, SqliteStore, TestRunner, testing};
use proptest::prelude::*;
use std::sync::Arc;

#[test]
fn a_card_that_stays_comes_once_whatever_is_made_and_deleted_meanwhile() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec((0u8..3, 0usize..100), 1..12);
    let strategy = (steps, 1u32..4, any::<bool>());
    TestRunner::new(config)
        .run(&strategy, |(steps, limit, descending)| {
            runtime.block_on(read_while_it_changes(steps, limit, descending));
            Ok(())
        })
        .unwrap();
}

async fn read_while_it_changes(steps: Vec<(u8, usize)>, limit: u32, descending: bool) {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let collection = Collection::new(Arc::new(SqliteStore::new(sqlite)));
    let (service, viewer) = (&collection.service, &collection.viewer);
    let deck = collection.deck("deck", None).await.unwrap();
    let mut before = Vec::new();
    for _ in 0..12 {
        before.push(collection.cloze(deck, &[1], "t").await.1[0].1);
    }
    let (mut moved, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    let mut steps = steps.into_iter();
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let list = CardList { by: CardSort::Position, descending, ..CardList::default() };
        let page = PageRequest { direction: Direction::Forward, limit, cursor };
        let mut pages = service.card_pages(viewer, vec![deck], list, page).await.unwrap();
        let Some(page) = pages.remove(&deck) else { break };
        found.extend(page.rows.iter().map(|card| (card.position, card.id)));
        let Some(last) = page.rows.last().filter(|_| page.has_next) else { break };
        cursor = Some(CardKey::of(last, CardSort::Position));
        let Some((what, choice)) = steps.next() else { continue };
        let card = before[choice % before.len()];
        match what {
            0 => drop(collection.cloze(deck, &[1], "t").await),
            1 if !deleted.contains(&card) => {
                deleted.insert(card);
                service.delete_cards(viewer, &[card]).await.unwrap();
            }
            2 if !deleted.contains(&card) => {
                moved.insert(card);
                let to = Move { cards: vec![card], deck: None, before: None };
                service.move_cards(viewer, &to).await.unwrap();
            }
            _ => {}
        }
    }
    let stayed: Vec<_> =
        before.iter().filter(|id| !moved.contains(id) && !deleted.contains(id)).collect();
    for id in &stayed {
        let times = found.iter().filter(|(_, card)| card == *id).count();
        assert_eq!(times, 1, "{id}");
    }
    let mut sorted = found.clone();
    sorted.sort_unstable();
    if descending {
        sorted.reverse();
    }
    assert_eq!(found, sorted, "in order");
}
