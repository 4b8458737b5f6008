//! The batcher of one worker thread: many requests, one wake-up of the owner.
//!
//! A wake-up across threads costs as much as the rest of a small request. So requests of one worker
//! push what they have into a local buffer; one task hands it over when all requests that were
//! ready have pushed, and while the owner works on it the next batch collects itself.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use tokio::sync::oneshot;

use super::handle::Pipeline;
use super::intake::{Batch, Load, Refused, Reservation};
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
    unknown: Vec<String>,
    room: Option<Reservation>,
    round: Rc<Round>,
}

/// Those who wait for one batch.
#[derive(Default)]
struct Round {
    result: Cell<Option<Result<(), Refused>>>,
    waiting: RefCell<Vec<Waker>>,
}

impl Round {
    fn complete(&self, result: Result<(), Refused>) {
        self.result.set(Some(result));
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

    /// Hands events over; ready when they are acknowledged. Refused at once, and whole, where there
    /// is no room.
    pub async fn push(&self, mut reports: Vec<Report>, mut unknown: Vec<String>) -> Result<(), Refused> {
        let inside = &self.inside;
        let room = inside.pipeline.reserve(Load::of(&reports, &unknown))?;
        let round = {
            let mut pending = inside.pending.borrow_mut();
            pending.reports.append(&mut reports);
            pending.unknown.append(&mut unknown);
            match &mut pending.room {
                Some(all) => all.merge(room),
                none => *none = Some(room),
            }
            Rc::clone(&pending.round)
        };
        if !inside.flushing.replace(true) {
            drop(tokio::task::spawn_local(flush(Rc::clone(inside))));
        }
        poll_fn(|context| {
            if let Some(result) = round.result.get() {
                return Poll::Ready(result);
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
        let sent_us = inside.pipeline.now_us();
        // The next batch will be about as large.
        inside.pending.borrow_mut().reports.reserve(pending.reports.len());
        let batch = Batch { reports: pending.reports, unknown: pending.unknown, room, sent_us, done };
        let result = match inside.pipeline.send(batch) {
            Ok(()) => acknowledged.await.or(Err(Refused::Stopped)),
            Err(refused) => Err(refused),
        };
        pending.round.complete(result);
    }
    inside.flushing.set(false);
}
