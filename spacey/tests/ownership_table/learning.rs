//! How the fields of settings, actions and statistics in learning are called: a part of the table of `ownership.rs`.

use crate::Rule::{self, Mixed, Own, Owner};

/// Every field, some in several ways.
pub(crate) const TABLE: &[(&str, Rule)] = &[
    (
        "User.statistics",
        Owner(
            "{ viewer { statistics(deckId: \"{deck}\", from: \"2025-12-01\", to: \"2026-02-01\") { reviews days { date } } } }",
        ),
    ),
    (
        "User.forecast",
        Owner("{ viewer { forecast(deckId: \"{deck}\", days: 3650) { date due } } }"),
    ),
    (
        "Mutation.changeCards",
        Owner(
            "mutation { changeCards(input: { changes: [{ id: \"018f0000-0000-7000-8000-000000000098\", cardId: \"{card}\", action: SUSPEND, at: \"2026-01-03T00:00:00Z\" }] }) { results { status reason card { id } } } }",
        ),
    ),
    (
        "Mutation.changeCards",
        Mixed(
            "mutation { changeCards(input: { changes: [{ id: \"{review}\", cardId: \"{my_card}\", action: UNSUSPEND, at: \"2026-01-01T00:00:00Z\" }] }) { results { status } } }",
        ),
    ),
    (
        "Mutation.undoReviews",
        Owner(
            "mutation { undoReviews(input: { undos: [{ id: \"018f0000-0000-7000-8000-000000000097\", reviewId: \"{review}\", at: \"2026-01-03T00:00:00Z\" }] }) { results { status reason card { id } } } }",
        ),
    ),
    (
        "Mutation.setDeckSettings",
        Owner(
            "mutation { setDeckSettings(input: { deckId: \"{deck}\", settings: { newPerDay: 1 } }) { deckId settings { version } } }",
        ),
    ),
    (
        "Mutation.setDeckSettings",
        Mixed(
            "mutation { setDeckSettings(input: { deckId: \"{my_deck}\", presetId: \"{preset}\", settings: {} }) { settings { presetId } } }",
        ),
    ),
    (
        "Mutation.resetDeckSettings",
        Owner(
            "mutation { resetDeckSettings(input: { deckId: \"{deck}\" }) { settings { version } } }",
        ),
    ),
    ("Mutation.fitWeights", Own("mutation { fitWeights(input: {}) { fit { state } } }")),
    (
        "Mutation.saveStudyPreset",
        Owner(
            "mutation { saveStudyPreset(input: { id: \"{preset}\", name: \"mine\", settings: {}, expectedVersion: 1 }) { preset { id } } }",
        ),
    ),
    (
        "Mutation.deleteStudyPreset",
        Owner("mutation { deleteStudyPreset(input: { id: \"{preset}\" }) { deletedId } }"),
    ),
];
