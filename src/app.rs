//! The one file that knows everybody: builds, connects, starts in order, stops in reverse.
//!
//! The order is that of the data path, backwards: whoever receives is there before whoever sends.
//! Stopping goes the other way, so that what was accepted is still judged.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::timeout;
use tracing::info;

use crate::clock::MonotonicClock;
use crate::manifest::{self, Access, LISTEN_DEFAULT, LISTEN_HELP, LayoutBy, Manifest, Origin, TlsFiles, Watch};
use crate::metrics::Metrics;
use crate::pipeline::{Journal, Running, Start};
use crate::reload::{self, Reloader};
use crate::service;
use crate::sources::Sources;
use crate::store::{Folder, Limits};
use crate::web::{Bound, Certificate, Gate, SessionsFile, State};

/// How long judging and keeping what was accepted may take at the end: longer only where a disk does not answer.
const STOP_PATIENCE: Duration = Duration::from_secs(45);

/// Why the server did not start, or did not go on.
#[derive(Debug)]
pub enum Failure {
    /// The manifest or a flag is wrong: what to write instead.
    Wrong(String),
    /// Anything else.
    Failed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(message) | Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Failure {}

/// How a server is reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// Where.
    pub address: SocketAddr,
    /// By TLS.
    pub tls: bool,
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/", if self.tls { "https" } else { "http" }, self.address)
    }
}

/// What the command line says of a server: it goes before the manifest.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Where to keep the journal.
    pub data_dir: Option<PathBuf>,
}

/// Runs the server until it is told to stop by SIGTERM or SIGINT. `announce` is told the address as
/// soon as events are taken there. `origin`: where the manifest is read again when it changes. `flags`
/// go before the manifest.
pub fn serve(
    manifest: &Manifest,
    origin: Option<Origin>,
    flags: Flags,
    announce: impl FnOnce(Reached) -> Result<(), Failure>,
) -> Result<(), Failure> {
    check(manifest, flags.listen)?;
    actix_web::rt::System::new().block_on(run(manifest, origin, flags, announce))
}

/// What must be right before anything is started.
fn check(manifest: &Manifest, listen: Option<SocketAddr>) -> Result<(), Failure> {
    manifest::check_listen(address(manifest, listen), manifest.settings.access)
        .map_err(|refused| Failure::Wrong(format!("{refused}\n{LISTEN_HELP}")))
}

/// Whether a server could speak TLS with a certificate and its key; where not, why.
pub fn check_certificate(certificate: &Path, key: &Path) -> Result<(), String> {
    Certificate::load(certificate, key).map(drop)
}

/// The address to listen on.
fn address(manifest: &Manifest, listen: Option<SocketAddr>) -> SocketAddr {
    listen.or(manifest.settings.listen).unwrap_or(LISTEN_DEFAULT)
}

async fn run(
    manifest: &Manifest,
    origin: Option<Origin>,
    flags: Flags,
    announce: impl FnOnce(Reached) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |what: &str, error: &dyn fmt::Display| Failure::Failed(format!("failed to {what}: {error}"));
    // First of all, so that a signal during the start is not lost.
    let stop = stop_signal().map_err(|error| failed("watch for signals", &error))?;
    let watch = origin.map_or(Ok(None), Watch::start).map_err(|error| failed("watch for signals", &error))?;
    reload::log_warnings(&manifest.warnings);

    let system = Arc::new(manifest.system.clone());
    let journal = journal(manifest, &flags)?;
    let start = Start { system, clock: Arc::new(MonotonicClock::start()), journal };
    let running = start.run().map_err(|error| failed("start the correlator", &error))?;
    let pipeline = running.pipeline.clone();
    let metrics = Metrics::new(pipeline.clone()).map_err(|error| failed("set up the metrics", &error))?;
    let settings = &manifest.settings;
    let mut state = State::new(pipeline.clone(), metrics, settings.http_enabled, settings.refresh_us);
    if settings.access == Some(Access::Login) {
        let sessions = SessionsFile::open(data_dir(manifest, &flags));
        let gate = Gate::guarded(Arc::clone(&settings.entry.roster), sessions);
        state.gate = gate.or(Err(failed("guard the server", &"the system has no random numbers to give")))?;
    }
    state.certificate = match &settings.entry.tls {
        Some(TlsFiles { certificate, key }) => Some(Certificate::load(certificate, key).map_err(Failure::Wrong)?),
        None => None,
    };
    state.gate = state.gate.with_tls(state.certificate.is_some());
    state.set_frame_ancestors(&settings.entry.frame_ancestors);
    state.lay_out_by_graphviz(settings.layout == LayoutBy::Dot);
    let state = Arc::new(state);
    let listen = address(manifest, flags.listen);
    let bound = Bound::bind(&state, listen, state.certificate.as_ref())
        .map_err(|error| failed(&format!("listen on {listen}"), &not_listening(&error, listen)))?;
    let (address, server) = (bound.address, bound.handle());
    let mut serving = actix_web::rt::spawn(bound.run());
    let sources = Rc::new(Sources::new(pipeline.clone(), Arc::clone(&state.metrics)));
    sources.follow(&settings.inputs).await;
    state.set_ready(true);
    info!(subsystem = "server", %address, version = env!("CARGO_PKG_VERSION"), "the server takes events");
    let announced = announce(Reached { address, tls: state.certificate.is_some() });
    service::ready();
    // Until the very end: stopping, too, is watched.
    actix_web::rt::spawn(service::watch(pipeline));
    let reloader = Reloader {
        state: Arc::clone(&state),
        sources: Rc::clone(&sources),
        started: settings.clone(),
        listen: flags.listen,
    };
    let reloading = watch.map(|watch| actix_web::rt::spawn(reloader.run(watch)));
    let following = state.certificate.clone().map(|certificate| actix_web::rt::spawn(certificate.follow()));

    let end = if announced.is_err() { announced } else { wait(stop, &running, &mut serving).await };

    service::stopping();
    state.set_ready(false);
    running.pipeline.closing();
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    if let Some(following) = following {
        following.abort();
    }
    sources.stop().await;
    state.live.stop();
    if !serving.is_finished() {
        server.stop(true).await;
        // It has been told to stop, so how it ends is no news.
        drop(serving.await);
    }
    if timeout(STOP_PATIENCE, running.finish()).await.is_err() {
        return Err(Failure::Failed(
            "the disk of the journal does not answer: what waited for it was not accepted".to_owned(),
        ));
    }
    info!(subsystem = "server", "the server has stopped");
    end
}

/// The folder for what outlasts a restart.
fn data_dir<'a>(manifest: &'a Manifest, flags: &'a Flags) -> Option<&'a Path> {
    flags.data_dir.as_deref().or(manifest.settings.data_dir.as_deref())
}

/// Where all that happens is kept, if that is asked for. The folder is ours from here on.
fn journal(manifest: &Manifest, flags: &Flags) -> Result<Option<Journal>, Failure> {
    let settings = &manifest.settings;
    let Some(path) = data_dir(manifest, flags) else { return Ok(None) };
    let folder = Folder::lock(path)
        .map_err(|error| Failure::Failed(format!("failed to open the data directory {}: {error}", path.display())))?;
    let limits = Limits { max_bytes: settings.journal.max_bytes, max_age_us: settings.journal.max_age_us };
    Ok(Some(Journal { disk: Arc::new(folder), limits }))
}

/// Waits until there is a reason to stop; it is an error where nobody asked for it.
async fn wait(
    stop: impl Future<Output = &'static str>,
    running: &Running,
    serving: &mut JoinHandle<io::Result<()>>,
) -> Result<(), Failure> {
    tokio::select! {
        signal = stop => {
            info!(subsystem = "server", signal, "the server stops");
            Ok(())
        }
        ended = serving => {
            let why = match ended {
                Ok(Ok(())) => "nobody asked for it".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            Err(Failure::Failed(format!("the web server stopped by itself: {why}")))
        }
        _ = running.pipeline.ended() => Err(Failure::Failed("the correlator stopped by itself".to_owned())),
    }
}

/// Ready when a signal asks us to stop; gives its name.
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    // Actix's runtime is entered only inside `block_on`, which is where we are called.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// Why it does not listen on an address, and what to do about it.
fn not_listening(error: &io::Error, listen: SocketAddr) -> String {
    let (free, usual) = (SocketAddr::new(listen.ip(), 0), SocketAddr::new(listen.ip(), LISTEN_DEFAULT.port()));
    let advice = match error.kind() {
        ErrorKind::AddrInUse => format!("stop what listens there, or have a free port chosen by --listen {free}"),
        ErrorKind::AddrNotAvailable => "this machine has no such address; write one that it has".to_owned(),
        ErrorKind::PermissionDenied => format!("ports below 1024 are not for everybody; write --listen {usual}"),
        _ => return error.to_string(),
    };
    format!("{error}; {advice}")
}
