//! One WebSocket: the client introduces itself, then starts and stops operations, whose answers share a bounded queue.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message as Frame, WebSocket};
use common::{Caller, Client};
use federation::{Object, Value};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::message::{self, ClientMessage, Close};
use super::{Opening, SUBPROTOCOL};
use crate::authenticate::Identity;
use crate::authorise::authorise;
use crate::charge::{charge, refuse_dry_run};
use crate::client::{Application, ClientKey, client};
use crate::code::Code;
use crate::decode::GraphQlRequest;
use crate::live::{Content, Message, Next, Outbox, Outlet, Permit, queue};
use crate::outcome::Outcome;
use crate::state::State;
use crate::streams::relay;
use crate::transport::Exchange;

/// After so many silent heartbeats a client counts as gone.
const SILENT_HEARTBEATS: u32 = 3;

/// How long a client may take to answer that the connection is closed.
const CLOSING: Duration = Duration::from_secs(1);

/// Serves a WebSocket until either side closes it.
pub(super) async fn serve(mut socket: WebSocket, state: Arc<State>, mut opening: Opening) {
    let closed = match introduce(&mut socket, &state, &mut opening).await {
        Ok((identity, permit)) => {
            Box::pin(Connection::new(socket, state, opening, identity, permit).run()).await;
            return;
        }
        Err(closed) => closed,
    };
    close(&mut socket, closed, Duration::from_secs(1)).await;
}

/// How a connection ends: with a reason for the client, or because the client is gone.
type Ended = Option<Close>;

/// Closes a WebSocket, or answers a client that did. Each side says so, or the other could not tell it from a broken connection.
async fn close(socket: &mut WebSocket, ended: Ended, patience: Duration) {
    if let Some(close) = ended {
        // A client that does not read even this is left to the system.
        let sent = timeout(patience, socket.send(close.frame())).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    drop(timeout(CLOSING, answered).await);
}

/// Waits for `connection_init` and finds out who is asking.
async fn introduce(
    socket: &mut WebSocket,
    state: &State,
    opening: &mut Opening,
) -> Result<(Identity, Permit), Ended> {
    if socket.protocol().is_none_or(|protocol| protocol != SUBPROTOCOL) {
        return Err(Some(Close::SUBPROTOCOL));
    }
    let settings = &state.settings.streams;
    let until = Instant::now() + settings.init_timeout;
    let payload = loop {
        let received = timeout_at(until, socket.recv());
        let message = match received.await {
            Err(_) => return Err(Some(Close::INIT_TIMEOUT)),
            Ok(frame) => read(frame)?,
        };
        match message {
            None | Some(ClientMessage::Pong {}) => {}
            Some(ClientMessage::ConnectionInit { payload }) => break payload,
            Some(ClientMessage::Ping { payload }) => {
                socket.send(message::pong(payload.as_ref())).await.map_err(|_| None)?;
            }
            Some(ClientMessage::Subscribe { .. } | ClientMessage::Complete { .. }) => {
                return Err(Some(Close::UNAUTHORIZED));
            }
        }
    };
    let trusted = &state.settings.http.trusted_proxies;
    let client = client(&opening.headers, &opening.extensions, trusted);
    let identified = identify(state, opening, payload.as_ref(), &client).await;
    let identity = identified.map_err(|refused| {
        tracing::debug!("a WebSocket is refused: {refused:?}");
        match refused.code() {
            Some(Code::ServiceUnavailable) => Some(Close::UNAVAILABLE),
            _ => Some(Close::FORBIDDEN),
        }
    })?;
    let key = ClientKey::of(identity.viewer.as_ref(), &client);
    let permit = state
        .clients
        .admit(key, settings.connections_per_client)
        .map_err(|_| Some(Close::TOO_MANY))?;
    socket.send(message::acknowledged()).await.map_err(|_| None)?;
    Ok((identity, permit))
}

/// Who is asking: by `authorization` in the payload, in any case, or else by the headers of the upgrade. What the payload says is from
/// then on what the client's header says, also for subgraphs.
async fn identify(
    state: &State,
    opening: &mut Opening,
    payload: Option<&Object>,
    client: &Client,
) -> Result<Identity, Outcome> {
    let given = payload.into_iter().flat_map(Object::iter).find_map(|(name, value)| match value {
        Value::String(text) if name.eq_ignore_ascii_case("authorization") => Some(text),
        _ => None,
    });
    if let Some(text) = given {
        let value = HeaderValue::from_str(text)
            .map_err(|_| Outcome::unauthenticated("authorization is not a header's value"))?;
        opening.headers.insert(AUTHORIZATION, value);
    }
    // The origin was looked at, so a cookie is the visitor's own.
    state.identify(&opening.headers, client, false).await
}

/// What a frame says; nothing when it is none of the protocol's business.
fn read(frame: Option<Result<Frame, axum::Error>>) -> Result<Option<ClientMessage>, Ended> {
    match frame {
        None | Some(Ok(Frame::Close(_)) | Err(_)) => Err(None),
        Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => Ok(None),
        Some(Ok(Frame::Binary(_))) => Err(Some(Close::NOT_TEXT)),
        Some(Ok(Frame::Text(text))) => ClientMessage::read(&text).map(Some).map_err(Some),
    }
}

struct Connection {
    socket: WebSocket,
    state: Arc<State>,
    identity: Identity,
    caller: Caller,
    /// Those of the upgrade, with what `connection_init` said in place of theirs.
    headers: HeaderMap,
    outbox: Outbox<Message>,
    outlet: Outlet<Message>,
    /// Those under way, by the client's id. Dropping the connection stops them.
    operations: HashMap<Arc<str>, Operation>,
    heard: Instant,
    _permit: Permit,
}

/// An operation under way. Its messages carry the same `Arc` as this key, which tells them from those of an operation that had
/// the id before.
struct Operation(AbortHandle);

impl Drop for Operation {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    fn new(
        socket: WebSocket,
        state: Arc<State>,
        opening: Opening,
        identity: Identity,
        permit: Permit,
    ) -> Self {
        let settings = &state.settings.streams;
        let (outbox, inbox) = queue(settings.buffer, settings.patience);
        let trusted = &state.settings.http.trusted_proxies;
        let client = client(&opening.headers, &opening.extensions, trusted);
        let caller = Caller { client, ..Caller::new(identity.viewer.clone(), opening.request_id) };
        let (authenticator, drain) = (state.authenticator.clone(), state.drain.clone());
        let outlet = Outlet::new(inbox, identity.clone(), authenticator, drain, settings);
        Self {
            socket,
            identity,
            caller,
            headers: opening.headers,
            outbox,
            outlet,
            operations: HashMap::new(),
            heard: Instant::now(),
            _permit: permit,
            state,
        }
    }

    async fn run(mut self) {
        let ended = loop {
            let step = tokio::select! {
                frame = self.socket.recv() => self.hear(frame).await,
                next = self.outlet.next() => self.tell(next).await,
            };
            if let Err(ended) = step {
                break ended;
            }
        };
        self.operations.clear();
        close(&mut self.socket, ended, self.state.settings.streams.patience).await;
    }

    async fn hear(&mut self, frame: Option<Result<Frame, axum::Error>>) -> Result<(), Ended> {
        let message = read(frame)?;
        self.heard = Instant::now();
        match message {
            None | Some(ClientMessage::Pong {}) => Ok(()),
            Some(ClientMessage::ConnectionInit { .. }) => Err(Some(Close::INIT_TWICE)),
            Some(ClientMessage::Ping { payload }) => {
                self.send(message::pong(payload.as_ref())).await
            }
            Some(ClientMessage::Complete { id }) => {
                self.operations.remove(id.as_str());
                Ok(())
            }
            Some(ClientMessage::Subscribe { id, payload }) => {
                if self.operations.contains_key(id.as_str()) {
                    return Err(Some(Close::taken(&id)));
                }
                match self.start(&id, payload).await {
                    Ok(()) => Ok(()),
                    Err(outcome) => self.send(message::error(&id, &outcome)).await,
                }
            }
        }
    }

    async fn start(&mut self, id: &str, payload: Value) -> Result<(), Outcome> {
        let most = self.state.settings.streams.operations_per_connection;
        if self.operations.len() >= most {
            return Err(Outcome::refused(
                Code::TooManyStreams,
                format!("a connection carries {most} operations at most: stop another one"),
            ));
        }
        let request = GraphQlRequest::from_value(payload)?;
        let graph = self.state.graph.load_full();
        let application = Application::of(&self.headers);
        let prepared = self.state.prepare(&graph, &request, &application).await?;
        let prepared = authorise(&prepared, &self.identity)?;
        let variables = prepared.coerce(request.variables).map_err(Outcome::RequestError)?;
        let (identity, client) = (&self.identity, &self.caller.client);
        refuse_dry_run(&self.headers)?;
        let place = self.state.admit_opening(&prepared, &variables, identity).await?;
        let charge = charge(&self.state, &prepared, &variables, identity, client).await?;
        let id: Arc<str> = id.into();
        let operation = relay::Operation {
            prepared,
            variables,
            charge,
            place,
            exchange: Exchange::new(
                self.caller.clone(),
                &self.headers,
                &graph.transports,
                &self.state.settings,
            ),
            graph,
            id: id.clone(),
        };
        let running = relay::run(self.state.clone(), operation, self.outbox.clone());
        let task = tokio::spawn(running);
        self.operations.insert(id, Operation(task.abort_handle()));
        Ok(())
    }

    async fn tell(&mut self, next: Next<Message>) -> Result<(), Ended> {
        let message = match next {
            Next::Message(message) => message,
            Next::Heartbeat => return self.show_life().await,
            // The connection itself holds an end of the queue, so that operations are never all.
            Next::Done => return Err(None),
            Next::End(end) => return Err(Some(end.into())),
        };
        let known = self.operations.get_key_value(&message.id);
        if !known.is_some_and(|(id, _)| Arc::ptr_eq(id, &message.id)) {
            // The client stopped it.
            return Ok(());
        }
        let frame = message::of_operation(&message.id, &message.content);
        let is_last = matches!(message.content, Content::Complete | Content::Failed(_));
        if is_last {
            // After an error there is no `complete`: the one that follows here finds no operation.
            self.operations.remove(&message.id);
        }
        match frame {
            Some(frame) => self.send(frame).await,
            None => Ok(()),
        }
    }

    async fn show_life(&mut self) -> Result<(), Ended> {
        if self.heard.elapsed() > self.state.settings.streams.heartbeat * SILENT_HEARTBEATS {
            return Err(Some(Close::SILENT));
        }
        self.send(Frame::Ping(Default::default())).await
    }

    async fn send(&mut self, frame: Frame) -> Result<(), Ended> {
        let patience = self.state.settings.streams.patience;
        match timeout(patience, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(crate::live::End::TooSlow.into())),
        }
    }
}
