//! The HTTP client for one subgraph: connections that are kept, HTTP/1.1 and HTTP/2, TLS, bounds.
//!
//! It sends one request and answers with one response, whatever its status. How long that may take, whether it is tried again and
//! which headers go along is the affair of whoever calls it. Redirects are not followed, no proxy of the environment is used, and
//! refused are connections that take too long to make and responses that are too large.

mod body;
mod connect;
mod error;
mod http1;
mod pieces;
mod settings;
mod tls;

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use url::Url;

pub(crate) use connect::Stream;
use connect::{Connected, Connector, Http2Sender};
pub use error::{ClientError, ClientSetupError};
use http1::{Connection, Exchange, Pool};
pub use pieces::Pieces;
pub use settings::{ClientIdentity, ClientSettings, HttpVersion, TlsSettings};

/// An HTTP client for one address.
pub struct SubgraphHttpClient {
    connector: Connector,
    idle: Pool,
    /// The connection that all requests over HTTP/2 share.
    http2: Mutex<Option<Http2Sender>>,
    /// Held while that connection is made, so that requests which arrive together make only one.
    connecting: tokio::sync::Mutex<()>,
    http2_only: bool,
    max_response: usize,
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
}

impl std::fmt::Debug for SubgraphHttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SubgraphHttpClient({}://{})", self.scheme, self.authority)
    }
}

impl SubgraphHttpClient {
    /// A client for scheme, host and port of `url`. It connects when it has something to send.
    ///
    /// # Errors
    /// [`ClientSetupError`] when the address is not `http` or `https`, or TLS cannot be set up as `settings` say.
    pub fn new(url: &Url, settings: &ClientSettings) -> Result<Self, ClientSetupError> {
        let unusable = || ClientSetupError::Address(url.clone());
        let connector = Connector::new(url, settings)?;
        let uri: Uri = url.as_str().parse().map_err(|_| unusable())?;
        let authority = match uri.port() {
            Some(port) => format!("{}:{port}", uri.host().unwrap_or_default()),
            None => uri.host().unwrap_or_default().to_owned(),
        };
        Ok(Self {
            connector,
            idle: Pool::new(settings.max_idle, settings.idle_timeout),
            http2: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            http2_only: settings.version == HttpVersion::Http2,
            max_response: settings.max_response,
            scheme: uri.scheme().cloned().ok_or_else(unusable)?,
            host: HeaderValue::from_str(&authority).map_err(|_| unusable())?,
            authority: authority.parse().map_err(|_| unusable())?,
        })
    }

    /// Sends a request and takes in the whole response. Of the request's URI only path and query count.
    ///
    /// A connection that the server closed while it was not used is replaced; beyond that nothing is tried again.
    ///
    /// # Errors
    /// [`ClientError`] when no connection is made, it breaks, or the response is too large. A status is no error.
    pub async fn send(
        &self,
        request: Request<impl Into<Pieces>>,
    ) -> Result<Response<Bytes>, ClientError> {
        let mut request = request.map(Into::into);
        while let Some(connection) = self.kept() {
            match self.exchange(connection, request).await {
                Ok(result) => return result,
                Err(not_sent) => request = not_sent,
            }
        }
        let connection = self.connect().await?;
        self.exchange(connection, request)
            .await
            .unwrap_or_else(|_| Err(ClientError::connect("the server closes connections at once")))
    }

    /// A connection of its own, for a protocol that begins as HTTP/1.1 and is spoken by the caller: nothing was said on it yet.
    ///
    /// # Errors
    /// [`ClientError`] when no connection is made.
    pub(crate) async fn dial(&self) -> Result<Stream, ClientError> {
        self.connector.dial().await
    }

    /// How large a response, or a message of such a protocol, may be, in bytes.
    pub(crate) fn max_response(&self) -> usize {
        self.max_response
    }

    /// A connection that was made before.
    fn kept(&self) -> Option<Connected> {
        self.open_http2().map(Connected::Http2).or_else(|| self.idle.take().map(Connected::Http1))
    }

    async fn connect(&self) -> Result<Connected, ClientError> {
        let turn = if self.http2_only { Some(self.connecting.lock().await) } else { None };
        if turn.is_some()
            && let Some(sender) = self.open_http2()
        {
            return Ok(Connected::Http2(sender));
        }
        let connected = self.connector.connect().await?;
        if let Connected::Http2(sender) = &connected {
            *self.http2() = Some(sender.clone());
        }
        Ok(connected)
    }

    /// `Err` gives the request back: nothing of it was sent.
    async fn exchange(
        &self,
        connection: Connected,
        request: Request<Pieces>,
    ) -> Result<Result<Response<Bytes>, ClientError>, Request<Pieces>> {
        match connection {
            Connected::Http1(connection) => self.exchange_http1(connection, request).await,
            Connected::Http2(sender) => self.exchange_http2(sender, request).await,
        }
    }

    async fn exchange_http1(
        &self,
        connection: Box<Connection>,
        mut request: Request<Pieces>,
    ) -> Result<Result<Response<Bytes>, ClientError>, Request<Pieces>> {
        *request.uri_mut() = Uri::from(path_and_query(request.uri()));
        request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
        match connection.exchange(request, self.max_response).await {
            Exchange::Answered(response, connection) => {
                self.idle.put(connection);
                Ok(Ok(response))
            }
            Exchange::NotSent(request) => Err(request),
            Exchange::Failed(error) => Ok(Err(error)),
        }
    }

    async fn exchange_http2(
        &self,
        mut sender: Http2Sender,
        mut request: Request<Pieces>,
    ) -> Result<Result<Response<Bytes>, ClientError>, Request<Pieces>> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(self.authority.clone());
        uri.path_and_query = Some(path_and_query(request.uri()));
        match Uri::from_parts(uri) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return Ok(Err(ClientError::connect(error))),
        }
        request.headers_mut().remove(HOST);
        if sender.ready().await.is_err() {
            *self.http2() = None;
            return Err(request);
        }
        let response = match sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => {
                return match error.take_message() {
                    Some(request) => {
                        *self.http2() = None;
                        Err(request)
                    }
                    None => Ok(Err(ClientError::broken(error.into_error()))),
                };
            }
        };
        let (parts, body) = response.into_parts();
        let body = body::collect(body, self.max_response).await;
        Ok(body.map(|body| Response::from_parts(parts, body)))
    }

    fn open_http2(&self) -> Option<Http2Sender> {
        self.http2().as_ref().filter(|sender| !sender.is_closed()).cloned()
    }

    /// A panic elsewhere leaves the sender whole.
    fn http2(&self) -> MutexGuard<'_, Option<Http2Sender>> {
        self.http2.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path_and_query(uri: &Uri) -> PathAndQuery {
    uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
}
