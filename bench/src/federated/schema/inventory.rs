//! The subgraph `inventory`: what is in stock, and what sending it costs by the price and weight that others know.

use async_graphql::{
    ComplexObject, EmptyMutation, EmptySubscription, Error, Object, Schema, SimpleObject,
};

use crate::federated::data;

#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Product {
    upc: String,
    #[graphql(external)]
    weight: Option<i32>,
    #[graphql(external)]
    price: Option<i32>,
    in_stock: Option<bool>,
}

#[ComplexObject]
impl Product {
    #[graphql(requires = "price weight")]
    async fn shipping_estimate(&self) -> Option<i32> {
        Some(data::shipping_estimate(self.price?, self.weight?))
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_product_by_upc(
        &self,
        #[graphql(key)] upc: String,
        weight: Option<i32>,
        price: Option<i32>,
    ) -> Result<Product, Error> {
        let in_stock = Some(data::in_stock(upc.parse()?));
        Ok(Product { upc, weight, price, in_stock })
    }
}

pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}
