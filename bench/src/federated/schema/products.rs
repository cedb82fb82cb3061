//! The subgraph `products`: what there is to buy.

use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Schema, SimpleObject};

use crate::federated::data;

#[derive(SimpleObject)]
pub(crate) struct Product {
    upc: String,
    name: Option<String>,
    price: Option<i32>,
    weight: Option<i32>,
}

impl Product {
    fn numbered(number: u32) -> Self {
        Self {
            upc: number.to_string(),
            name: Some(data::product_name(number)),
            price: Some(data::price(number)),
            weight: Some(data::weight(number)),
        }
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn top_products(&self, #[graphql(default = 5)] first: u32) -> Vec<Product> {
        (1..=first).map(Product::numbered).collect()
    }

    #[graphql(entity)]
    async fn find_product_by_upc(&self, upc: String) -> Result<Product, Error> {
        Ok(Product::numbered(upc.parse()?))
    }
}

pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}
