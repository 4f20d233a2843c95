//! Clients of HTTP with our rules: no redirects, no proxy, a root set of our own.
//!
//! A machine without a certificate store must still reach its office, so nothing here asks the system for a
//! verifier: with an authority of the set-up only that one is believed; without, whatever the system's store holds,
//! which may be nothing. Plain HTTP needs neither.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use tracing::debug;

use crate::domain::seal::unhex;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The certificate is none.
    #[error("The certificate of the server's authority cannot be read; give it as PEM")]
    Certificate,
    /// The fingerprint is none.
    #[error("A fingerprint has 64 hexadecimal digits; copy it from what the server says")]
    Fingerprint,
    /// The library refused.
    #[error("No secure connection can be set up on this machine")]
    Tls(#[source] rustls::Error),
    /// The library refused.
    #[error("No client can be set up on this machine")]
    Build(#[source] reqwest::Error),
}

/// The beginning of a client; with `authority` (PEM) only servers of that private authority are believed.
///
/// # Errors
/// When the authority is not readable.
pub fn builder(authority: Option<&[u8]>) -> Result<reqwest::ClientBuilder, HttpError> {
    let roots = match authority {
        Some(pem) => pinned(pem)?,
        None => of_the_system(),
    };
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(HttpError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(ours(tls))
}

/// The beginning of a client that believes one server: the one whose authority has this SHA-256.
///
/// For the first word with a server, when nothing but a few typed digits is known of it.
///
/// # Errors
/// When the text is no fingerprint.
pub fn by_fingerprint(fingerprint: &str) -> Result<reqwest::ClientBuilder, HttpError> {
    let digits: String = fingerprint.chars().filter(char::is_ascii_hexdigit).collect();
    let wanted = unhex(&digits.to_ascii_lowercase()).ok_or(HttpError::Fingerprint)?;
    let provider = Arc::new(ring::default_provider());
    let tls = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(HttpError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OneAuthority { wanted, provider }))
        .with_no_client_auth();
    Ok(ours(tls))
}

/// Believes whatever the one authority signed, for the name that was asked for; the rest is the library's.
#[derive(Debug)]
struct OneAuthority {
    wanted: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OneAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let is_it = |one: &&CertificateDer<'_>| <[u8; 32]>::from(Sha256::digest(one)) == self.wanted;
        let authority = intermediates.iter().find(is_it);
        let authority = authority.ok_or(CertificateError::UnknownIssuer)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|problem| rustls::Error::General(problem.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn ours(tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("ventanilla/", env!("CARGO_PKG_VERSION")))
}

fn pinned(pem: &[u8]) -> Result<RootCertStore, HttpError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| HttpError::Certificate)?;
        roots.add(certificate).map_err(|_| HttpError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(HttpError::Certificate);
    }
    Ok(roots)
}

fn of_the_system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for problem in &found.errors {
        debug!(%problem, "the certificate store of this machine");
    }
    let mut roots = RootCertStore::empty();
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        debug!(
            ignored,
            "this machine has no certificate store; only servers of a given authority are believed"
        );
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_certificate_is_no_authority() {
        for nothing in [
            &b""[..],
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(matches!(builder(Some(nothing)), Err(HttpError::Certificate)));
        }
    }

    #[test]
    fn a_client_without_any_root_can_be_built() {
        // What a machine without `ca-certificates` comes to.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .build()
            .expect("a client");
        builder(None).expect("ours").build().expect("a client");
    }
}
