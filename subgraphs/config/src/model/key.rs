//! The registry: what can be set, with type, rule, default, description and whom it concerns.

use async_graphql::Enum;
use common::{Caller, Role};
use serde_json::{Value, json};

use super::rule::{Pattern, Rule};

/// The colours of the program before this one, so that nobody's decks change theirs.
const DECK_COLORS: [&str; 8] =
    ["#FFEC87", "#BEBDFF", "#FFAB87", "#87FFE9", "#FF87DD", "#FF878E", "#CFFFAA", "#87DBFF"];
const VERSION: Pattern = Pattern {
    regex: r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})",
    described: "three numbers such as 1.4.0",
};

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
#[graphql(name = "ConfigKey")]
pub enum Key {
    /// The colours to choose from for a deck.
    DeckColors,
    /// A text for everybody who opens the app; reset it to show none.
    WelcomeMessage,
    /// The oldest client that need not be updated.
    MinimumClientVersion,
    /// Whether the front end offers to sign up.
    SignUpOpen,
    /// The look for those who have not chosen one.
    Theme,
    /// Which share of their errors clients report.
    ErrorReportRate,
    /// Whatever else a front end of one's own reads.
    FrontendExtras,
    /// A text for everybody who is signed in; reset it to show none.
    Announcement,
    /// The longest text that cards are generated from.
    GenerationTextLength,
    /// The most cards that are generated from a text.
    GenerationCards,
    /// Who may generate cards.
    CardGeneration,
    /// What the language model is told when it makes cards: one prompt, or several by name to choose from; reset it to use the built-in one.
    CardPrompt,
    /// A note of those who administer for one another.
    OperatorNote,
}

/// Who may read a value. Those who administer may read every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ConfigVisibility")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody who is signed in.
    SignedIn,
    /// The services themselves.
    Service,
    /// Nobody else.
    Admin,
}

impl Visibility {
    /// Whether this person may read it.
    #[must_use]
    pub fn admits(self, caller: &Caller) -> bool {
        match (self, &caller.viewer) {
            (Self::Public, _) => true,
            (_, None) => false,
            (Self::SignedIn, Some(_)) => true,
            (_, Some(viewer)) => viewer.roles.contains(Role::Admin),
        }
    }
}

/// All there is to say about a key.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name under which a store keeps it, and a service reads it. It never changes.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Who may read it.
    pub visibility: Visibility,
    /// What is accepted.
    pub rule: Rule,
    /// The value as long as nothing overrides it; null for none.
    pub default: Value,
}

impl Key {
    /// Every key, in the order in which they are listed.
    pub const ALL: [Self; 13] = [
        Self::DeckColors,
        Self::WelcomeMessage,
        Self::MinimumClientVersion,
        Self::SignUpOpen,
        Self::Theme,
        Self::ErrorReportRate,
        Self::FrontendExtras,
        Self::Announcement,
        Self::GenerationTextLength,
        Self::GenerationCards,
        Self::CardGeneration,
        Self::CardPrompt,
        Self::OperatorNote,
    ];

    /// All there is to say about it.
    #[must_use]
    pub fn definition(self) -> Definition {
        use Visibility::{Admin, Public, Service, SignedIn};
        let (name, visibility, rule, default, description) = match self {
            Self::DeckColors => (
                "deckColors",
                Public,
                Rule::Colors(32),
                json!(DECK_COLORS),
                "The colours to choose from for a deck.",
            ),
            Self::WelcomeMessage => (
                "welcomeMessage",
                Public,
                Rule::Text { most: 500, pattern: None },
                Value::Null,
                "Shown to everybody who opens the app.",
            ),
            Self::MinimumClientVersion => (
                "minimumClientVersion",
                Public,
                Rule::Text { most: 20, pattern: Some(VERSION) },
                json!("0.0.0"),
                "Clients older than this ask to be updated.",
            ),
            Self::SignUpOpen => (
                "signUpOpen",
                Public,
                Rule::Boolean,
                json!(true),
                "Whether the front end offers to sign up. It informs and enforces nothing.",
            ),
            Self::Theme => (
                "theme",
                Public,
                Rule::Choice(&["SYSTEM", "LIGHT", "DARK"]),
                json!("SYSTEM"),
                "The look for those who have not chosen one.",
            ),
            Self::ErrorReportRate => (
                "errorReportRate",
                Public,
                Rule::Float { least: 0.0, most: 1.0 },
                json!(0.0),
                "Which share of their errors clients report.",
            ),
            Self::FrontendExtras => (
                "frontendExtras",
                Public,
                Rule::Json(10_000),
                json!({}),
                "Whatever else a front end of one's own reads. Everybody can read it.",
            ),
            Self::Announcement => (
                "announcement",
                SignedIn,
                Rule::Text { most: 2_000, pattern: None },
                Value::Null,
                "Shown to everybody who is signed in.",
            ),
            Self::GenerationTextLength => (
                "generationTextLength",
                Public,
                Rule::Integer { least: 1, most: 20_000 },
                json!(20_000),
                "The most characters of a text that cards are generated from.",
            ),
            Self::GenerationCards => (
                "generationCards",
                Public,
                Rule::Integer { least: 1, most: 100 },
                json!(100),
                "The most cards that are generated from a text.",
            ),
            Self::CardGeneration => (
                "cardGeneration",
                Service,
                Rule::Flag,
                json!({ "percentage": 100 }),
                "Who may generate cards.",
            ),
            Self::CardPrompt => (
                "cardPrompt",
                Service,
                Rule::Prompts,
                Value::Null,
                "What the language model is told when it makes cards: one prompt, or several by name to choose from. Without a value it is the built-in prompt.",
            ),
            Self::OperatorNote => (
                "operatorNote",
                Admin,
                Rule::Text { most: 2_000, pattern: None },
                Value::Null,
                "A note of those who administer for one another.",
            ),
        };
        Definition { name, description, visibility, rule, default }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// The key of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// What overrides it in the environment: its name after a prefix, such as `SPACEY_CONFIG_DECK_COLORS`.
    #[must_use]
    pub fn variable(self) -> String {
        let mut variable = String::from(super::environment::PREFIX);
        for letter in self.name().chars() {
            if letter.is_ascii_uppercase() {
                variable.push('_');
            }
            variable.push(letter.to_ascii_uppercase());
        }
        variable
    }
}
