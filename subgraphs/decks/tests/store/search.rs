//! Search against the plain meaning of a query: whatever road a store takes to the cards, it finds those of which the query is true, each once and in order,
//! also after everything by which they are found has changed.

use common::event::{CardStudied, CardsStudied, StudyDue, StudyState};
use common::{Day, DeckId, TrashId, UserId};
use decks::model::{Card, Deck, Note, Tag, Tags, TrashKind};
use decks::search::text::words;
use decks::search::{Filter, Is, Query, SearchKey, Study, Words, parse};
use decks::store::{Changes, MovedCard, Store};
use jiff::Timestamp;

use crate::support::{at, card, deck, done, entry, note};

/// More cards than a store takes for few.
const CARDS: i64 = 2_400;
const TODAY: Day = Day(20_000);
/// Every kind of condition, for many cards, for few, and for none.
const QUERIES: &[&str] = &[
    "",
    "common",
    "w7",
    "absent",
    "only",
    "w7*",
    "w*",
    "zz*",
    "\"common w7\"",
    "\"common w7*\"",
    "\"only said\"",
    "common w7 m3",
    "common only",
    "common asked",
    "even odd",
    "asked m3",
    "m3 w7 w12",
    "w7* m3",
    "-common",
    "-w7",
    "common -w7 tag:part7",
    "(w1 or m2) -common",
    "(w1 or m2) -only -tag:part3",
    "w12 or tag:part3",
    "w12 or w*",
    "w12 or added:1",
    "tag:part3",
    "tag:part3::deep",
    "tag:absent",
    "-tag:part3",
    "deck:0",
    "deck:1 w7",
    "deck:1 or w7",
    "deck:absent",
    "deck:absent or w7",
    "added:1",
    "added:30",
    "added:1 common",
    "-added:1",
    "is:new",
    "is:due",
    "is:learning",
    "is:review",
    "is:suspended",
    "is:buried",
    "is:leech",
    "rated:1",
    "rated:3:2",
    "is:due -tag:part3",
    "common is:due",
    "w7 is:due",
    "common is:leech",
    "common is:review",
    "is:leech or is:suspended",
    "is:leech or is:due or w12",
    "is:due or common",
    "(is:due or rated:1) -is:suspended",
    "(is:due or rated:1) (w7 or m3)",
    "-(is:new or w7)",
];

struct Row {
    card: Card,
    note: Note,
    study: CardStudied,
}

struct World {
    owner: UserId,
    decks: Vec<Deck>,
    rows: Vec<Row>,
}

impl World {
    async fn fill(store: &impl Store) -> Self {
        let owner = UserId::new();
        let decks: Vec<Deck> = (0..3).map(|nth| deck(owner, "deck", nth)).collect();
        done(store, Changes { new_decks: decks.clone(), ..Changes::default() }).await;
        let mut world = Self { owner, decks, rows: Vec::new() };
        for start in (0..CARDS).step_by(800) {
            let rows: Vec<Row> = (start..start + 800).map(|nth| world.row(nth)).collect();
            let new_notes = rows.iter().map(|row| row.note.clone()).collect();
            let new_cards = rows.iter().map(|row| row.card.clone()).collect();
            done(store, Changes { new_notes, new_cards, ..Changes::default() }).await;
            let cards = rows.iter().map(|row| row.study.clone()).collect();
            store.put_study(vec![CardsStudied { owner, cards }]).await.unwrap();
            world.rows.extend(rows);
        }
        world
    }

    fn row(&self, nth: i64) -> Row {
        let tags = match nth % 10 {
            3 => vec!["Part3::Deep".to_owned(), "other".into()],
            part => vec![format!("part{part}")],
        };
        let note = note(self.owner, &tags.iter().map(|tag| &**tag).collect::<Vec<_>>());
        let deck = &self.decks[if nth % 100 == 1 { 1 } else { 0 }];
        let half = if nth % 2 == 0 { "even" } else { "odd" };
        let card = Card {
            note: note.id,
            question: format!("Asked: common w{} m{}?", nth % 300, nth % 7),
            answer: format!("Only said, common, w{} {half}", nth % 299),
            created_at: at(nth),
            ..card(deck, nth)
        };
        let learned = nth % 3 == 0;
        let answered = learned.then(|| at(nth));
        let study = CardStudied {
            card: card.id,
            version: 1,
            state: match nth % 12 {
                0 => StudyState::Relearning,
                3 => StudyState::Learning,
                6 | 9 => StudyState::Review,
                _ => StudyState::New,
            },
            due: learned.then(|| StudyDue::On(Day(TODAY.0 - 5 + i32::try_from(nth % 97).unwrap()))),
            suspended: nth % 400 == 9,
            buried_until: (nth % 500 == 12).then(|| TODAY.plus(1)),
            flag: 0,
            lapses: 0,
            leech: nth % 400 == 11,
            answered: [None, answered.filter(|_| nth % 2 == 0), answered, None],
        };
        Row { card, note, study }
    }

    /// The query, as the service would read it.
    fn filter(&self, query: &Query) -> Filter {
        let list = |parts: &[Query]| parts.iter().map(|part| self.filter(part)).collect();
        let since = |days: u32| at(CARDS - i64::from(days) * 40);
        match query {
            Query::All(parts) => Filter::All(list(parts)),
            Query::Any(parts) => Filter::Any(list(parts)),
            Query::Not(part) => Filter::Not(Box::new(self.filter(part))),
            Query::Words(words) => Filter::Words(words.clone()),
            Query::Deck(name) => {
                let deck: Option<DeckId> = name.parse::<usize>().ok().map(|nth| self.decks[nth].id);
                Filter::Decks(deck.into_iter().collect())
            }
            Query::Tag(tag) => Filter::Tag(tag.clone()),
            Query::Added(days) => Filter::Since(since(*days)),
            Query::Is(is) => Filter::Study(match is {
                Is::Due => Study::Due(TODAY, at(0)),
                Is::New => Study::State(&[StudyState::New]),
                Is::Learning => Study::State(&[StudyState::Learning, StudyState::Relearning]),
                Is::Review => Study::State(&[StudyState::Review, StudyState::Relearning]),
                Is::Suspended => Study::Suspended,
                Is::Buried => Study::Buried(TODAY),
                Is::Leech => Study::Leech,
            }),
            Query::Rated(days, rating) => Filter::Study(Study::Answered(since(*days), *rating)),
        }
    }

    /// What a query finds, by its plain meaning: tier and card, in order.
    fn meant(&self, filter: &Filter) -> Vec<(u8, i64)> {
        let (must, _) = filter.clone().split();
        let there = self.rows.iter().filter(|row| row.card.trash.is_none());
        let mut found: Vec<_> = there
            .filter(|row| is_true(filter, row))
            .map(|row| {
                let in_question = must.iter().all(|words| has(&row.card.question, words));
                (u8::from(!in_question), row)
            })
            .collect();
        found.sort_by_key(|(tier, row)| (*tier, std::cmp::Reverse(row.card.id)));
        found.into_iter().map(|(tier, row)| (tier, row.card.position)).collect()
    }

    async fn check(&self, store: &impl Store, queries: &[&str]) {
        for text in queries {
            let filter = self.filter(&parse(text).unwrap());
            let expected = self.meant(&filter);
            let count = store.search_count(self.owner, filter.clone()).await.unwrap();
            assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{text}");
            // A page from the start, one from where the tiers meet, and one from before the end.
            let meet = expected.iter().position(|(tier, _)| *tier == 1).unwrap_or(0);
            for start in [0, meet.saturating_sub(2), expected.len().saturating_sub(3)] {
                let after = start.checked_sub(1).map(|before| {
                    let (tier, position) = expected[before];
                    let row = self.rows.iter().find(|row| row.card.position == position).unwrap();
                    SearchKey(tier, row.card.id)
                });
                let page = store.search(self.owner, filter.clone(), after, 20).await.unwrap();
                let page: Vec<_> =
                    page.into_iter().map(|(tier, card)| (tier, card.position)).collect();
                let rest: Vec<_> = expected[start..].iter().copied().take(21).collect();
                assert_eq!(page, rest, "{text:?} from {start}");
            }
        }
    }
}

fn has(text: &str, Words { words: wanted, prefix }: &Words) -> bool {
    let there: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    there.windows(wanted.len()).any(|window| {
        let last = wanted.len() - 1;
        let same = |(nth, word): (usize, &String)| {
            *word == wanted[nth] || (*prefix && nth == last && word.starts_with(&wanted[nth]))
        };
        window.iter().enumerate().all(same)
    })
}

fn is_true(filter: &Filter, row: &Row) -> bool {
    let Row { card, note, study } = row;
    match filter {
        Filter::All(parts) => parts.iter().all(|part| is_true(part, row)),
        Filter::Any(parts) => parts.iter().any(|part| is_true(part, row)),
        Filter::Not(part) => !is_true(part, row),
        Filter::Words(words) => has(&card.question, words) || has(&card.answer, words),
        Filter::Decks(decks) => decks.contains(&card.deck),
        Filter::Tag(tag) => note.tags.list().iter().any(|own| own.is_within(tag)),
        Filter::Since(at) => card.created_at >= *at,
        Filter::Study(what) => match *what {
            Study::State(states) => states.contains(&study.state),
            Study::Due(today, _) => {
                let due = matches!(study.due, Some(StudyDue::On(day)) if day <= today);
                due && !study.suspended && study.buried_until.is_none_or(|day| day <= today)
            }
            Study::Suspended => study.suspended,
            Study::Buried(today) => study.buried_until.is_some_and(|day| day > today),
            Study::Leech => study.leech,
            Study::Answered(since, rating) => {
                let last: Vec<Timestamp> = match rating {
                    Some(rating) => study.answered[rating].into_iter().collect(),
                    None => study.answered.into_iter().flatten().collect(),
                };
                last.into_iter().any(|at| at >= since)
            }
        },
    }
}

pub(crate) async fn every_query_finds_what_it_is_true_of(store: &impl Store) {
    let world = World::fill(store).await;
    // Somebody else's are never found.
    World::fill(store).await;
    world.check(store, QUERIES).await;
}

pub(crate) async fn cards_are_found_by_what_they_have_become(store: &impl Store) {
    let mut world = World::fill(store).await;
    let queries =
        ["common", "new", "w7", "tag:part3", "tag:became", "deck:2", "is:leech", "is:new"];
    let queries: Vec<&str> = queries.into_iter().chain(["", "-w7", "new is:leech"]).collect();
    // Texts, decks, tags and what was learned change,
    let mut changes = Changes::default();
    let mut told = Vec::new();
    for (nth, row) in world.rows.iter_mut().enumerate().skip(300).take(40) {
        row.card.version += 1;
        match nth % 4 {
            0 => {
                row.card.question = "new".into();
                changes.cards.push(row.card.clone());
            }
            1 => {
                row.card.deck = world.decks[2].id;
                changes.moved_cards.push(moved(&row.card));
            }
            2 => {
                row.card.version -= 1;
                row.note.version += 1;
                row.note.tags =
                    Tags::new("tags", vec![Tag::new("tag", "Became").unwrap()]).unwrap();
                changes.notes.push(row.note.clone());
            }
            _ => {
                row.card.version -= 1;
                row.study = CardStudied { version: 2, leech: true, ..row.study.clone() };
                told.push(row.study.clone());
            }
        }
    }
    done(store, changes).await;
    store.put_study(vec![CardsStudied { owner: world.owner, cards: told }]).await.unwrap();
    world.check(store, &queries).await;
    // some go into the trash, alone and with their deck,
    let alone = entry(world.owner, TrashKind::Cards, 1);
    let with_deck = entry(world.owner, TrashKind::Deck, 2);
    let trashed_with_deck = vec![(world.decks[2].id, with_deck.id)];
    let mut changes = Changes {
        trash: vec![alone.clone(), with_deck.clone()],
        trashed_with_deck,
        ..Changes::default()
    };
    for (nth, row) in world.rows.iter_mut().enumerate() {
        if row.card.deck == world.decks[2].id {
            trash(&mut row.card, Some(with_deck.id));
        } else if nth % 50 == 0 {
            trash(&mut row.card, Some(alone.id));
            changes.cards.push(row.card.clone());
        }
    }
    done(store, changes).await;
    world.check(store, &queries).await;
    // and come back.
    let restored = vec![alone.id, with_deck.id];
    done(store, Changes { restored, ..Changes::default() }).await;
    world
        .rows
        .iter_mut()
        .filter(|row| row.card.trash.is_some())
        .for_each(|row| trash(&mut row.card, None));
    world.check(store, &queries).await;
}

fn trash(card: &mut Card, entry: Option<TrashId>) {
    card.trash = entry;
    card.version += 1;
}

fn moved(card: &Card) -> MovedCard {
    MovedCard {
        id: card.id,
        note: card.note,
        deck: card.deck,
        position: card.position,
        version: card.version,
        created_at: card.created_at,
        updated_at: card.updated_at,
    }
}
