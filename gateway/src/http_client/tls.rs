//! TLS to a subgraph: which authorities are trusted, what this client shows, which versions of HTTP it offers.
//!
//! Refused: PEM that holds no certificate or key, and certificates that cannot be used.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::error::ClientSetupError;
use super::settings::{HttpVersion, TlsSettings};

/// The TLS configuration of one subgraph, which offers no version of HTTP yet.
pub(super) fn config(settings: &TlsSettings) -> Result<ClientConfig, ClientSetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("the versions of TLS", error))?
        .with_root_certificates(authorities(settings)?);
    match &settings.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(identity) => {
            let certificates = certificates(&identity.certificates, "the client certificate")?;
            let key = PrivateKeyDer::from_pem_slice(&identity.key)
                .map_err(|error| unusable("the client's key", error))?;
            builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| unusable("the client certificate with its key", error))
        }
    }
}

/// The same configuration with what it offers to speak.
pub(super) fn offering(config: &ClientConfig, version: HttpVersion) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = match version {
        HttpVersion::Negotiated => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
        HttpVersion::Http2 => vec![b"h2".to_vec()],
    };
    Arc::new(config)
}

fn authorities(settings: &TlsSettings) -> Result<RootCertStore, ClientSetupError> {
    let mut store = RootCertStore::empty();
    match &settings.authorities {
        Some(pem) => {
            for certificate in certificates(pem, "the certificate authorities")? {
                store
                    .add(certificate)
                    .map_err(|error| unusable("the certificate authorities", error))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!("some of the machine's certificates cannot be read: {error}");
            }
            store.add_parsable_certificates(found.certs);
        }
    }
    Ok(store)
}

fn certificates(
    pem: &[u8],
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, ClientSetupError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(what, error))?;
    if certificates.is_empty() {
        return Err(unusable(what, "the PEM holds no certificate"));
    }
    Ok(certificates)
}

fn unusable(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ClientSetupError {
    ClientSetupError::Tls { what, source: source.into() }
}
