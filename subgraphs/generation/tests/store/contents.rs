//! Contents, and what the service is still to delete.

use common::page::{Direction, PageRequest};
use common::{ContentId, UserId};
use futures::future::join_all;
use generation::address::SourceAddress;
use generation::model::{Content, ContentSource, Status};
use generation::store::{Added, Most, Removal, Store, What};

use super::{later, now};

const MOST: Most = Most { kept: 500, unfinished: 500 };

fn content(owner: UserId) -> Content {
    let address = SourceAddress::new("https://example.org/{\"$gt\":\"\"}").unwrap();
    Content::new(owner, &ContentSource::Address(address), now())
}

async fn added(store: &impl Store, owner: UserId) -> Content {
    let content = content(owner);
    assert_eq!(store.insert_content(content.clone(), MOST).await.unwrap(), Added::New);
    content
}

/// The next version of one that the service has taken.
fn taken(content: &Content, remote: &str) -> Content {
    Content { version: content.version + 1, remote: Some(remote.to_owned()), ..content.clone() }
}

async fn read(store: &impl Store, id: ContentId) -> Option<Content> {
    store.contents(vec![id]).await.unwrap().pop()
}

pub(crate) async fn a_content_is_kept_as_it_was_given_and_replaced_in_its_last_version(
    store: &impl Store,
) {
    let content = added(store, UserId::new()).await;
    assert_eq!(
        store.contents(vec![content.id, ContentId::new()]).await.unwrap(),
        std::slice::from_ref(&content)
    );
    let changes = (0..8).map(|n| {
        store.replace_content(Content {
            title: Some(format!("$x \u{0} {n}")),
            ..taken(&content, "r")
        })
    });
    let done = join_all(changes).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
    let now_there = read(store, content.id).await.unwrap();
    assert_eq!((done, now_there.version, now_there.remote.as_deref()), (1, 2, Some("r")));
    assert!(!store.replace_content(taken(&content, "r")).await.unwrap());
    assert!(!store.remove_content(content, now()).await.unwrap(), "it is another version");
}

pub(crate) async fn a_person_has_no_more_contents_than_may_be_even_at_once(store: &impl Store) {
    let owner = UserId::new();
    let most = Most { kept: 3, unfinished: 9 };
    let inserts = (0..10).map(|_| store.insert_content(content(owner), most));
    let inserted: Vec<_> = join_all(inserts).await.into_iter().map(Result::unwrap).collect();
    let new = inserted.iter().filter(|added| **added == Added::New).count();
    let full = inserted.iter().filter(|added| **added == Added::Full).count();
    assert_eq!((new, full), (3, 7));
    assert_eq!(store.insert_content(content(UserId::new()), most).await.unwrap(), Added::New);
}

pub(crate) async fn of_a_person_no_more_contents_are_processed_than_may_be_even_at_once(
    store: &impl Store,
) {
    let owner = UserId::new();
    let most = Most { kept: 9, unfinished: 2 };
    let contents: Vec<_> = (0..8).map(|_| content(owner)).collect();
    let inserts = contents.iter().map(|content| store.insert_content(content.clone(), most));
    let inserted: Vec<_> = join_all(inserts).await.into_iter().map(Result::unwrap).collect();
    let new = contents.iter().zip(&inserted).filter(|(_, added)| **added == Added::New);
    let new: Vec<_> = new.map(|(content, _)| content).collect();
    let busy = inserted.iter().filter(|added| **added == Added::Busy).count();
    assert_eq!((new.len(), busy), (2, 6));
    assert_eq!(store.insert_content(content(UserId::new()), most).await.unwrap(), Added::New);
    // What is done makes room.
    let done = Content { status: Status::Failed, ..taken(new[0], "r") };
    assert!(store.replace_content(done).await.unwrap());
    assert_eq!(store.insert_content(content(owner), most).await.unwrap(), Added::New);
    assert_eq!(store.insert_content(content(owner), most).await.unwrap(), Added::Busy);
}

pub(crate) async fn what_may_have_got_lost_is_kept_until_it_is_due(store: &impl Store) {
    let owner = UserId::new();
    let lost = Removal::of_lost(owner, "$where \"😀\".pdf".into(), now());
    store.insert_removal(lost.clone()).await.unwrap();
    assert_eq!(store.removals(later(60), 9).await.unwrap(), [], "the service may be at it");
    let due = store.removals(later(3_600), 9).await.unwrap();
    assert_eq!(due, std::slice::from_ref(&lost));
    let what = What::Lost { source: "$where \"😀\".pdf".into(), since: now() };
    assert_eq!(due[0].what, what);
    store.removed(lost.id).await.unwrap();
    assert_eq!(store.removals(later(3_600), 9).await.unwrap(), []);
}

pub(crate) async fn pages_of_contents_are_read_both_ways(store: &impl Store) {
    let owner = UserId::new();
    let mut contents = Vec::new();
    for _ in 0..5 {
        contents.insert(0, added(store, owner).await);
        added(store, UserId::new()).await;
    }
    let page = |direction, limit, cursor| PageRequest { direction, limit, cursor };
    let newest = page(Direction::Forward, 2, None);
    assert_eq!(store.content_page(owner, newest).await.unwrap(), contents[..3]);
    let older = page(Direction::Forward, 9, Some(contents[2].id));
    assert_eq!(store.content_page(owner, older).await.unwrap(), contents[3..]);
    let newer = page(Direction::Backward, 1, Some(contents[3].id));
    let expected: Vec<_> = contents[1..3].iter().rev().cloned().collect();
    assert_eq!(store.content_page(owner, newer).await.unwrap(), expected);
}

pub(crate) async fn what_is_deleted_is_kept_for_the_service_to_delete(store: &impl Store) {
    let owner = UserId::new();
    let unknown = added(store, owner).await;
    assert!(store.remove_content(unknown, now()).await.unwrap());
    assert_eq!(store.removals(later(9), 9).await.unwrap(), [], "the service does not know it");
    let mut contents = Vec::new();
    for remote in ["a", "b"] {
        let known = taken(&added(store, owner).await, remote);
        assert!(store.replace_content(known.clone()).await.unwrap());
        contents.push(known);
    }
    for (content, seconds) in contents.iter().zip([5, 1]) {
        assert!(store.remove_content(content.clone(), later(seconds)).await.unwrap());
        assert!(!store.remove_content(content.clone(), later(seconds)).await.unwrap());
        assert_eq!(read(store, content.id).await, None);
    }
    let remotes = async |at, limit| {
        let removals = store.removals(later(at), limit).await.unwrap();
        assert!(removals.iter().all(|removal| removal.owner == owner));
        let remote = |removal: Removal| match removal.what {
            What::One(remote) => remote,
            other => panic!("{other:?}"),
        };
        removals.into_iter().map(remote).collect::<Vec<_>>()
    };
    assert_eq!(remotes(0, 9).await, [""; 0], "none is due");
    assert_eq!(
        (remotes(1, 9).await, remotes(5, 9).await, remotes(5, 1).await),
        (vec!["b".into()], vec!["b".into(), "a".into()], vec!["b".into()])
    );
    let first = store.removals(later(5), 1).await.unwrap().pop().unwrap();
    for _ in 0..2 {
        store.removed(first.id).await.unwrap();
    }
    let late = Removal::of(owner, "c".into(), later(2));
    store.insert_removal(late).await.unwrap();
    assert_eq!(remotes(5, 9).await, ["c", "a"]);
}

pub(crate) async fn what_is_being_processed_is_found(store: &impl Store) {
    let (first, second) = (added(store, UserId::new()).await, added(store, UserId::new()).await);
    let unfinished = async |limit| store.unfinished_contents(limit).await.unwrap();
    assert_eq!(unfinished(9).await, [first.clone(), second.clone()]);
    assert_eq!(unfinished(1).await, std::slice::from_ref(&first));
    let done = Content { status: Status::Processed, ..taken(&first, "r") };
    assert!(store.replace_content(done).await.unwrap());
    assert_eq!(unfinished(9).await, [second]);
}

pub(crate) async fn an_account_that_is_gone_has_no_contents_and_gets_none(store: &impl Store) {
    let [gone, other] = [UserId::new(), UserId::new()];
    let known = taken(&added(store, gone).await, "a");
    assert!(store.replace_content(known.clone()).await.unwrap());
    let deleted = taken(&added(store, gone).await, "b");
    assert!(store.replace_content(deleted.clone()).await.unwrap());
    assert!(store.remove_content(deleted, now()).await.unwrap());
    let of_other = added(store, other).await;
    for _ in 0..2 {
        store.forget(gone, now()).await.unwrap();
    }
    assert_eq!(read(store, known.id).await, None);
    assert!(!store.replace_content(Content { version: 3, ..known }).await.unwrap());
    assert_eq!(store.insert_content(content(gone), MOST).await.unwrap(), Added::Gone);
    assert!(read(store, of_other.id).await.is_some());
    let all = |removal: &Removal| removal.owner == gone && removal.what == What::All;
    let (at_once, later_on) = (now(), later(3_600));
    for (at, count) in [(at_once, 1), (later_on, 2)] {
        let due = store.removals(at, 9).await.unwrap();
        assert_eq!((due.len(), due.iter().all(all)), (count, true), "{due:?}");
    }
}
