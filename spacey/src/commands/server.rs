//! Serving a router until the program is asked to stop, and letting what is under way finish.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::settings::Listen;
use crate::shutdown;

/// A socket that listens, and where.
pub(super) async fn listen(settings: &Listen) -> io::Result<(TcpListener, SocketAddr)> {
    let address = SocketAddr::new(settings.host, settings.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {address}: {error} (see PORT and SPACEY_HOST)"),
        )
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
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
