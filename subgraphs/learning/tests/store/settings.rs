//! Settings of decks, presets, and what of it a store keeps apart.

use common::event::DeckChanged;
use common::{DeckId, Event, PresetId};
use learning::model::{MAX_PRESETS, OwnSettings, Preset};
use learning::scheduler::{EasyDay, LeechAction, NewCardOrder, Patch};
use learning::store::{ChangeKey, Changed, SettingsChange, Store};

use crate::support::{Learner, deck};

/// Everything set.
fn full() -> Patch {
    Patch {
        learning_steps: Some(vec![jiff::SignedDuration::from_secs(61)]),
        relearning_steps: Some(vec![]),
        desired_retention: Some(0.85),
        maximum_interval: Some(99),
        new_per_day: Some(3),
        reviews_per_day: Some(4),
        leech_lapses: Some(5),
        leech_action: Some(LeechAction::Suspend),
        bury_siblings: Some(true),
        new_card_order: Some(NewCardOrder::AfterReviews),
        easy_days: Some([EasyDay::Minimum; 7]),
        fuzz: Some(true),
        learn_ahead: Some(jiff::SignedDuration::from_secs(7)),
    }
}

fn change(deck: DeckId, expected: Option<i64>, own: Option<OwnSettings>) -> SettingsChange {
    SettingsChange { deck, expected, own }
}

pub(crate) async fn a_deck_sets_what_is_its_own(store: &dyn Store) {
    let (learner, stranger) = (Learner::new(store, 0).await, Learner::new(store, 0).await);
    let Learner { owner, deck: top, .. } = learner;
    let child = DeckId::new();
    let Event::Deck(told) = deck(owner, child, 1, false) else { panic!() };
    let told = DeckChanged { parent: Some(top), ..told };
    store.apply(vec![Event::Deck(told.clone())]).await.unwrap();
    let own = OwnSettings { version: 7, preset: Some(PresetId::new()), patch: full() };
    let put = async |owner, change| store.put_settings(owner, change).await.unwrap();
    let stored = OwnSettings { version: 1, ..own.clone() };
    assert_eq!(
        put(owner, change(child, Some(0), Some(own.clone()))).await,
        Changed::Done(stored.clone())
    );
    assert_eq!(put(owner, change(child, Some(0), Some(own.clone()))).await, Changed::VersionIs(1));
    for (who, deck) in [(owner, DeckId::new()), (stranger.owner, child)] {
        assert_eq!(put(who, change(deck, None, Some(own.clone()))).await, Changed::NotFound);
    }
    let shelf = store.shelf(owner).await.unwrap();
    let row = |id| shelf.decks.iter().find(|row| row.id == id).unwrap();
    assert_eq!((row(top).parent, &row(top).own), (None, &OwnSettings::default()));
    assert_eq!((row(child).parent, &row(child).own), (Some(top), &stored));
    assert_eq!(store.shelf(stranger.owner).await.unwrap().decks.len(), 1);
    let reset = OwnSettings { version: 2, ..OwnSettings::default() };
    assert_eq!(put(owner, change(child, Some(1), None)).await, Changed::Done(reset.clone()));
    // News of the deck leave them alone.
    let moved = DeckChanged { version: 2, parent: None, ..told };
    store.apply(vec![Event::Deck(moved)]).await.unwrap();
    let shelf = store.shelf(owner).await.unwrap();
    let row = shelf.decks.iter().find(|row| row.id == child).unwrap();
    assert_eq!((row.parent, &row.own), (None, &reset));
    store.apply(vec![deck(owner, child, 3, true)]).await.unwrap();
    assert_eq!(store.shelf(owner).await.unwrap().decks.len(), 1);
    assert_eq!(put(owner, change(child, None, None)).await, Changed::NotFound);
}

fn preset(name: &str) -> Preset {
    Preset { id: PresetId::new(), name: name.into(), version: 1, patch: full() }
}

pub(crate) async fn presets_are_kept_by_name(store: &dyn Store) {
    let (learner, stranger) = (Learner::new(store, 0).await, Learner::new(store, 0).await);
    let owner = learner.owner;
    let put = async |preset: &Preset, expected| {
        store.put_preset(owner, preset.clone(), expected).await.unwrap()
    };
    let (hard, easy) = (preset("hard"), preset("easy"));
    assert_eq!(put(&hard, Some(1)).await, Changed::NotFound);
    assert_eq!(put(&hard, None).await, Changed::Done(hard.clone()));
    assert_eq!(put(&easy, None).await, Changed::Done(easy.clone()));
    assert_eq!(store.shelf(owner).await.unwrap().presets, [easy.clone(), hard.clone()]);
    assert_eq!(put(&preset("hard"), None).await, Changed::NameTaken);
    let renamed = Preset { name: "harder".into(), patch: Patch::default(), ..hard.clone() };
    assert_eq!(put(&renamed, Some(2)).await, Changed::VersionIs(1));
    let renamed = Preset { version: 2, ..renamed };
    assert_eq!(put(&renamed, Some(1)).await, Changed::Done(renamed.clone()));
    assert_eq!(store.shelf(owner).await.unwrap().presets, [easy.clone(), renamed.clone()]);

    let delete =
        async |owner, id, expected| store.delete_preset(owner, id, expected).await.unwrap();
    assert_eq!(delete(stranger.owner, easy.id, None).await, Changed::NotFound);
    assert_eq!(delete(owner, easy.id, Some(9)).await, Changed::VersionIs(1));
    assert_eq!(delete(owner, easy.id, Some(1)).await, Changed::Done(()));
    assert_eq!(store.shelf(owner).await.unwrap().presets, [renamed]);
    // Ids are made by clients: two people may make the same.
    assert_eq!(
        store.put_preset(stranger.owner, hard.clone(), None).await.unwrap(),
        Changed::Done(hard)
    );
    assert_eq!(store.shelf(stranger.owner).await.unwrap().presets.len(), 1);
    for nth in 1..MAX_PRESETS {
        put(&preset(&format!("{nth:03}")), None).await;
    }
    assert_eq!(put(&preset("one too many"), None).await, Changed::Full);
}

pub(crate) async fn changes_come_once_in_their_order(store: &dyn Store) {
    let (learner, stranger) = (Learner::new(store, 4).await, Learner::new(store, 1).await);
    let Learner { owner, deck: deck_id, ref cards } = learner;
    let start = ChangeKey { seq: 0, card: uuid::Uuid::nil().into() };
    let changes = async |after, limit| store.changes(owner, after, limit).await.unwrap();
    let all = changes(start, 99).await;
    assert_eq!(all.cards.len(), 4);
    assert!(all.cards.iter().all(|change| change.card.is_some()));
    // In pages.
    let (mut after, mut seen) = (start, Vec::new());
    loop {
        let page = changes(after, 3).await;
        let Some(last) = page.cards.last() else { break };
        after = last.key;
        seen.extend(page.cards.iter().map(|change| change.key.card));
    }
    seen.sort_unstable();
    assert_eq!(seen, *cards);

    let end = ChangeKey { seq: all.last_seq, card: uuid::Uuid::max().into() };
    assert_eq!(changes(end, 9).await.cards, []);
    use learning::scheduler::Rating::Good;
    learner.submit(store, &[crate::support::review(cards[2], Good, 0)]).await;
    let mut gone = crate::support::card(owner, deck_id, cards[0], 0);
    (gone.version, gone.deleted) = (2, true);
    store.apply(vec![Event::Card(gone)]).await.unwrap();
    let since = changes(end, 9).await;
    let seen: Vec<_> =
        since.cards.iter().map(|change| (change.key.card, change.card.is_some())).collect();
    assert_eq!(seen, [(cards[2], true), (cards[0], false)]);
    assert!(since.settings_seq <= all.last_seq && since.last_seq > all.last_seq);
    let memory = learner.memory(store, cards[2]).await;
    assert_eq!(since.cards[0].card.as_ref().unwrap().memory(), memory.as_ref());

    let end = ChangeKey { seq: since.last_seq, ..end };
    store.put_settings(owner, change(deck_id, None, None)).await.unwrap();
    assert!(changes(end, 9).await.settings_seq > since.last_seq);
    store.apply(vec![deck(owner, deck_id, 2, true)]).await.unwrap();
    let gone = changes(end, 9).await;
    assert_eq!(gone.cards.len(), 3);
    assert!(gone.cards.iter().all(|change| change.card.is_none()));
    assert_eq!(store.changes(stranger.owner, start, 9).await.unwrap().cards.len(), 1);
}

pub(crate) async fn weights_are_kept(store: &dyn Store) {
    use learning::scheduler::Rating::{Again, Easy, Good};
    use learning::scheduler::{Action, Model};

    use crate::support::{at, days, entry, review};

    let (learner, stranger) = (Learner::new(store, 2).await, Learner::new(store, 1).await);
    let [card, other] = learner.cards[..] else { panic!() };
    let batch = [review(card, Good, 0), review(card, Again, days(3)), review(other, Easy, 0)];
    learner.submit(store, &batch).await;
    let more = [
        entry(card, Action::Practice(Easy), days(4)),
        entry(card, Action::Suspend, days(4) + 1),
        entry(other, Action::Undo(batch[2].id), days(4)),
    ];
    learner.submit(store, &more).await;
    // Practice, actions and what was undone tell nothing of memory.
    let mut samples = store.samples(learner.owner).await.unwrap();
    samples.sort_unstable_by_key(|sample| sample.at);
    let found: Vec<_> = samples.iter().map(|s| (s.card, s.at, s.rating, s.is_first)).collect();
    assert_eq!(found, [(card, at(0), Good, true), (card, at(days(3)), Again, false)]);

    let average = Model::average().unwrap();
    let mut numbers = average.weights().to_vec();
    numbers[2] = 5.5;
    let weights = learning::model::Weights { version: 1, numbers };
    store.put_weights(learner.owner, weights.clone()).await.unwrap();
    let person = store.person(learner.owner).await.unwrap().unwrap();
    assert_eq!(person.weights, std::slice::from_ref(&weights));
    assert_eq!(store.person(stranger.owner).await.unwrap().unwrap().weights, []);

    let model = std::sync::Arc::new(Model::new(1, &weights.numbers).unwrap());
    let before = learner.progress(store, card).await;
    let mut from = None;
    loop {
        from = store.reschedule(learner.owner, model.clone(), from).await.unwrap();
        if from.is_none() {
            break;
        }
    }
    let after = store.cards(learner.owner, vec![card]).await.unwrap().remove(0);
    assert_eq!(after.weights, 1);
    assert!(after.progress.suspended && after.progress.last == before.last);
    assert_ne!(after.memory().unwrap().stability, before.memory.unwrap().stability);
    let log = [&batch[..2], &more[..2]].concat();
    let log = log.iter().map(|entry| entry.entry(learning::scheduler::RulesId::ORIGINAL)).collect();
    let replayed = learning::scheduler::replay(&model, &Default::default(), card, log).unwrap();
    assert_eq!(after.progress, replayed.progress);

    store.apply(vec![crate::support::user(learner.owner, 2, true)]).await.unwrap();
    store.put_weights(learner.owner, weights).await.unwrap();
    assert_eq!(store.samples(learner.owner).await.unwrap(), []);
}

pub(crate) async fn a_fitting_is_held_by_one_process(store: &dyn Store) {
    use learning::service::{FitRecord, FitState};
    use learning::store::Lease;

    use crate::support::at;

    let learner = Learner::new(store, 1).await;
    let owner = learner.owner;
    let fit = |minutes| FitRecord {
        id: common::FitId::new(),
        state: FitState::Running,
        started_at: at(minutes),
        finished_at: None,
        reviews: 7,
        held_out: 2,
        current: None,
        fitted: None,
        applied: None,
        message: Some("why".into()),
        progress: 0.25,
        reschedule: true,
        tries: 1,
    };
    let [here, there] = [(); 2].map(|()| uuid::Uuid::new_v4());
    let lease = |worker, minutes| Lease { worker, until: at(minutes) };
    let keep =
        async |fit: &FitRecord, lease| store.keep_fit(owner, fit.clone(), lease).await.unwrap();
    let take = async |minutes, lease| store.take_fit(at(minutes), lease).await.unwrap();
    assert_eq!(store.last_fit(owner).await.unwrap(), None);

    let (first, second) = (fit(0), fit(1));
    let begun = store.begin_fit(owner, first.clone(), lease(here, 5)).await.unwrap();
    assert_eq!(begun, first);
    let begun = store.begin_fit(owner, second.clone(), lease(there, 5)).await.unwrap();
    assert_eq!(begun, first, "one is under way");
    let further = FitRecord { progress: 0.5, ..first };
    assert!(!keep(&further, lease(there, 10)).await, "another process is at it");
    assert!(keep(&further, lease(here, 10)).await);
    assert_eq!(store.last_fit(owner).await.unwrap(), Some(further.clone()));

    assert_eq!(take(9, lease(there, 20)).await, None, "it was renewed");
    assert_eq!(take(10, lease(there, 20)).await, Some((owner, further.clone())));
    assert_eq!(take(10, lease(here, 20)).await, None, "it is held again");
    assert!(!keep(&further, lease(here, 20)).await);
    let done = FitRecord { state: FitState::Done, finished_at: Some(at(3)), ..further.clone() };
    assert!(keep(&done, lease(there, 20)).await);
    assert!(!keep(&further, lease(there, 20)).await, "what is over is over");
    assert_eq!(take(99, lease(here, 100)).await, None);
    assert_eq!(store.last_fit(owner).await.unwrap(), Some(done));

    let begun = store.begin_fit(owner, second.clone(), lease(here, 5)).await.unwrap();
    assert_eq!(begun, second);
    assert_eq!(store.last_fit(owner).await.unwrap(), Some(second.clone()));
    store.apply(vec![crate::support::user(owner, 2, true)]).await.unwrap();
    assert!(!keep(&second, lease(here, 5)).await);
    assert_eq!(take(99, lease(there, 100)).await, None);
    assert_eq!(store.begin_fit(owner, second.clone(), lease(here, 5)).await.unwrap(), second);
    assert_eq!(store.last_fit(owner).await.unwrap(), None, "nothing of it comes back");
}
