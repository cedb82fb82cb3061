//! How the fields about imports and exports are called: a part of the table of `ownership.rs`.

use crate::Rule::{self, Mixed, Open, Own, Owner};

/// These fields, some in several ways.
pub(crate) const TABLE: &[(&str, Rule)] = &[
    (
        "Query.importJob",
        Owner(
            "{ importJob(id: \"{import}\") { id name state size preview { notes } report { added } } }",
        ),
    ),
    ("Query.importJobs", Own("{ importJobs { id name state } }")),
    ("Query.exportJob", Owner("{ exportJob(id: \"{export}\") { id name } }")),
    ("Query.exportJobs", Own("{ exportJobs { id name } }")),
    (
        "Mutation.importFile",
        Own(
            "mutation { importFile(input: { name: \"mine\", data: \"YSxi\", isComplete: false }) { import { name } } }",
        ),
    ),
    (
        "Mutation.appendToImport",
        Owner(
            "mutation { appendToImport(input: { id: \"{import}\", offset: 3, data: \"YSxi\" }) { import { size } } }",
        ),
    ),
    (
        "Mutation.runImport",
        Owner("mutation { runImport(input: { id: \"{import}\" }) { import { state } } }"),
    ),
    (
        "Mutation.runImport",
        Mixed(
            "mutation { runImport(input: { id: \"{my_import}\", deckId: \"{deck}\" }) { import { state } } }",
        ),
    ),
    (
        "Mutation.cancelImport",
        Owner("mutation { cancelImport(input: { id: \"{import}\" }) { import { state } } }"),
    ),
    (
        "Mutation.exportDecks",
        Owner(
            "mutation { exportDecks(input: { deckIds: [\"{deck}\"], format: JSON }) { export { name } } }",
        ),
    ),
    (
        "Mutation.exportDecks",
        Mixed(
            "mutation { exportDecks(input: { deckIds: [\"{my_deck}\", \"{deck}\"], format: CSV }) { export { name } } }",
        ),
    ),
    (
        "Mutation.cancelExport",
        Owner("mutation { cancelExport(input: { id: \"{export}\" }) { export { name } } }"),
    ),
    (
        "Subscription.importProgress",
        Open(
            "it answers one's own alone: what another gets is in subgraphs/decks/tests/graphql/transfers.rs",
        ),
    ),
];
