//! Makes one connection: TCP, TLS where the address says so, and the handshake of the version that is spoken, or none where another
//! protocol takes over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::error::{ClientError, ClientSetupError};
use super::http1::Connection;
use super::pieces::Pieces;
use super::settings::{ClientSettings, HttpVersion};
use super::tls;

/// How much a server may send before this end has taken it in, in bytes: a whole response at once.
const WINDOW: u32 = 4 << 20;
/// How often a server that owes a response over HTTP/2 is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// A sender of requests over HTTP/2; its copies share one connection.
pub(super) type Http2Sender = http2::SendRequest<Pieces>;

/// A connection that is ready for requests.
pub(super) enum Connected {
    Http1(Box<Connection>),
    Http2(Http2Sender),
}

/// Makes connections to one address.
pub(super) struct Connector {
    host: String,
    port: u16,
    tls: Option<Tls>,
    version: HttpVersion,
    connect_timeout: Duration,
}

/// How TLS is spoken to one server.
struct Tls {
    name: ServerName<'static>,
    /// Offers the versions of HTTP that are set.
    http: TlsConnector,
    /// Offers HTTP/1.1 only, in which a connection can be upgraded to another protocol.
    upgradable: TlsConnector,
}

impl Connector {
    /// A connector to the host and port of `url`.
    ///
    /// # Errors
    /// When the address or the TLS set-up cannot be used.
    pub(super) fn new(url: &Url, settings: &ClientSettings) -> Result<Self, ClientSetupError> {
        let unusable = || ClientSetupError::Address(url.clone());
        let host = match url.host().ok_or_else(unusable)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let tls = match url.scheme() {
            "http" => None,
            "https" => {
                let config = tls::config(&settings.tls)?;
                let offering = |version| TlsConnector::from(tls::offering(&config, version));
                Some(Tls {
                    name: ServerName::try_from(host.clone()).map_err(|_| unusable())?,
                    http: offering(settings.version),
                    upgradable: offering(HttpVersion::Http1),
                })
            }
            _ => return Err(unusable()),
        };
        Ok(Self {
            host,
            port: url.port_or_known_default().ok_or_else(unusable)?,
            tls,
            version: settings.version,
            connect_timeout: settings.connect_timeout,
        })
    }

    /// A new connection.
    ///
    /// # Errors
    /// [`ClientError::Connect`] or [`ClientError::ConnectTimeout`].
    pub(super) async fn connect(&self) -> Result<Connected, ClientError> {
        timeout(self.connect_timeout, self.establish())
            .await
            .unwrap_or(Err(ClientError::ConnectTimeout))
    }

    /// A new connection on which nothing was said yet, for a protocol that begins as HTTP/1.1.
    ///
    /// # Errors
    /// [`ClientError::Connect`] or [`ClientError::ConnectTimeout`].
    pub(super) async fn dial(&self) -> Result<Stream, ClientError> {
        timeout(self.connect_timeout, self.stream(|tls| &tls.upgradable))
            .await
            .unwrap_or(Err(ClientError::ConnectTimeout))
    }

    async fn stream(&self, offer: impl Fn(&Tls) -> &TlsConnector) -> Result<Stream, ClientError> {
        let stream =
            TcpStream::connect((&*self.host, self.port)).await.map_err(ClientError::connect)?;
        stream.set_nodelay(true).map_err(ClientError::connect)?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(stream)) };
        let stream = offer(tls).connect(tls.name.clone(), stream).await;
        Ok(Stream::Tls(Box::new(stream.map_err(ClientError::connect)?)))
    }

    async fn establish(&self) -> Result<Connected, ClientError> {
        let stream = self.stream(|tls| &tls.http).await?;
        let http2 = match &stream {
            Stream::Plain(_) => self.version == HttpVersion::Http2,
            Stream::Tls(stream) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2".as_slice());
                if self.version == HttpVersion::Http2 && !http2 {
                    return Err(ClientError::connect("the server does not speak HTTP/2"));
                }
                http2
            }
        };
        let io = TokioIo::new(stream);
        if http2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(WINDOW)
                .initial_connection_window_size(WINDOW)
                .keep_alive_interval(PING_EVERY)
                .handshake(io)
                .await
                .map_err(ClientError::connect)?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!("an HTTP/2 connection ended: {error}");
                }
            });
            Ok(Connected::Http2(sender))
        } else {
            let (sender, driver) = http1::handshake(io).await.map_err(ClientError::connect)?;
            Ok(Connected::Http1(Connection::new(sender, driver)))
        }
    }
}

/// The bytes of a connection, plain or by TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buffer),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
