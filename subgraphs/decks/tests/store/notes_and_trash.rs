//! Decks in decks, notes, tags, lists of cards, and the trash.

use common::page::{Direction, PageRequest};
use common::{CardId, TrashId, UserId};
use decks::model::{
    Card, CardKey, CardList, CardSort, Deck, DeckFilter, DeckKey, DeckOrder, DeckSort, Note,
    NoteKind, Tag, Tagged, Tags, TrashKind,
};
use decks::store::{Changes, Store};

use crate::support::{at, card, deck, decks_of, done, entry, note, positions};

pub(crate) async fn decks_lie_in_decks(store: &impl Store) {
    let user = UserId::new();
    let inside = |parent: &Deck, ms| {
        let ancestors = parent.ancestors_of_children();
        Deck { ancestors, ..deck(user, "inside", ms) }
    };
    let (top, other) = (deck(user, "top", 2), deck(user, "other", 1));
    let (first, second) = (inside(&top, 1), inside(&top, 2));
    let below = inside(&first, 1);
    let gone = Deck { trash: Some(TrashId::new()), ..inside(&top, 3) };
    let all = [&top, &other, &second, &first, &below, &gone];
    let new_decks = all.into_iter().cloned().collect();
    done(store, Changes { new_decks, ..Changes::default() }).await;

    let places = store.siblings(user, Some(top.id)).await.unwrap();
    assert_eq!(places, [(first.id, 1024), (second.id, 2048)]);
    assert_eq!(store.siblings(user, None).await.unwrap(), [(other.id, 1024), (top.id, 2048)]);
    let mut found = store.descendants(user, top.id).await.unwrap();
    found.sort_by_key(|deck| deck.id);
    let mut expected = [first.clone(), second.clone(), below.clone()];
    expected.sort_by_key(|deck| deck.id);
    assert_eq!(found, expected);
    assert!(store.descendants(user, below.id).await.unwrap().is_empty());
    assert_eq!(store.any_decks(user, 100).await.unwrap().len(), 6);

    let parents = vec![top.id, first.id, second.id];
    let page = |direction, limit, cursor| PageRequest { direction, limit, cursor };
    let request = page(Direction::Forward, 1, None);
    let pages = store.child_pages(parents.clone(), request).await.unwrap();
    assert_eq!((&*pages[&top.id].rows, pages[&top.id].has_next), (&[first.clone()][..], true));
    assert_eq!(pages[&first.id].rows, std::slice::from_ref(&below));
    assert!(!pages.contains_key(&second.id));
    let key = DeckKey::of(&second, DeckSort::Position);
    let request = page(Direction::Backward, 5, Some(key));
    let pages = store.child_pages(parents, request).await.unwrap();
    assert_eq!(pages[&top.id].rows, std::slice::from_ref(&first));

    let archived = Deck { archived: true, ancestors: Vec::new(), ..first.clone() };
    done(store, Changes { decks: vec![archived.clone()], ..Changes::default() }).await;
    let filter = |parent, archived| DeckFilter { parent, archived };
    for (filter, count) in [
        (filter(None, None), 5),
        (filter(Some(None), None), 3),
        (filter(Some(None), Some(true)), 1),
        (filter(Some(Some(top.id)), Some(false)), 1),
    ] {
        assert_eq!(store.deck_count(user, filter).await.unwrap(), count, "{filter:?}");
        let order = DeckOrder { by: DeckSort::Name, descending: false };
        let request = page(Direction::Forward, 10, None);
        let page = store.deck_page(user, filter, order, request).await.unwrap();
        assert_eq!(page.rows.len() as i64, count, "{filter:?}");
    }
}

pub(crate) async fn notes_have_cards_and_tags(store: &impl Store) {
    let user = UserId::new();
    let deck = deck(user, "deck", 1);
    let notes = [note(user, &["a::b", "Z"]), note(user, &["A::B::c", "z"]), note(user, &["a"])];
    let of = |note: &Note, ordinal| Card { note: note.id, ordinal, ..card(&deck, ordinal) };
    let mut new_cards: Vec<Card> =
        notes.iter().flat_map(|note| [of(note, 1), of(note, 0)]).collect();
    // The last note's cards lie in the trash.
    let trash = entry(user, TrashKind::Cards, 1);
    new_cards.iter_mut().skip(4).for_each(|card| card.trash = Some(trash.id));
    let changes = Changes {
        new_decks: vec![deck.clone()],
        new_notes: notes.to_vec(),
        new_cards: new_cards.clone(),
        trash: vec![trash],
        ..Changes::default()
    };
    done(store, changes).await;
    let ids = notes.iter().map(|note| note.id).collect::<Vec<_>>();
    let mut found = store.notes(ids.clone()).await.unwrap();
    found.sort_by_key(|note| note.id);
    assert_eq!(found, notes);
    let cards = store.cards_of_notes(ids.clone()).await.unwrap();
    assert_eq!(cards.len(), 6);
    assert!(cards.is_sorted_by_key(|card| (card.note, card.ordinal)));
    assert!(cards.iter().all(|card| new_cards.contains(card)));

    let tags = async |below: Option<&str>, direction, limit, cursor: Option<&str>| {
        let below = below.map(|tag| Tag::new("tag", tag).unwrap());
        let cursor = cursor.map(str::to_owned);
        let page = PageRequest { direction, limit, cursor };
        let page = store.tags(user, below, page).await.unwrap();
        let tag = |tagged: &Tagged| (tagged.tag.key(), tagged.notes);
        page.rows.iter().map(tag).collect::<Vec<_>>()
    };
    let tag = |key: &str, notes| (key.to_owned(), notes);
    let all = [tag("a::b", 1), tag("a::b::c", 1), tag("z", 2)];
    assert_eq!(tags(None, Direction::Forward, 9, None).await, all);
    assert_eq!(tags(None, Direction::Forward, 1, Some("a::b")).await, all[1..2]);
    assert_eq!(tags(None, Direction::Backward, 1, Some("z")).await, all[1..2]);
    assert_eq!(tags(Some("A::b"), Direction::Forward, 9, None).await, all[..2]);

    let with = async |tag: &str, after, limit| {
        let tag = Tag::new("tag", tag).unwrap();
        let notes = store.notes_with_tag(user, tag, after, limit).await.unwrap();
        notes.into_iter().map(|note| note.id).collect::<Vec<_>>()
    };
    assert_eq!(with("a", None, 9).await, ids);
    assert_eq!(with("a", Some(ids[0]), 1).await, ids[1..2]);
    assert_eq!(with("a::b::C", None, 9).await, ids[1..2]);

    let edited = Note { tags: Tags::default(), version: 2, ..notes[0].clone() };
    done(store, Changes { notes: vec![edited.clone()], ..Changes::default() }).await;
    assert_eq!(store.notes(ids[..1].to_vec()).await.unwrap(), [edited]);
    let left = [tag("a::b::c", 1), tag("z", 1)];
    assert_eq!(tags(None, Direction::Forward, 9, None).await, left);
}

pub(crate) async fn cards_of_a_deck_are_filtered_and_sorted(store: &impl Store) {
    let user = UserId::new();
    let deck = deck(user, "deck", 1);
    let (tagged, plain) = (note(user, &["x::y"]), note(user, &["xy"]));
    let of = |note: &Note, ordinal: i64, kind| {
        let created_at = at(-ordinal);
        Card { note: note.id, ordinal, kind, created_at, ..card(&deck, ordinal) }
    };
    let cards = vec![
        of(&tagged, 1, NoteKind::Basic),
        of(&tagged, 2, NoteKind::Cloze),
        of(&plain, 3, NoteKind::Cloze),
    ];
    let changes = Changes {
        new_decks: vec![deck.clone()],
        new_notes: vec![tagged, plain],
        new_cards: cards,
        ..Changes::default()
    };
    done(store, changes).await;
    let tag = Tag::new("tag", "X").ok();
    let kind = Some(NoteKind::Cloze);
    let list = |by, descending, tag, kind| CardList { by, descending, tag, kind };
    for (list, expected) in [
        (list(CardSort::Position, false, tag.clone(), None), vec![1, 2]),
        (list(CardSort::Position, true, None, kind), vec![3, 2]),
        (list(CardSort::CreatedAt, false, None, None), vec![3, 2, 1]),
        (list(CardSort::UpdatedAt, true, tag, kind), vec![2]),
    ] {
        let (direction, mut cursor, mut found) = (Direction::Forward, None, Vec::new());
        loop {
            let page = PageRequest { direction, limit: 1, cursor };
            let mut pages = store.card_pages(vec![deck.id], list.clone(), page).await.unwrap();
            let Some(page) = pages.remove(&deck.id).filter(|page| !page.rows.is_empty()) else {
                break;
            };
            found.push(page.rows[0].ordinal);
            cursor = Some(CardKey::of(&page.rows[0], list.by));
        }
        assert_eq!(found, expected, "{list:?}");
        let counts = store.card_counts(vec![deck.id], list.clone()).await.unwrap();
        assert_eq!(counts[&deck.id], expected.len() as i64, "{list:?}");
    }
}

pub(crate) async fn what_is_in_the_trash_is_not_there_until_it_is_restored(store: &impl Store) {
    let user = UserId::new();
    let deck = deck(user, "deck", 1);
    let cards = [card(&deck, 1), card(&deck, 2)];
    let (new_decks, new_cards) = (vec![deck.clone()], cards.to_vec());
    done(store, Changes { new_decks, new_cards, ..Changes::default() }).await;
    let one = entry(user, TrashKind::Cards, 1);
    let first = Card { trash: Some(one.id), version: 2, ..cards[0].clone() };
    let (trash, list) = (vec![one.clone()], vec![first.clone()]);
    done(store, Changes { trash, cards: list, ..Changes::default() }).await;
    let two = entry(user, TrashKind::Deck, 2);
    let gone = Deck { trash: Some(two.id), ..deck.clone() };
    let changes = Changes {
        trash: vec![two.clone()],
        decks: vec![gone.clone()],
        trashed_with_deck: vec![(deck.id, two.id)],
        ..Changes::default()
    };
    done(store, changes).await;
    let hidden = entry(user, TrashKind::Edit, 3);
    done(store, Changes { trash: vec![hidden.clone()], ..Changes::default() }).await;

    let ids: Vec<CardId> = cards.iter().map(|card| card.id).collect();
    assert!(store.cards(ids.clone()).await.unwrap().is_empty());
    assert!(store.decks(vec![deck.id]).await.unwrap().is_empty());
    assert!(decks_of(store, user).await.is_empty());
    assert!(store.outline(deck.id).await.unwrap().is_empty());
    assert!(store.card_ids(vec![deck.id], 9).await.unwrap().is_empty());
    let gone = Deck { revision: 2, ..gone };
    assert_eq!(store.trashed_decks(two.id).await.unwrap(), std::slice::from_ref(&gone));
    assert_eq!(store.trashed_cards(one.id, 9).await.unwrap(), [first]);
    assert_eq!(store.trashed_cards(two.id, 9).await.unwrap()[0].version, 2);
    let counts = store.trashed_counts(two.id).await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(deck.id, 1)]);
    let page = PageRequest { direction: Direction::Forward, limit: 9, cursor: None };
    let page = store.trash_page(user, page).await.unwrap();
    assert_eq!(page.rows, [two.clone(), one.clone()]);
    let page = PageRequest { direction: Direction::Forward, limit: 9, cursor: Some(two.key()) };
    assert_eq!(store.trash_page(user, page).await.unwrap().rows, std::slice::from_ref(&one));
    assert_eq!(store.trash(vec![hidden.id, TrashId::new()]).await.unwrap(), [hidden]);

    let back = Deck { trash: None, ..gone };
    let changes = Changes { decks: vec![back], restored: vec![two.id], ..Changes::default() };
    done(store, changes).await;
    assert!(store.trash(vec![two.id]).await.unwrap().is_empty());
    assert_eq!(positions(store, deck.id).await, [(ids[1], 2, 3)]);
    assert_eq!(store.cards(ids.clone()).await.unwrap().len(), 1);
}

pub(crate) async fn what_was_in_the_trash_is_deleted_for_good_in_parts(store: &impl Store) {
    let user = UserId::new();
    let trash = entry(user, TrashKind::Deck, 5);
    let later = entry(user, TrashKind::Cards, 7);
    let (kept, gone) =
        (deck(user, "kept", 1), Deck { trash: Some(trash.id), ..deck(user, "gone", 2) });
    let (both, alone) = (note(user, &["both"]), note(user, &["alone"]));
    let of = |note: &Note, deck: &Deck, ordinal, trash| Card {
        note: note.id,
        ordinal,
        trash,
        ..card(deck, ordinal)
    };
    let cards = vec![
        of(&both, &kept, 0, None),
        of(&both, &gone, 1, Some(trash.id)),
        of(&alone, &gone, 0, Some(trash.id)),
        of(&alone, &gone, 1, Some(later.id)),
    ];
    let changes = Changes {
        new_decks: vec![kept.clone(), gone.clone()],
        new_notes: vec![both.clone(), alone.clone()],
        new_cards: cards.clone(),
        trash: vec![trash.clone()],
        ..Changes::default()
    };
    done(store, changes).await;
    done(store, Changes { trash: vec![later.clone()], ..Changes::default() }).await;

    assert_eq!(store.expired(at(5)).await.unwrap(), None);
    assert_eq!(store.expired(at(9)).await.unwrap(), Some(trash.clone()));
    assert!(!store.purge(trash.id, 2).await.unwrap());
    assert!(!store.purge(trash.id, 1).await.unwrap());
    assert!(store.purge(trash.id, 2).await.unwrap());
    assert_eq!(store.expired(at(9)).await.unwrap(), Some(later.clone()));
    assert!(store.purge(later.id, 2).await.unwrap());
    assert_eq!(store.expired(at(9)).await.unwrap(), None);
    assert_eq!(store.any_decks(user, 9).await.unwrap(), [kept]);
    let notes = vec![both.id, alone.id];
    assert_eq!(store.notes(notes.clone()).await.unwrap(), [both]);
    assert_eq!(store.cards_of_notes(notes).await.unwrap(), cards[..1]);
    let asked = cards.iter().map(|card| card.id.uuid());
    let asked = asked.chain([gone.id.uuid(), alone.id.uuid()]).collect::<Vec<_>>();
    assert_eq!(store.taken(asked.clone()).await.unwrap().len(), asked.len());
}
