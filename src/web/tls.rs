//! TLS: the certificate, read again when its files change and on SIGHUP.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The certificate by which the server speaks TLS.
pub struct Certificate {
    /// Where it is, with those that vouch for it.
    chain_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<CertifiedKey>,
    /// Why the files as they are now cannot be used; the certificate before goes on.
    problem: ArcSwapOption<String>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain_file", &self.chain_file).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads the certificate, with those that vouch for it, and its private key, both in PEM; the error says what is
    /// wrong with which file.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, String> {
        let current = ArcSwap::from_pointee(read(certificate, key)?);
        let (chain_file, key_file) = (certificate.to_owned(), key.to_owned());
        Ok(Arc::new(Self { chain_file, key_file, current, problem: ArcSwapOption::empty() }))
    }

    /// Shakes hands with clients.
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, String> {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let mut config = config.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<_>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Why the files as they are now cannot be used, where that is so.
    pub(super) fn problem(&self) -> Option<Arc<String>> {
        self.problem.load_full()
    }

    /// Follows the files for ever.
    pub async fn follow(self: Arc<Self>) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        // How they looked when they were read is not known: so they are read once more.
        let mut read = None;
        loop {
            let asked = tokio::select! {
                Some(()) = hangup.recv() => true,
                () = sleep(LOOK_EVERY) => false,
            };
            let certificate = Arc::clone(&self);
            let before = read;
            let look = move || {
                let looks = certificate.looks();
                if asked || before != Some(looks) {
                    certificate.read_again();
                }
                looks
            };
            // A disk may be slow. Where this fails the server is stopping.
            read = tokio::task::spawn_blocking(look).await.ok();
        }
    }

    fn read_again(&self) {
        let problem = match read(&self.chain_file, &self.key_file) {
            Ok(new) if new.cert == self.current.load().cert => None,
            Ok(new) => {
                self.current.store(Arc::new(new));
                tracing::info!(subsystem = "server", "the certificate was read again and is in force");
                None
            }
            Err(problem) => Some(problem),
        };
        let before = self.problem.load_full();
        if let Some(problem) = problem.as_ref().filter(|problem| before.as_deref() != Some(*problem)) {
            tracing::warn!(subsystem = "server", problem, "the certificate is bad: the one before it goes on");
        }
        self.problem.store(problem.map(Arc::new));
    }

    /// What the files look like from outside.
    fn looks(&self) -> [Option<[i64; 6]>; 2] {
        [&self.chain_file, &self.key_file].map(|file| {
            let found = fs::metadata(file).ok()?;
            let (device, inode) = (found.dev() as i64, found.ino() as i64);
            Some([device, inode, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()])
        })
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let said = |file: &Path, error: pem::Error| match error {
        pem::Error::Io(error) => format!("failed to read {}: {error}", file.display()),
        // Nothing of what is in it: it may be the key.
        _ => format!("{} is not PEM, or holds not what it should", file.display()),
    };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| said(certificate, error))?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate: it must be PEM", certificate.display()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        pem::Error::NoItemsFound => format!("{} holds no private key: it must be PEM, not encrypted", key.display()),
        error => said(key, error),
    })?;
    let fit = CertifiedKey::from_der(chain, private, &default_provider());
    fit.map_err(|error| format!("{} and {} do not go together: {error}", certificate.display(), key.display()))
}
