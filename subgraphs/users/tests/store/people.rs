//! What is asked of the accounts of people for whom another issuer vouches.

use common::vouched::Vouched;
use futures::future::join_all;
use users::model::PersonKey;
use users::store::{Joined, Store};

use crate::support::{changed, events, hash, insert, user};

fn person(issuer: &str, subject: &str) -> PersonKey {
    PersonKey::of(&Vouched {
        issuer: issuer.into(),
        subject: subject.into(),
        email: None,
        email_verified: false,
        name: None,
    })
}

pub(crate) async fn a_person_has_one_account(store: &impl Store) {
    let (ada, eve) = (person("one", "ada"), person("one", "eve"));
    assert_eq!(store.account_of(ada).await.unwrap(), None);
    let account = user("ada@example.org");
    let made = store.insert_person(ada, account.clone(), hash("h")).await.unwrap();
    assert_eq!(made, Joined::Made);
    assert_eq!(store.account_of(ada).await.unwrap(), Some(account.clone()));
    let kept = store.user_by_email(&account.email).await.unwrap();
    assert_eq!(kept, Some((account.clone(), hash("h"))));
    assert_eq!(events(store).await, [account.event()]);

    let again = store.insert_person(ada, user("new@example.org"), hash("h")).await.unwrap();
    assert_eq!(again, Joined::Known);
    let taken = store.insert_person(eve, user("ada@example.org"), hash("x")).await.unwrap();
    assert_eq!(taken, Joined::AddressTaken);
    for other in [eve, person("two", "ada"), person("onea", "da")] {
        assert_eq!(store.account_of(other).await.unwrap(), None);
    }
    assert_eq!(store.account_of(ada).await.unwrap(), Some(account.clone()));
    assert_eq!(events(store).await, [account.event()], "nothing else was made");

    assert!(store.remove_user(changed(&account, |_| ())).await.unwrap());
    assert_eq!(store.account_of(ada).await.unwrap(), None);
    let anew = store.insert_person(ada, user("ada@example.org"), hash("h")).await.unwrap();
    assert_eq!(anew, Joined::Made);
}

pub(crate) async fn of_many_who_come_at_the_same_time_one_makes_it(store: &impl Store) {
    let ada = person("one", "ada");
    let coming = (0..8).map(|_| store.insert_person(ada, user("ada@example.org"), hash("h")));
    let joined: Vec<_> = join_all(coming).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(joined.iter().filter(|it| **it == Joined::Made).count(), 1, "{joined:?}");
    assert_eq!(joined.iter().filter(|it| **it == Joined::Known).count(), 7, "{joined:?}");
    assert_eq!(events(store).await.len(), 1);

    // Of two with the same address one gets it.
    let others = ["bo", "cy"].map(|subject| person("one", subject));
    let coming = others.map(|it| store.insert_person(it, user("both@example.org"), hash("h")));
    let joined: Vec<_> = join_all(coming).await.into_iter().map(Result::unwrap).collect();
    assert!(joined.contains(&Joined::Made) && joined.contains(&Joined::AddressTaken), "{joined:?}");
}

pub(crate) async fn an_account_is_nobody_elses_once_that_is_forgotten(store: &impl Store) {
    let ada = person("one", "ada");
    let account = user("ada@example.org");
    store.insert_person(ada, account.clone(), hash("h")).await.unwrap();
    let other = insert(store, "eve@example.org").await;
    store.forget_people(other.id).await.unwrap();
    assert_eq!(store.account_of(ada).await.unwrap(), Some(account.clone()));
    store.forget_people(account.id).await.unwrap();
    assert_eq!(store.account_of(ada).await.unwrap(), None);
    assert_eq!(store.users(&[account.id]).await.unwrap(), [account], "the account stays");
}
