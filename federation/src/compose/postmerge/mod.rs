//! Rules about the merged schema as a whole, before it is asked whether every query can be answered.

mod defaults;
mod inaccessible;
mod interfaces;
mod list_sizes;

use super::ComposeSettings;
use super::diagnostic::Report;
use super::merge::Supergraph;

/// Checks `supergraph`.
pub(super) fn validate_supergraph(
    supergraph: &Supergraph,
    settings: &ComposeSettings,
    report: &mut Report,
) {
    interfaces::validate(supergraph, report);
    inaccessible::validate(supergraph, report);
    defaults::validate(supergraph, report);
    list_sizes::validate(supergraph, settings.list_sizes, report);
}
