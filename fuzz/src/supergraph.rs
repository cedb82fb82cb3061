//! A supergraph's SDL, from whatever tool: it is read or refused with a reason.

use federation::Supergraph;

/// Reads `data` as a supergraph.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = Supergraph::parse(text) {
        assert!(!error.to_string().is_empty(), "refused without a reason");
    }
}
