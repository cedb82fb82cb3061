//! What other domains tell: where persons are, and what was learned of cards, which are found by it.

use common::event::{CardStudied, CardsStudied, StudyDue, StudyState, UserChanged};
use common::{CardId, Day, UserId};
use decks::model::{Card, Person, TrashKind};
use decks::search::{Filter, Study};
use decks::store::{Changes, Store};

use crate::support::{at, card, deck, done, entry, note};

const TODAY: Day = Day(20_000);

pub(crate) async fn persons_are_kept_when_newer(store: &impl Store) {
    let user = UserId::new();
    let told = |version, zone: &str| UserChanged {
        user,
        version,
        deleted: false,
        time_zone: zone.into(),
        rollover_hour: 2,
    };
    assert_eq!(store.person(user).await.unwrap(), None);
    for (version, zone) in [(3, "Asia/Tokyo"), (2, "UTC"), (3, "UTC")] {
        store.put_person(told(version, zone)).await.unwrap();
    }
    let person = |zone: &str| Some(Person { time_zone: zone.into(), rollover_hour: 2 });
    assert_eq!(store.person(user).await.unwrap(), person("Asia/Tokyo"));
    store.put_person(told(4, "Europe/Zurich")).await.unwrap();
    assert_eq!(store.person(user).await.unwrap(), person("Europe/Zurich"));

    let gone = decks::model::Owner { gone: true, ..store.owner(user).await.unwrap() };
    done(store, Changes { owner: Some(gone), ..Changes::default() }).await;
    store.put_person(told(9, "UTC")).await.unwrap();
    assert_eq!(store.person(user).await.unwrap(), None, "nothing of it comes back");
}

/// Five cards of a person, and what may be learned of them.
struct World {
    owner: UserId,
    cards: Vec<Card>,
}

impl World {
    async fn new(store: &impl Store) -> Self {
        let owner = UserId::new();
        let deck = deck(owner, "deck", 1);
        let notes: Vec<_> = (0..5).map(|_| note(owner, &["tag"])).collect();
        let cards: Vec<Card> = (0..)
            .zip(&notes)
            .map(|(nth, note)| Card { note: note.id, ..card(&deck, nth) })
            .collect();
        let (new_decks, new_cards) = (vec![deck], cards.clone());
        done(store, Changes { new_decks, new_notes: notes, new_cards, ..Changes::default() }).await;
        Self { owner, cards }
    }

    fn studied(&self, nth: usize, version: i64, state: StudyState) -> CardStudied {
        CardStudied {
            card: self.cards[nth].id,
            version,
            state,
            due: None,
            suspended: false,
            buried_until: None,
            flag: 0,
            lapses: 0,
            leech: false,
            answered: [None; 4],
        }
    }

    async fn tell(&self, store: &impl Store, cards: Vec<CardStudied>) {
        store.put_study(vec![CardsStudied { owner: self.owner, cards }]).await.unwrap();
    }

    /// Which of the cards are found, latest first.
    async fn found(&self, store: &impl Store, filter: Filter) -> Vec<usize> {
        let found = store.search(self.owner, filter.clone(), None, 99).await.unwrap();
        let count = store.search_count(self.owner, filter).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), found.len());
        let nth = |id: CardId| self.cards.iter().position(|card| card.id == id).unwrap();
        found.into_iter().map(|(_, card)| nth(card.id)).collect()
    }
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

pub(crate) async fn cards_are_found_by_what_was_learned(store: &impl Store) {
    let world = World::new(store).await;
    // Somebody else's are never found.
    let other = World::new(store).await;
    let due = Study::Due(TODAY, at(1_000));
    let find = async |study| world.found(store, Filter::Study(study)).await;
    assert_eq!(find(Study::State(&[StudyState::New])).await, [4, 3, 2, 1, 0]);
    assert_eq!(find(due).await, [0; 0]);

    use StudyState::{Learning, New, Relearning, Review};
    let told = vec![
        CardStudied {
            due: Some(StudyDue::On(TODAY)),
            lapses: 8,
            leech: true,
            answered: [Some(at(5)), None, Some(at(50)), None],
            ..world.studied(0, 1, Review)
        },
        CardStudied {
            due: Some(StudyDue::On(TODAY.plus(1))),
            answered: [None, Some(at(20)), None, None],
            ..world.studied(1, 1, Review)
        },
        CardStudied {
            due: Some(StudyDue::At(at(999))),
            suspended: true,
            ..world.studied(2, 1, Relearning)
        },
        CardStudied {
            due: Some(StudyDue::At(at(999))),
            buried_until: Some(TODAY.plus(1)),
            flag: 7,
            ..world.studied(3, 1, Learning)
        },
    ];
    world.tell(store, told.clone()).await;
    other.tell(store, told.clone()).await;
    let since = |ms, rating| Study::Answered(at(ms), rating);
    for (study, expected) in [
        (due, vec![0]),
        (Study::Due(TODAY.plus(1), at(1_000)), vec![3, 1, 0]),
        (Study::State(&[New]), vec![4]),
        (Study::State(&[Learning, Relearning]), vec![3, 2]),
        (Study::State(&[Review, Relearning]), vec![2, 1, 0]),
        (Study::Suspended, vec![2]),
        (Study::Buried(TODAY), vec![3]),
        (Study::Buried(TODAY.plus(1)), vec![]),
        (Study::Leech, vec![0]),
        (since(20, None), vec![1, 0]),
        (since(21, None), vec![0]),
        (since(5, Some(0)), vec![0]),
        (since(6, Some(0)), vec![]),
        (since(0, Some(1)), vec![1]),
        (since(0, Some(3)), vec![]),
    ] {
        assert_eq!(find(study).await, expected, "{study:?}");
        let rest: Vec<usize> = (0..5).rev().filter(|nth| !expected.contains(nth)).collect();
        let found = world.found(store, not(Filter::Study(study))).await;
        assert_eq!(found, rest, "not {study:?}");
        let either = Filter::Any(vec![Filter::Study(study), Filter::Study(Study::Suspended)]);
        let found = world.found(store, either).await;
        assert!(found.contains(&2) && expected.iter().all(|nth| found.contains(nth)), "{study:?}");
        // With words.
        let decks::search::Query::Words(words) = decks::search::parse("question").unwrap() else {
            panic!()
        };
        let both = Filter::All(vec![Filter::Words(words.clone()), Filter::Study(study)]);
        assert_eq!(world.found(store, both).await, expected, "{study:?} with words");
        let either = Filter::Any(vec![Filter::Words(words), Filter::Study(study)]);
        assert_eq!(world.found(store, either).await, [4, 3, 2, 1, 0], "{study:?} or words");
    }

    // Pages go on after a card.
    let page =
        store.search(world.owner, Filter::Study(Study::State(&[Review, Relearning])), None, 1);
    let page = page.await.unwrap();
    assert_eq!(page.len(), 2);
    let after = Some(decks::search::SearchKey(0, page[0].1.id));
    let rest = Filter::Study(Study::State(&[Review, Relearning]));
    let rest = store.search(world.owner, rest, after, 9).await.unwrap();
    assert_eq!(rest.iter().map(|(_, card)| card.position).collect::<Vec<_>>(), [1, 0]);
}

pub(crate) async fn what_was_learned_is_kept_when_newer(store: &impl Store) {
    let (world, other) = (World::new(store).await, World::new(store).await);
    let suspended = async |world: &World| world.found(store, Filter::Study(Study::Suspended)).await;
    let told = |version, suspended| CardStudied {
        suspended,
        ..world.studied(0, version, StudyState::New)
    };
    world.tell(store, vec![told(5, true), told(4, false), told(5, false)]).await;
    assert_eq!(suspended(&world).await, [0]);
    // A card that nobody has, and one that is somebody else's.
    let unknown = CardStudied { card: CardId::new(), ..told(9, false) };
    world.tell(store, vec![unknown]).await;
    other.tell(store, vec![told(9, false)]).await;
    assert_eq!(suspended(&world).await, [0]);

    // It is told of one in the trash, and comes back with it.
    let trash = entry(world.owner, TrashKind::Cards, 1);
    let gone = Card { trash: Some(trash.id), version: 2, ..world.cards[0].clone() };
    let cards = vec![gone];
    done(store, Changes { cards, trash: vec![trash.clone()], ..Changes::default() }).await;
    assert_eq!(suspended(&world).await, [0; 0]);
    world.tell(store, vec![CardStudied { leech: true, ..told(6, true) }]).await;
    let restored = vec![trash.id];
    done(store, Changes { restored, ..Changes::default() }).await;
    assert_eq!(suspended(&world).await, [0]);
    assert_eq!(world.found(store, Filter::Study(Study::Leech)).await, [0]);
    // An edit leaves it.
    let edited = Card { version: 4, question: "new".into(), ..world.cards[0].clone() };
    done(store, Changes { cards: vec![edited], ..Changes::default() }).await;
    assert_eq!(suspended(&world).await, [0]);
}
