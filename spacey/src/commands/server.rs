//! Serving a router until the program is asked to stop, and letting what is under way finish.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use common::Endpoint;
use generation::callback::Callback;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::callback;
use crate::settings::{Generation, Listen};
use crate::shutdown;

/// A socket that listens, and where.
pub(super) async fn listen(settings: &Listen) -> io::Result<(TcpListener, SocketAddr)> {
    bind(SocketAddr::new(settings.host, settings.port), "PORT and SPACEY_HOST").await
}

/// The same, at an address that `setting` says.
async fn bind(address: SocketAddr, setting: &str) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let message = format!("cannot listen on {address}: {error} (see {setting})");
        io::Error::new(error.kind(), message)
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Listens for what the card-generation service tells by itself, where a setting says so, as long as the program runs.
pub(super) async fn listen_for_cards(
    settings: &Generation,
    secret: &SecretString,
    decks: Arc<dyn Endpoint>,
) -> io::Result<()> {
    let Some(address) = settings.callback else { return Ok(()) };
    let (listener, address) = bind(address, "SPACEY_GENERATION_CALLBACK").await?;
    println!("Cards of the card-generation service are taken on http://{address}");
    let routes = callback::routes(Callback::new(decks), secret);
    // A call that is cut off when the program ends is made again: its cards are the same then.
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(())
}

/// Serves until asked to stop; then takes no new connection, calls `draining`, and waits at most `drain` for the requests under way.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    drain: Duration,
    draining: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let (stop, stopping) = oneshot::channel();
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            if let Err(error) = shutdown::requested().await {
                tracing::error!(%error, "cannot listen for signals");
            }
            tracing::info!("stopping: requests under way may finish");
            draining();
            // The receiver is gone only when the server is.
            let _ = stop.send(());
        });
    tokio::select! {
        served = server => served,
        () = async {
            if stopping.await.is_ok() {
                tokio::time::sleep(drain).await;
            } else {
                std::future::pending().await
            }
        } => {
            tracing::warn!(seconds = drain.as_secs(), "some requests did not finish in time");
            Ok(())
        }
    }
}
