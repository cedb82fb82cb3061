//! Carries the parts of an answer from the engine to the queue of the connection that writes them.

use std::sync::Arc;

use common::Caller;
use federation::{Object, Payload, Prepared};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::bounds::{Deadline, unless_it_panics};
use crate::code::Code;
use crate::execute::open;
use crate::live::{Content, Gone, Message, Outbox};
use crate::outcome::Outcome;
use crate::state::State;

/// Runs an operation and passes its answer on as messages of `id`, the last of which says that it is complete.
pub(super) async fn run(
    state: Arc<State>,
    prepared: Arc<Prepared>,
    variables: Object,
    caller: Caller,
    id: Arc<str>,
    outbox: Outbox<Message>,
) {
    let deadline = Deadline::after(state.settings.http.request_timeout);
    let opening = open(prepared, variables, &state.transports, caller, &state.settings.execution);
    match unless_it_panics(deadline.keep(opening, Code::GatewayTimeout)).await {
        Ok(opened) => relay(id, opened.payloads, outbox).await,
        Err(outcome) => end(&id, Some(outcome), &outbox).await,
    }
}

/// Passes `payloads` on as messages of `id` until there are no more or the connection is gone. Dropping them ends what is under
/// way for them.
pub(super) async fn relay(
    id: Arc<str>,
    mut payloads: BoxStream<'static, Payload>,
    outbox: Outbox<Message>,
) {
    let passing = async {
        while let Some(payload) = payloads.next().await {
            let message = Message { id: id.clone(), content: Content::Payload(payload) };
            if outbox.put(message).await == Err(Gone) {
                break;
            }
        }
        Ok(())
    };
    let passed = tokio::select! {
        passed = unless_it_panics(passing) => passed,
        () = outbox.closed() => return,
    };
    end(&id, passed.err(), &outbox).await;
}

async fn end(id: &Arc<str>, failed: Option<Outcome>, outbox: &Outbox<Message>) {
    for content in failed.map(Content::Failed).into_iter().chain([Content::Complete]) {
        if outbox.put(Message { id: id.clone(), content }).await == Err(Gone) {
            break;
        }
    }
}
