//! The door of an input that reads by itself (log files, a broker): it waits for room, says how it is,
//! and has its place kept beside its events.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::handle::Pipeline;
use super::intake::{Batch, Load, Refused};
use super::observed::{Observed, Stretch};
use super::query::Query;
use crate::event::Report;
use crate::graph::InputState;

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

/// Where an input stands in one thing that it reads, such as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// What it reads: unique within the input.
    pub key: String,
    /// Where it stands; `None` where it is done with that.
    pub value: Option<String>,
}

/// What an input tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Whether it can testify.
    pub state: InputState,
    /// How far behind it is, where it knows: the age of what it reads next.
    pub lag_us: Option<u64>,
    /// What has gone wrong last, in words for people, without secrets; `None` leaves what was said before.
    pub error: Option<String>,
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

    /// The input's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is observed now: what events are parsed with.
    pub fn observed(&self) -> Arc<Observed> {
        self.pipeline.observed()
    }

    /// Now on the arrival clock, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.pipeline.now_us()
    }

    /// Hands over what was read, when there is room; ready when it is acknowledged. Answers how many events were
    /// not taken, because the manifest has lost their nodes. An error means that the server stops.
    pub async fn push(&self, harvest: Harvest) -> Result<usize, Refused> {
        let Harvest { reports, by, unknown, positions } = harvest;
        let room = self.pipeline.room(Load::of(&reports, &unknown)).await?;
        let stretches = vec![Stretch { events: reports.len(), input: by.input(&self.name), by }];
        let (done, acknowledged) = oneshot::channel();
        let sent_us = self.pipeline.now_us();
        self.pipeline.send(Batch { reports, stretches, unknown, positions, room, sent_us, done })?;
        acknowledged.await.map(|gone| gone.len()).or(Err(Refused::Stopped))
    }

    /// Changes when we did not run for a while. Then an input that keeps what we have not read is catching up, whatever
    /// it has said, until it says again that it is up: when it has read what had come by then.
    pub fn gaps(&self) -> watch::Receiver<u64> {
        self.pipeline.gaps()
    }

    /// Tells how the input is. What was pushed before counts before it.
    pub async fn tell(&self, news: News) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        self.pipeline.ask(Query::Input { name: Arc::clone(&self.name), news, answer }).await?;
        answered.await.or(Err(Refused::Stopped))
    }
}
