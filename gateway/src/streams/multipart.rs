//! `multipart/mixed`: one part of the answer is one part of the body.
//!
//! With `subscriptionSpec=1.0` each part is wrapped in an envelope, as Apollo's protocol for subscriptions over HTTP has it; there
//! an empty object is a sign of life, and the reason of an early end stands beside the payload. Without, parts are as they are.
//! The delimiter after a part is sent with the part, because a client waits for it.

use async_stream::stream;
use axum::body::Bytes;
use futures::Stream;

use crate::decode::{Dialect, Multipart};
use crate::live::{Content, End, Message, Next, Outlet, Permit};
use crate::{payload, respond};

const FIRST_DELIMITER: &[u8] = b"\r\n--graphql";
const LAST: &[u8] = b"--\r\n";

/// The body of an answer.
pub(super) fn body(
    mut outlet: Outlet<Message>,
    permit: Permit,
    kind: Multipart,
) -> impl Stream<Item = Bytes> + Send {
    stream! {
        let _permit = permit;
        yield Bytes::from_static(FIRST_DELIMITER);
        loop {
            match outlet.next().await {
                Next::Message(Message { content: Content::Complete, .. }) | Next::Done => break,
                Next::Message(message) => {
                    if let Some(json) = json(&message.content, kind) {
                        yield part(&json);
                    }
                }
                Next::Heartbeat => {
                    if kind == Multipart::Apollo {
                        yield part(b"{}");
                    }
                }
                Next::End(end) => {
                    yield part(&ended(end, kind));
                    break;
                }
            }
        }
        yield Bytes::from_static(LAST);
    }
}

fn json(content: &Content, kind: Multipart) -> Option<Vec<u8>> {
    let dialect = if kind == Multipart::Of2022 { Dialect::Of2022 } else { Dialect::Current };
    let json = match content {
        Content::Part(part) => payload::write(part, dialect)?,
        Content::Failed(outcome) => respond::body(outcome),
        Content::Complete => return None,
    };
    Some(match kind {
        Multipart::Apollo => [b"{\"payload\":", &json[..], b"}"].concat(),
        Multipart::Current | Multipart::Of2022 => json,
    })
}

fn ended(end: End, kind: Multipart) -> Vec<u8> {
    let mut json = respond::body(&end.outcome());
    if kind == Multipart::Apollo {
        json.splice(..1, *b"{\"payload\":null,");
    }
    json
}

fn part(json: &[u8]) -> Bytes {
    const HEAD: &[u8] = b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n";
    [HEAD, json, FIRST_DELIMITER].concat().into()
}
