//! Whatever the model can hold comes back from a package as it went in, and equal input gives equal bytes.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::Cursor;

use anki::model::{
    Card, CardExtra, CardKind, Collection, Deck, Home, Memory, Note, NoteKind, NoteType, Queue,
    Review, ReviewKind, Template,
};
use anki::{Format, Limits, Package, PackageWriter};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A collection with all that belongs to it.
#[derive(Debug, Clone)]
struct Whole {
    collection: Collection,
    notes: Vec<Note>,
    cards: Vec<Card>,
    reviews: Vec<Review>,
    media: Vec<(String, Vec<u8>)>,
}

fn write(whole: &Whole) -> Vec<u8> {
    let folder = std::env::temp_dir();
    let mut writer =
        PackageWriter::new(Cursor::new(Vec::new()), &folder, &whole.collection).unwrap();
    whole.notes.iter().for_each(|note| writer.note(note).unwrap());
    whole.cards.iter().for_each(|card| writer.card(card).unwrap());
    whole.reviews.iter().for_each(|review| writer.review(review).unwrap());
    for (name, content) in &whole.media {
        writer.media(name, &mut content.as_slice()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn read(bytes: Vec<u8>) -> Whole {
    let folder = std::env::temp_dir();
    let mut package = Package::open(Cursor::new(bytes), &folder, &Limits::default()).unwrap();
    assert_eq!(package.format(), Format::Legacy2);
    let media = package.media().to_vec().into_iter().map(|file| {
        let mut content = Vec::new();
        package.copy_media(&file, &mut content).unwrap();
        (file.name, content)
    });
    let media = media.collect();
    Whole {
        collection: package.collection().clone(),
        notes: package.notes().map(Result::unwrap).collect(),
        cards: package.cards().map(Result::unwrap).collect(),
        reviews: package.reviews().map(Result::unwrap).collect(),
        media,
    }
}

/// A name that survives: no control characters, composed, nothing that separates.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Zéß日🎌 &<>\"'{}]{0,12}[a-z0-9]"
}

fn text() -> impl Strategy<Value = String> {
    "[^\u{1f}\u{0}]{0,40}"
}

fn note_type(id: i64) -> impl Strategy<Value = NoteType> {
    let template = (name(), text(), text()).prop_map(|(name, question, answer)| Template {
        name,
        question,
        answer,
    });
    let parts = (vec(name(), 1..5), vec(template, 1..4), 0..4_u32, any::<bool>());
    (name(), parts, text(), text(), text()).prop_map(
        move |(name, (fields, templates, sort_field, is_cloze), css, header, footer)| NoteType {
            id,
            name: format!("{name} {id}"),
            kind: if is_cloze { NoteKind::Cloze } else { NoteKind::Standard },
            fields,
            sort_field,
            templates,
            css,
            latex_header: header,
            latex_footer: footer,
        },
    )
}

fn deck(id: i64) -> impl Strategy<Value = Deck> {
    (vec(name(), 1..4), text(), any::<bool>(), any::<bool>()).prop_map(
        move |(path, description, is_markdown, is_filtered)| Deck {
            id,
            name: format!("{id}{}", path.join("::")),
            description,
            is_markdown,
            is_filtered: is_filtered && id > 1,
        },
    )
}

fn collection() -> impl Strategy<Value = Collection> {
    (
        0..4_000_000_000_i64,
        option::of(-840..840_i32),
        option::of(0..24_u8),
        0..4_000_000_000_000_i64,
        (deck(1), deck(7), deck(1_600_000_000_000)),
        (note_type(5), note_type(1_600_000_000_001)),
    )
        .prop_map(|(created, created_minutes_west, rollover_hour, modified, decks, types)| {
            Collection {
                created,
                created_minutes_west,
                rollover_hour,
                modified,
                decks: vec![decks.0, decks.1, decks.2],
                note_types: vec![types.0, types.1],
            }
        })
}

fn note(id: i64, note_types: Vec<NoteType>) -> impl Strategy<Value = Note> {
    (select(note_types), vec(text(), 4), vec("[a-zé:]{1,8}", 0..3), text(), any::<i32>()).prop_map(
        move |(note_type, mut fields, tags, guid, modified)| {
            fields.truncate(note_type.fields.len());
            fields.resize(note_type.fields.len(), String::new());
            let modified = i64::from(modified);
            Note { id, guid, note_type: note_type.id, modified, tags, fields }
        },
    )
}

fn extra() -> impl Strategy<Value = CardExtra> {
    let memory = (0.001..36_500_f32, 1.0..10_f32)
        .prop_map(|(stability, difficulty)| Memory { stability, difficulty });
    (
        option::of(any::<u32>()),
        option::of(memory),
        option::of(0.7..0.99_f32),
        option::of(0.1..0.9_f32),
        option::of(0..4_000_000_000_i64),
        text(),
    )
        .prop_map(|(position, memory, desired_retention, decay, last_review, custom)| {
            CardExtra { position, memory, desired_retention, decay, last_review, custom }
        })
}

fn card(id: i64, notes: Vec<i64>) -> impl Strategy<Value = Card> {
    let kinds = vec![CardKind::New, CardKind::Learning, CardKind::Review, CardKind::Relearning];
    let queues = vec![
        Queue::UserBuried,
        Queue::SiblingBuried,
        Queue::Suspended,
        Queue::New,
        Queue::Learning,
        Queue::Review,
        Queue::DayLearning,
        Queue::Preview,
    ];
    let home = (select(vec![1_i64, 7]), any::<i32>())
        .prop_map(|(deck, due)| Home { deck, due: due.into() });
    (
        (select(notes), select(vec![1_i64, 7, 1_600_000_000_000]), 0..500_u32, any::<i32>()),
        (select(kinds), select(queues), any::<i64>(), -100_000..40_000_i64),
        (0..10_000_u32, any::<u16>(), any::<u16>(), any::<u16>(), 0..256_u32),
        option::of(home),
        extra(),
    )
        .prop_map(move |(of, (kind, queue, due, interval), counts, home, extra)| Card {
            id,
            note: of.0,
            deck: of.1,
            ordinal: of.2,
            modified: of.3.into(),
            kind,
            queue,
            due,
            interval,
            ease_factor: counts.0,
            reps: counts.1.into(),
            lapses: counts.2.into(),
            steps_left: counts.3.into(),
            home,
            flags: counts.4,
            extra,
        })
}

fn review(id: i64) -> impl Strategy<Value = Review> {
    let kinds = vec![
        ReviewKind::Learn,
        ReviewKind::Review,
        ReviewKind::Relearn,
        ReviewKind::Filtered,
        ReviewKind::Manual,
        ReviewKind::Rescheduled,
    ];
    (0..12_i64, 0..5_u8, any::<i32>(), any::<i32>(), any::<u16>(), any::<u32>(), select(kinds))
        .prop_map(move |(card, button, interval, last_interval, factor, taken, kind)| Review {
            id,
            card,
            button,
            interval: interval.into(),
            last_interval: last_interval.into(),
            factor: factor.into(),
            taken,
            kind,
        })
}

fn whole() -> impl Strategy<Value = Whole> {
    (collection(), 1..6_i64, 0..10_i64, 0..10_i64, 0..4_usize).prop_flat_map(
        |(collection, notes, cards, reviews, media)| {
            let note_types = collection.note_types.clone();
            let of_notes: Vec<_> =
                (1..=notes).map(|id| note(id * 1000, note_types.clone())).collect();
            let ids: Vec<_> = (1..=notes).map(|id| id * 1000).collect();
            let of_cards: Vec<_> = (0..cards).map(|id| card(id - 3, ids.clone())).collect();
            let of_reviews: Vec<_> = (0..reviews).map(review).collect();
            let of_media: Vec<_> = (0..media)
                .map(|number| {
                    (name(), vec(any::<u8>(), 0..2000))
                        .prop_map(move |(name, content)| (format!("{number}{name}.png"), content))
                })
                .collect();
            (Just(collection), of_notes, of_cards, of_reviews, of_media).prop_map(
                |(collection, notes, cards, reviews, media)| Whole {
                    collection,
                    notes,
                    cards,
                    reviews,
                    media,
                },
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(whole in whole()) {
        let bytes = write(&whole);
        prop_assert_eq!(&bytes, &write(&whole), "equal input gave other bytes");
        let found = read(bytes);
        prop_assert_eq!(found.collection, whole.collection);
        prop_assert_eq!(found.notes, whole.notes);
        prop_assert_eq!(found.cards, whole.cards);
        prop_assert_eq!(found.reviews, whole.reviews);
        prop_assert_eq!(found.media, whole.media);
    }
}
