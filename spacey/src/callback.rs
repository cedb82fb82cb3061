//! `POST /decks/{deck}/cards?userID=`: where the card-generation service that exists tells which cards a person put into a deck.
//!
//! It is no part of the public front: the call names the person it is for, so this listens on an address of its own, which must be private, and takes
//! nothing without the secret that is shared with the service (header `x-spacey-secret`). Errors are `{message, error}`, and 422 `{detail: [...]}` for
//! what is not valid, as that service knows them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use common::{DeckId, Error, UserId};
use generation::callback::{Callback, ToldCard};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The largest body, in bytes: 1,000 cards of usual length are far below it.
const MAX_BODY: usize = 8 << 20;
const SECRET: &str = "x-spacey-secret";

/// A card as the contract has it.
#[derive(Debug, Deserialize)]
struct Card {
    #[serde(rename = "deckID")]
    deck: DeckId,
    question: String,
    answer: String,
    source_start_index: Option<i64>,
    source_end_index: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Whose {
    #[serde(rename = "userID")]
    user: UserId,
}

/// The route, for those who know the secret.
pub(crate) fn routes(callback: Callback, secret: &SecretString) -> Router {
    // Digests are compared, so that the time it takes tells nothing of the secret.
    let known: [u8; 32] = Sha256::digest(secret.expose_secret()).into();
    Router::new()
        .route("/decks/{deck}/cards", post(take))
        .with_state(Arc::new(callback))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(known, knows_the_secret))
        .route("/ping", get(|| async { Json(json!({ "ping": "pong!" })) }))
}

async fn knows_the_secret(State(known): State<[u8; 32]>, request: Request, next: Next) -> Response {
    let offered = request.headers().get(SECRET).map(|value| Sha256::digest(value.as_bytes()));
    if offered.is_some_and(|offered| offered[..] == known) {
        return next.run(request).await;
    }
    let message = format!("The header {SECRET} is missing or wrong.");
    refused(StatusCode::UNAUTHORIZED, &message, "unauthorized")
}

async fn take(
    State(callback): State<Arc<Callback>>,
    Path(deck): Path<String>,
    whose: Result<Query<Whose>, axum::extract::rejection::QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(error) => return refused(error.status(), &error.body_text(), "bad_request"),
    };
    let Ok(deck) = deck.parse::<DeckId>() else {
        return invalid(json!(["path", "deck"]), "is not an id");
    };
    let user = match whose {
        Ok(Query(whose)) => whose.user,
        Err(error) => return invalid(json!(["query", "userID"]), &error.body_text()),
    };
    let cards: Vec<Card> = match serde_json::from_slice(&body) {
        Ok(cards) => cards,
        Err(error) => return invalid(json!(["body"]), &error.to_string()),
    };
    let words = cards.iter().map(|card| (card.question.clone(), card.answer.clone()));
    let words: Vec<_> = words.collect();
    match callback.take(user, deck, cards.into_iter().map(told).collect()).await {
        Ok(ids) => {
            let card = |(id, (question, answer))| json!({ "id": id, "question": question, "answer": answer, "deckID": deck });
            let data: Vec<Value> = ids.into_iter().zip(words).map(card).collect();
            let answer = json!({ "message": "success", "data": data });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn told(card: Card) -> ToldCard {
    let Card { deck, question, answer, source_start_index, source_end_index } = card;
    // Of places that are none the card is as good as without them.
    let place = |index: Option<i64>| index.and_then(|index| u64::try_from(index).ok());
    let source = place(source_start_index).zip(place(source_end_index));
    ToldCard { deck, question, answer, source: source.filter(|(start, end)| start <= end) }
}

fn failed(error: &Error) -> Response {
    let (status, code) = match error {
        Error::Invalid { argument, message } => return invalid(json!([argument]), message),
        Error::NotFound { .. } => (StatusCode::NOT_FOUND, "deck_not_found"),
        Error::LimitExceeded { .. } => (StatusCode::CONFLICT, "deck_full"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "decks_unavailable"),
    };
    refused(status, &error.to_string(), code)
}

fn refused(status: StatusCode, message: &str, code: &str) -> Response {
    (status, Json(json!({ "message": message, "error": code }))).into_response()
}

fn invalid(place: Value, message: &str) -> Response {
    let detail = json!({ "loc": place, "msg": message, "type": "invalid_input" });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": [detail] }))).into_response()
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
