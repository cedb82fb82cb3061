//! The keys with their types, rules and defaults; what overrides a default; and what is then in effect. Whatever a [`Snapshot`] says is in
//! effect keeps its rule.

mod change;
mod environment;
mod key;
mod rule;
mod snapshot;
#[cfg(test)]
mod tests;

pub use change::Change;
pub use environment::{Environment, InvalidVariable};
pub use key::{Definition, Key, Visibility};
pub use rule::{InvalidValue, Kind, Pattern, Rule};
pub use snapshot::{Effective, Snapshot, Source};
