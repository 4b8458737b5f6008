//! The owner's thread: wakes for deadlines and boards, takes the batches that wait, answers queries.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::handle::{Poisoned, Shared};

/// Works until it is told to stop, or until somebody who held the core has panicked.
pub(super) fn run(shared: &Arc<Shared>) {
    let ended = catch_unwind(AssertUnwindSafe(|| work(shared)));
    if !matches!(ended, Ok(Ok(()))) {
        shared.figures.dead.store(true, Ordering::Relaxed);
        if let Ok(mut core) = shared.core() {
            core.closed = true;
        }
        tracing::error!(subsystem = "correlator", "the correlator panicked: nothing is judged any more");
    }
    shared.mailbox.close();
    shared.ended.send_replace(true);
}

fn work(shared: &Shared) -> Result<(), Poisoned> {
    loop {
        let wake_us = {
            let mut core = shared.core()?;
            core.watched_us = core.wake_us();
            core.watched_us
        };
        let patience_us = wake_us.saturating_sub(shared.clock.now_us());
        let work = shared.mailbox.take(Duration::from_micros(patience_us));
        shared.figures.beat_us.store(shared.clock.now_us(), Ordering::Relaxed);
        // Here a journal takes all batches, with their arrival, and syncs once.
        for batch in work.batches {
            let mut core = shared.core()?;
            let stretches = batch.stretches.iter().map(|stretch| (stretch.events, stretch.input, &stretch.by));
            let gone = core.take(shared, batch.reports, stretches, batch.unknown, Some(batch.sent_us));
            if let Some((input, positions)) = batch.positions {
                core.positions.take(&input, &positions);
            }
            core.publish_if_due(shared);
            drop((core, batch.room));
            // The sender may have gone away; what it sent has counted all the same.
            drop(batch.done.send(gone));
        }
        let mut core = shared.core()?;
        core.work_off_due(shared);
        for query in work.queries {
            core.answer(shared, query);
        }
        if work.stop {
            core.publish(shared);
            core.closed = true;
            return Ok(());
        }
        core.publish_if_due(shared);
    }
}
