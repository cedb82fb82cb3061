//! A subgraph's answer: whatever it says, the client's answer is JSON of the operation's shape, and what cannot be used is told.

use std::sync::LazyLock;

use bytes::Bytes;
use federation::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, Prepared, Variables, execute,
    prepare,
};
use serde_json::Value;

use crate::graph::graph;
use crate::runtime;

/// Asks for every kind of value, on interfaces and unions too, and for entities of another subgraph.
const OPERATION: &str = "{
  topProducts { __typename upc name price reviews { id body stars author { id name } } }
  search(text: \"a\") { ... on Product { upc score } ... on Review { body } ... on User { id reviews { stars } } }
}";

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| match prepare(graph(), OPERATION, None) {
    Ok(prepared) => prepared,
    Err(errors) => panic!("the operation of the target cannot be used: {errors:?}"),
});

/// Executes an operation whose every fetch is answered by `data`.
pub fn run(data: &[u8]) {
    let answer = Answer(Bytes::copy_from_slice(data));
    let settings = ExecuteSettings::default();
    let executed = runtime::block_on(execute(&PREPARED, Variables::default(), &settings, &answer));
    let Ok(response) = executed else {
        panic!("the operation has no variables that could be wrong");
    };
    let data = match serde_json::from_slice::<Value>(&response.data) {
        Ok(data) => data,
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&response.data)),
    };
    match &data {
        Value::Null => assert!(!response.errors.is_empty(), "null without a reason"),
        Value::Object(fields) => {
            let names: Vec<_> = fields.keys().map(String::as_str).collect();
            assert_eq!(names, ["search", "topProducts"]);
        }
        other => panic!("the data of an operation is {other}"),
    }
}

/// Subgraphs that all say the same.
struct Answer(Bytes);

impl Fetch for Answer {
    async fn fetch(&self, _: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        Ok(FetchResponse::Json(self.0.clone()))
    }
}
