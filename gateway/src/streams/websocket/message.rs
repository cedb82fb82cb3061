//! The messages of `graphql-transport-ws`, and the codes with which its connections are closed.
//!
//! Refused: what is not JSON, a type that is not a client's, a member of the wrong type, an empty id.

use std::borrow::Cow;

use axum::extract::ws::{CloseFrame, Message as Frame};
use federation::{Object, Value};
use serde::Deserialize;

use crate::live::{Content, End};
use crate::outcome::Outcome;
use crate::{payload, respond};

/// What a client says.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit { payload: Option<Object> },
    Ping { payload: Option<Object> },
    Pong {},
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

impl ClientMessage {
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        let message = serde_json::from_str(text)
            .map_err(|error| Close::bad_request(&format!("invalid message: {error}")))?;
        match &message {
            Self::Subscribe { id, .. } if id.is_empty() => {
                Err(Close::bad_request("invalid message: the id is empty"))
            }
            _ => Ok(message),
        }
    }
}

/// Why a connection is closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Close {
    code: u16,
    reason: Cow<'static, str>,
}

impl Close {
    const fn because(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// A reason has at most 123 bytes (RFC 6455, section 5.5).
    fn bad_request(reason: &str) -> Self {
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Self { code: 4400, reason: Cow::Owned(reason[..end].to_owned()) }
    }

    pub(super) const UNAUTHORIZED: Self = Self::because(4401, "Unauthorized");
    pub(super) const FORBIDDEN: Self = Self::because(4403, "Forbidden");
    pub(super) const SUBPROTOCOL: Self = Self::because(4406, "Subprotocol not acceptable");
    pub(super) const INIT_TIMEOUT: Self = Self::because(4408, "Connection initialisation timeout");
    pub(super) const INIT_TWICE: Self = Self::because(4429, "Too many initialisation requests");
    pub(super) const TOO_MANY: Self = Self::because(1013, "too many connections of this client");
    pub(super) const UNAVAILABLE: Self =
        Self::because(1013, "credentials cannot be checked at this moment");
    pub(super) const NOT_TEXT: Self = Self::because(4400, "messages must be text");
    pub(super) const SILENT: Self = Self::because(1001, "nothing was heard of the client");

    pub(super) fn taken(id: &str) -> Self {
        let mut close = Self::bad_request(&format!("Subscriber for {id} already exists"));
        close.code = 4409;
        close
    }

    pub(super) fn frame(&self) -> Frame {
        Frame::Close(Some(CloseFrame { code: self.code, reason: self.reason.to_string().into() }))
    }
}

/// `graphql-ws` connects again after these, all but for credentials that are no longer good after it has new ones.
impl From<End> for Close {
    fn from(end: End) -> Self {
        let code = match end {
            End::Expired => return Self::FORBIDDEN,
            End::ShuttingDown => 1001,
            End::TooSlow => 1013,
        };
        Self::because(code, end.message())
    }
}

pub(super) fn acknowledged() -> Frame {
    Frame::text(r#"{"type":"connection_ack"}"#)
}

/// The answer to a ping: its payload comes back.
pub(super) fn pong(payload: Option<&Object>) -> Frame {
    let payload = payload.and_then(|payload| serde_json::to_string(payload).ok());
    match payload {
        Some(payload) => Frame::text(format!(r#"{{"type":"pong","payload":{payload}}}"#)),
        None => Frame::text(r#"{"type":"pong"}"#),
    }
}

/// What an operation tells the client; nothing when there are no words for it.
pub(super) fn of_operation(id: &str, content: &Content) -> Option<Frame> {
    let (kind, payload) = match content {
        Content::Part(part) => ("next", payload::write(part, crate::decode::Dialect::Current)?),
        Content::Failed(outcome) => ("error", respond::errors(outcome)),
        Content::Complete => ("complete", Vec::new()),
    };
    Some(frame(id, kind, &payload))
}

/// Tells that an operation was not run.
pub(super) fn error(id: &str, outcome: &Outcome) -> Frame {
    frame(id, "error", &respond::errors(outcome))
}

fn frame(id: &str, kind: &str, payload: &[u8]) -> Frame {
    let id = Value::String(id.to_owned());
    let id = serde_json::to_string(&id).unwrap_or_default();
    let mut text = format!(r#"{{"id":{id},"type":"{kind}""#);
    if !payload.is_empty() {
        text.push_str(",\"payload\":");
        // The engine writes UTF-8.
        text.push_str(&String::from_utf8_lossy(payload));
    }
    text.push('}');
    Frame::text(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[test]
    fn what_clients_say_is_read() {
        for (text, expected) in [
            (r#"{"type":"connection_init"}"#, ClientMessage::ConnectionInit { payload: None }),
            (
                r#"{"type":"ping","payload":{}}"#,
                ClientMessage::Ping { payload: Some(Object::default()) },
            ),
            (r#"{"type":"pong","payload":{"any":1}}"#, ClientMessage::Pong {}),
            (r#"{"id":"1","type":"complete"}"#, ClientMessage::Complete { id: "1".into() }),
        ] {
            assert_eq!(ClientMessage::read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_closes_the_connection_with_the_reason() {
        let long = format!(r#"{{"type":"{}"}}"#, "ü".repeat(200));
        for text in [
            "",
            "{",
            "[]",
            r#"{"type":"next","id":"1"}"#,
            r#"{"type":"start","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":1,"payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"connection_init","payload":[]}"#,
            &long,
        ] {
            let close = ClientMessage::read(text).unwrap_err();
            assert_eq!(close.code, 4400, "{text}");
            assert!(close.reason.starts_with("invalid message") && close.reason.len() <= 123);
        }
    }

    #[test]
    fn operations_are_answered_under_their_id() {
        let text = |frame: Frame| frame.into_text().unwrap().to_string();
        let refused = Outcome::refused(Code::TooManyStreams, "no");
        assert_eq!(
            text(error("a\"b", &refused)),
            r#"{"id":"a\"b","type":"error","payload":[{"message":"no","extensions":{"code":"TOO_MANY_STREAMS"}}]}"#
        );
        let complete = of_operation("1", &Content::Complete).unwrap();
        assert_eq!(text(complete), r#"{"id":"1","type":"complete"}"#);
        assert_eq!(text(pong(None)), r#"{"type":"pong"}"#);
    }
}
