//! The demo account: for looking around on one's own machine. Its password is made at first start and kept in the data folder.

use std::path::Path;
use std::sync::Arc;

use common::{Caller, Endpoint, Roles, SessionId, SubgraphRequest, Viewer};
use secrecy::ExposeSecret;
use users::Users;

use crate::secrets::{random, read_or_make};

const EMAIL: &str = "demo@spacey.example";
/// With them everything but administration can be tried.
const ROLES: Roles = Roles { beta: true, admin: false };

/// What a person signs in with.
pub(super) struct Demo {
    pub(super) email: &'static str,
    pub(super) password: String,
}

/// Fixed ids make seeding repeatable: a deck that is there already is left as it is.
const SEED: &str = r##"mutation Seed {
  createDeck(input: {
    id: "018f0000-0000-7000-8000-000000000001", name: "The Solar System", description: "A few facts to try things out with.", color: "#BEBDFF"
  }) { deck { id } }
  createCards(input: { deckId: "018f0000-0000-7000-8000-000000000001", cards: [
    { id: "018f0000-0000-7000-8000-000000000011", question: "Which planet is closest to the Sun?", answer: "Mercury" }
    { id: "018f0000-0000-7000-8000-000000000012", question: "Which planet has the most mass?", answer: "Jupiter" }
    { id: "018f0000-0000-7000-8000-000000000013", question: "How long does light take from the Sun to the Earth?", answer: "About 8 minutes and 20 seconds" }
    { id: "018f0000-0000-7000-8000-000000000014", question: "What are Saturn's rings mostly made of?", answer: "Water ice" }
    { id: "018f0000-0000-7000-8000-000000000015", question: "Which planet rotates on its side?", answer: "Uranus" }
  ] }) { cards { id } }
}"##;

/// Makes the account and its deck unless they are there.
pub(super) async fn ensure(
    data_dir: &Path,
    users: &Users,
    decks: &dyn Endpoint,
) -> Result<Demo, Box<dyn std::error::Error>> {
    let password = read_or_make(&data_dir.join("keys/demo-password"), || {
        random().expose_secret()[..12].into()
    })?;
    let password = password.expose_secret().to_owned();
    let user = users.ensure_account(EMAIL, "Demo", &password, ROLES).await?;
    let viewer = Viewer::new(user, SessionId::new(), ROLES);
    let caller = Arc::new(Caller::new(Some(viewer), "demo"));
    let request = SubgraphRequest {
        document: SEED.into(),
        operation_name: None,
        variables: async_graphql::Variables::default(),
    };
    let response = decks.execute(request, caller).await?;
    // The person may have changed or deleted what was seeded before: then it stays so.
    for error in response.errors {
        tracing::debug!(message = %error.message, "the demo deck is not seeded");
    }
    Ok(Demo { email: EMAIL, password })
}
