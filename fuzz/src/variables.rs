//! The variables of a request, as JSON: they fit the operation or are refused with a reason, whatever the subgraphs do.

use std::sync::LazyLock;

use federation::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, Object, Prepared, execute,
    prepare,
};

use crate::graph::graph;
use crate::runtime;

/// Takes variables of every kind: a list, an enum, an input object, one with a default, and one that decides what is fetched.
const OPERATION: &str =
    "mutation ($input: ReviewInput!, $upc: String!, $price: Int!, $with: Boolean = true) {
  addReview(input: $input) { stars @include(if: $with) }
  priceProduct(upc: $upc, price: $price) { upc }
}";

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| match prepare(graph(), OPERATION, None) {
    Ok(prepared) => prepared,
    Err(errors) => panic!("the operation of the target cannot be used: {errors:?}"),
});

/// Executes an operation with `data` as its variables.
pub fn run(data: &[u8]) {
    let Ok(variables) = serde_json::from_slice::<Object>(data) else {
        return;
    };
    match PREPARED.coerce(variables) {
        Ok(variables) => {
            let settings = ExecuteSettings::default();
            let executed = runtime::block_on(execute(&PREPARED, variables, &settings, &Nobody));
            let Ok(response) = executed else {
                panic!("the variables fit, and the operation can be run");
            };
            let data = serde_json::from_slice::<serde_json::Value>(&response.data);
            assert!(data.is_ok(), "{:?}", String::from_utf8_lossy(&response.data));
        }
        Err(errors) => assert!(!errors.is_empty(), "refused without a reason"),
    }
}

/// Subgraphs that are not there.
struct Nobody;

impl Fetch for Nobody {
    async fn fetch(&self, _: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        Err(FetchError::Timeout)
    }
}
