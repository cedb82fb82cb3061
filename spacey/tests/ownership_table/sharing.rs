//! How the fields of public decks and clones are called: a part of the table of `ownership.rs`. `{slug}` is one that was published and is
//! public no more; what is public is for anybody, which `subgraphs/decks/tests/graphql/sharing.rs` looks at.

use crate::Rule::{self, Mixed, Own, Owner};

/// These fields, some in several ways.
pub(crate) const TABLE: &[(&str, Rule)] = &[
    (
        "Query.publicDeck",
        Mixed(
            "{ publicDeck(slug: \"{slug}\") { title description mediaCount mediaBytes notes { nodes { fields { value } media { name url } } } releases { nodes { number } } } }",
        ),
    ),
    (
        "Query.publicDecks",
        Own(
            "{ publicDecks(query: \"secret\") { totalCount nodes { slug title description mediaBytes notes { nodes { fields { value } media { name url } } } } } }",
        ),
    ),
    (
        "Mutation.publishDeck",
        Owner(
            "mutation { publishDeck(input: { deckId: \"{deck}\", slug: \"taken-over\", licence: CC0 }) { publicDeck { slug title } } }",
        ),
    ),
    (
        "Mutation.unpublishDeck",
        Owner("mutation { unpublishDeck(input: { deckId: \"{deck}\" }) { deck { name } } }"),
    ),
    (
        "Mutation.ratePublicDeck",
        Mixed(
            "mutation { ratePublicDeck(input: { slug: \"{slug}\", stars: 1 }) { publicDeck { title } } }",
        ),
    ),
    (
        "Mutation.clonePublicDeck",
        Mixed(
            "mutation { clonePublicDeck(input: { slug: \"{slug}\", parentId: \"{my_deck}\" }) { deck { name } } }",
        ),
    ),
    (
        "Mutation.pullPublicDeck",
        Owner(
            "mutation { pullPublicDeck(input: { deckId: \"{deck}\" }) { toRelease updatedDecks deletedDecks addedMedia leftOutMediaCount leftOutMedia { name } deckConflicts { deck { name } } } }",
        ),
    ),
    (
        "Mutation.pullPublicDeck",
        Mixed(
            "mutation { pullPublicDeck(input: { deckId: \"{my_deck}\", choices: [{ noteId: \"{note}\", onConflict: TAKE_THEIRS }] }) { toRelease } }",
        ),
    ),
];
