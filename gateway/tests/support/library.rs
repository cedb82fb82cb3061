//! A small library as three subgraphs: books, their authors, their reviews. It has what is delicate on the way through a transport:
//! doubles, enums, custom scalars, unions, errors with and without data, cookies, and the caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, Enum, Error, ErrorExtensions, ID,
    InputObject, Json, MaybeUndefined, Object, Schema, SchemaBuilder, SimpleObject, Subscription,
    Union,
};
use common::Caller;
use futures::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};

#[derive(Enum, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Genre {
    Novel,
    Essay,
}

#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(crate) struct Book {
    id: ID,
    title: String,
    weight: f64,
    genre: Genre,
    tags: Vec<String>,
    extra: Option<Json<Value>>,
}

#[ComplexObject]
impl Book {
    async fn author(&self) -> Author {
        Author { id: ID(format!("a{}", self.title.len() % 3)) }
    }
}

#[derive(SimpleObject)]
pub(crate) struct Author {
    id: ID,
}

#[derive(SimpleObject)]
pub(crate) struct Map {
    scale: i32,
}

#[derive(Union)]
pub(crate) enum Item {
    Book(Book),
    Map(Map),
}

#[derive(InputObject)]
pub(crate) struct Order {
    #[graphql(default = 1)]
    copies: i32,
    price: MaybeUndefined<f64>,
    genre: Option<Genre>,
    notes: Option<Vec<Option<Json<Value>>>>,
}

fn book(number: i32) -> Book {
    Book {
        id: ID(number.to_string()),
        title: format!("Title \"{number}\" – ünïcode"),
        weight: f64::from(number) * 0.1 + 0.2,
        genre: if number % 2 == 0 { Genre::Novel } else { Genre::Essay },
        tags: (0..number % 3).map(|tag| format!("t{tag}")).collect(),
        extra: (number % 2 == 1)
            .then(|| Json(json!({ "z": [1, 2.5, null], "a": { "n": number } }))),
    }
}

pub(crate) struct Books;

#[Object(name = "Query")]
impl Books {
    #[graphql(cache_control(max_age = 60))]
    async fn book(&self, id: ID) -> Option<Book> {
        id.parse().ok().filter(|number| (0..100).contains(number)).map(book)
    }
    async fn books(&self, #[graphql(default = 3)] first: i32) -> Vec<Book> {
        (0..first).map(book).collect()
    }
    async fn shelf(&self) -> Vec<Item> {
        vec![Item::Book(book(4)), Item::Map(Map { scale: 25_000 }), Item::Book(book(5))]
    }
    async fn echo(&self, order: Order) -> Json<Value> {
        let price = match order.price {
            MaybeUndefined::Undefined => json!("undefined"),
            MaybeUndefined::Null => Value::Null,
            MaybeUndefined::Value(price) => json!(price),
        };
        let genre = order.genre.map(|genre| genre == Genre::Novel);
        let notes =
            order.notes.map(|notes| notes.into_iter().map(|n| n.map(|n| n.0)).collect::<Vec<_>>());
        Json(json!({ "copies": order.copies, "price": price, "novel": genre, "notes": notes }))
    }
    async fn fails(&self) -> Result<i32, Error> {
        Err(Error::new("no such luck").extend_with(|_, extensions| {
            extensions.set("code", "NO_LUCK");
            extensions.set("tries", 3);
        }))
    }
    async fn fails_hard(&self) -> Result<i32, Error> {
        Err(Error::new("none at all"))
    }
    async fn panics(&self) -> Option<i32> {
        Some("one".parse().expect("this resolver is broken"))
    }
    async fn sleeps(&self, milliseconds: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        true
    }
    #[graphql(entity)]
    async fn find_book(&self, id: ID) -> Book {
        book(id.parse().unwrap_or_default())
    }
}

pub(crate) struct ChangeBooks;

#[Object(name = "Mutation")]
impl ChangeBooks {
    async fn rename(&self, id: ID, title: String) -> Result<Book, Error> {
        let number = id.parse().map_err(|_| Error::new("id: not a number"))?;
        Ok(Book { title, ..book(number) })
    }
}

/// Counts the subscriptions that are open.
struct Subscriber(Arc<AtomicUsize>);

impl Subscriber {
    fn of(ctx: &Context<'_>) -> Self {
        let count = ctx.data_unchecked::<Arc<AtomicUsize>>();
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) struct WatchBooks;

#[Subscription(name = "Subscription")]
impl WatchBooks {
    /// So many books, one after so many milliseconds.
    async fn added(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 3)] count: i32,
        #[graphql(default)] every: u64,
    ) -> impl Stream<Item = Book> {
        let subscriber = Subscriber::of(ctx);
        stream::iter(0..count).then(move |number| {
            let _ = &subscriber;
            async move {
                tokio::time::sleep(Duration::from_millis(every)).await;
                book(number)
            }
        })
    }
    async fn refused(&self) -> Result<stream::Empty<i32>, Error> {
        Err(Error::new("not for you").extend_with(|_, extensions| extensions.set("code", "NO")))
    }
    async fn panicking(&self) -> impl Stream<Item = i32> {
        stream::iter(0..2).inspect(|number| assert!(*number == 0, "the secret is 42"))
    }
    async fn mine(&self, ctx: &Context<'_>) -> impl Stream<Item = Option<String>> {
        stream::iter([viewer(ctx)])
    }
    async fn who(&self, ctx: &Context<'_>) -> impl Stream<Item = Option<String>> {
        stream::iter([viewer(ctx)])
    }
}

fn viewer(ctx: &Context<'_>) -> Option<String> {
    let caller = ctx.data_unchecked::<Arc<Caller>>();
    caller.viewer.as_ref().map(|viewer| viewer.user.to_string())
}

pub(crate) struct Authors;

#[derive(SimpleObject)]
#[graphql(name = "Author")]
pub(crate) struct FullAuthor {
    id: ID,
    name: String,
    born: Option<i32>,
}

#[Object(name = "Query")]
impl Authors {
    async fn author(&self, id: ID) -> Option<FullAuthor> {
        Some(author(id))
    }
    #[graphql(entity)]
    async fn find_author(&self, id: ID) -> FullAuthor {
        author(id)
    }
}

fn author(id: ID) -> FullAuthor {
    let born = if id.as_str() == "a1" { Some(1900) } else { None };
    FullAuthor { name: format!("Author {}", id.as_str()), id, born }
}

pub(crate) struct Reviews;

#[derive(SimpleObject)]
#[graphql(name = "Book", complex, cache_control(max_age = 20))]
pub(crate) struct ReviewedBook {
    id: ID,
}

#[derive(SimpleObject)]
pub(crate) struct Review {
    stars: i32,
    text: Option<String>,
}

#[ComplexObject]
impl ReviewedBook {
    async fn rating(&self) -> Result<Option<f64>, Error> {
        match self.id.parse::<i32>() {
            Ok(2) => Err(Error::new("the rating of this one is lost")),
            Ok(number) => Ok(Some(f64::from(number) / 3.0)),
            Err(_) => Ok(None),
        }
    }
    async fn reviews(&self, #[graphql(default = 2)] first: i32) -> Vec<Review> {
        (0..first)
            .map(|n| Review {
                stars: n + 1,
                text: (n > 0).then(|| format!("{}\n{n}", self.id.as_str())),
            })
            .collect()
    }
}

#[Object(name = "Query")]
impl Reviews {
    #[graphql(cache_control(max_age = 30, private))]
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        let caller = ctx.data::<Arc<Caller>>()?;
        Ok(caller.viewer.as_ref().map(|viewer| viewer.user.to_string()))
    }
    #[graphql(entity)]
    async fn find_book(&self, id: ID) -> ReviewedBook {
        ReviewedBook { id }
    }
}

pub(crate) struct SignIn;

#[Object(name = "Mutation")]
impl SignIn {
    async fn sign_in(&self, ctx: &Context<'_>) -> bool {
        ctx.append_http_header("set-cookie", "one=1; HttpOnly");
        ctx.append_http_header("set-cookie", "two=2; Path=/");
        ctx.append_http_header("x-other", "not for clients");
        true
    }
}

pub(crate) fn books(subscribers: Arc<AtomicUsize>) -> Schema<Books, ChangeBooks, WatchBooks> {
    finish(Schema::build(Books, ChangeBooks, WatchBooks).data(subscribers))
}

pub(crate) fn authors() -> Schema<Authors, EmptyMutation, EmptySubscription> {
    finish(Schema::build(Authors, EmptyMutation, EmptySubscription))
}

pub(crate) fn reviews() -> Schema<Reviews, SignIn, EmptySubscription> {
    finish(Schema::build(Reviews, SignIn, EmptySubscription))
}

fn finish<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> Schema<Q, M, S>
where
    Q: async_graphql::ObjectType + 'static,
    M: async_graphql::ObjectType + 'static,
    S: async_graphql::SubscriptionType + 'static,
{
    builder.enable_federation().finish()
}
