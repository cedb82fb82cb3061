//! Decks and cards: what is stored, paged, changed at the same time, and told to others.

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, Event, TrashId, UserId};
use decks::model::{
    Card, CardKey, CardList, CardSort, Deck, DeckFilter, DeckKey, DeckOrder, DeckSort, Owner,
    Source,
};
use decks::store::{Changes, Commit, MovedCard, Store};

use crate::support::{self, at, card, deck, decks_of, done, event, note, positions};

pub(crate) async fn what_is_stored_comes_back(store: &impl Store) {
    let user = UserId::new();
    assert_eq!(store.owner(user).await.unwrap(), Owner::new(user));
    let mut plain = deck(user, "Ωmega", 1);
    let mut colored = deck(user, "日本語 😀", 2);
    colored.color = Some("#FFEC87".into());
    colored.description = "line\nline\u{0}".into();
    let mut long = card(&colored, -7);
    long.question = "語".repeat(10_000);
    long.source = Some(Source { start: 0, end: 12 });
    let short = card(&colored, 9);
    let changes = Changes {
        owner: Some(Owner { deck_count: 2, ..Owner::new(user) }),
        new_decks: vec![plain.clone(), colored.clone()],
        new_cards: vec![long.clone(), short.clone()],
        ..Changes::default()
    };
    done(store, changes).await;
    let owner = Owner { deck_count: 2, revision: 1, ..Owner::new(user) };
    assert_eq!(store.owner(user).await.unwrap(), owner);
    assert_eq!(decks_of(store, user).await, [plain.clone(), colored.clone()]);
    assert_eq!(decks_of(store, UserId::new()).await, []);

    let ids = vec![short.id, CardId::new(), long.id, short.id];
    let mut cards = store.cards(ids).await.unwrap();
    cards.sort_by_key(|card| card.position);
    assert_eq!(cards, [long, short]);

    plain.name = "renamed".into();
    plain.card_count = 3;
    done(store, Changes { decks: vec![plain.clone()], ..Changes::default() }).await;
    plain.revision = 2;
    assert_eq!(store.decks(vec![DeckId::new(), plain.id]).await.unwrap(), [plain]);
    store.ping().await.unwrap();
}

pub(crate) async fn a_change_of_something_that_has_changed_since_changes_nothing(
    store: &impl Store,
) {
    let user = UserId::new();
    let deck = deck(user, "deck", 1);
    let cards = [card(&deck, 1), card(&deck, 2)];
    let owner = Owner { deck_count: 1, ..Owner::new(user) };
    let before = Changes {
        owner: Some(owner),
        new_decks: vec![deck.clone()],
        new_cards: cards.to_vec(),
        ..Changes::default()
    };
    done(store, before).await;

    let old = Deck { revision: 0, ..deck.clone() };
    let edited = Card { version: 3, ..cards[0].clone() };
    let moved = MovedCard {
        id: cards[0].id,
        note: cards[0].note,
        deck: deck.id,
        position: 8,
        version: 3,
        created_at: at(0),
        updated_at: at(0),
    };
    let stale = [
        Changes { owner: Some(owner), ..Changes::default() },
        Changes { owner: Some(Owner { revision: 7, ..owner }), ..Changes::default() },
        Changes { decks: vec![old.clone()], ..Changes::default() },
        Changes { deleted_decks: vec![old], ..Changes::default() },
        Changes { cards: vec![edited], ..Changes::default() },
        Changes { moved_cards: vec![moved], ..Changes::default() },
        Changes { restored: vec![TrashId::new()], ..Changes::default() },
        Changes { notes: vec![note(user, &[])], ..Changes::default() },
    ];
    for (index, mut changes) in stale.into_iter().enumerate() {
        let new = support::deck(user, "new", 5);
        changes.new_cards = vec![card(&new, 1)];
        changes.events = vec![event(&new)];
        changes.new_decks = vec![new];
        assert_eq!(store.commit(changes).await.unwrap(), Commit::Stale, "change {index}");
        assert_eq!(decks_of(store, user).await, std::slice::from_ref(&deck), "change {index}");
        let expected = [(cards[0].id, 1, 1), (cards[1].id, 2, 1)];
        assert_eq!(positions(store, deck.id).await, expected, "change {index}");
        assert!(store.pending(10).await.unwrap().is_empty(), "change {index}");
    }
}

pub(crate) async fn a_taken_id_changes_nothing(store: &impl Store) {
    let (mine, theirs) = (deck(UserId::new(), "mine", 1), deck(UserId::new(), "theirs", 1));
    let card = card(&mine, 1);
    let new_decks = vec![mine.clone(), theirs.clone()];
    done(store, Changes { new_decks, new_cards: vec![card.clone()], ..Changes::default() }).await;

    let taken = Deck { id: mine.id, ..theirs.clone() };
    let changes = Changes { new_decks: vec![taken], ..Changes::default() };
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Stale);
    let taken = Card { deck: theirs.id, owner: theirs.owner, ..card.clone() };
    let new_cards = vec![support::card(&theirs, 1), taken];
    let changes = Changes { new_cards, ..Changes::default() };
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Stale);
    assert_eq!(store.decks(vec![mine.id]).await.unwrap(), [mine]);
    assert_eq!(store.cards(vec![card.id]).await.unwrap(), [card]);
    assert!(store.outline(theirs.id).await.unwrap().is_empty());
}

pub(crate) async fn decks_are_paged_in_every_order(store: &impl Store) {
    let user = UserId::new();
    let names = ["b", "A", "a", "ä", "Ω", "a", "Z"];
    let decks: Vec<Deck> =
        names.iter().zip(0..).map(|(name, ms)| deck(user, name, ms / 2)).collect();
    let foreign = deck(UserId::new(), "a", 0);
    let new_decks = decks.iter().cloned().chain([foreign]).collect();
    done(store, Changes { new_decks, ..Changes::default() }).await;

    for by in [DeckSort::Name, DeckSort::CreatedAt, DeckSort::UpdatedAt, DeckSort::Position] {
        for descending in [false, true] {
            let mut expected = decks.clone();
            expected.sort_by_key(|deck| match DeckKey::of(deck, by) {
                DeckKey::Name(name, id) => (name, 0, id),
                DeckKey::CreatedAt(at, id)
                | DeckKey::UpdatedAt(at, id)
                | DeckKey::Position(at, id) => (String::new(), at, id),
            });
            if descending {
                expected.reverse();
            }
            let order = DeckOrder { by, descending };
            for direction in [Direction::Forward, Direction::Backward] {
                let found = walk_decks(store, user, order, direction).await;
                assert_eq!(found, expected, "{order:?} {direction:?}");
            }
        }
    }
}

/// All decks of a person, two at a time.
async fn walk_decks(
    store: &impl Store,
    user: UserId,
    order: DeckOrder,
    direction: Direction,
) -> Vec<Deck> {
    let mut found: Vec<Deck> = Vec::new();
    let mut cursor = None;
    loop {
        let request = PageRequest { direction, limit: 2, cursor: cursor.clone() };
        let page = store.deck_page(user, DeckFilter::default(), order, request).await.unwrap();
        let more = match direction {
            Direction::Forward => {
                assert_eq!(page.has_previous, cursor.is_some());
                found.extend(page.rows);
                cursor = found.last().map(|deck| DeckKey::of(deck, order.by));
                page.has_next
            }
            Direction::Backward => {
                assert_eq!(page.has_next, cursor.is_some());
                found.splice(0..0, page.rows);
                cursor = found.first().map(|deck| DeckKey::of(deck, order.by));
                page.has_previous
            }
        };
        if !more {
            return found;
        }
    }
}

pub(crate) async fn cards_of_many_decks_are_paged_at_once(store: &impl Store) {
    let user = UserId::new();
    let decks: Vec<Deck> = (0..3).map(|ms| deck(user, "deck", ms)).collect();
    // The first deck has no card, the second 3, the third 6.
    let new_cards: Vec<Card> = decks
        .iter()
        .zip(0..)
        .flat_map(|(deck, nth)| (0..nth * 3).rev().map(move |at| card(deck, at * 10)))
        .collect();
    let changes =
        Changes { new_decks: decks.clone(), new_cards: new_cards.clone(), ..Changes::default() };
    done(store, changes).await;
    let ids: Vec<DeckId> = decks.iter().map(|deck| deck.id).collect();

    let pages = async |direction, limit, cursor| {
        let request = PageRequest { direction, limit, cursor };
        let pages = store.card_pages(ids.clone(), CardList::default(), request).await.unwrap();
        let page = |id: &DeckId| {
            let Some(page) = pages.get(id) else { return (vec![], false, false) };
            for card in &page.rows {
                assert!(new_cards.contains(card), "{card:?}");
            }
            let positions: Vec<i64> = page.rows.iter().map(|card| card.position).collect();
            (positions, page.has_previous, page.has_next)
        };
        ids.iter().map(page).collect::<Vec<_>>()
    };
    assert_eq!(
        pages(Direction::Forward, 4, None).await,
        [
            (vec![], false, false),
            (vec![0, 10, 20], false, false),
            (vec![0, 10, 20, 30], false, true)
        ]
    );
    assert_eq!(
        pages(Direction::Backward, 2, None).await,
        [(vec![], false, false), (vec![10, 20], true, false), (vec![40, 50], true, false)]
    );
    let cursor = new_cards.iter().find(|card| card.deck == ids[2] && card.position == 10);
    let cursor = cursor.map(|card| CardKey::of(card, CardSort::Position));
    let after = pages(Direction::Forward, 2, cursor).await;
    assert_eq!(after[2], (vec![20, 30], true, true));
    let before = pages(Direction::Backward, 2, cursor).await;
    assert_eq!(before[2], (vec![0], false, true));
    assert_eq!(pages(Direction::Forward, 0, None).await[2], (vec![], false, true));
}

pub(crate) async fn a_deleted_deck_takes_its_cards_along(store: &impl Store) {
    let user = UserId::new();
    let (gone, kept) = (deck(user, "gone", 1), deck(user, "kept", 2));
    let (gone_cards, kept_card) = ([card(&gone, 1), card(&gone, 2)], card(&kept, 1));
    let new_cards = gone_cards.iter().chain([&kept_card]).cloned().collect();
    let new_decks = vec![gone.clone(), kept.clone()];
    done(store, Changes { new_decks, new_cards, ..Changes::default() }).await;

    done(store, Changes { deleted_decks: vec![gone.clone()], ..Changes::default() }).await;
    assert_eq!(decks_of(store, user).await, [kept]);
    let ids = vec![gone_cards[0].id, gone_cards[1].id, kept_card.id];
    assert_eq!(store.cards(ids.clone()).await.unwrap(), [kept_card]);
    let asked = ids.iter().map(|id| id.uuid()).chain([gone.id.uuid()]).collect();
    let mut deleted = store.taken(asked).await.unwrap();
    deleted.sort();
    let mut expected =
        [gone.id.uuid(), gone_cards[0].id.uuid(), gone_cards[1].id.uuid(), ids[2].uuid()];
    expected.sort();
    assert_eq!(deleted, expected);
}

pub(crate) async fn cards_are_edited_and_moved(store: &impl Store) {
    let user = UserId::new();
    let (from, to) = (deck(user, "from", 1), deck(user, "to", 2));
    let cards: Vec<Card> = (1..=1200).map(|position| card(&from, position)).collect();
    let new_decks = vec![from.clone(), to.clone()];
    done(store, Changes { new_decks, new_cards: cards.clone(), ..Changes::default() }).await;

    let edited = Card {
        question: "edited".into(),
        answer: "too".into(),
        updated_at: at(99),
        version: 2,
        ..cards[0].clone()
    };
    // More than one command's worth.
    let moved_cards = cards[2..].iter().map(|card| MovedCard {
        id: card.id,
        note: card.note,
        deck: to.id,
        position: -card.position,
        version: 2,
        created_at: card.created_at,
        updated_at: at(99),
    });
    let changes = Changes {
        cards: vec![edited.clone()],
        moved_cards: moved_cards.collect(),
        ..Changes::default()
    };
    done(store, changes).await;
    assert_eq!(positions(store, from.id).await, [(edited.id, 1, 2), (cards[1].id, 2, 1)]);
    assert_eq!(store.cards(vec![edited.id]).await.unwrap(), [edited]);
    let moved = positions(store, to.id).await;
    assert_eq!((moved.len(), moved[0]), (1198, (cards[1199].id, -1200, 2)));
    let card = store.cards(vec![cards[2].id]).await.unwrap().remove(0);
    let (deck, position, updated_at, version) = (to.id, -3, at(99), 2);
    assert_eq!(card, Card { deck, position, updated_at, version, ..cards[2].clone() });
}

pub(crate) async fn events_wait_until_they_are_delivered(store: &impl Store) {
    let decks: Vec<Deck> = (0..3).map(|ms| deck(UserId::new(), "deck", ms)).collect();
    let events: Vec<Event> = decks.iter().map(event).collect();
    done(store, Changes { events: events.clone(), ..Changes::default() }).await;
    let pending = store.pending(2).await.unwrap();
    let (ids, first): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
    assert_eq!(first, events[..2]);
    store.delivered(ids).await.unwrap();
    let pending = store.pending(10).await.unwrap();
    assert_eq!(pending.into_iter().map(|(_, event)| event).collect::<Vec<_>>(), events[2..]);
}
