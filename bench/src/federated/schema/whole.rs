//! The same graph as one schema that holds all the data: what answering takes where nothing is federated.

use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, Schema};

use crate::federated::data;

pub(crate) struct User(u32);

#[Object]
impl User {
    async fn id(&self) -> ID {
        self.0.into()
    }

    async fn name(&self) -> Option<String> {
        Some(data::name(self.0))
    }

    async fn username(&self) -> Option<String> {
        Some(data::username(self.0))
    }

    async fn reviews(&self) -> Vec<Review> {
        data::reviews_by(self.0).map(Review).collect()
    }
}

pub(crate) struct Product(u32);

#[Object]
impl Product {
    async fn upc(&self) -> String {
        self.0.to_string()
    }

    async fn name(&self) -> Option<String> {
        Some(data::product_name(self.0))
    }

    async fn price(&self) -> Option<i32> {
        Some(data::price(self.0))
    }

    async fn weight(&self) -> Option<i32> {
        Some(data::weight(self.0))
    }

    async fn in_stock(&self) -> Option<bool> {
        Some(data::in_stock(self.0))
    }

    async fn shipping_estimate(&self) -> Option<i32> {
        Some(data::shipping_estimate(data::price(self.0), data::weight(self.0)))
    }

    async fn reviews(&self) -> Vec<Review> {
        data::reviews_of(self.0).map(Review).collect()
    }
}

pub(crate) struct Review(u32);

#[Object]
impl Review {
    async fn id(&self) -> ID {
        self.0.into()
    }

    async fn body(&self) -> Option<String> {
        Some(data::body(self.0))
    }

    async fn product(&self) -> Option<Product> {
        Some(Product(data::product(self.0)))
    }

    async fn author(&self) -> Option<User> {
        Some(User(data::author(self.0)))
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn me(&self) -> Option<User> {
        Some(User(1))
    }

    async fn users(&self) -> Vec<User> {
        (1..=data::USERS).map(User).collect()
    }

    async fn top_products(&self, #[graphql(default = 5)] first: u32) -> Vec<Product> {
        (1..=first).map(Product).collect()
    }
}

pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}
