//! TLS of our own: an authority made at the first start, a certificate made at every start, a listener for both.
//!
//! The authority lies in the data folder (`tls/`), its key readable by its owner only; devices believe this one and
//! no other. The server's own key is in memory only. Certificates last a century: they are believed because a person
//! brought the authority, and a kiosk with a dead battery must not be locked out by a date. Whoever no longer trusts
//! an authority deletes the folder and lets its devices in again. Begin at [`Authority::open`] and [`serve`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};

use super::outbox::keyfile;
use super::{StartError, Stop, listen};
use crate::config::tls::TlsConfig;
use crate::domain::seal::hex;

/// Who does not finish the greeting in this time is cut off.
const GREETING_WITHIN: Duration = Duration::from_secs(10);
/// Greetings at once; each costs some milliseconds of a core.
const GREETINGS_MAX: usize = 64;
/// How long open requests may take after a stop was asked for.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// The authority of one server: what its devices believe.
pub struct Authority {
    folder: PathBuf,
    key: KeyPair,
    /// Its certificate, PEM.
    pub pem: String,
}

impl Authority {
    /// Reads the authority of a data folder, or makes it.
    ///
    /// # Errors
    /// When its files are not usable.
    pub fn open(data: &Path) -> Result<Self, StartError> {
        let folder = data.join("tls");
        let (key_path, path) = (folder.join("authority.key"), folder.join("authority.pem"));
        if !key_path.exists() {
            let key = KeyPair::generate().map_err(|problem| unusable(&folder, &problem))?;
            keyfile::write_private(&key_path, &key.serialize_pem())?;
            let certificate = params()
                .self_signed(&key)
                .map_err(|problem| unusable(&folder, &problem))?;
            std::fs::write(&path, certificate.pem()).map_err(|problem| unusable(&path, &problem))?;
        }
        let read = |path: &Path| std::fs::read_to_string(path).map_err(|problem| unusable(path, &problem));
        let key = zeroize::Zeroizing::new(read(&key_path)?);
        Ok(Self {
            key: KeyPair::from_pem(&key).map_err(|problem| unusable(&key_path, &problem))?,
            pem: read(&path)?,
            folder,
        })
    }

    /// SHA-256 of the certificate, hexadecimal: what a technician compares or copies.
    ///
    /// # Errors
    /// When the file is no certificate.
    pub fn fingerprint(&self) -> Result<String, StartError> {
        let own = self.certificate()?;
        Ok(hex(&Sha256::digest(&own)))
    }

    fn certificate(&self) -> Result<CertificateDer<'static>, StartError> {
        CertificateDer::from_pem_slice(self.pem.as_bytes())
            .map_err(|problem| unusable(&self.folder, &problem))
    }

    /// What the server shows: a fresh certificate for these names, and the authority behind it.
    fn server(&self, names: &[String]) -> Result<ServerConfig, StartError> {
        let wrong = |problem: rcgen::Error| unusable(&self.folder, &problem);
        let key = KeyPair::generate().map_err(wrong)?;
        let mut params = CertificateParams::new(names.to_vec()).map_err(wrong)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Ventanilla server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2120, 1, 1);
        let issuer = Issuer::new(self::params(), &self.key);
        let own = params.signed_by(&key, &issuer).map_err(wrong)?;
        let chain = vec![own.der().clone(), self.certificate()?];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|problem| unusable(&self.folder, &problem))
    }
}

/// The same at every start, so that the certificate that was handed out stays the one that signs.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Ventanilla authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params
}

fn unusable(path: &Path, problem: &dyn std::fmt::Display) -> StartError {
    StartError::Setup {
        what: format!("The authority of TLS in {}", path.display()),
        problem: problem.to_string(),
    }
}

/// Answers on a second address, in secret and provably, until told to stop.
///
/// # Errors
/// When the address is taken or no name is known by which devices reach it.
pub async fn serve(
    config: &TlsConfig,
    authority: &Authority,
    app: Router,
    stop: Stop,
) -> Result<(SocketAddr, JoinHandle<()>), StartError> {
    let mut names = config.names.clone();
    let own = config.listen.ip();
    if names.is_empty() && !own.is_unspecified() {
        names.push(own.to_string());
    }
    if names.is_empty() {
        return Err(StartError::Setup {
            what: "[tls]".to_owned(),
            problem:
                "write in names by which address devices reach this machine, such as names = [\"10.0.0.5\"]"
                    .to_owned(),
        });
    }
    let acceptor = TlsAcceptor::from(Arc::new(authority.server(&names)?));
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    info!(%address, "answers in secret");
    // Only a tapped listener tells axum from where a connection comes.
    let listener = TlsListener::new(listener, address, acceptor).tap_io(|_| {});
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let served = tokio::spawn(async move {
        let told = stop.clone();
        let serving = axum::serve(listener, service)
            .with_graceful_shutdown(async move { told.stopped().await })
            .into_future();
        let patience = async {
            stop.stopped().await;
            tokio::time::sleep(STOP_PATIENCE).await;
        };
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                warn!(error = %error, "the secret line ended");
            },
            () = patience => warn!("some requests were still open and are cut off"),
        }
    });
    Ok((address, served))
}

/// Connections whose greeting is done; one that is slow holds up nobody.
struct TlsListener {
    greeted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    fn new(listener: TcpListener, address: SocketAddr, acceptor: TlsAcceptor) -> Self {
        let (done, greeted) = mpsc::channel(GREETINGS_MAX);
        tokio::spawn(greet(listener, acceptor, done));
        Self { greeted, address }
    }
}

async fn greet(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(GREETINGS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let (stream, from) = tokio::select! {
            () = done.closed() => return,
            accepted = Listener::accept(&mut listener) => accepted,
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(GREETING_WITHIN, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    // Nobody listens any more: the connection closes.
                    let _ = done.send((stream, from)).await;
                }
                Ok(Err(problem)) => debug!(%from, %problem, "a greeting failed"),
                Err(_) => debug!(%from, "a greeting took too long"),
            }
            drop(permit);
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.greeted.recv().await {
            Some(connection) => connection,
            // The task that greets ends with this listener only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests;
