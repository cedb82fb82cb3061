//! The GraphQL schemas of the federation benchmark: four subgraphs, and one that holds all the data by itself.

pub(crate) mod accounts;
pub(crate) mod inventory;
pub(crate) mod products;
pub(crate) mod reviews;
pub(crate) mod whole;

use async_graphql::{Error, ID};

/// The number in an id.
fn number(id: &ID) -> Result<u32, Error> {
    Ok(id.parse()?)
}
