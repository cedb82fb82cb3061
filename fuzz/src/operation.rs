//! An operation's text: it is planned or refused with an error that says something, and a plan can be printed.

use federation::prepare;

use crate::graph::graph;

/// Prepares `data` as an operation.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match prepare(graph(), text, None) {
        Ok(prepared) => assert!(prepared.plan().to_string().lines().count() > 0),
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            assert!(errors.iter().all(|error| !error.message.is_empty()));
        }
    }
}
