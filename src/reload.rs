//! Goes on with the manifest as it reads now, or says what is wrong with it and leaves all as it is.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::clock::Moment;
use crate::manifest::{self, LISTEN_DEFAULT, LayoutBy, Manifest, Problem, Settings, Text, Watch};
use crate::service;
use crate::sources::Sources;
use crate::web::{ManifestProblem, ManifestState, State};

/// The most problems of one manifest that the log names.
const LOGGED_MAX: usize = 20;
/// Where too many queries wait for the owner, or it starts again, it is asked again after this long.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// What a reload needs to know of the server that runs.
pub struct Reloader {
    /// What the pages and `/status` tell, and the way to the owner.
    pub state: Arc<State>,
    /// The inputs that read by themselves.
    pub sources: Rc<Sources>,
    /// What the server was started with.
    pub started: Settings,
    /// Where the command line says to listen: it goes before any manifest.
    pub listen: Option<SocketAddr>,
}

impl Reloader {
    /// Follows the manifest for ever.
    pub async fn run(self, mut watch: Watch) {
        loop {
            let text = watch.changed().await;
            service::reloading();
            if let Some(text) = text {
                self.take(text).await;
            }
            service::ready();
        }
    }

    /// Takes what the manifest says now: all of it, or nothing.
    async fn take(&self, text: Arc<Text>) {
        let listen = self.listen;
        let judged = tokio::task::spawn_blocking(move || judge(&text, listen)).await;
        // Else the server is stopping.
        let Ok(judged) = judged else { return };
        let result = match judged {
            Ok(manifest) => {
                self.apply(&manifest).await;
                "ok"
            }
            Err(problems) => {
                self.refuse(problems);
                "bad"
            }
        };
        self.state.metrics.counted.manifest_reloads_total.with_label_values(&[result]).inc();
    }

    async fn apply(&self, manifest: &Manifest) {
        let system = Arc::new(manifest.system.clone());
        while self.state.pipeline.reload(Arc::clone(&system)).await.is_err() {
            tokio::time::sleep(ASK_AGAIN).await;
        }
        self.sources.follow(&manifest.settings.inputs).await;
        let needs_restart = self.needs_restart(&manifest.settings);
        let edges: usize = system.streams.iter().map(|stream| stream.edges.len()).sum();
        info!(
            subsystem = "manifest",
            streams = system.streams.len(),
            edges,
            "the manifest was read again and is in force"
        );
        log_warnings(&manifest.warnings);
        for key in &needs_restart {
            warn!(subsystem = "manifest", key, "the manifest has changed in what takes effect at a restart");
        }
        self.state.set_frame_ancestors(&manifest.settings.entry.frame_ancestors);
        self.state.gate.set_roster(Arc::clone(&manifest.settings.entry.roster));
        self.state.set_refresh_us(manifest.settings.refresh_us);
        self.state.lay_out_by_graphviz(manifest.settings.layout == LayoutBy::Dot);
        self.state.set_manifest(ManifestState::in_force(self.now(), needs_restart));
    }

    fn refuse(&self, problems: Vec<ManifestProblem>) {
        warn!(subsystem = "manifest", problems = problems.len(), "the manifest is bad: the one before it goes on");
        for ManifestProblem { file, line, message } in problems.iter().take(LOGGED_MAX) {
            warn!(subsystem = "manifest", file, line, "{message}");
        }
        self.state.set_manifest(self.state.manifest().turned_bad(self.now(), problems));
    }

    fn now(&self) -> Moment {
        Moment(self.state.pipeline.now_us())
    }

    /// The keys that are not as they were when the server was started, and that only a start reads.
    fn needs_restart(&self, now: &Settings) -> Vec<&'static str> {
        let was = &self.started;
        let address = |settings: &Settings| self.listen.or(settings.listen).unwrap_or(LISTEN_DEFAULT);
        let changed = [
            ("server.listen", address(was) != address(now)),
            ("server.access", was.access != now.access),
            ("server.tls", was.entry.tls != now.entry.tls),
            ("server.data_dir", was.data_dir != now.data_dir),
            ("server.journal", was.journal != now.journal),
            ("input.http.enabled", was.http_enabled != now.http_enabled),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }
}

/// The manifest, where a server could be started with it.
fn judge(text: &Text, listen: Option<SocketAddr>) -> Result<Manifest, Vec<ManifestProblem>> {
    let told = |problem: Problem| ManifestProblem { file: problem.file, line: problem.line, message: problem.message };
    let all = |problems: Vec<Problem>| problems.into_iter().map(told).collect::<Vec<_>>();
    let manifest = text.check().map_err(all)?;
    let listen = listen.or(manifest.settings.listen).unwrap_or(LISTEN_DEFAULT);
    let refused = |message| vec![ManifestProblem { file: "server.access".to_owned(), line: 0, message }];
    manifest::check_listen(listen, manifest.settings.access).map_err(refused)?;
    Ok(manifest)
}

/// Says in the log what is legal in a manifest, but hardly meant.
pub fn log_warnings(warnings: &[Problem]) {
    for Problem { file, line, message, .. } in warnings.iter().take(LOGGED_MAX) {
        warn!(subsystem = "manifest", file, line, "{message}");
    }
}
