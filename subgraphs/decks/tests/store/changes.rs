//! The numbers of changes: each row comes once, at the place of its last change.

use common::UserId;
use decks::model::{Card, ChangeKey, Deck, Kind, Note, TrashKind};
use decks::store::{Changes, Store};
use uuid::Uuid;

use crate::support::{card, deck, done, entry, note};

/// What changed beyond a place, read in pages of two, and the number of the last change.
async fn since(store: &impl Store, owner: UserId, after: ChangeKey) -> (Vec<(Kind, Uuid)>, i64) {
    let (all, last) = store.changes(owner, after, 99).await.unwrap();
    assert!(all.is_sorted(), "{all:?}");
    assert!(all.iter().all(|key| *key > after && key.change <= last));
    let (mut paged, mut key) = (Vec::new(), after);
    loop {
        let (page, _) = store.changes(owner, key, 2).await.unwrap();
        let Some(end) = page.last() else { break };
        key = *end;
        paged.extend(page);
    }
    assert_eq!(paged, all);
    (all.into_iter().map(|key| (key.kind, key.id)).collect(), last)
}

const fn end(change: i64) -> ChangeKey {
    ChangeKey { change, kind: Kind::Card, id: Uuid::max() }
}

fn cards(cards: &[&Card]) -> Vec<(Kind, Uuid)> {
    let mut ids: Vec<_> = cards.iter().map(|card| (Kind::Card, card.id.uuid())).collect();
    ids.sort_unstable();
    ids
}

fn notes(notes: &[&Note]) -> Vec<(Kind, Uuid)> {
    let mut ids: Vec<_> = notes.iter().map(|note| (Kind::Note, note.id.uuid())).collect();
    ids.sort_unstable();
    ids
}

pub(crate) async fn what_changes_comes_once_in_order(store: &impl Store) {
    let (owner, other) = (UserId::new(), UserId::new());
    assert_eq!(since(store, owner, ChangeKey::START).await, (vec![], 0));
    let home = deck(owner, "home", 1);
    let (first, second) = (note(owner, &["a"]), note(owner, &[]));
    let of = |note: &Note, position| Card { note: note.id, ..card(&home, position) };
    let (one, two) = (of(&first, 1), of(&second, 2));
    let theirs = deck(other, "theirs", 1);
    done(store, Changes { new_decks: vec![theirs], ..Changes::default() }).await;
    done(store, Changes { new_decks: vec![home.clone()], ..Changes::default() }).await;
    let new_notes = vec![first.clone(), second.clone()];
    let new_cards = vec![one.clone(), two.clone()];
    done(store, Changes { new_notes, new_cards, ..Changes::default() }).await;
    let (all, last) = since(store, owner, ChangeKey::START).await;
    let a_deck = vec![(Kind::Deck, home.id.uuid())];
    let everything = [a_deck.clone(), notes(&[&first, &second]), cards(&[&one, &two])].concat();
    assert_eq!(all, everything);
    assert_eq!(since(store, owner, end(last)).await, (vec![], last));

    // A note that is edited comes with its cards that are.
    let edited = Note { version: 2, ..first.clone() };
    let one = Card { version: 2, ..one };
    let changes = Changes { notes: vec![edited], cards: vec![one.clone()], ..Changes::default() };
    done(store, changes).await;
    let (changed, after) = since(store, owner, end(last)).await;
    assert_eq!((changed, after > last), ([notes(&[&first]), cards(&[&one])].concat(), true));

    // A card that goes into the trash takes its note along, and brings it back.
    let trash = entry(owner, TrashKind::Cards, 1);
    let gone = Card { version: 2, trash: Some(trash.id), ..two.clone() };
    let changes = Changes { cards: vec![gone], trash: vec![trash.clone()], ..Changes::default() };
    done(store, changes).await;
    let (changed, last) = since(store, owner, end(after)).await;
    assert_eq!(changed, [notes(&[&second]), cards(&[&two])].concat());
    let restored = Changes { restored: vec![trash.id], events: Vec::new(), ..Changes::default() };
    let restored = Changes { decks: vec![home.clone()], ..restored };
    done(store, restored).await;
    let (changed, after) = since(store, owner, end(last)).await;
    assert_eq!(changed, [a_deck.clone(), notes(&[&second]), cards(&[&two])].concat());

    // A deck takes all of it.
    let trash = entry(owner, TrashKind::Deck, 2);
    let home = Deck { revision: 2, trash: Some(trash.id), ..home };
    let trashed_with_deck = vec![(home.id, trash.id)];
    let (decks, trash) = (vec![home], vec![trash]);
    done(store, Changes { decks, trash, trashed_with_deck, ..Changes::default() }).await;
    let (changed, _) = since(store, owner, end(after)).await;
    assert_eq!(changed, everything);
    assert_eq!(since(store, UserId::new(), end(0)).await, (vec![], 0));
}
