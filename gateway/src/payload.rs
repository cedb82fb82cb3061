//! Writes the parts of an answer that is delivered over time as JSON.
//!
//! Incremental delivery has two forms: the current one, in which data refers to what was announced by its id, and that of
//! August 2022, in which it names its place and label itself. Apollo Client asks for the older one by default.

use federation::execute::PathSegment;
use federation::{
    Completed, Delivery, Incremental, InitialResponse, Payload, Pending, ResponseError,
    SubsequentResponse,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::decode::Dialect;
use crate::outcome::Part;
use crate::respond;

/// The JSON of a part; nothing when this dialect has no words for it.
pub(crate) fn write(part: &Part, dialect: Dialect) -> Option<Vec<u8>> {
    let mut json = of_engine(&part.payload, dialect)?;
    json.pop();
    part.extensions.write(&mut json);
    json.push(b'}');
    Some(json)
}

/// The JSON of what the engine answered.
fn of_engine(payload: &Payload, dialect: Dialect) -> Option<Vec<u8>> {
    match payload {
        Payload::Response(response) => Some(respond::executed(response)),
        Payload::Initial(initial) => Some(initial_part(initial, dialect)),
        Payload::Subsequent(part) => match dialect {
            Dialect::Current => Some(json(&current(part))),
            Dialect::Of2022 => {
                let incremental: Vec<_> = of_2022(part).collect();
                let says_something = !incremental.is_empty() || !part.has_next;
                says_something.then(|| json(&PartOf2022 { incremental, has_next: part.has_next }))
            }
        },
    }
}

fn initial_part(initial: &InitialResponse, dialect: Dialect) -> Vec<u8> {
    let mut text = respond::executed(&initial.response);
    text.pop();
    if dialect == Dialect::Current {
        let pending: Vec<_> = initial.pending.iter().map(WirePending::from).collect();
        text.extend_from_slice(b",\"pending\":");
        text.extend_from_slice(&json(&pending));
    }
    text.extend_from_slice(b",\"hasNext\":true}");
    text
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|error| {
        // Texts, numbers and names always serialise. Should that ever change, the answer is still one.
        tracing::error!("a part of an answer cannot be written: {error}");
        br#"{"hasNext":false}"#.to_vec()
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CurrentPart<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pending: Vec<WirePending<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    incremental: Vec<WireIncremental<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    completed: Vec<WireCompleted<'a>>,
    has_next: bool,
}

/// Ids are strings on the wire.
fn id(pending: &Pending) -> String {
    pending.id.to_string()
}

#[derive(Serialize)]
struct WirePending<'a> {
    id: String,
    path: &'a [PathSegment],
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

impl<'a> From<&'a Pending> for WirePending<'a> {
    fn from(pending: &'a Pending) -> Self {
        Self { id: id(pending), path: &pending.path, label: pending.label.as_deref() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireIncremental<'a> {
    id: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    sub_path: &'a [PathSegment],
    #[serde(flatten)]
    delivery: WireDelivery<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ResponseError],
}

impl<'a> From<&'a Incremental> for WireIncremental<'a> {
    fn from(incremental: &'a Incremental) -> Self {
        let Incremental { pending, sub_path, delivery, errors } = incremental;
        Self { id: id(pending), sub_path, delivery: delivery.into(), errors }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum WireDelivery<'a> {
    Data(Option<&'a RawValue>),
    Items(Option<&'a RawValue>),
}

impl<'a> From<&'a Delivery> for WireDelivery<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        match delivery {
            Delivery::Data(json) => Self::Data(raw(json)),
            Delivery::Items { json, .. } => Self::Items(raw(json)),
        }
    }
}

/// The engine writes JSON in UTF-8.
fn raw(json: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(json).ok()
}

#[derive(Serialize)]
struct WireCompleted<'a> {
    id: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ResponseError],
}

impl<'a> From<&'a Completed> for WireCompleted<'a> {
    fn from(completed: &'a Completed) -> Self {
        Self { id: id(&completed.pending), errors: &completed.errors }
    }
}

fn current(part: &SubsequentResponse) -> CurrentPart<'_> {
    CurrentPart {
        pending: part.pending.iter().map(WirePending::from).collect(),
        incremental: part.incremental.iter().map(WireIncremental::from).collect(),
        completed: part.completed.iter().map(WireCompleted::from).collect(),
        has_next: part.has_next,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartOf2022<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    incremental: Vec<IncrementalOf2022<'a>>,
    has_next: bool,
}

#[derive(Serialize)]
struct IncrementalOf2022<'a> {
    #[serde(flatten)]
    delivery: WireDelivery<'a>,
    path: Vec<PathSegment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ResponseError],
}

fn of_2022(part: &SubsequentResponse) -> impl Iterator<Item = IncrementalOf2022<'_>> {
    let delivered = part.incremental.iter().map(|incremental| {
        let Incremental { pending, sub_path, delivery, errors } = incremental;
        let mut path = [&pending.path[..], sub_path].concat();
        if let Delivery::Items { first, .. } = delivery {
            path.push(PathSegment::Index(*first));
        }
        IncrementalOf2022 {
            delivery: delivery.into(),
            path,
            label: pending.label.as_deref(),
            errors,
        }
    });
    let failed = part.completed.iter().filter(|completed| !completed.errors.is_empty());
    delivered.chain(failed.map(|Completed { pending, errors }| IncrementalOf2022 {
        delivery: WireDelivery::Data(None),
        path: pending.path.clone(),
        label: pending.label.as_deref(),
        errors,
    }))
}

#[cfg(test)]
mod tests {
    use federation::Response;

    use super::*;

    fn text(payload: &Payload, dialect: Dialect) -> String {
        of_engine(payload, dialect).map(|json| String::from_utf8(json).unwrap()).unwrap_or_default()
    }

    fn key(key: &str) -> PathSegment {
        PathSegment::Key(key.into())
    }

    fn error() -> ResponseError {
        ResponseError {
            message: "no".into(),
            path: vec![key("a")],
            extensions: Default::default(),
            reported_by: None,
        }
    }

    fn fragment() -> Pending {
        Pending { id: 0, path: vec![key("a"), PathSegment::Index(1)], label: Some("L".into()) }
    }

    #[test]
    fn a_whole_response_is_the_same_in_both_dialects() {
        let response = Response { data: b"{\"a\":1}".to_vec(), errors: Vec::new(), cost: None };
        for dialect in [Dialect::Current, Dialect::Of2022] {
            let payload = Payload::Response(response.clone());
            assert_eq!(text(&payload, dialect), r#"{"data":{"a":1}}"#);
        }
    }

    #[test]
    fn the_first_part_announces_what_is_to_come() {
        let response =
            Response { data: b"{\"a\":[{},{}]}".to_vec(), errors: Vec::new(), cost: None };
        let payload = Payload::Initial(InitialResponse { response, pending: vec![fragment()] });
        assert_eq!(
            text(&payload, Dialect::Current),
            r#"{"data":{"a":[{},{}]},"pending":[{"id":"0","path":["a",1],"label":"L"}],"hasNext":true}"#
        );
        assert_eq!(text(&payload, Dialect::Of2022), r#"{"data":{"a":[{},{}]},"hasNext":true}"#);
    }

    #[test]
    fn later_parts_bring_data_items_and_failures() {
        let list = Pending { id: 1, path: vec![key("l")], label: None };
        let part = SubsequentResponse {
            pending: vec![list.clone()],
            incremental: vec![
                Incremental {
                    pending: fragment(),
                    sub_path: vec![key("b")],
                    delivery: Delivery::Data(b"{\"c\":2}".to_vec()),
                    errors: vec![error()],
                },
                Incremental {
                    pending: list.clone(),
                    sub_path: Vec::new(),
                    delivery: Delivery::Items { json: b"[3,4]".to_vec(), first: 2 },
                    errors: Vec::new(),
                },
            ],
            completed: vec![
                Completed { pending: fragment(), errors: Vec::new() },
                Completed { pending: list, errors: vec![error()] },
            ],
            has_next: false,
            cost: None,
        };
        let payload = Payload::Subsequent(part);
        let errors = r#""errors":[{"message":"no","path":["a"],"extensions":{}}]"#;
        assert_eq!(
            text(&payload, Dialect::Current),
            format!(
                "{}{errors}{}{errors}{}",
                r#"{"pending":[{"id":"1","path":["l"]}],"incremental":[{"id":"0","subPath":["b"],"data":{"c":2},"#,
                r#"},{"id":"1","items":[3,4]}],"completed":[{"id":"0"},{"id":"1","#,
                r#"}],"hasNext":false}"#
            )
        );
        assert_eq!(
            text(&payload, Dialect::Of2022),
            format!(
                "{}{errors}{}{errors}{}",
                r#"{"incremental":[{"data":{"c":2},"path":["a",1,"b"],"label":"L","#,
                r#"},{"items":[3,4],"path":["l",2]},{"data":null,"path":["l"],"#,
                r#"}],"hasNext":false}"#
            )
        );
    }

    #[test]
    fn what_the_older_dialect_has_no_words_for_is_left_out() {
        let completed = vec![Completed { pending: fragment(), errors: Vec::new() }];
        let part = SubsequentResponse { completed, has_next: true, ..Default::default() };
        assert_eq!(text(&Payload::Subsequent(part.clone()), Dialect::Of2022), "");
        let last = SubsequentResponse { has_next: false, ..part };
        assert_eq!(text(&Payload::Subsequent(last), Dialect::Of2022), r#"{"hasNext":false}"#);
    }
}
