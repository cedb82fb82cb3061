//! How the fields about decks, notes, cards, tags, the trash, media and global ids are called: a part of the table of `ownership.rs`.

use crate::Rule::{self, Made, Mixed, Open, Own, Owner};

/// These fields, some in several ways.
pub(crate) const TABLE: &[(&str, Rule)] = &[
    (
        "Query.note",
        Owner("{ note(id: \"{note}\") { id guid tags fields { value } cards { id question } } }"),
    ),
    ("Query.media", Owner("{ media(id: \"{media}\") { id name sha256 url } }")),
    ("Query.node", Owner("{ node(id: \"{media}\") { id ... on Media { name url } } }")),
    (
        "Mutation.uploadMedia",
        Open(
            "it names nothing that is anybody's; files of others with the same name or bytes make no difference: subgraphs/decks/tests/media.rs",
        ),
    ),
    (
        "Mutation.deleteMedia",
        Owner("mutation { deleteMedia(input: { ids: [\"{media}\"] }) { deletedIds } }"),
    ),
    (
        "Mutation.deleteMedia",
        Owner(
            "mutation { deleteMedia(input: { ids: [\"{media}\"], forGood: true }) { deletedIds trashId } }",
        ),
    ),
    (
        "Mutation.deleteMedia",
        Mixed(
            "mutation { deleteMedia(input: { ids: [\"{my_media}\", \"{media}\"] }) { deletedIds } }",
        ),
    ),
    ("Query.node", Owner("{ node(id: \"{deck}\") { id ... on Deck { name } } }")),
    ("Query.node", Owner("{ node(id: \"{card}\") { id ... on Card { question state } } }")),
    ("Query.node", Owner("{ node(id: \"{user}\") { id ... on User { name email } } }")),
    (
        "Query.nodes",
        Owner(
            "{ nodes(ids: [\"{note}\", \"{card}\", \"{user}\"]) { id ... on Note { tags } ... on Card { question } } }",
        ),
    ),
    (
        "Query.searchCards",
        Own(
            "{ searchCards(query: \"secret or deck:\\\"Ada's secret deck\\\" or tag:Ada's-secret\") { totalCount nodes { id question } } }",
        ),
    ),
    (
        "Query.searchCards",
        Own(
            "{ searchCards(query: \"is:new or is:due or rated:9\") { totalCount nodes { id question } } }",
        ),
    ),
    (
        "Mutation.createDeck",
        Owner(
            "mutation { createDeck(input: { name: \"mine\", parentId: \"{deck}\" }) { deck { path } } }",
        ),
    ),
    (
        "Mutation.moveDeck",
        Owner("mutation { moveDeck(input: { id: \"{deck}\" }) { deck { name } } }"),
    ),
    (
        "Mutation.moveDeck",
        Mixed(
            "mutation { moveDeck(input: { id: \"{my_deck}\", parentId: \"{deck}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.moveDeck",
        Mixed(
            "mutation { moveDeck(input: { id: \"{my_deck}\", beforeDeckId: \"{deck}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.copyDeck",
        Owner("mutation { copyDeck(input: { id: \"{deck}\" }) { deck { name cardCount } } }"),
    ),
    (
        "Mutation.copyDeck",
        Mixed(
            "mutation { copyDeck(input: { id: \"{my_deck}\", parentId: \"{deck}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.createNotes",
        Owner(
            "mutation { createNotes(input: { deckId: \"{deck}\", notes: [{ fields: [{ name: \"Front\", value: \"q\" }, { name: \"Back\", value: \"a\" }] }] }) { notes { id } } }",
        ),
    ),
    (
        "Mutation.createNotes",
        Made(
            "mutation { createNotes(input: { deckId: \"{my_deck}\", notes: [{ id: \"{note}\", fields: [{ name: \"Front\", value: \"q\" }, { name: \"Back\", value: \"a\" }] }] }) { notes { id } } }",
        ),
    ),
    (
        "Mutation.updateNotes",
        Owner(
            "mutation { updateNotes(input: { notes: [{ id: \"{note}\", tags: [\"taken\"], expectedVersion: 2 }] }) { notes { fields { value } } } }",
        ),
    ),
    (
        "Mutation.updateNotes",
        Mixed(
            "mutation { updateNotes(input: { notes: [{ id: \"{my_note}\", tags: [\"x\"] }, { id: \"{note}\", expectedVersion: 99 }] }) { __typename } }",
        ),
    ),
    (
        "Mutation.deleteNotes",
        Owner("mutation { deleteNotes(input: { ids: [\"{note}\"] }) { deletedIds } }"),
    ),
    (
        "Mutation.tagNotes",
        Owner(
            "mutation { tagNotes(input: { noteIds: [\"{note}\"], add: [\"x\"] }) { notes { tags } } }",
        ),
    ),
    (
        "Mutation.renameTag",
        Own("mutation { renameTag(input: { tag: \"Ada's-secret\", to: \"x\" }) { changedNotes } }"),
    ),
    (
        "Mutation.mergeTags",
        Own(
            "mutation { mergeTags(input: { tags: [\"Ada's-secret\"], into: \"x\" }) { changedNotes } }",
        ),
    ),
    (
        "Mutation.copyCards",
        Owner(
            "mutation { copyCards(input: { cardIds: [\"{card}\"], deckId: \"{deck}\" }) { notes { id } } }",
        ),
    ),
    (
        "Mutation.copyCards",
        Mixed(
            "mutation { copyCards(input: { cardIds: [\"{card}\"], deckId: \"{my_deck}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.restoreDeleted",
        Owner(
            "mutation { restoreDeleted(input: { trashId: \"{trash}\" }) { restored { title } } }",
        ),
    ),
    (
        "Mutation.createDeck",
        Made(
            "mutation { createDeck(input: { id: \"{deck}\", name: \"mine\" }) { deck { id name } } }",
        ),
    ),
    (
        "Mutation.updateDeck",
        Owner(
            "mutation { updateDeck(input: { id: \"{deck}\", name: \"taken over\" }) { deck { id name } } }",
        ),
    ),
    (
        "Mutation.updateDeck",
        Owner(
            "mutation { updateDeck(input: { id: \"{deck}\", name: \"guessed\", expectedVersion: 1 }) { deck { id } } }",
        ),
    ),
    (
        "Mutation.deleteDeck",
        Owner("mutation { deleteDeck(input: { id: \"{deck}\" }) { deletedId } }"),
    ),
    (
        "Mutation.createCards",
        Owner(
            "mutation { createCards(input: { deckId: \"{deck}\", cards: [{ question: \"q\", answer: \"a\" }] }) { cards { question } } }",
        ),
    ),
    (
        "Mutation.createCards",
        Made(
            "mutation { createCards(input: { deckId: \"{my_deck}\", cards: [{ id: \"{card}\", question: \"q\", answer: \"a\" }] }) { cards { id } } }",
        ),
    ),
    (
        "Mutation.updateCard",
        Owner(
            "mutation { updateCard(input: { id: \"{card}\", question: \"changed\" }) { card { id question } } }",
        ),
    ),
    (
        "Mutation.moveCards",
        Owner(
            "mutation { moveCards(input: { cardIds: [\"{card}\"], beforeCardId: \"{other_card}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.moveCards",
        Mixed(
            "mutation { moveCards(input: { cardIds: [\"{card}\"], deckId: \"{my_deck}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.moveCards",
        Mixed(
            "mutation { moveCards(input: { cardIds: [\"{my_card}\"], deckId: \"{deck}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.moveCards",
        Mixed(
            "mutation { moveCards(input: { cardIds: [\"{my_card}\"], beforeCardId: \"{card}\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.deleteCards",
        Owner("mutation { deleteCards(input: { ids: [\"{card}\"] }) { deletedIds } }"),
    ),
    (
        "Mutation.deleteCards",
        Mixed(
            "mutation { deleteCards(input: { ids: [\"{my_card}\", \"{card}\"] }) { deletedIds } }",
        ),
    ),
];
