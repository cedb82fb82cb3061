//! The subgraph `reviews`: what people think of products.

use async_graphql::{
    ComplexObject, EmptyMutation, EmptySubscription, Error, ID, Object, Schema, SimpleObject,
};

use super::number;
use crate::federated::data;

#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Review {
    id: ID,
}

impl Review {
    fn numbered(number: u32) -> Self {
        Self { id: number.into() }
    }
}

#[ComplexObject]
impl Review {
    async fn body(&self) -> Result<Option<String>, Error> {
        Ok(Some(data::body(number(&self.id)?)))
    }

    async fn product(&self) -> Result<Option<Product>, Error> {
        let upc = data::product(number(&self.id)?).to_string();
        Ok(Some(Product { upc }))
    }

    #[graphql(provides = "username")]
    async fn author(&self) -> Result<Option<User>, Error> {
        let author = data::author(number(&self.id)?);
        Ok(Some(User { id: author.into(), username: Some(data::username(author)) }))
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct User {
    id: ID,
    #[graphql(external)]
    username: Option<String>,
}

#[ComplexObject]
impl User {
    async fn reviews(&self) -> Result<Vec<Review>, Error> {
        Ok(data::reviews_by(number(&self.id)?).map(Review::numbered).collect())
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Product {
    upc: String,
}

#[ComplexObject]
impl Product {
    async fn reviews(&self) -> Result<Vec<Review>, Error> {
        Ok(data::reviews_of(self.upc.parse()?).map(Review::numbered).collect())
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_review_by_id(&self, id: ID) -> Review {
        Review { id }
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> User {
        User { id, username: None }
    }

    #[graphql(entity)]
    async fn find_product_by_upc(&self, upc: String) -> Product {
        Product { upc }
    }
}

pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}
