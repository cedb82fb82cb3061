//! Carries the parts of an answer from the engine to the queue of the connection that writes them.

use std::sync::Arc;

use federation::{Prepared, Variables};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::admission::Permit;
use crate::bounds::{Deadline, unless_it_panics};
use crate::charge::Charge;
use crate::code::Code;
use crate::execute::open;
use crate::graph::Graph;
use crate::live::{Content, Gone, Message, Outbox};
use crate::outcome::{Outcome, Part};
use crate::state::State;
use crate::transport::Exchange;

/// An operation of a connection that carries several.
pub(super) struct Operation {
    pub(super) graph: Arc<Graph>,
    pub(super) prepared: Arc<Prepared>,
    pub(super) variables: Variables,
    pub(super) charge: Charge,
    /// Until the first part of the answer is there.
    pub(super) place: Option<Permit>,
    pub(super) exchange: Exchange,
    /// What the client calls it.
    pub(super) id: Arc<str>,
}

/// Runs an operation and passes its answer on as messages, the last of which says that it is complete.
pub(super) async fn run(state: Arc<State>, operation: Operation, outbox: Outbox<Message>) {
    let Operation { graph, prepared, variables, charge, place, exchange, id } = operation;
    let kind = prepared.kind();
    let deadline = Deadline::after(state.settings.http.request_timeout);
    let opening = open(prepared, variables, &graph.transports, exchange, &state.settings);
    let opened = unless_it_panics(deadline.keep(Box::pin(opening), Code::GatewayTimeout)).await;
    drop(place);
    match opened {
        Ok(opened) => relay(id, charge.follow(kind, opened.parts), outbox).await,
        Err(outcome) => {
            charge.end(&outcome);
            end(&id, Some(outcome), &outbox).await;
        }
    }
}

/// Passes `parts` on as messages of `id` until there are no more or the connection is gone. Dropping them ends what is under
/// way for them.
pub(super) async fn relay(
    id: Arc<str>,
    mut parts: BoxStream<'static, Part>,
    outbox: Outbox<Message>,
) {
    let passing = async {
        while let Some(part) = parts.next().await {
            let message = Message { id: id.clone(), content: Content::Part(part) };
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
