//! Certificates for the tests of TLS, made anew each time.

use std::sync::Arc;

use gateway::{ClientIdentity, ClientSettings, HttpVersion, TlsSettings};
use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate authority with a server and a client.
pub(crate) struct Pki {
    pub(crate) authority: String,
    pub(crate) server: (String, String),
    pub(crate) client: (String, String),
}

impl Pki {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str, purpose: ExtendedKeyUsagePurpose| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.extended_key_usages = vec![purpose];
            let certificate = params.signed_by(&key, &authority).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        Self {
            server: issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth),
            client: issue("gateway", ExtendedKeyUsagePurpose::ClientAuth),
            authority: authority.pem(),
        }
    }

    /// Accepts clients that show a certificate of this authority, and no others.
    pub(crate) fn acceptor(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.as_bytes()).unwrap()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            provider.clone(),
        );
        let (certificate, key) = &self.server;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    pub(crate) fn settings(&self, version: HttpVersion) -> ClientSettings {
        let (certificate, key) = &self.client;
        let identity =
            ClientIdentity { certificates: certificate.clone().into(), key: key.clone().into() };
        let tls = TlsSettings { identity: Some(identity), ..authorities_of(self) };
        ClientSettings { version, tls, ..ClientSettings::default() }
    }
}

pub(crate) fn authorities_of(pki: &Pki) -> TlsSettings {
    TlsSettings { authorities: Some(pki.authority.clone().into()), identity: None }
}
