//! The servers of the federation benchmark, as light as they can be: what is measured is the gateway.
//!
//! A subgraph computes each answer once and keeps it by the request's body, so that whoever asks again costs no more than a look-up.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{EmptyMutation, EmptySubscription, ObjectType, Request, Schema};
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::schema::{accounts, inventory, products, reviews, whole};
use crate::Result;

/// Answers the body of a request.
pub(crate) type Handler = Arc<dyn Fn(Bytes) -> BoxFuture<'static, Bytes> + Send + Sync>;

/// How many answers a subgraph keeps.
const KEPT: usize = 4096;

/// The subgraphs, by name.
pub(crate) fn subgraphs() -> [(&'static str, &'static str, Handler); 4] {
    [
        ("accounts", include_str!("sdl/accounts.graphql"), prepared(schema(accounts::schema()))),
        ("inventory", include_str!("sdl/inventory.graphql"), prepared(schema(inventory::schema()))),
        ("products", include_str!("sdl/products.graphql"), prepared(schema(products::schema()))),
        ("reviews", include_str!("sdl/reviews.graphql"), prepared(schema(reviews::schema()))),
    ]
}

/// The schema that holds all the data, which computes each answer anew.
pub(crate) fn whole() -> Handler {
    schema(whole::schema())
}

/// The same answer to everything.
pub(crate) fn constant(answer: Bytes) -> Handler {
    Arc::new(move |_| {
        let answer = answer.clone();
        Box::pin(async { answer })
    })
}

fn schema<Q: ObjectType + 'static>(schema: Schema<Q, EmptyMutation, EmptySubscription>) -> Handler {
    Arc::new(move |body| {
        let schema = schema.clone();
        Box::pin(async move {
            let response = match serde_json::from_slice::<Request>(&body) {
                Ok(request) => serde_json::to_vec(&schema.execute(request).await),
                Err(error) => {
                    let error = serde_json::json!({ "message": error.to_string() });
                    serde_json::to_vec(&serde_json::json!({ "errors": [error] }))
                }
            };
            // What it answers are texts, numbers and lists of them: they can be written.
            response.unwrap_or_default().into()
        })
    })
}

fn prepared(compute: Handler) -> Handler {
    let kept: Arc<Mutex<HashMap<Bytes, Bytes>>> = Arc::default();
    Arc::new(move |body: Bytes| {
        let known = kept.lock().unwrap_or_else(PoisonError::into_inner).get(&body).cloned();
        if let Some(answer) = known {
            return Box::pin(async { answer });
        }
        let (kept, computing) = (kept.clone(), compute(body.clone()));
        Box::pin(async move {
            let answer = computing.await;
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(body, answer.clone());
            answer
        })
    })
}

/// Serves `handler` on a free port of the loopback interface for as long as the program runs.
pub(crate) async fn start(handler: Handler) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream.set_nodelay(true));
            let handler = handler.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(handler.clone(), request));
                // A gateway that is stopped breaks its connections.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    Ok(address)
}

async fn answer(
    handler: Handler,
    request: hyper::Request<Incoming>,
) -> std::result::Result<hyper::Response<Full<Bytes>>, Infallible> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut response = hyper::Response::default();
    match request.into_body().collect().await {
        Ok(body) => {
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            *response.body_mut() = Full::new(handler(body.to_bytes()).await);
        }
        Err(_) => *response.status_mut() = hyper::StatusCode::BAD_REQUEST,
    }
    Ok(response)
}
