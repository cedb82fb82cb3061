//! WebSocket messages: whatever a client says, the gateway speaks `graphql-transport-ws`, answers operations under the ids they were
//! given, and closes with a code and a reason, never because something in it broke.
//!
//! An input is messages, one a line. What is not UTF-8, and what follows `binary:`, is sent as bytes; `ping:`, `pong:` and `close:`
//! are frames of the WebSocket's own.

use std::collections::HashMap;

use axum::serve::Listener;
use futures::{SinkExt, StreamExt};
use http::{Request, Uri};
use serde_json::Value;
use tokio::io::{DuplexStream, duplex};
use tokio::time::{Duration, timeout};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::gateway::{library, router, well_formed};
use crate::runtime;

const MOST_MESSAGES: usize = 64;
const BUFFER: usize = 1 << 20;
/// How long the client waits between messages: long enough for most answers.
const PAUSE: Duration = Duration::from_millis(1);
/// How long the gateway may be silent until all that it had to say is said; heartbeats are further apart.
const SILENCE: Duration = Duration::from_secs(5);
/// The codes of the protocol, and those of WebSockets: done, going away, try again later, too big.
const CODES: [u16; 11] = [1000, 1001, 1009, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429];

/// Says what is in `data`, line by line, and listens.
pub fn run(data: &[u8]) {
    runtime::with_time(async {
        let (client, server) = duplex(BUFFER);
        let router = router(library::endpoints());
        let serving = tokio::spawn(async { axum::serve(One(Some(server)), router).await });
        let mut socket = open(client).await;
        let mut conversation = Conversation::default();
        for line in data.split(|byte| *byte == b'\n').take(MOST_MESSAGES) {
            let message = message(line);
            conversation.said(&message);
            if socket.send(message).await.is_err() {
                break;
            }
            while let Ok(Some(Ok(message))) = timeout(PAUSE, socket.next()).await {
                conversation.heard(&message);
            }
        }
        while let Ok(Some(Ok(message))) = timeout(SILENCE, socket.next()).await {
            conversation.heard(&message);
        }
        if !conversation.is_closed {
            drop(socket.close(None).await);
            while let Ok(Some(Ok(message))) = timeout(SILENCE, socket.next()).await {
                conversation.heard(&message);
            }
            assert!(conversation.is_closed, "the gateway does not answer that the client closes");
        }
        serving.abort();
    });
}

/// One connection, and no other after it.
struct One(Option<DuplexStream>);

impl Listener for One {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.0.take() {
            Some(connection) => (connection, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(())
    }
}

async fn open(connection: DuplexStream) -> WebSocketStream<DuplexStream> {
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_static("ws://gateway.test/graphql");
    for (name, value) in [
        ("host", "gateway.test"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", &generate_key()),
        ("sec-websocket-protocol", "graphql-transport-ws"),
    ] {
        match value.parse() {
            Ok(value) => request.headers_mut().insert(name, value),
            Err(error) => panic!("{error}"),
        };
    }
    match client_async(request, connection).await {
        Ok((socket, _)) => socket,
        Err(error) => panic!("the gateway opens no WebSocket: {error}"),
    }
}

fn message(line: &[u8]) -> Message {
    let bytes = |rest: &[u8]| Bytes::copy_from_slice(rest);
    // A control frame has room for 125 bytes (RFC 6455, section 5.5).
    let short = |rest: &[u8]| bytes(&rest[..rest.len().min(125)]);
    if let Some(rest) = line.strip_prefix(b"binary:") {
        return Message::Binary(bytes(rest));
    }
    if let Some(rest) = line.strip_prefix(b"ping:") {
        return Message::Ping(short(rest));
    }
    if let Some(rest) = line.strip_prefix(b"pong:") {
        return Message::Pong(short(rest));
    }
    match (std::str::from_utf8(line), line.strip_prefix(b"close:")) {
        (Ok(text), None) => Message::text(text),
        (_, Some(rest)) => {
            let code = std::str::from_utf8(rest).ok().and_then(|code| code.parse::<u16>().ok());
            // Other codes may not be sent (RFC 6455, section 7.4).
            let code = code.filter(|code| matches!(code, 1000 | 1001 | 3000..=4999));
            Message::Close(code.map(|code| CloseFrame { code: code.into(), reason: "".into() }))
        }
        (Err(_), None) => Message::Binary(bytes(line)),
    }
}

/// What both sides said.
#[derive(Default)]
struct Conversation {
    is_acknowledged: bool,
    is_closed: bool,
    client_closed: bool,
    /// How often the client started an operation of this id, and how often one came to its end.
    started: HashMap<String, usize>,
    ended: HashMap<String, usize>,
}

impl Conversation {
    fn said(&mut self, message: &Message) {
        match message {
            Message::Close(_) => self.client_closed = true,
            Message::Text(text) => {
                let Ok(said) = serde_json::from_str::<Value>(text) else { return };
                if let (Some("subscribe"), Some(id)) = (said["type"].as_str(), said["id"].as_str())
                {
                    *self.started.entry(id.to_owned()).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    fn heard(&mut self, message: &Message) {
        match message {
            Message::Text(text) => self.heard_text(text),
            Message::Close(frame) => {
                self.is_closed = true;
                if let (Some(frame), false) = (frame, self.client_closed) {
                    let code = u16::from(frame.code);
                    assert!(CODES.contains(&code) && !frame.reason.is_empty(), "{frame:?}");
                }
            }
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("a frame that is not text: {other:?}"),
        }
    }

    fn heard_text(&mut self, text: &str) {
        let heard = well_formed::json(text.as_bytes());
        match well_formed::text(&heard["type"]) {
            "connection_ack" => {
                assert!(!self.is_acknowledged, "acknowledged twice");
                self.is_acknowledged = true;
            }
            "pong" => {}
            "next" => {
                let id = self.running(&heard);
                assert!(id.is_some(), "of no operation: {heard}");
                // Operations with one id may follow each other, so a part is looked at by itself.
                well_formed::part(&heard["payload"]);
            }
            kind @ ("error" | "complete") => {
                let id = self.running(&heard);
                let Some(id) = id else { panic!("of no operation: {heard}") };
                *self.ended.entry(id).or_default() += 1;
                if kind == "error" {
                    well_formed::errors(&heard["payload"]);
                }
            }
            other => panic!("a message of type {other}"),
        }
    }

    /// The message's operation, when it was started and has not ended.
    fn running(&self, heard: &Value) -> Option<String> {
        assert!(self.is_acknowledged, "before the acknowledgement: {heard}");
        let id = well_formed::text(&heard["id"]);
        let count = |of: &HashMap<String, usize>| of.get(id).copied().unwrap_or_default();
        (count(&self.ended) < count(&self.started)).then(|| id.to_owned())
    }
}
