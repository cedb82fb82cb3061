//! Subscribes to a subgraph in another process, by `graphql-transport-ws`: one WebSocket for each subscription.
//!
//! So a slow reader of one subscription holds up no other: while it does not take an event, the WebSocket is not read, and the
//! subgraph's own connection fills up. A connection that breaks ends the subscription with an error; nothing is subscribed to again
//! behind the client's back, because events in between would be missing and nobody would know. The connection is opened as one for a
//! query is: with the same TLS and under the same policies. Refused: a server that does not acknowledge in time, messages that are not
//! the protocol's, and messages larger than an answer may be.

use std::borrow::Cow;
use std::time::Duration;

use async_stream::stream;
use bytes::Bytes;
use federation::{Events, FetchError, FetchResponse};
use futures::{SinkExt, StreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::error::fetch_error;
use crate::http_client::{ClientError, Stream};
use crate::subgraph::{CallError, SubgraphClient};

use super::unanswered;

/// How long a subgraph may be silent before it is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(20);
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// The only subscription of a connection.
const ID: &str = "1";

type Socket = WebSocketStream<Stream>;

/// What is said to a subgraph.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Say<'a> {
    ConnectionInit { payload: Credentials<'a> },
    Subscribe { id: &'static str, payload: &'a RawValue },
    Complete { id: &'static str },
    Pong,
}

#[derive(Serialize)]
struct Credentials<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<&'a str>,
}

/// What it says.
enum Heard {
    ConnectionAck,
    Ping,
    Pong,
    /// The JSON of an answer.
    Next(Bytes),
    /// The JSON of a list of errors.
    Error(Box<RawValue>),
    Complete,
}

/// A message as it stands: a payload is handed on unread.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Heard {
    fn read(text: &str) -> Result<Self, FetchError> {
        let Message { kind, payload } = serde_json::from_str(text)
            .map_err(|error| malformed(&format!("a message that cannot be read: {error}")))?;
        Ok(match (&*kind, payload) {
            ("connection_ack", _) => Self::ConnectionAck,
            ("ping", _) => Self::Ping,
            ("pong", _) => Self::Pong,
            ("complete", _) => Self::Complete,
            ("next", Some(payload)) => Self::Next(payload.get().to_owned().into()),
            ("error", Some(payload)) => Self::Error(payload.to_owned()),
            (kind, _) => return Err(malformed(&format!("an unexpected message, {kind:?}"))),
        })
    }
}

/// Where a subgraph that is asked at `address` is subscribed to: `http` becomes `ws`, `https` becomes `wss`.
pub(super) fn socket_address(address: &str) -> String {
    address.replacen("http", "ws", 1)
}

/// A subscription to open.
pub(super) struct Subscription<'a> {
    /// The subgraph.
    pub(super) name: &'a str,
    /// Where it is subscribed to: `ws` or `wss`.
    pub(super) address: &'a str,
    /// What goes along with the upgrade. `authorization` is also told in `connection_init`, because subgraphs look in either place.
    pub(super) headers: HeaderMap,
    /// The JSON of a GraphQL request.
    pub(super) operation: &'a [u8],
}

/// Opens a subscription.
pub(super) async fn subscribe(
    client: &SubgraphClient,
    subscription: Subscription<'_>,
) -> Result<Events, FetchError> {
    let operation = serde_json::from_slice(subscription.operation).map_err(unreachable)?;
    let max_event = client.max_response();
    let greeting = async |stream| greet(stream, &subscription, operation, max_event).await;
    let opened = Box::pin(client.open(greeting)).await;
    let socket = opened.map_err(|error| fetch_error(unanswered(subscription.name, error)))??;
    Ok(events(socket).boxed())
}

/// Introduces the gateway and subscribes. The inner error is an answer: the subgraph is there, and does not do what it is asked.
async fn greet(
    stream: Stream,
    subscription: &Subscription<'_>,
    operation: &RawValue,
    max_event: usize,
) -> Result<Result<Socket, FetchError>, CallError> {
    let mut request = match subscription.address.into_client_request() {
        Ok(request) => request,
        Err(error) => return Ok(Err(unreachable(error))),
    };
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    for (name, value) in subscription.headers.iter().filter(|(name, _)| !is_of_body(name)) {
        headers.append(name, value.clone());
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(max_event))
        .max_frame_size(Some(max_event));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => match introduce(socket, &subscription.headers, operation).await {
            Err(FetchError::Unreachable(source)) if source.is::<tungstenite::Error>() => {
                Err(ClientError::Broken(source).into())
            }
            answered => Ok(answered),
        },
        Err(tungstenite::Error::Http(response)) if !response.status().is_server_error() => {
            Ok(Err(unreachable(tungstenite::Error::Http(response))))
        }
        Err(error) => Err(ClientError::Broken(Box::new(error)).into()),
    }
}

async fn introduce(
    mut socket: Socket,
    headers: &HeaderMap,
    operation: &RawValue,
) -> Result<Socket, FetchError> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    say(&mut socket, &Say::ConnectionInit { payload: Credentials { authorization } }).await?;
    loop {
        match hear(&mut socket).await? {
            Some(Heard::ConnectionAck) => break,
            Some(Heard::Ping) => say(&mut socket, &Say::Pong).await?,
            Some(Heard::Pong) => {}
            Some(_) => return Err(malformed("an answer before connection_ack")),
            None => return Err(closed()),
        }
    }
    say(&mut socket, &Say::Subscribe { id: ID, payload: operation }).await?;
    Ok(socket)
}

/// Whether a header speaks of a body, which the request for a WebSocket has not.
fn is_of_body(name: &HeaderName) -> bool {
    [ACCEPT, CONTENT_LENGTH, CONTENT_TYPE].contains(name)
}

/// The events of the subscription. Dropping them closes the connection.
fn events(socket: Socket) -> impl futures::Stream<Item = Result<FetchResponse, FetchError>> + Send {
    let mut open = Open(Some(socket));
    stream! {
        loop {
            match open.next().await {
                Ok(Some(Event::Next(response))) => yield Ok(response),
                Ok(Some(Event::Last(response))) => {
                    yield Ok(response);
                    break;
                }
                Ok(None) => break,
                Err(error) => {
                    yield Err(error);
                    break;
                }
            }
        }
    }
}

enum Event {
    Next(FetchResponse),
    Last(FetchResponse),
}

/// A connection whose subscription is under way.
struct Open(Option<Socket>);

impl Open {
    async fn next(&mut self) -> Result<Option<Event>, FetchError> {
        let Some(socket) = &mut self.0 else { return Ok(None) };
        let mut asked = false;
        loop {
            let Ok(heard) = timeout(SILENCE, hear(socket)).await else {
                if std::mem::replace(&mut asked, true) {
                    return Err(FetchError::Timeout);
                }
                socket.send(Frame::Ping(Bytes::new())).await.map_err(unreachable)?;
                continue;
            };
            match heard? {
                Some(Heard::Ping) => say(socket, &Say::Pong).await?,
                Some(Heard::Pong) => asked = false,
                Some(Heard::ConnectionAck) => return Err(malformed("a second connection_ack")),
                Some(Heard::Next(response)) => {
                    return Ok(Some(Event::Next(FetchResponse::Json(response))));
                }
                Some(Heard::Error(payload)) => {
                    self.0 = None;
                    let response = format!("{{\"errors\":{}}}", payload.get());
                    return Ok(Some(Event::Last(FetchResponse::Json(response.into()))));
                }
                Some(Heard::Complete) => {
                    self.0 = None;
                    return Ok(None);
                }
                None => return Err(closed()),
            }
        }
    }
}

impl Drop for Open {
    /// Tells the subgraph, so that it need not find out by the connection.
    fn drop(&mut self) {
        let (Some(mut socket), Ok(runtime)) =
            (self.0.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            let goodbye = async {
                drop(say(&mut socket, &Say::Complete { id: ID }).await);
                drop(socket.close(None).await);
            };
            // A subgraph that does not take it is left with a broken connection.
            drop(timeout(Duration::from_secs(1), goodbye).await);
        });
    }
}

async fn say(socket: &mut Socket, message: &Say<'_>) -> Result<(), FetchError> {
    let text = serde_json::to_string(message).map_err(unreachable)?;
    socket.send(Frame::text(text)).await.map_err(unreachable)
}

/// The next message, past frames of the WebSocket's own, which count as [`Heard::Pong`]; nothing when the subgraph closed.
async fn hear(socket: &mut Socket) -> Result<Option<Heard>, FetchError> {
    match socket.next().await {
        None => Ok(None),
        Some(Err(tungstenite::Error::Capacity(error))) => Err(malformed(&error.to_string())),
        Some(Err(error)) => Err(unreachable(error)),
        Some(Ok(Frame::Text(text))) => Heard::read(&text).map(Some),
        Some(Ok(Frame::Close(Some(frame)))) => {
            Err(unreachable(Closed(format!("{}: {}", frame.code, frame.reason))))
        }
        Some(Ok(Frame::Close(None))) => Ok(None),
        Some(Ok(Frame::Binary(_))) => Err(malformed("a message that is not text")),
        Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => Ok(Some(Heard::Pong)),
    }
}

/// What a subgraph said when it closed the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed: {0}")]
struct Closed(String);

fn closed() -> FetchError {
    unreachable(Closed("without a word".to_owned()))
}

fn malformed(what: &str) -> FetchError {
    FetchError::Malformed(what.to_owned())
}

fn unreachable(error: impl std::error::Error + Send + Sync + 'static) -> FetchError {
    FetchError::Unreachable(Box::new(error))
}
