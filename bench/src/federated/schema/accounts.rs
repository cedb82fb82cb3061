//! The subgraph `accounts`: who people are.

use async_graphql::{EmptyMutation, EmptySubscription, Error, ID, Object, Schema, SimpleObject};

use super::number;
use crate::federated::data;

#[derive(SimpleObject)]
pub(crate) struct User {
    id: ID,
    name: Option<String>,
    username: Option<String>,
}

impl User {
    fn numbered(number: u32) -> Self {
        let (name, username) = (data::name(number), data::username(number));
        Self { id: number.into(), name: Some(name), username: Some(username) }
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn me(&self) -> Option<User> {
        Some(User::numbered(1))
    }

    async fn users(&self) -> Vec<User> {
        (1..=data::USERS).map(User::numbered).collect()
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Result<User, Error> {
        Ok(User::numbered(number(&id)?))
    }
}

pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}
