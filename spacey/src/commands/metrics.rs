//! Metrics, on a listener of their own: whoever can reach it may read them, so that it is off until it is set.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::metrics::{MEDIA_TYPE, page};
use tokio::net::TcpListener;

use crate::settings::Observed;

/// Serves them as long as the program runs, where that is set.
///
/// # Errors
/// When the address cannot be listened on.
pub(super) async fn serve(settings: &Observed) -> std::io::Result<()> {
    let Some(address) = settings.metrics else { return Ok(()) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let message = format!("cannot listen on {address}: {error} (see SPACEY_METRICS_LISTEN)");
        std::io::Error::new(error.kind(), message)
    })?;
    println!("Metrics:       http://{}/metrics", listener.local_addr()?);
    let router = Router::new().route("/metrics", get(answer));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics are served no more");
        }
    });
    Ok(())
}

async fn answer() -> Response {
    match page() {
        Ok(page) => ([(CONTENT_TYPE, MEDIA_TYPE)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
