//! The graph that the targets run against: interfaces, unions, enums, inputs, keys and `@requires` over four subgraphs.

use std::sync::{Arc, LazyLock};

use federation::Supergraph;

const SDL: &str = concat!(
    include_str!("../../federation/tests/fixtures/header.graphql"),
    "\n",
    include_str!("../../federation/tests/fixtures/shop.graphql"),
);

static GRAPH: LazyLock<Arc<Supergraph>> = LazyLock::new(|| match Supergraph::parse(SDL) {
    Ok(supergraph) => Arc::new(supergraph),
    Err(error) => panic!("the graph of the fuzz targets cannot be used: {error}"),
});

pub(crate) fn graph() -> &'static Arc<Supergraph> {
    &GRAPH
}
