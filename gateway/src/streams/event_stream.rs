//! Server-sent events, as GraphQL over SSE has them: `next` with a part of the answer, `complete` at the end, and a comment now
//! and then so that nobody on the way takes the connection for dead.

use async_stream::stream;
use axum::body::Bytes;
use axum::response::Response;
use futures::Stream;

use crate::decode::Dialect;
use crate::live::{Content, Message, Next, Outlet, Permit};
use crate::outcome::Outcome;
use crate::{payload, respond};

pub(super) const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";
const COMMENT: &[u8] = b":\n\n";

/// What belongs around the JSON of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Envelope {
    /// One operation has the whole stream: nothing.
    Distinct,
    /// Several operations share the stream: the operation's id.
    Single,
}

/// The stream of one operation.
pub(super) fn body(outlet: Outlet<Message>, permit: Permit) -> impl Stream<Item = Bytes> + Send {
    events(outlet, Envelope::Distinct, permit)
}

/// The stream's bytes; `held` is let go when it ends or the client goes.
pub(super) fn events<T: Send>(
    mut outlet: Outlet<Message>,
    envelope: Envelope,
    held: T,
) -> impl Stream<Item = Bytes> + Send {
    stream! {
        let _held = held;
        // Some clients take the stream for open only once something came.
        yield Bytes::from_static(COMMENT);
        loop {
            match outlet.next().await {
                Next::Message(message) => {
                    let is_last = matches!(
                        (envelope, &message.content),
                        (Envelope::Distinct, Content::Complete)
                    );
                    if let Some(event) = event(&message, envelope) {
                        yield event;
                    }
                    if is_last {
                        break;
                    }
                }
                Next::Heartbeat => yield Bytes::from_static(COMMENT),
                Next::Done => break,
                Next::End(end) => {
                    if matches!(envelope, Envelope::Distinct) {
                        yield failure(&end.outcome());
                    }
                    break;
                }
            }
        }
    }
}

/// A stream of one event that tells why there are no others.
pub(crate) fn failed(outcome: &Outcome) -> Response {
    super::streamed(CONTENT_TYPE, futures::stream::iter([failure(outcome)]))
}

fn failure(outcome: &Outcome) -> Bytes {
    let mut out = Vec::new();
    write(&mut out, "next", &respond::body(outcome));
    write(&mut out, "complete", b"");
    out.into()
}

fn event(message: &Message, envelope: Envelope) -> Option<Bytes> {
    let (name, json) = match &message.content {
        Content::Part(part) => ("next", payload::write(part, Dialect::Current)?),
        Content::Failed(outcome) => ("next", respond::body(outcome)),
        Content::Complete => ("complete", Vec::new()),
    };
    let data = match envelope {
        Envelope::Distinct => json,
        Envelope::Single => with_id(&message.id, &json),
    };
    let mut out = Vec::with_capacity(data.len() + 32);
    write(&mut out, name, &data);
    Some(out.into())
}

fn with_id(id: &str, json: &[u8]) -> Vec<u8> {
    let mut data = format!("{{\"id\":{}", serde_json::Value::from(id)).into_bytes();
    if !json.is_empty() {
        data.extend_from_slice(b",\"payload\":");
        data.extend_from_slice(json);
    }
    data.push(b'}');
    data
}

/// Writes an event. A line break in the JSON can only stand between its tokens, so each line may be a line of data.
fn write(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use federation::{Payload, Response};

    use super::*;
    use crate::extensions::Extensions;
    use crate::outcome::Part;

    fn message(content: Content) -> Message {
        Message { id: "o\"1".into(), content }
    }

    fn text(message: &Message, envelope: Envelope) -> String {
        String::from_utf8(event(message, envelope).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn events_are_framed_with_and_without_an_id() {
        let response = Response { data: b"{\"a\":\n1}".to_vec(), errors: Vec::new(), cost: None };
        let payload = Payload::Response(response);
        let next = message(Content::Part(Part { payload, extensions: Extensions::default() }));
        assert_eq!(
            text(&next, Envelope::Distinct),
            "event: next\ndata: {\"data\":{\"a\":\ndata: 1}}\n\n"
        );
        assert_eq!(
            text(&next, Envelope::Single),
            "event: next\ndata: {\"id\":\"o\\\"1\",\"payload\":{\"data\":{\"a\":\ndata: 1}}}\n\n"
        );
        let complete = message(Content::Complete);
        assert_eq!(text(&complete, Envelope::Distinct), "event: complete\ndata: \n\n");
        assert_eq!(
            text(&complete, Envelope::Single),
            "event: complete\ndata: {\"id\":\"o\\\"1\"}\n\n"
        );
    }
}
