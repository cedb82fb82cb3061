//! Why a client cannot be made, and why a request got no response.

use url::Url;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An address or a TLS set-up that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientSetupError {
    /// The address has no host, or a scheme that is not spoken here.
    #[error("the address {0} cannot be used: expected http:// or https:// and a host")]
    Address(Url),
    /// Certificates or a key cannot be used.
    #[error("TLS cannot be set up: {what}")]
    Tls {
        /// Which part cannot be used.
        what: &'static str,
        /// Why.
        #[source]
        source: Source,
    },
}

/// Why no response came.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection could be made: nothing was sent.
    #[error("no connection could be made")]
    Connect(#[source] Source),
    /// No connection was made in time: nothing was sent.
    #[error("no connection was made in time")]
    ConnectTimeout,
    /// The connection broke while the request was under way: it may have been received.
    #[error("the connection broke off")]
    Broken(#[source] Source),
    /// The response is larger than may be.
    #[error("the response has more than {limit} bytes")]
    TooLarge {
        /// How large it may be, in bytes.
        limit: usize,
    },
}

impl ClientError {
    pub(super) fn connect(source: impl Into<Source>) -> Self {
        Self::Connect(source.into())
    }

    pub(super) fn broken(source: impl Into<Source>) -> Self {
        Self::Broken(source.into())
    }
}
