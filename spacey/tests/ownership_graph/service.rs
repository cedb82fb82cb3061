//! A card-generation service: it makes one card of a text, at once, or never when it is told so; and it has read whatever content it is given.

use axum::extract::Query;
use axum::routing::{any, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// The instructions with which it never answers.
pub(crate) const SLOW: &str = "Take your time.";

/// Starts it, and says where it is.
pub(crate) async fn listen() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = |Json(request): Json<Value>| async move {
        if request["instructions"] == SLOW {
            return std::future::pending().await;
        }
        let text = &request["text"];
        let cards = [json!({ "question": text, "answer": text })];
        Json(json!({ "data": { "id": "n", "text": text, "cards": cards } }))
    };
    // A content is called by the last part of its address.
    let add = |Json(request): Json<Value>| async move {
        let (_, name) = request["source"].as_str().unwrap().rsplit_once('/').unwrap();
        Json(json!({ "data": read(name) }))
    };
    let list = |Query(of): Query<Vec<(String, String)>>| async move {
        let ids = of.iter().find(|(name, _)| name == "ids").unwrap().1.split(',');
        Json(json!({ "data": ids.map(read).collect::<Vec<_>>() }))
    };
    let done = || async { Json(json!({ "message": "success", "status_code": 200 })) };
    let router = Router::new()
        .route("/notes", post(answer))
        .route("/content", post(add).get(list))
        .route("/content/{id}", patch(done).delete(done))
        .route("/content/{id}/annotation", any(done));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn read(name: &str) -> Value {
    json!({ "id": name, "processing_status": "processed", "title": name, "summary": name, "view_text": name })
}
