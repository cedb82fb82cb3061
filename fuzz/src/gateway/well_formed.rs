//! What must hold of an answer of the gateway, whichever protocol carries it. Each function panics when it does not hold.

use std::collections::HashSet;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};

const DELIMITER: &[u8] = b"\r\n--graphql";
/// Each means that something in the gateway broke, whatever the client sent.
const OURS: [&str; 2] = ["INTERNAL_SERVER_ERROR", "QUERY_PLANNING_FAILED"];

/// An answer to `method` on `/graphql`; `has_ended` tells whether `body` is all of it.
pub(crate) fn answer(
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    has_ended: bool,
) {
    assert!(status.as_u16() < 500, "{status}: {}", show(body));
    if *method == Method::HEAD {
        return;
    }
    let content_type = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    match content_type.split(';').next().unwrap_or_default() {
        "application/json" | "application/graphql-response+json" => {
            assert!(has_ended);
            let answer = response(&json(body));
            assert!(status == StatusCode::OK || !answer, "{status}: {}", show(body));
        }
        "text/event-stream" => events(body, has_ended),
        "multipart/mixed" => parts(body, content_type, has_ended),
        "text/plain" if status == StatusCode::CREATED => assert_eq!(body.len(), 36, "a token"),
        "" => {
            assert!([StatusCode::ACCEPTED, StatusCode::OK].contains(&status), "{status}");
            assert!(body.is_empty(), "{}", show(body));
        }
        other => panic!("an answer in {other}, {status}: {}", show(body)),
    }
}

/// The response to an operation: it has data, or errors that say why not. Whether it has data.
pub(crate) fn response(value: &Value) -> bool {
    let object = object(value);
    for name in object.keys() {
        let known = ["data", "errors", "extensions", "pending", "hasNext"];
        assert!(known.contains(&name.as_str()), "{name} in {value}");
    }
    if let Some(list) = object.get("errors") {
        errors(list);
    }
    match object.get("data") {
        None => assert!(object.contains_key("errors"), "neither data nor errors in {value}"),
        Some(data) => assert!(data.is_object() || data.is_null() && object.contains_key("errors")),
    }
    object.contains_key("data")
}

/// A part of an answer by itself, where it is not known which came before.
pub(crate) fn part(value: &Value) {
    if value.get("data").is_some() || value.get("errors").is_some() {
        response(value);
    } else {
        assert!(value["hasNext"].is_boolean(), "{value}");
    }
}

/// Errors that tell a reason and a code, and none of them that the gateway itself broke.
pub(crate) fn errors(list: &Value) {
    let list = array(list);
    assert!(!list.is_empty(), "an empty list of errors");
    for error in list {
        assert!(!text(&error["message"]).is_empty(), "{error}");
        let code = text(&error["extensions"]["code"]);
        assert!(!code.is_empty() && !OURS.contains(&code), "{error}");
    }
}

/// Server-sent events: `next` with a response, and `complete`, after which nothing comes.
fn events(body: &[u8], has_ended: bool) {
    let Ok(text) = std::str::from_utf8(body) else { panic!("events are UTF-8: {}", show(body)) };
    let mut parts = Parts::default();
    let mut completed = false;
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text:?}");
    for event in text.split("\n\n").filter(|event| !event.is_empty() && *event != ":") {
        assert!(!completed, "after the end: {event:?}");
        let (name, data) = event.split_once('\n').unwrap_or((event, ""));
        let lines = data.split('\n').map(|line| match line.strip_prefix("data: ") {
            Some(line) => line,
            None => panic!("a line of an event that is no data: {event:?}"),
        });
        let data = lines.collect::<Vec<_>>().join("\n");
        let has_id = data.starts_with("{\"id\":");
        match (name, has_id) {
            ("event: next", false) => parts.take(&json(data.as_bytes())),
            ("event: next", true) => {
                let message = json(data.as_bytes());
                self::text(&message["id"]);
                part(&message["payload"]);
            }
            ("event: complete", true) => {
                self::text(&json(data.as_bytes())["id"]);
            }
            ("event: complete", false) => completed = data.is_empty(),
            _ => panic!("an event of no kind that there is: {event:?}"),
        }
    }
    if completed {
        assert!(has_ended);
        parts.end();
    }
}

/// `multipart/mixed` (RFC 2046, section 5.1): each part has a header and JSON, and the last delimiter is a closing one.
fn parts(body: &[u8], content_type: &str, has_ended: bool) {
    let Some(mut rest) = body.strip_prefix(DELIMITER) else {
        panic!("no delimiter in front: {}", show(body));
    };
    let is_apollo = content_type.contains("subscriptionSpec");
    let mut all = Parts::default();
    loop {
        if rest == b"--\r\n" {
            assert!(has_ended);
            return all.end();
        }
        if rest.is_empty() && !has_ended {
            return;
        }
        let head = b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n";
        let part = rest.strip_prefix(head).unwrap_or_else(|| panic!("no part: {}", show(rest)));
        let Some(end) = part.windows(DELIMITER.len()).position(|window| window == DELIMITER) else {
            panic!("no delimiter after a part: {}", show(part));
        };
        let value = json(&part[..end]);
        match (is_apollo, &value["payload"]) {
            (false, _) => all.take(&value),
            (true, Value::Null) => {
                // A sign of life, or why there will be no more.
                if object(&value).contains_key("errors") {
                    errors(&value["errors"]);
                } else {
                    assert_eq!(value, Value::Object(Map::new()));
                }
            }
            (true, payload) => all.take(payload),
        }
        rest = &part[end + DELIMITER.len()..];
    }
}

/// The parts of one answer, in order.
#[derive(Default)]
pub(crate) struct Parts {
    /// Ids that were announced, and those of them that are not completed.
    announced: HashSet<String>,
    pending: HashSet<String>,
    has_next: bool,
}

impl Parts {
    /// A part: a whole response, the first of an incremental one, or one that continues it in either form.
    pub(crate) fn take(&mut self, part: &Value) {
        if self.has_next {
            self.subsequent(part);
        } else {
            assert!(self.pending.is_empty(), "not completed before {part}");
            response(part);
        }
        for pending in part.get("pending").into_iter().flat_map(array) {
            array(&pending["path"]);
            let id = text(&pending["id"]).to_owned();
            assert!(self.announced.insert(id.clone()), "announced twice: {part}");
            self.pending.insert(id);
        }
        for incremental in part.get("incremental").into_iter().flat_map(array) {
            self.incremental(incremental);
        }
        for completed in part.get("completed").into_iter().flat_map(array) {
            assert!(self.pending.remove(text(&completed["id"])), "not pending: {part}");
            if let Some(list) = completed.get("errors") {
                errors(list);
            }
        }
        self.has_next = part.get("hasNext").is_some_and(|has_next| *has_next == true);
    }

    fn subsequent(&self, part: &Value) {
        for name in object(part).keys() {
            let known = ["pending", "incremental", "completed", "hasNext"];
            assert!(known.contains(&name.as_str()), "{name} in {part}");
        }
        assert!(part["hasNext"].is_boolean(), "{part}");
    }

    fn incremental(&self, incremental: &Value) {
        let brings = object(incremental);
        assert!(brings.contains_key("data") != brings.contains_key("items"), "{incremental}");
        match brings.get("id") {
            Some(id) => assert!(self.pending.contains(text(id)), "not pending: {incremental}"),
            None => assert!(incremental["path"].is_array(), "{incremental}"),
        }
        if let Some(list) = brings.get("errors") {
            errors(list);
        }
    }

    /// There are no more parts.
    pub(crate) fn end(&self) {
        assert!(self.pending.is_empty() && !self.has_next, "the answer ends in the middle");
    }
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", show(bytes)))
}

pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}"))
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
