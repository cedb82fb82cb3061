//! What is in the download of an account, `GET /account/export`: everything that is a person's, from all domains.
//!
//! The operations are in `account-export.graphql`. A field of the schema that is a person's and is neither there nor among those that are left out
//! below, with the reason, fails a test: nothing is forgotten when something new comes.

use gateway::{ExportList, ExportSettings};

pub(crate) static ACCOUNT: ExportSettings = ExportSettings {
    path: "/account/export",
    file_name: "spacey-account.json",
    format: "spacey-account/1",
    document: include_str!("account-export.graphql"),
    sections: &[
        list("profile", "Profile", "viewer"),
        list("sessions", "Sessions", "viewer.sessions"),
        list("apiKeys", "ApiKeys", "viewer.apiKeys"),
        list("securityEvents", "SecurityEvents", "viewer.securityEvents"),
        list("features", "Features", "config.features"),
        list("studyPresets", "StudyPresets", "viewer.studyPresets"),
        list("decks", "Decks", "viewer.decks"),
        list("trash", "Trash", "viewer.trash"),
        list("media", "Media", "viewer.mediaFiles"),
        list("learningSessions", "LearningSessions", "viewer.learningSessions"),
        list("generationJobs", "GenerationJobs", "generationJobs"),
        list("contents", "Contents", "contents"),
    ],
    nested: &[
        list("cards", "CardsOfDeck", "deck.cards"),
        list("reviews", "ReviewsOfCard", "card.reviews"),
    ],
};

const fn list(name: &'static str, operation: &'static str, at: &'static str) -> ExportList {
    ExportList { name, operation, at }
}

/// What a person can see and does not get in the download, and why. `Type.*` is every field that is not asked for there.
#[cfg(test)]
const LEFT_OUT: &[(&str, &str)] = &[
    ("Query.configEntries", "the installation's, for administrators"),
    ("Query.configHistory", "the installation's, for administrators"),
    ("Query.generationLimits", "the installation's"),
    ("Query.securityEvents", "everybody's, for administrators"),
    ("Query.generationJob", "the jobs are there"),
    ("Query.generationAllowance", "for this moment; what the jobs cost is with them"),
    ("Query.content", "the contents are there"),
    ("Content.text", "read from its source, which is there"),
    ("CardDraft.card", "the card is there, with the same texts unless it was edited since"),
    ("Query.node", "what has an id is there with what it belongs to"),
    ("Query.nodes", "what has an id is there with what it belongs to"),
    ("Query.note", "the notes are with their cards"),
    ("Query.media", "the list of files has it"),
    ("Query.searchCards", "the cards are there"),
    ("Query.importJob", "kept for days; what was imported is there"),
    ("Query.importJobs", "kept for days; what was imported is there"),
    ("Query.exportJob", "kept for hours; what is exported is there"),
    ("Query.exportJobs", "kept for hours; what is exported is there"),
    ("Query.publicDeck", "for anybody to read"),
    ("Query.publicDecks", "for anybody to read"),
    ("Query.user", "anybody's, for administrators"),
    ("Query.users", "everybody's, for administrators"),
    ("Config.frontend", "the installation's, the same for everybody"),
    ("Config.settings", "the installation's"),
    ("User.tags", "the notes have them"),
    ("User.stats", "counted from cards and reviews, which are there"),
    ("User.studyQueue", "chosen from the cards, which are there, for this moment"),
    ("User.statistics", "summed from the reviews, which are there"),
    ("User.forecast", "counted from the cards, which are there, for this moment"),
    ("User.learningChanges", "the cards are there"),
    ("User.deckChanges", "the decks, notes and cards are there"),
    ("User.simulation", "computed for what is asked"),
    (
        "StudyPreset.effective",
        "what it sets is there, over defaults that are the same for everybody",
    ),
    ("DeckStudySettings.effective", "what each deck sets is there, and is inherited from those"),
    ("PublicDeck.releases", "for anybody to read"),
    ("PublicDeck.notes", "for anybody to read"),
    ("PublicDeck.deckCount", "counted from what is public"),
    ("PublicDeck.noteCount", "counted from what is public"),
    ("PublicDeck.cardCount", "counted from what is public"),
    ("PublicDeck.mediaCount", "counted from what is public"),
    ("PublicDeck.mediaBytes", "summed from what is public"),
    ("PublicDeck.rating", "what others gave, for anybody to read"),
    ("PublicDeck.ratingCount", "what others gave, for anybody to read"),
    ("PublicDeck.subscriberCount", "how many others there are, for anybody to read"),
    ("DeckSource.updateAvailable", "for this moment"),
    ("Deck.ancestors", "each deck has its parent"),
    ("Deck.children", "each deck has its parent"),
    ("Deck.path", "each deck has its parent"),
    ("Deck.cardCount", "the cards are there"),
    ("Deck.counts", "counted from the cards, which are there, for this moment"),
    ("Deck.recallScore", "computed from the reviews, for this moment"),
    ("Deck.retrievability", "computed from the cards' stability, for this moment"),
    ("Deck.recallScoreAt", "computed from the reviews, for the moment that is asked"),
    ("Deck.retrievabilityAt", "computed from the cards' stability, for the moment that is asked"),
    ("MediaConnection.totalBytes", "summed from the files, which are there"),
    ("Card.typedAnswer", "a field of its note"),
    ("Note.cards", "the cards have their notes"),
    ("Note.media", "its fields name them, and the list of files has them"),
    ("Card.buried", "for this day"),
    ("Card.recallScoreAt", "computed from the reviews, for the moment that is asked"),
    ("Card.retrievabilityAt", "computed from the stability, for the moment that is asked"),
    ("Card.deck", "the deck it is in there"),
    ("Card.recallScore", "computed from the reviews, for this moment"),
    ("Card.retrievability", "computed from the stability, for this moment"),
];

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
