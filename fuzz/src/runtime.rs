//! The runtimes that the targets' futures run on.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .build()
        .unwrap_or_else(|error| panic!("no runtime can be made: {error}"))
});

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// Runs `future` on a runtime of its own, where time passes at once when there is nothing to do but wait.
pub(crate) fn with_time(future: impl Future<Output = ()>) {
    match Builder::new_current_thread().enable_time().start_paused(true).build() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("no runtime can be made: {error}"),
    }
}
