//! What the front end goes by: only keys that everybody may read, as typed fields.

use std::sync::Arc;

use async_graphql::{Enum, Json, Object, SimpleObject};
use serde_json::Value;

use crate::model::{Key, Snapshot};

pub(crate) struct FrontendConfig(pub(crate) Arc<Snapshot>);

/// The look of the front end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum Theme {
    /// As the device is set.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What may be asked for at once, as the services enforce it.
#[derive(SimpleObject)]
struct FrontendLimits {
    /// The most characters (Unicode scalar values) of a text that cards are generated from.
    generation_text_length: i64,
    /// The most cards that are generated from a text.
    generation_cards: i64,
}

impl FrontendConfig {
    fn texts(&self, key: Key) -> Vec<&str> {
        let list = self.0.value(key).as_array();
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn text(&self, key: Key) -> Option<&str> {
        self.0.value(key).as_str()
    }

    // A value in effect keeps its rule, so these find what they look for.

    fn integer(&self, key: Key) -> i64 {
        self.0.value(key).as_i64().unwrap_or_default()
    }

    fn number(&self, key: Key) -> f64 {
        self.0.value(key).as_f64().unwrap_or_default()
    }

    fn boolean(&self, key: Key) -> bool {
        self.0.value(key).as_bool().unwrap_or_default()
    }
}

/// What the front end goes by, the same for everybody.
#[Object]
impl FrontendConfig {
    /// The colours to choose from for a deck: 1 to 32 of the form `#RRGGBB`.
    async fn colors(&self) -> Vec<&str> {
        self.texts(Key::DeckColors)
    }

    /// The colours to choose from for a deck.
    #[graphql(deprecation = "It is `colors` now, with the same value.")]
    async fn deck_colors(&self) -> Vec<&str> {
        self.texts(Key::DeckColors)
    }

    /// What may be asked for at once.
    async fn limits(&self) -> FrontendLimits {
        FrontendLimits {
            generation_text_length: self.integer(Key::GenerationTextLength),
            generation_cards: self.integer(Key::GenerationCards),
        }
    }

    /// The names of the features that everybody has, signed in or not. `Config.features` says which the viewer has.
    async fn features(&self) -> Vec<&'static str> {
        let features = self.0.features(None);
        features.filter_map(|(key, enabled)| enabled.then(|| key.name())).collect()
    }

    /// What to show to everybody who opens the app, at most 500 characters; null for nothing.
    async fn welcome_message(&self) -> Option<&str> {
        self.text(Key::WelcomeMessage)
    }

    /// A client that is older than this asks to be updated: three numbers such as `1.4.0`.
    async fn minimum_client_version(&self) -> &str {
        self.text(Key::MinimumClientVersion).unwrap_or_default()
    }

    /// Whether to offer to sign up. It informs; nothing is refused by it.
    async fn sign_up_open(&self) -> bool {
        self.boolean(Key::SignUpOpen)
    }

    /// The look for those who have not chosen one.
    async fn theme(&self) -> Theme {
        match self.text(Key::Theme) {
            Some("LIGHT") => Theme::Light,
            Some("DARK") => Theme::Dark,
            _ => Theme::System,
        }
    }

    /// Which share of its errors a client reports: 0 to 1.
    async fn error_report_rate(&self) -> f64 {
        self.number(Key::ErrorReportRate)
    }

    /// Whatever else this installation's front end reads.
    async fn extras(&self) -> Json<&Value> {
        Json(self.0.value(Key::FrontendExtras))
    }
}
