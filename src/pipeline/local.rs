//! The batcher of one worker thread: many requests, one wake-up of the owner.
//!
//! A wake-up across threads costs as much as the rest of a small request. So a few events are
//! correlated where they are, where nobody else holds the core. Where somebody does, requests of one
//! worker push what they have into a local buffer; one task hands it over when all requests that
//! were ready have pushed, and while the owner works on it the next batch collects itself. With a
//! journal it is handed over at once, whatever the owner waits for: that is when it has arrived.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::sync::oneshot;

use super::handle::{Pipeline, TooBusy};
use super::intake::{Batch, Load, Refused, Reservation};
use super::observed::{Observed, Stretch, extend};
use crate::event::Report;

/// The way of one worker thread to the owner; clones share one buffer.
#[derive(Clone)]
pub struct LocalIntake {
    inside: Rc<Inside>,
}

struct Inside {
    pipeline: Pipeline,
    pending: RefCell<Pending>,
    /// Whether a task is on its way that will hand `pending` over.
    flushing: Cell<bool>,
}

#[derive(Default)]
struct Pending {
    reports: Vec<Report>,
    stretches: Vec<Stretch>,
    unknown: Vec<String>,
    room: Option<Reservation>,
    round: Rc<Round>,
}

/// Those who wait for one batch.
#[derive(Default)]
struct Round {
    /// The places of the reports that were not taken, because their nodes are gone.
    result: OnceCell<Result<Vec<usize>, Refused>>,
    waiting: RefCell<Vec<Waker>>,
}

impl Round {
    fn complete(&self, result: Result<Vec<usize>, Refused>) {
        // A round ends once.
        self.result.set(result).unwrap_or_default();
        for waker in self.waiting.take() {
            waker.wake();
        }
    }
}

impl LocalIntake {
    /// A batcher for the calling thread, which runs a tokio `LocalSet` (every actix worker does).
    pub fn new(pipeline: Pipeline) -> Self {
        Self { inside: Rc::new(Inside { pipeline, pending: RefCell::default(), flushing: Cell::new(false) }) }
    }

    /// Hands events over that were parsed with `by`; ready when they are acknowledged. Answers how many
    /// were not taken because the manifest has lost their nodes meanwhile. Refused at once, and whole,
    /// where there is no room.
    pub async fn push(&self, reports: Vec<Report>, by: &Arc<Observed>, unknown: Vec<String>) -> Result<usize, Refused> {
        let inside = &self.inside;
        let TooBusy { mut reports, mut unknown } = match inside.pipeline.take_now(reports, by, unknown) {
            Ok(gone) => return Ok(gone),
            Err(busy) => busy,
        };
        let room = inside.pipeline.reserve(Load::of(&reports, &unknown))?;
        let (round, ours) = {
            let mut pending = inside.pending.borrow_mut();
            let begin = pending.reports.len();
            extend(&mut pending.stretches, reports.len(), by.http, by);
            pending.reports.append(&mut reports);
            pending.unknown.append(&mut unknown);
            match &mut pending.room {
                Some(all) => all.merge(room),
                none => *none = Some(room),
            }
            (Rc::clone(&pending.round), begin..pending.reports.len())
        };
        if !inside.flushing.replace(true) {
            drop(tokio::task::spawn_local(flush(Rc::clone(inside))));
        }
        poll_fn(|context| {
            if let Some(result) = round.result.get() {
                let gone = |places: &Vec<usize>| places.iter().filter(|&place| ours.contains(place)).count();
                return Poll::Ready(result.as_ref().map(gone).map_err(|&refused| refused));
            }
            round.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Hands batch after batch over, until none has collected itself.
async fn flush(inside: Rc<Inside>) {
    loop {
        // Everybody who is ready pushes first.
        tokio::task::yield_now().await;
        let pending = inside.pending.take();
        let Some(room) = pending.room else { break };
        let (done, acknowledged) = oneshot::channel();
        // The next batch will be about as large.
        inside.pending.borrow_mut().reports.reserve(pending.reports.len());
        let Pending { reports, stretches, unknown, round, .. } = pending;
        let batch = Batch { reports, stretches, unknown, positions: None, room, done };
        if let Err(refused) = inside.pipeline.send(batch) {
            round.complete(Err(refused));
            continue;
        }
        let completes = async move { round.complete(acknowledged.await.unwrap_or(Err(Refused::Stopped))) };
        if inside.pipeline.has_journal() {
            // What comes next has arrived, too, however long the disk takes.
            drop(tokio::task::spawn_local(completes));
        } else {
            completes.await;
        }
    }
    inside.flushing.set(false);
}
