//! What can be set about the connections to one subgraph.

use std::time::Duration;

/// How one subgraph's connections are made and kept.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// How long making a connection may take, TLS included.
    pub connect_timeout: Duration,
    /// How long an HTTP/1.1 connection is kept without use.
    pub idle_timeout: Duration,
    /// How many HTTP/1.1 connections are kept without use.
    pub max_idle: usize,
    /// The largest response body, in bytes.
    pub max_response: usize,
    /// Which version of HTTP is spoken.
    pub version: HttpVersion,
    /// How the server is recognised, and how it recognises this client; not used for `http://`.
    pub tls: TlsSettings,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            max_idle: 256,
            max_response: 64 << 20,
            version: HttpVersion::default(),
            tls: TlsSettings::default(),
        }
    }
}

/// Which version of HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpVersion {
    /// Over TLS what the server prefers of both, else HTTP/1.1.
    #[default]
    Negotiated,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; without TLS by prior knowledge, because nothing negotiates it.
    Http2,
}

/// How the two ends of a TLS connection recognise each other.
#[derive(Clone, Default)]
pub struct TlsSettings {
    /// The certificate authorities that are trusted, as PEM; those of the machine when there are none.
    pub authorities: Option<Vec<u8>>,
    /// What this client shows of itself.
    pub identity: Option<ClientIdentity>,
}

/// A client certificate and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate and those that vouch for it, as PEM.
    pub certificates: Vec<u8>,
    /// The private key, as PEM (PKCS#8, PKCS#1 or SEC1).
    pub key: Vec<u8>,
}

// A key is never printed.
impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings")
            .field("own_authorities", &self.authorities.is_some())
            .field("identity", &self.identity)
            .finish()
    }
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}
