//! Media: rows, chunks, and which of them notes name.

use bytes::Bytes;
use common::page::{Direction, PageRequest};
use common::{MediaId, TransferId, TrashId, UserId};
use decks::model::{
    Content, ContentHash, FieldEdit, Media, MediaFilter, MediaKind, MediaName, MediaTotals, Note,
    NoteKind, Owner, Trash, TrashKind,
};
use decks::store::media::{CHUNK, NewContent};
use decks::store::{Changes, Commit, Store};

use crate::support::{at, card, deck, done, entry, note};

fn media(owner: UserId, name: &str, bytes: &[u8]) -> Media {
    Media {
        id: MediaId::new(),
        owner,
        name: MediaName::new("name", name).unwrap(),
        hash: ContentHash::of(bytes),
        kind: MediaKind::Png,
        size: bytes.len() as i64,
        created_at: at(3),
    }
}

fn storing(media: &Media, bytes: &[u8]) -> Changes {
    let bytes = Bytes::copy_from_slice(bytes);
    let content = NewContent { owner: media.owner, hash: media.hash, bytes };
    Changes { new_media: vec![media.clone()], new_contents: vec![content], ..Changes::default() }
}

fn naming(owner: UserId, back: &str) -> Note {
    let field =
        |name: &str, value: &str| FieldEdit { name: name.into(), value: Some(value.into()) };
    let fields = vec![field("Front", "q"), field("Back", back)];
    Note { content: Content::new("f", NoteKind::Basic, fields).unwrap(), ..note(owner, &[]) }
}

fn all() -> PageRequest<String> {
    PageRequest { direction: Direction::Forward, limit: 500, cursor: None }
}

async fn names(store: &impl Store, owner: UserId, unused: Option<bool>) -> Vec<String> {
    let filter = MediaFilter { unused, ..MediaFilter::default() };
    let page = store.media_page(owner, filter, all()).await.unwrap();
    let totals = store.media_totals(owner, filter).await.unwrap();
    assert_eq!(totals.files, page.rows.len() as i64);
    page.rows.iter().map(|media| media.name.text().to_owned()).collect()
}

pub(crate) async fn files_come_back_by_id_name_and_bytes(store: &impl Store) {
    let (user, other) = (UserId::new(), UserId::new());
    let bytes: Vec<u8> = (0..CHUNK * 2 + 5).map(|n| (n % 251) as u8).collect();
    let first = media(user, "B é.png", &bytes);
    done(store, storing(&first, &bytes)).await;
    // The same bytes under another name, and another person's.
    let second = media(user, "a.png", &bytes);
    done(store, Changes { new_media: vec![second.clone()], ..Changes::default() }).await;
    let theirs = media(other, "B é.png", &bytes);
    done(store, storing(&theirs, &bytes)).await;

    let found = store.media(vec![first.id, first.id, MediaId::new()]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&first));
    let named = store.media_named(user, vec![first.name.clone(), first.name.clone()]).await;
    assert_eq!(named.unwrap(), std::slice::from_ref(&first));
    let mut holders = store.holders(user, vec![first.hash]).await.unwrap();
    holders.sort();
    assert_eq!(holders, [(first.id, first.hash), (second.id, first.hash)]);
    let totals = store.media_totals(user, MediaFilter::default()).await.unwrap();
    assert_eq!(totals, MediaTotals { files: 2, bytes: 2 * bytes.len() as i64 });

    let mut read = Vec::new();
    for number in 0..3 {
        read.extend(store.media_chunk(user, first.hash, number).await.unwrap().unwrap());
    }
    assert_eq!(read, bytes);
    for (owner, number) in [(user, 3), (user, -1), (UserId::new(), 0)] {
        assert_eq!(store.media_chunk(owner, first.hash, number).await.unwrap(), None);
    }

    let delete = Changes {
        deleted_media: vec![first.id, second.id],
        deleted_contents: vec![(user, first.hash)],
        ..Changes::default()
    };
    done(store, delete.clone()).await;
    assert_eq!(store.media_chunk(user, first.hash, 0).await.unwrap(), None);
    assert!(store.media_chunk(other, first.hash, 0).await.unwrap().is_some());
    assert_eq!(store.commit(delete).await.unwrap(), Commit::Stale);
}

pub(crate) async fn a_taken_name_changes_nothing(store: &impl Store) {
    let user = UserId::new();
    let first = media(user, "a.png", b"1");
    done(store, storing(&first, b"1")).await;
    let second = media(user, "a.png", b"2");
    let owner = Owner { media_count: 2, media_bytes: 2, ..Owner::new(user) };
    let changes = Changes { owner: Some(owner), ..storing(&second, b"2") };
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Stale);
    assert_eq!(store.owner(user).await.unwrap(), Owner::new(user));
    assert_eq!(store.media_chunk(user, second.hash, 0).await.unwrap(), None);
    done(store, Changes { owner: Some(owner), ..Changes::default() }).await;
    assert_eq!(store.owner(user).await.unwrap(), Owner { revision: 1, ..owner });
}

pub(crate) async fn files_are_paged_by_name_and_by_whether_a_note_names_them(store: &impl Store) {
    let (user, other) = (UserId::new(), UserId::new());
    let deck = deck(user, "deck", 1);
    let mut note = naming(user, "![](media:b.png) [sound:absent.mp3]");
    let mut changes = Changes {
        new_decks: vec![deck.clone()],
        new_notes: vec![note.clone(), naming(other, "<img src=a.png>")],
        new_cards: vec![decks::model::Card { note: note.id, ..card(&deck, 1) }],
        ..Changes::default()
    };
    changes.new_media =
        ["c.png", "a.png", "b.png", "d.png"].map(|name| media(user, name, b"x")).to_vec();
    done(store, changes).await;

    assert_eq!(names(store, user, None).await, ["a.png", "b.png", "c.png", "d.png"]);
    assert_eq!(names(store, user, Some(true)).await, ["a.png", "c.png", "d.png"]);
    assert_eq!(names(store, user, Some(false)).await, ["b.png"]);
    assert_eq!(names(store, other, None).await, [""; 0]);
    let wanted = ["absent.mp3", "a.png", "b.png", "B.png"].map(|n| MediaName::new("n", n).unwrap());
    let mut found = store.names_in_notes(user, wanted.to_vec()).await.unwrap();
    found.sort_unstable();
    assert_eq!(
        found,
        [wanted[0].clone(), wanted[2].clone()],
        "whether there is such a file or not"
    );
    assert_eq!(store.names_in_notes(other, wanted.to_vec()).await.unwrap(), wanted[1..2]);
    let page =
        PageRequest { direction: Direction::Backward, limit: 2, cursor: Some("d.png".to_owned()) };
    let unused = MediaFilter { unused: Some(true), ..MediaFilter::default() };
    let page = store.media_page(user, unused, page).await.unwrap();
    let found: Vec<&str> = page.rows.iter().map(|media| media.name.text()).collect();
    assert_eq!((found, page.has_previous, page.has_next), (vec!["a.png", "c.png"], false, true));

    // What a note says anew counts, and what is deleted with it no more.
    note.content = naming(user, "[sound:c.png]").content;
    note.version += 1;
    done(store, Changes { notes: vec![note], ..Changes::default() }).await;
    assert_eq!(names(store, user, Some(false)).await, ["c.png"]);
    let [deck] = &store.decks(vec![deck.id]).await.unwrap()[..] else { panic!("the deck") };
    done(store, Changes { deleted_decks: vec![deck.clone()], ..Changes::default() }).await;
    assert_eq!(names(store, user, Some(false)).await, [""; 0]);
}

pub(crate) async fn files_of_an_import_are_its_own_until_they_are_adopted(store: &impl Store) {
    let (user, one, other) = (UserId::new(), TransferId::new(), TransferId::new());
    let staged = |name: &str, by: TransferId| {
        let media = media(user, name, b"x");
        let staged_by = Some(by);
        (media.id, Changes { new_media: vec![media], staged_by, ..Changes::default() })
    };
    let mut ids = Vec::new();
    for (name, by) in [("a.png", one), ("b.png", one), ("c.png", other), ("d.png", other)] {
        let (id, changes) = staged(name, by);
        done(store, changes).await;
        ids.push(id);
    }
    assert_eq!(names(store, user, None).await, [""; 0], "they are not there yet");
    let all_of_them = MediaFilter { with_staged: true, ..MediaFilter::default() };
    assert_eq!(store.media_page(user, all_of_them, all()).await.unwrap().rows.len(), 4);
    let of = async |by: TransferId| {
        let mut of: Vec<MediaId> =
            store.staged_media(by, 9).await.unwrap().iter().map(|media| media.id).collect();
        of.sort_by_key(|id| ids.iter().position(|known| known == id));
        of
    };
    assert_eq!((of(one).await, of(other).await), (ids[..2].to_vec(), ids[2..].to_vec()));
    assert_eq!(store.staged_media(one, 1).await.unwrap().len(), 1);

    let adopted = |media: MediaId| Changes { adopted_media: vec![media], ..Changes::default() };
    done(store, adopted(ids[0])).await;
    assert_eq!(of(one).await, [ids[1]]);
    // Once only, and not when it is gone.
    for id in [ids[0], MediaId::new()] {
        assert_eq!(store.commit(adopted(id)).await.unwrap(), Commit::Stale);
    }
    let mut staging = store.staging_of(ids.clone()).await.unwrap();
    staging.sort_by_key(|(id, _)| ids.iter().position(|known| known == id));
    assert_eq!(staging, [(ids[1], one), (ids[2], other), (ids[3], other)]);
    done(store, Changes { adopted_from: Some(other), ..Changes::default() }).await;
    assert_eq!(names(store, user, None).await, ["a.png", "c.png", "d.png"]);
    assert_eq!((of(one).await, of(other).await), (vec![ids[1]], Vec::new()));
}

pub(crate) async fn files_in_the_trash_keep_their_bytes_and_end_with_their_entry(
    store: &impl Store,
) {
    let user = UserId::new();
    let (one, two) = (media(user, "a.png", b"1"), media(user, "b.png", b"2"));
    for (media, bytes) in [(&one, b"1"), (&two, b"2")] {
        done(store, storing(media, bytes)).await;
    }
    let entry = Trash { media_count: 2, ..entry(user, TrashKind::Media, 1) };
    let trashed_media = vec![(one.clone(), entry.id), (two.clone(), entry.id)];
    let delete = Changes { trashed_media, trash: vec![entry.clone()], ..Changes::default() };
    done(store, delete).await;
    assert_eq!(names(store, user, None).await, [""; 0]);
    assert_eq!(store.trash_count(user).await.unwrap(), 1);
    assert_eq!(store.trash(vec![entry.id]).await.unwrap(), std::slice::from_ref(&entry));
    assert_eq!(store.holders(user, vec![one.hash]).await.unwrap(), [(one.id, one.hash)]);
    let lying = async |of| {
        let mut found = store.trashed_media(user, of, 9).await.unwrap();
        found.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        found
    };
    let both = [(one.clone(), entry.id), (two.clone(), entry.id)];
    assert_eq!((lying(None).await, lying(Some(entry.id)).await), (both.to_vec(), both.to_vec()));
    assert_eq!(store.trashed_media(user, None, 1).await.unwrap().len(), 1);
    assert_eq!(store.trashed_media(UserId::new(), Some(entry.id), 9).await.unwrap(), []);

    // One comes back, and the entry stays until the other leaves it.
    let leave = |media: &Media, new_media| Changes {
        untrashed_media: vec![(media.id, entry.id)],
        new_media,
        ..Changes::default()
    };
    done(store, leave(&one, vec![one.clone()])).await;
    assert_eq!(
        (lying(None).await, names(store, user, None).await),
        (both[1..].to_vec(), vec!["a.png".to_owned()])
    );
    assert_eq!(store.commit(leave(&one, Vec::new())).await.unwrap(), Commit::Stale, "once only");
    assert_eq!(store.trash_count(user).await.unwrap(), 1);
    done(store, leave(&two, Vec::new())).await;
    assert_eq!((lying(None).await, store.trash_count(user).await.unwrap()), (Vec::new(), 0));
}

pub(crate) async fn files_end_with_the_last_note_that_names_them(store: &impl Store) {
    let (user, other) = (UserId::new(), UserId::new());
    let deck = deck(user, "deck", 1);
    let own = naming(user, "![](media:own.png) ![](media:shared.png)");
    let living = naming(user, "![](media:shared.png)");
    let entry = entry(user, TrashKind::Cards, 1);
    let of = |note: &Note, position| decks::model::Card { note: note.id, ..card(&deck, position) };
    let gone = decks::model::Card { trash: Some(entry.id), ..of(&own, 1) };
    let mut changes = Changes {
        new_decks: vec![deck.clone()],
        new_cards: vec![gone, of(&living, 2)],
        new_notes: vec![own, living],
        trash: vec![entry.clone()],
        ..Changes::default()
    };
    let files = ["own.png", "shared.png", "none.png"].map(|name| media(user, name, b"x"));
    changes.new_media = files.to_vec();
    changes.new_media.push(media(other, "own.png", b"y"));
    done(store, changes).await;
    let ending = async || store.media_ending_with(entry.id, 9).await.unwrap();
    assert_eq!(ending().await, files[..1]);
    assert_eq!(store.media_ending_with(TrashId::new(), 9).await.unwrap(), []);

    // A deck takes along whatever lies in it.
    let mut deck = store.decks(vec![deck.id]).await.unwrap().pop().unwrap();
    deck.trash = Some(entry.id);
    deck.version += 1;
    done(store, Changes { decks: vec![deck], ..Changes::default() }).await;
    let mut all = ending().await;
    all.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(all, files[..2]);
}
