//! Keeps what subgraphs say about their failures from clients: stack traces, statements and addresses are in such messages, and they are
//! for the log.
//!
//! The engine's own errors have fixed texts and are left alone; so are those of subgraphs that are trusted with their words.

use federation::{Payload, ResponseError};

use crate::settings::ErrorSettings;
use crate::transport::Transports;

/// What stands in place of a message.
const MASKED: &str = "the subgraph answered with an error";

/// Masks the errors that are not to be shown. `code` of an error that is masked stays where it is allowed; the name of the subgraph stays.
pub(crate) fn mask(
    errors: &mut [ResponseError],
    transports: &Transports,
    settings: &ErrorSettings,
) {
    if !settings.masked {
        return;
    }
    for error in errors {
        let Some(subgraph) = &error.reported_by else { continue };
        if transports.show_errors_of(subgraph) {
            continue;
        }
        tracing::info!(%subgraph, message = error.message, "a subgraph's error is masked");
        MASKED.clone_into(&mut error.message);
        let allowed = |key: &str| {
            key == "service" || settings.allowed_extensions.iter().any(|allowed| allowed == key)
        };
        error.extensions = std::mem::take(&mut error.extensions)
            .into_iter()
            .filter(|(key, _)| allowed(key))
            .collect();
    }
}

/// Masks the errors of a part of an answer.
pub(crate) fn mask_payload(
    payload: &mut Payload,
    transports: &Transports,
    settings: &ErrorSettings,
) {
    let mask = |errors: &mut [ResponseError]| mask(errors, transports, settings);
    match payload {
        Payload::Response(response) => mask(&mut response.errors),
        Payload::Initial(initial) => mask(&mut initial.response.errors),
        Payload::Subsequent(part) => {
            part.incremental.iter_mut().for_each(|one| mask(&mut one.errors));
            part.completed.iter_mut().for_each(|one| mask(&mut one.errors));
        }
    }
}
