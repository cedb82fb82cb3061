//! Two small subgraphs: books, and their reviews. Nothing in them grows with what a client says, and their texts hold what protocols
//! use to tell one part of an answer from the next.

use std::sync::Arc;

use async_graphql::{
    ComplexObject, EmptyMutation, EmptySubscription, Error, ErrorExtensions, ID, InputObject, Json,
    ObjectType, Schema, SchemaBuilder, SimpleObject, Subscription, SubscriptionType,
};
use common::endpoint::{Domain, SchemaEndpoint};
use common::{Endpoint, Event};
use futures::future::BoxFuture;
use futures::stream::{self, Stream};
use serde_json::{Value, json};

const TITLES: [&str; 3] = ["One", "\r\n--graphql--\r\n\r\n", "\n\nevent: complete\ndata: \u{2028}"];

#[derive(SimpleObject)]
pub(crate) struct Book {
    id: ID,
    title: &'static str,
    extra: Json<Value>,
}

fn book(number: usize) -> Book {
    let title = TITLES[number % TITLES.len()];
    Book { id: number.to_string().into(), title, extra: Json(json!({ "a\n": [number, title] })) }
}

#[derive(InputObject)]
pub(crate) struct Order {
    #[graphql(default = 1)]
    copies: i32,
    note: Option<String>,
}

pub(crate) struct Books;

#[async_graphql::Object(name = "Query")]
impl Books {
    async fn book(&self, id: ID) -> Option<Book> {
        id.parse().ok().filter(|number| *number < 100).map(book)
    }
    async fn books(&self) -> Vec<Book> {
        (0..3).map(book).collect()
    }
    async fn order(&self, order: Order) -> bool {
        order.copies > 1 && order.note.is_some()
    }
    async fn fails(&self) -> Result<i32, Error> {
        Err(Error::new("no such luck").extend_with(|_, extensions| extensions.set("code", "LUCK")))
    }
    #[graphql(entity)]
    async fn find_book(&self, id: ID) -> Option<Book> {
        id.parse().ok().map(book)
    }
}

pub(crate) struct ChangeBooks;

#[async_graphql::Object(name = "Mutation")]
impl ChangeBooks {
    async fn drop_book(&self, id: ID) -> Option<ID> {
        Some(id)
    }
}

pub(crate) struct WatchBooks;

#[Subscription(name = "Subscription")]
impl WatchBooks {
    async fn added(&self) -> impl Stream<Item = Book> {
        stream::iter((0..3).map(book))
    }
    async fn refused(&self) -> Result<stream::Empty<i32>, Error> {
        Err(Error::new("not for you").extend_with(|_, extensions| extensions.set("code", "NO")))
    }
    async fn silent(&self) -> impl Stream<Item = i32> {
        stream::pending()
    }
}

pub(crate) struct Reviews;

#[derive(SimpleObject)]
#[graphql(name = "Book", complex)]
pub(crate) struct ReviewedBook {
    id: ID,
}

#[derive(SimpleObject)]
pub(crate) struct Review {
    stars: i32,
    text: Option<&'static str>,
}

#[ComplexObject]
impl ReviewedBook {
    async fn rating(&self) -> Result<Option<f64>, Error> {
        match self.id.parse::<u8>() {
            Ok(2) => Err(Error::new("lost").extend_with(|_, extensions| {
                extensions.set("code", "LOST");
            })),
            Ok(number) => Ok(Some(f64::from(number) / 3.0)),
            Err(_) => Ok(None),
        }
    }
    async fn reviews(&self) -> Vec<Review> {
        vec![Review { stars: 1, text: None }, Review { stars: 5, text: Some(TITLES[1]) }]
    }
}

#[async_graphql::Object(name = "Query")]
impl Reviews {
    #[graphql(entity)]
    async fn find_book(&self, id: ID) -> ReviewedBook {
        ReviewedBook { id }
    }
}

pub(crate) fn books() -> Schema<Books, ChangeBooks, WatchBooks> {
    finish(Schema::build(Books, ChangeBooks, WatchBooks))
}

pub(crate) fn reviews() -> Schema<Reviews, EmptyMutation, EmptySubscription> {
    finish(Schema::build(Reviews, EmptyMutation, EmptySubscription))
}

fn finish<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    builder.enable_federation().enable_subscription_in_federation().finish()
}

/// The two as subgraphs in this process.
pub(crate) fn endpoints() -> Vec<Arc<dyn Endpoint>> {
    vec![
        Arc::new(SchemaEndpoint::new("books", books(), Arc::new(Nothing))),
        Arc::new(SchemaEndpoint::new("reviews", reviews(), Arc::new(Nothing))),
    ]
}

/// The rest of their domains.
struct Nothing;

impl Domain for Nothing {
    fn apply<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<(), common::Error>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), common::Error>> {
        Box::pin(async { Ok(()) })
    }
}
