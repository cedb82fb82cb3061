//! How the cost of an answer grows with the number of entities in it: a list of products whose stock, shipping and reviews other
//! subgraphs add.

use std::time::{Duration, Instant};

use serde_json::json;

use super::gateways::Gateway;
use super::{load, same_answer, truth};
use crate::Result;

const OPERATION: &str = "query Growth($first: Int!) { topProducts(first: $first) { upc name price inStock shippingEstimate \
    reviews { id body } } }";
/// How many products, from a page to a whole catalogue.
const SIZES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];
/// How long each size is measured at least.
const SAMPLE: Duration = Duration::from_secs(2);
const FEWEST: u32 = 3;

/// What answers of one size cost.
pub(crate) struct Size {
    pub(crate) entities: u32,
    pub(crate) bytes: usize,
    /// The gateways' CPU time for each answer.
    pub(crate) costs: [Duration; 2],
}

/// Measures all sizes over one connection each.
pub(crate) async fn measure(gateways: &[Gateway; 2]) -> Result<Vec<Size>> {
    let mut sizes = Vec::new();
    for entities in SIZES {
        let variables = json!({ "first": entities });
        let request = load::request(OPERATION, &variables);
        let truth = truth(OPERATION, &variables).await?;
        let mut costs = [Duration::ZERO; 2];
        for (cost, gateway) in costs.iter_mut().zip(gateways) {
            same_answer(gateway, &request, &truth).await?;
            let (before, started) = (gateway.server.cpu()?, Instant::now());
            let mut answers = 0;
            while answers < FEWEST || started.elapsed() < SAMPLE {
                load::ask(gateway.address, &request).await?;
                answers += 1;
            }
            *cost = (gateway.server.cpu()? - before) / answers;
        }
        sizes.push(Size { entities, bytes: truth.len(), costs });
    }
    Ok(sizes)
}
