//! The one file that knows everybody: builds, connects, starts in order, stops in reverse.
//!
//! The order is that of the data path, backwards: whoever receives is there before whoever sends.
//! Stopping goes the other way, so that what was accepted is still judged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use actix_web::rt::task::JoinHandle;
use tracing::info;

use crate::clock::MonotonicClock;
use crate::manifest::{self, LISTEN_DEFAULT, LISTEN_HELP, LayoutBy, Manifest, Origin, Watch};
use crate::metrics::Metrics;
use crate::pipeline::{Running, Start};
use crate::reload::{self, Reloader};
use crate::service;
use crate::web::{Bound, State};

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

/// Runs the server until it is told to stop by SIGTERM or SIGINT. `announce` is told the address as
/// soon as events are taken there. `origin`: where the manifest is read again when it changes. `listen`
/// goes before the manifest.
pub fn serve(
    manifest: &Manifest,
    origin: Option<Origin>,
    listen: Option<SocketAddr>,
    announce: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    check(manifest, listen)?;
    actix_web::rt::System::new().block_on(run(manifest, origin, listen, announce))
}

/// What must be right before anything is started.
fn check(manifest: &Manifest, listen: Option<SocketAddr>) -> Result<(), Failure> {
    if !manifest.not_built.is_empty() {
        let problems = manifest::render(&manifest.not_built, false);
        return Err(Failure::Wrong(format!("{problems}\nthis version does not do what the manifest asks for")));
    }
    manifest::check_listen(address(manifest, listen), manifest.settings.access)
        .map_err(|refused| Failure::Wrong(format!("{refused}\n{LISTEN_HELP}")))
}

/// The address to listen on.
fn address(manifest: &Manifest, listen: Option<SocketAddr>) -> SocketAddr {
    listen.or(manifest.settings.listen).unwrap_or(LISTEN_DEFAULT)
}

async fn run(
    manifest: &Manifest,
    origin: Option<Origin>,
    flag: Option<SocketAddr>,
    announce: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |what: &str, error: &dyn fmt::Display| Failure::Failed(format!("failed to {what}: {error}"));
    // First of all, so that a signal during the start is not lost.
    let stop = stop_signal().map_err(|error| failed("watch for signals", &error))?;
    let watch = origin.map_or(Ok(None), Watch::start).map_err(|error| failed("watch for signals", &error))?;
    reload::log_warnings(&manifest.warnings);

    let system = Arc::new(manifest.live_system());
    let start = Start { system, clock: Arc::new(MonotonicClock::start()) };
    let running = start.run().map_err(|error| failed("start the correlator", &error))?;
    let pipeline = running.pipeline.clone();
    let metrics = Metrics::new(pipeline.clone()).map_err(|error| failed("set up the metrics", &error))?;
    let settings = &manifest.settings;
    let state = State::new(pipeline.clone(), metrics, settings.http_enabled, settings.refresh_us);
    state.lay_out_by_graphviz(settings.layout == LayoutBy::Dot);
    let state = Arc::new(state);
    let listen = address(manifest, flag);
    let bound = Bound::bind(&state, listen).map_err(|error| failed(&format!("listen on {listen}"), &error))?;
    let (address, server) = (bound.address, bound.handle());
    let mut serving = actix_web::rt::spawn(bound.run());
    state.set_ready(true);
    info!(subsystem = "server", %address, version = env!("CARGO_PKG_VERSION"), "the server takes events");
    let announced = announce(address);
    service::ready();
    // Until the very end: stopping, too, is watched.
    actix_web::rt::spawn(service::watch(pipeline));
    let reloader = Reloader { state: Arc::clone(&state), started: settings.clone(), listen: flag };
    let reloading = watch.map(|watch| actix_web::rt::spawn(reloader.run(watch)));

    let end = if announced.is_err() { announced } else { wait(stop, &running, &mut serving).await };

    service::stopping();
    state.set_ready(false);
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    state.live.stop();
    if !serving.is_finished() {
        server.stop(true).await;
        // It has been told to stop, so how it ends is no news.
        drop(serving.await);
    }
    running.stop();
    info!(subsystem = "server", "the server has stopped");
    end
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
