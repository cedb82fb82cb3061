//! The subgraph's end of a subscription: `graphql-transport-ws` on a WebSocket whose caller is known already by its token.
//!
//! A connection carries one subscription, as the gateway's end opens it. Refused, by closing with the protocol's code: messages that
//! are not the protocol's, a subscription before `connection_init`, a second one.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use common::{Caller, Endpoint, SubgraphRequest};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Deserialize;
use tokio::time::timeout;

use super::server::Operation;
use crate::error::chain;

/// The subprotocol's name.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";
/// How long the gateway may take to read a message.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the gateway says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Heard {
    ConnectionInit,
    Ping,
    Pong,
    Subscribe { id: String, payload: Operation },
    Complete,
}

/// A close code of the protocol with its reason.
type Close = (u16, &'static str);

/// Serves a WebSocket until its subscription is over or either side closes it.
pub(super) async fn serve(socket: WebSocket, endpoint: Arc<dyn Endpoint>, caller: Arc<Caller>) {
    let mut connection =
        Connection { socket, endpoint, caller, greeted: false, id: String::new(), events: None };
    if let Err(Some((code, reason))) = connection.run().await {
        let frame = Frame::Close(Some(CloseFrame { code, reason: reason.into() }));
        drop(timeout(PATIENCE, connection.socket.send(frame)).await);
    }
}

struct Connection {
    socket: WebSocket,
    endpoint: Arc<dyn Endpoint>,
    caller: Arc<Caller>,
    greeted: bool,
    id: String,
    events: Option<BoxStream<'static, Response>>,
}

impl Connection {
    async fn run(&mut self) -> Result<(), Option<Close>> {
        loop {
            let event = async {
                match &mut self.events {
                    Some(events) => events.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                frame = self.socket.recv() => self.hear(frame).await?,
                event = event => self.tell(event).await?,
            }
        }
    }

    async fn hear(
        &mut self,
        frame: Option<Result<Frame, axum::Error>>,
    ) -> Result<(), Option<Close>> {
        let text = match frame {
            None | Some(Ok(Frame::Close(_)) | Err(_)) => return Err(None),
            Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => return Ok(()),
            Some(Ok(Frame::Binary(_))) => return Err(Some((4400, "messages must be text"))),
            Some(Ok(Frame::Text(text))) => text,
        };
        match serde_json::from_str(&text).map_err(|_| Some((4400, "invalid message")))? {
            Heard::ConnectionInit if self.greeted => {
                Err(Some((4429, "Too many initialisation requests")))
            }
            Heard::ConnectionInit => {
                self.greeted = true;
                self.send(r#"{"type":"connection_ack"}"#.to_owned()).await
            }
            Heard::Ping => self.send(r#"{"type":"pong"}"#.to_owned()).await,
            Heard::Pong => Ok(()),
            Heard::Complete => Err(Some((1000, "complete"))),
            Heard::Subscribe { .. } if !self.greeted => Err(Some((4401, "Unauthorized"))),
            Heard::Subscribe { .. } if self.events.is_some() => {
                Err(Some((4409, "a connection carries one subscription")))
            }
            Heard::Subscribe { id, payload } => self.subscribe(id, payload.into()),
        }
    }

    fn subscribe(&mut self, id: String, request: SubgraphRequest) -> Result<(), Option<Close>> {
        let events = self.endpoint.subscribe(request, self.caller.clone()).map_err(|error| {
            tracing::warn!("{}", chain(&error));
            Some((4500, "the subgraph cannot be subscribed to"))
        })?;
        self.id = serde_json::Value::from(id).to_string();
        self.events = Some(events);
        Ok(())
    }

    async fn tell(&mut self, event: Option<Response>) -> Result<(), Option<Close>> {
        let id = &self.id;
        match event {
            None => {
                self.send(format!(r#"{{"id":{id},"type":"complete"}}"#)).await?;
                Err(Some((1000, "complete")))
            }
            Some(response) => {
                let response = serde_json::to_string(&response)
                    .map_err(|_| Some((4500, "an event cannot be written")))?;
                self.send(format!(r#"{{"id":{id},"type":"next","payload":{response}}}"#)).await
            }
        }
    }

    async fn send(&mut self, text: String) -> Result<(), Option<Close>> {
        match timeout(PATIENCE, self.socket.send(Frame::text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(None),
        }
    }
}
