//! The door of an input that reads by itself (log files, a broker): it waits for room, says how it is,
//! and has its place kept beside its events.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::handle::Pipeline;
use super::intake::{Batch, Load, Refused};
use super::observed::{Observed, Stretch};
use super::query::Query;
use crate::event::Report;
use crate::journal::{News, Position};

/// What an input has read, to be taken as one.
#[derive(Debug)]
pub struct Harvest {
    /// The events, in order.
    pub reports: Vec<Report>,
    /// What they were parsed with.
    pub by: Arc<Observed>,
    /// Names of senders that no stream knows, one an event.
    pub unknown: Vec<String>,
    /// Where the input stands after them: kept with them, or not at all.
    pub positions: Vec<Position>,
}

/// What was handed over, and is not acknowledged yet.
pub struct HandedOver(oneshot::Receiver<Result<Vec<usize>, Refused>>);

impl HandedOver {
    /// Ready when it is acknowledged; answers as [`Port::push`] does. Nothing is lost where this is given up while it waits.
    pub async fn taken(&mut self) -> Result<usize, Refused> {
        (&mut self.0).await.unwrap_or(Err(Refused::Stopped)).map(|gone| gone.len())
    }
}

/// The door of one input, by its name; cheap to clone.
#[derive(Clone)]
pub struct Port {
    pipeline: Pipeline,
    name: Arc<str>,
}

impl Port {
    /// The door of the input of this name.
    pub fn new(pipeline: Pipeline, name: &str) -> Self {
        Self { pipeline, name: name.into() }
    }

    /// The door of the HTTP input, where the manifest in force has it.
    pub fn of_http(pipeline: &Pipeline) -> Option<Self> {
        let observed = pipeline.observed();
        let input = observed.system.inputs.get(usize::from(observed.http.0))?;
        Some(Self::new(pipeline.clone(), &input.name))
    }

    /// The input's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is observed now: what events are parsed with.
    pub fn observed(&self) -> Arc<Observed> {
        self.pipeline.observed()
    }

    /// Where the input stood after the last of its events that are kept: it goes on from there. Empty where nothing of
    /// it is kept; without a journal nothing is kept over a restart.
    pub fn positions(&self) -> Vec<Position> {
        self.pipeline.positions(&self.name)
    }

    /// Now on the arrival clock, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.pipeline.now_us()
    }

    /// Hands over what was read, when there is room; ready when it is acknowledged. Answers how many events were
    /// not taken, because the manifest has lost their nodes. An error means that the server stops, or that the correlator
    /// begins again: whether anything was taken is not known, but where the input then stands is.
    pub async fn push(&self, harvest: Harvest) -> Result<usize, Refused> {
        self.hand_over(harvest).await?.taken().await
    }

    /// Hands over what was read, when there is room; ready when that is done. What is handed over first counts first.
    pub async fn hand_over(&self, harvest: Harvest) -> Result<HandedOver, Refused> {
        let Harvest { reports, by, unknown, positions } = harvest;
        let room = self.pipeline.room(Load::of(&reports, &unknown)).await?;
        let stretches = vec![Stretch { events: reports.len(), input: by.system.input(&self.name), by }];
        let (done, acknowledged) = oneshot::channel();
        self.pipeline.send(Batch {
            reports,
            stretches,
            unknown,
            positions: Some((Arc::clone(&self.name), positions)),
            room,
            done,
        })?;
        Ok(HandedOver(acknowledged))
    }

    /// Changes when we did not run for a while. Then an input that keeps what we have not read is catching up, whatever
    /// it has said, until it says again that it is up: when it has read what had come by then.
    pub fn gaps(&self) -> watch::Receiver<u64> {
        self.pipeline.gaps()
    }

    /// Tells how the input is. What was pushed before counts before it. `gaps`: how often we had not run (see
    /// [`Self::gaps`]) when that was found out: that an input is up is worth nothing where we have not run since. Ready
    /// when it is handed over, for an input that waited until it counts would not read meanwhile.
    pub async fn tell(&self, news: News, gaps: u64) -> Result<(), Refused> {
        self.pipeline.ask(Query::Input { name: Arc::clone(&self.name), news, gaps }).await
    }
}
