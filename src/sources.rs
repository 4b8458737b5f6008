//! The inputs that read by themselves, as the manifest names them: started, restarted where they changed, stopped.
//!
//! Each runs as a task of its own. One that panics, or ends by itself because the correlator had to begin again, is started
//! again, and counted. Whoever does not run does not testify.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use futures_util::FutureExt;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{error, info};

use crate::graph::InputState;
use crate::input::amqp::AmqpInput;
use crate::input::pace::Pace;
use crate::input::tail::LogInput;
use crate::manifest::InputSettings;
use crate::metrics::Metrics;
use crate::pipeline::{News, Pipeline, Port};

/// How long inputs may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// One that ended though nobody told it to is started again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// All inputs that read by themselves.
pub struct Sources {
    start: Start,
    running: Mutex<Vec<Source>>,
}

/// What it takes to start one.
#[derive(Clone)]
struct Start {
    pipeline: Pipeline,
    metrics: Arc<Metrics>,
    pace: Pace,
}

/// An input that takes events until it is told to stop.
type Run = Pin<Box<dyn Future<Output = ()>>>;

/// One that runs.
struct Source {
    settings: InputSettings,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Sources {
    /// None runs yet.
    pub fn new(pipeline: Pipeline, metrics: Arc<Metrics>) -> Self {
        Self { start: Start { pipeline, metrics, pace: Pace::default() }, running: Mutex::default() }
    }

    /// Has those run that the manifest names: what stays as it was goes on without a pause.
    pub async fn follow(&self, inputs: &[InputSettings]) {
        let mut running = self.running.lock().await;
        let (stay, go) =
            std::mem::take(&mut *running).into_iter().partition(|source| inputs.contains(&source.settings));
        *running = stay;
        stop(go).await;
        for settings in inputs {
            if running.iter().all(|source| source.settings != *settings)
                && let Some(source) = self.start.source(settings)
            {
                info!(subsystem = "server", input = settings.name, "the input was started");
                running.push(source);
            }
        }
    }

    /// Stops all of them: what they have handed over is still judged.
    pub async fn stop(&self) {
        stop(std::mem::take(&mut *self.running.lock().await)).await;
    }
}

/// Tells all to stop, then waits for each.
async fn stop(sources: Vec<Source>) {
    for source in &sources {
        source.stop.send_replace(true);
    }
    let deadline = Instant::now() + STOP_PATIENCE;
    for mut source in sources {
        if timeout_at(deadline, &mut source.task).await.is_err() {
            source.task.abort();
        }
        info!(subsystem = "server", input = source.settings.name, "the input was stopped");
    }
}

impl Start {
    /// Starts an input, where it is one that reads by itself.
    fn source(&self, settings: &InputSettings) -> Option<Source> {
        if settings.amqp.is_none() && settings.log.is_none() {
            return None;
        }
        let (stop, stopped) = watch::channel(false);
        let (start, of) = (self.clone(), settings.clone());
        let task = actix_web::rt::spawn(async move {
            let port = Port::new(start.pipeline.clone(), &of.name);
            while let Some(run) = start.run(&of, &stopped) {
                let panicked = AssertUnwindSafe(run).catch_unwind().await.is_err();
                let unread = News { state: InputState::CatchingUp, lag_us: None, error: None };
                // A correlator that begins again takes nothing, and does not know yet where the input stands.
                while port.tell(unread.clone(), 0).await.is_err() && !start.pipeline.has_ended() {
                    sleep(AGAIN).await;
                }
                if *stopped.borrow() || start.pipeline.has_ended() {
                    break;
                }
                error!(subsystem = "server", input = of.name, panicked, "the input ended: it is started again");
                start.metrics.counted.task_restarts_total.with_label_values(&[of.name.as_str()]).inc();
                sleep(AGAIN).await;
            }
        });
        Some(Source { settings: settings.clone(), stop, task })
    }

    /// Has an input read until it is told to stop; `None` where it is not one that reads by itself.
    fn run(&self, settings: &InputSettings, stop: &watch::Receiver<bool>) -> Option<Run> {
        let (stop, metrics) = (stop.clone(), Arc::clone(&self.metrics));
        let (port, lane) = (Port::new(self.pipeline.clone(), &settings.name), self.pace.lane());
        match (&settings.amqp, &settings.log) {
            (Some(amqp), _) => Some(Box::pin(AmqpInput::new(amqp.clone(), port, lane, metrics).run(stop))),
            (None, Some(log)) => Some(Box::pin(LogInput::new(log.clone(), port, lane, metrics).run(stop))),
            (None, None) => None,
        }
    }
}
