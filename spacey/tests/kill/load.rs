//! What a client does over and over while the program is killed, and how it knows afterwards whether what it was told still holds.

use futures::future::BoxFuture;

use crate::program::{Client, Lost};
use crate::seen::Seen;
use crate::stores::Stores;

/// One client's load. It keeps a model of what it was told, and of what it asked for and was not told about.
pub(crate) trait Load: Send {
    /// Does one thing. With [`Lost`] it is in doubt whether that was done; the load remembers what it was, and ends for now.
    fn step<'a>(&'a mut self, client: &'a Client) -> BoxFuture<'a, Result<(), Lost>>;

    /// After a start: what is there is what was acknowledged, with what was in doubt done wholly or not at all, and nothing else. Which of the
    /// two it was holds from then on.
    fn check<'a>(&'a mut self, world: &'a World<'a>) -> BoxFuture<'a, ()>;

    /// How many changes were acknowledged.
    fn acknowledged(&self) -> u64;

    /// How many changes were in doubt at a kill.
    fn in_doubt(&self) -> u64;
}

/// What a load is compared with: nothing changes it meanwhile.
pub(crate) struct World<'a> {
    /// The graph,
    pub(crate) client: &'a Client,
    /// the stores beneath it,
    pub(crate) stores: &'a Stores,
    /// and the collection of the person whose load it is, as the graph shows it.
    pub(crate) seen: &'a Seen,
    /// After which kill.
    pub(crate) kill: u32,
}
