//! Published decks, their releases, clones and ratings.

use std::collections::HashMap;

use common::page::{Direction, PageRequest};
use common::{DeckId, MediaId, PublicationId, UserId};
use decks::model::{
    ContentHash, Licence, Links, MediaKind, MediaName, NoteLink, PublicFilter, PublicKey,
    PublicOrder, Publication, PublishedDeck, PublishedMedia, PublishedNote, PublishedPlace, Rating,
    Release, Subscription, Tag, Tags, TrashKind, origin,
};
use decks::store::sharing::{NewRelease, ShareChanges};
use decks::store::{Changes, Commit, Store};
use uuid::Uuid;

use crate::support::{at, deck, done, entry, note};

fn publication(slug: &str, ms: i64) -> Publication {
    Publication {
        id: PublicationId::new(),
        deck: DeckId::new(),
        owner: UserId::new(),
        slug: slug.into(),
        title: format!("Titre {slug}"),
        description: "de l'Été".into(),
        tags: Tags::new("tags", vec![Tag::new("tag", "Language::French").unwrap()]).unwrap(),
        licence: Licence::CcBySa,
        author: Some("Ada".into()),
        listed: true,
        created_at: at(ms),
        updated_at: at(ms + 1),
        release: 1,
        deck_count: 1,
        note_count: 2,
        card_count: 3,
        media_count: 4,
        media_bytes: 5,
        rating_sum: 0,
        rating_count: 0,
        subscriber_count: 0,
        revision: 1,
    }
}

fn sharing(sharing: ShareChanges) -> Changes {
    Changes { sharing, ..Changes::default() }
}

fn new(publication: &Publication) -> ShareChanges {
    ShareChanges { new_publication: Some(publication.clone()), ..ShareChanges::default() }
}

fn changed(publication: Publication) -> ShareChanges {
    ShareChanges { publications: vec![publication], ..ShareChanges::default() }
}

fn page<K>(limit: u32, cursor: Option<K>, direction: Direction) -> PageRequest<K> {
    PageRequest { direction, limit, cursor }
}

pub(crate) async fn a_published_deck_comes_back_as_it_was_written(store: &impl Store) {
    let one = publication("one", 1);
    done(store, sharing(new(&one))).await;
    assert_eq!(store.publications(vec![one.id, one.id]).await.unwrap(), std::slice::from_ref(&one));
    assert_eq!(store.publication_by_slug("one".into()).await.unwrap(), Some(one.clone()));
    assert_eq!(store.publication_by_slug("two".into()).await.unwrap(), None);
    assert_eq!(
        store.publications_of_decks(vec![one.deck]).await.unwrap(),
        std::slice::from_ref(&one)
    );
    assert_eq!(store.publications_of(one.owner, 5).await.unwrap(), std::slice::from_ref(&one));
    assert_eq!(store.publications_of(UserId::new(), 5).await.unwrap(), []);

    // Slugs and decks are published once.
    for other in [publication("one", 2), Publication { deck: one.deck, ..publication("two", 2) }] {
        let found = store.commit(sharing(new(&other))).await.unwrap();
        assert_eq!(found, Commit::Stale);
    }
    let user = UserId::new();
    let rated = Rating { publication: one.id, user, before: None, stars: Some(4) };
    let subscribers = vec![(one.id, 2)];
    let counted = ShareChanges { rating: Some(rated), subscribers, ..ShareChanges::default() };
    done(store, sharing(counted)).await;
    // What replaces it does not touch what others did meanwhile.
    let edited = Publication {
        title: "other".into(),
        author: None,
        listed: false,
        tags: Tags::default(),
        licence: Licence::Cc0,
        release: 2,
        media_count: 6,
        media_bytes: 7,
        updated_at: at(9),
        ..one.clone()
    };
    done(store, sharing(changed(edited.clone()))).await;
    let expected = Publication {
        revision: 2,
        rating_sum: 4,
        rating_count: 1,
        subscriber_count: 2,
        ..edited.clone()
    };
    assert_eq!(store.publications(vec![one.id]).await.unwrap(), std::slice::from_ref(&expected));
    assert_eq!(store.commit(sharing(changed(edited))).await.unwrap(), Commit::Stale);
    assert_eq!(store.publications(vec![one.id]).await.unwrap(), [expected]);
}

pub(crate) async fn public_decks_are_found_and_paged_in_every_order(store: &impl Store) {
    let mut all: Vec<Publication> =
        (0..7).map(|nth| publication(&format!("deck-{nth}"), nth / 2)).collect();
    all[1].title = "Ça alors 語".into();
    all[2].licence = Licence::Cc0;
    all[3].tags = Tags::new("tags", vec![Tag::new("tag", "language").unwrap()]).unwrap();
    let hidden = Publication { listed: false, ..publication("hidden", 1) };
    for publication in all.iter().chain([&hidden]) {
        done(store, sharing(new(publication))).await;
    }
    for (nth, publication) in all.iter_mut().enumerate() {
        let subscribers = vec![(publication.id, nth as i64 % 3)];
        let stars = (nth > 1).then_some(nth as i64 % 5 + 1);
        let (user, id) = (UserId::new(), publication.id);
        let rating = stars.map(|_| Rating { publication: id, user, before: None, stars });
        let counted = ShareChanges { subscribers, rating, ..ShareChanges::default() };
        done(store, sharing(counted)).await;
        publication.subscriber_count = nth as i64 % 3;
        publication.rating_sum = stars.unwrap_or(0);
        publication.rating_count = i64::from(stars.is_some());
    }
    for order in [PublicOrder::Newest, PublicOrder::Rating, PublicOrder::Subscribers] {
        let mut expected = all.clone();
        expected.sort_by_key(|publication| {
            let PublicKey(_, value, id) = PublicKey::of(publication, order);
            std::cmp::Reverse((value, id))
        });
        for direction in [Direction::Forward, Direction::Backward] {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let request = page(3, cursor, direction);
                let page =
                    store.public_page(PublicFilter::default(), order, request).await.unwrap();
                let (end, more) = match direction {
                    Direction::Forward => (page.rows.last(), page.has_next),
                    Direction::Backward => (page.rows.first(), page.has_previous),
                };
                cursor = end.map(|end| PublicKey::of(end, order));
                match direction {
                    Direction::Forward => found.extend(page.rows),
                    Direction::Backward => {
                        found.splice(..0, page.rows);
                    }
                }
                if !more {
                    break;
                }
            }
            assert_eq!(found, expected, "{order:?} {direction:?}");
        }
    }
    let tag = |text: &str| vec![text.to_owned()];
    for (query, tags, licence, expected) in [
        ("", vec![], None, 7),
        ("titr ete ada french", vec![], None, 5),
        ("deck 4", vec![], None, 1),
        ("CA 語", vec![], None, 1),
        ("alors titre", vec![], None, 0),
        ("hidden", vec![], None, 0),
        ("", tag("LANGUAGE"), None, 7),
        ("", tag("language::french"), None, 6),
        ("", tag("french"), None, 0),
        ("", vec![], Some(Licence::Cc0), 1),
        ("alors", tag("language"), Some(Licence::Cc0), 0),
        ("\"' -)(*", vec![], None, 7),
    ] {
        let filter = PublicFilter::new(query, &tags, licence).unwrap();
        let request = page(50, None, Direction::Forward);
        let found = store.public_page(filter.clone(), PublicOrder::Newest, request).await.unwrap();
        assert_eq!(found.rows.len(), expected, "{query} {tags:?} {licence:?}");
        assert_eq!(store.public_count(filter).await.unwrap(), expected as i64, "{query}");
    }
}

/// A note of a published deck.
fn published(of: &Publication, deck: Uuid, position: i64, since: i64) -> PublishedNote {
    let written = note(of.owner, &["a", "B::c"]);
    PublishedNote {
        publication: of.id,
        origin: origin(of.id, written.id.uuid()),
        since,
        until: None,
        deck,
        position,
        content: written.content,
        tags: written.tags,
    }
}

fn place(note: &PublishedNote) -> PublishedPlace {
    let PublishedNote { origin, since, deck, position, .. } = *note;
    PublishedPlace { origin, since, deck, position }
}

fn release(of: &Publication, number: i64) -> Release {
    Release {
        publication: of.id,
        number,
        change_note: format!("change {number}"),
        published_at: at(number),
        deck_count: 1,
        note_count: number,
        card_count: 2 * number,
    }
}

async fn publish(
    store: &impl Store,
    release: Release,
    decks: &[PublishedDeck],
    ended: &[Uuid],
    notes: &[PublishedNote],
) {
    let (decks, ended, notes) = (decks.to_vec(), ended.to_vec(), notes.to_vec());
    let release = Some(NewRelease { release, decks, ended, notes });
    done(store, sharing(ShareChanges { release, ..ShareChanges::default() })).await;
}

pub(crate) async fn a_release_stays_as_it_was_when_others_come(store: &impl Store) {
    let (one, other) = (publication("one", 1), publication("other", 2));
    done(store, sharing(new(&one))).await;
    done(store, sharing(new(&other))).await;
    let root = PublishedDeck {
        origin: Uuid::now_v7(),
        parent: None,
        name: "root".into(),
        description: "\u{0}".into(),
        color: Some("#FFFFFF".into()),
    };
    let inside =
        PublishedDeck { origin: Uuid::now_v7(), parent: Some(root.origin), ..root.clone() };
    let [kept, edited, gone] = [3, 2, 1].map(|place| published(&one, root.origin, place, 1));
    let first = [kept.clone(), edited.clone(), gone.clone()];
    publish(store, release(&one, 1), std::slice::from_ref(&root), &[], &first).await;
    let foreign = published(&other, root.origin, 1, 1);
    publish(store, release(&other, 1), &[], &[], std::slice::from_ref(&foreign)).await;
    let again = PublishedNote { since: 2, deck: inside.origin, ..edited.clone() };
    let decks = [root.clone(), inside.clone()];
    let ended = [edited.origin, gone.origin];
    publish(store, release(&one, 2), &decks, &ended, std::slice::from_ref(&again)).await;

    assert_eq!(store.release_decks(one.id, 1).await.unwrap(), Some(vec![root.clone()]));
    assert_eq!(store.release_decks(one.id, 2).await.unwrap(), Some(decks.to_vec()));
    assert_eq!(store.release_decks(one.id, 3).await.unwrap(), None);
    let ended = |note: &PublishedNote| PublishedNote { until: Some(2), ..note.clone() };
    let origins = [&kept, &edited, &gone].map(|note| note.origin);
    for (number, expected) in [
        (1, vec![ended(&gone), ended(&edited), kept.clone()]),
        (2, vec![again.clone(), kept.clone()]),
    ] {
        let mut places = store.release_places(one.id, number).await.unwrap();
        places.sort_by_key(|place| place.position);
        assert_eq!(places, expected.iter().map(place).collect::<Vec<_>>());
        let wanted = origins.map(|origin| (origin, number)).to_vec();
        let mut found = store.notes_in_releases(one.id, wanted).await.unwrap();
        found.sort_by_key(|note| note.position);
        assert_eq!(found, expected, "as release {number} has them");
    }
    let wanted = vec![
        (edited.origin, 1),
        (edited.origin, 2),
        (gone.origin, 2),
        (kept.origin, 0),
        (foreign.origin, 1),
    ];
    let mut found = store.notes_in_releases(one.id, wanted).await.unwrap();
    found.sort_by_key(|note| note.since);
    assert_eq!(found, [ended(&edited), again.clone()]);
    assert_eq!(store.notes_in_releases(one.id, Vec::new()).await.unwrap(), []);

    let ids = vec![one.id, other.id, PublicationId::new()];
    let request = page(1, None, Direction::Forward);
    let pages = store.release_pages(ids.clone(), request).await.unwrap();
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[&one.id].rows, [release(&one, 2)]);
    assert_eq!((pages[&one.id].has_next, pages[&other.id].has_next), (true, false));
    let request = page(5, Some(2), Direction::Forward);
    assert_eq!(
        store.release_pages(ids.clone(), request).await.unwrap()[&one.id].rows,
        [release(&one, 1)]
    );
    let request = page(1, None, Direction::Backward);
    assert_eq!(
        store.release_pages(ids.clone(), request).await.unwrap()[&one.id].rows,
        [release(&one, 1)]
    );

    let mut expected = [again, kept];
    expected.sort_by_key(PublishedNote::key);
    let request = page(1, None, Direction::Forward);
    let pages = store.sample_pages(ids.clone(), request).await.unwrap();
    assert_eq!(pages[&one.id].rows, expected[..1]);
    assert_eq!(pages[&other.id].rows, [foreign]);
    let request = page(9, Some(expected[0].key()), Direction::Forward);
    assert_eq!(
        store.sample_pages(ids.clone(), request).await.unwrap()[&one.id].rows,
        expected[1..]
    );
    let request = page(9, Some(expected[1].key()), Direction::Backward);
    assert_eq!(store.sample_pages(ids, request).await.unwrap()[&one.id].rows, expected[..1]);

    for (publication, left) in [(&one, 3), (&other, 1)] {
        let mut parts = 0;
        while !store.erase_publication(publication.id, 2).await.unwrap() {
            parts += 1;
            let found = store.publications(vec![publication.id]).await.unwrap();
            assert!(!found[0].listed, "half of it is not public");
        }
        assert!(parts <= left, "{parts}");
        assert_eq!(store.publications(vec![publication.id]).await.unwrap(), []);
        assert_eq!(store.release_places(publication.id, 1).await.unwrap(), []);
        assert_eq!(store.release_decks(publication.id, 1).await.unwrap(), None);
        assert!(store.erase_publication(publication.id, 2).await.unwrap(), "again");
    }
}

pub(crate) async fn clones_are_remembered_until_their_deck_is_gone(store: &impl Store) {
    let (user, of) = (UserId::new(), publication("one", 1));
    done(store, sharing(new(&of))).await;
    let trash = entry(user, TrashKind::Deck, 5);
    let [kept, purged] = ["kept", "purged"].map(|name| deck(user, name, 1));
    let purged = decks::model::Deck { trash: Some(trash.id), ..purged };
    let new_decks = vec![kept.clone(), purged.clone()];
    done(store, Changes { new_decks, trash: vec![trash.clone()], ..Changes::default() }).await;
    let clone = |deck: DeckId| Subscription {
        deck,
        owner: user,
        publication: of.id,
        release: 1,
        revision: 0,
    };
    let links = Links {
        decks: vec![(Uuid::now_v7(), kept.id)],
        notes: vec![NoteLink(Uuid::now_v7(), note(user, &[]).id, 1)],
    };
    for deck in [kept.id, purged.id] {
        let clone = Some((clone(deck), links.clone()));
        done(store, sharing(ShareChanges { clone, ..ShareChanges::default() })).await;
    }
    let stored = Subscription { revision: 1, ..clone(kept.id) };
    assert_eq!(
        store.subscriptions(vec![kept.id, DeckId::new()]).await.unwrap(),
        std::slice::from_ref(&stored)
    );
    assert_eq!(store.subscriptions_of(user).await.unwrap().len(), 2);
    assert_eq!(store.subscriptions_of(UserId::new()).await.unwrap(), []);
    assert_eq!(store.links(kept.id).await.unwrap(), Some(links));

    let pulled = Subscription { release: 2, ..stored };
    let change = |clone: &Subscription| {
        let clone = Some((clone.clone(), Links::default()));
        sharing(ShareChanges { clone, ..ShareChanges::default() })
    };
    done(store, change(&pulled)).await;
    assert_eq!(store.commit(change(&pulled)).await.unwrap(), Commit::Stale);
    assert_eq!(store.commit(change(&clone(kept.id))).await.unwrap(), Commit::Stale);
    let stored = Subscription { revision: 2, ..pulled };
    assert_eq!(store.subscriptions(vec![kept.id]).await.unwrap(), [stored]);
    assert_eq!(store.links(kept.id).await.unwrap(), Some(Links::default()));

    assert!(store.purge(trash.id, 10).await.unwrap());
    assert_eq!(store.subscriptions(vec![purged.id]).await.unwrap(), []);
    done(store, Changes { deleted_decks: vec![kept.clone()], ..Changes::default() }).await;
    assert_eq!(store.subscriptions_of(user).await.unwrap(), []);
    assert_eq!(store.links(kept.id).await.unwrap(), None);
}

pub(crate) async fn ratings_are_counted_once_for_each_person(store: &impl Store) {
    let of = publication("one", 1);
    done(store, sharing(new(&of))).await;
    let users = [UserId::new(), UserId::new()];
    let rate = async |user: UserId, before: Option<i64>, stars: Option<i64>| {
        let rating = Some(Rating { publication: of.id, user, before, stars });
        store.commit(sharing(ShareChanges { rating, ..ShareChanges::default() })).await.unwrap()
    };
    let counted = async || {
        let found = store.publications(vec![of.id]).await.unwrap();
        (found[0].rating_sum, found[0].rating_count)
    };
    assert_eq!(rate(users[0], None, Some(5)).await, Commit::Done);
    assert_eq!(rate(users[0], None, Some(1)).await, Commit::Stale, "it was rated meanwhile");
    assert_eq!(rate(users[1], Some(3), Some(1)).await, Commit::Stale, "it was never rated");
    assert_eq!(rate(users[1], None, Some(2)).await, Commit::Done);
    assert_eq!(counted().await, (7, 2));
    assert_eq!(rate(users[0], Some(5), Some(4)).await, Commit::Done);
    assert_eq!(rate(users[0], Some(5), None).await, Commit::Stale);
    assert_eq!(counted().await, (6, 2));
    let stars = store.ratings(users[0], vec![of.id, PublicationId::new()]).await.unwrap();
    assert_eq!(stars, HashMap::from([(of.id, 4)]));
    let taken = Rating { publication: of.id, user: users[1], before: Some(2), stars: None };
    assert_eq!(store.ratings_of(users[1], 5).await.unwrap(), [taken]);
    assert_eq!(rate(users[1], Some(2), None).await, Commit::Done);
    assert_eq!(counted().await, (4, 1));
    assert_eq!(store.ratings_of(users[1], 5).await.unwrap(), []);
}

pub(crate) async fn files_of_published_decks_are_found_by_id_deck_and_bytes(store: &impl Store) {
    let (one, other) = (publication("one", 1), publication("other", 2));
    let file = |of: &Publication, name: &str, bytes: &[u8]| {
        let name = MediaName::new("name", name).unwrap();
        PublishedMedia {
            id: PublishedMedia::id_of(of.id, &name),
            publication: of.id,
            owner: of.owner,
            name,
            hash: ContentHash::of(bytes),
            kind: MediaKind::Mp3,
            size: bytes.len() as i64,
        }
    };
    let mut first = [file(&one, "a.mp3", b"a"), file(&one, "É b.mp3", b"b")];
    let foreign = file(&other, "a.mp3", b"a");
    assert_ne!(first[0].id, foreign.id);
    let new_media = [first.to_vec(), vec![foreign.clone()]].concat();
    done(store, sharing(ShareChanges { new_media, ..ShareChanges::default() })).await;
    first.sort_by_key(|file| file.id);
    let sorted = |mut files: Vec<PublishedMedia>| {
        files.sort_by_key(|file| file.id);
        files
    };
    let ids = vec![first[1].id, first[0].id, MediaId::new()];
    assert_eq!(sorted(store.published_media(ids).await.unwrap()), first);
    assert_eq!(sorted(store.published_media_of(one.id, 9).await.unwrap()), first);
    assert_eq!(store.published_media_of(one.id, 1).await.unwrap().len(), 1);
    let hashes = vec![foreign.hash, ContentHash::of(b"c")];
    let found = store.holders(other.owner, hashes.clone()).await.unwrap();
    assert_eq!(found, [(foreign.id, foreign.hash)]);
    assert_eq!(store.holders(UserId::new(), hashes).await.unwrap(), []);

    // One that is there already, or is not there any more, fails the change.
    let again = ShareChanges { new_media: vec![foreign.clone()], ..ShareChanges::default() };
    assert_eq!(store.commit(sharing(again)).await.unwrap(), Commit::Stale);
    let drop = ShareChanges { dropped_media: vec![first[0].id], ..ShareChanges::default() };
    done(store, sharing(drop.clone())).await;
    assert_eq!(store.commit(sharing(drop)).await.unwrap(), Commit::Stale);
    assert_eq!(store.published_media_of(one.id, 9).await.unwrap(), first[1..]);
    assert_eq!(store.published_media_of(other.id, 9).await.unwrap(), [foreign]);
}
