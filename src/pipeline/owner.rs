//! The owner's thread: wakes for deadlines and boards, takes the batches that wait, answers queries.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::handle::{Poisoned, Shared};
use super::keeper::Keeper;
use super::mailbox::{Came, Work};
use super::observed::Stretch;
use super::opening;

/// Where the owner panics so often without getting on, starting it again does not help.
const PANICS_MAX: u32 = 3;

/// Works until it is told to stop. Where somebody has panicked who held the core, or who writes the journal, what is kept
/// is read again, if it is kept; else this is the end. `started` is told when the first of the list has happened.
pub(super) fn run(shared: &Arc<Shared>, mut keeper: Option<Keeper>, started: &SyncSender<()>) {
    let mut panics = 0;
    let journal = keeper.is_some();
    loop {
        let written = shared.figures.journal.syncs.load(Ordering::Relaxed);
        let ended = catch_unwind(AssertUnwindSafe(|| work(shared, keeper.take(), started)));
        if matches!(ended, Ok(Ok(()))) {
            break;
        }
        // Whoever got on writes more than that we came back.
        panics = if shared.figures.journal.syncs.load(Ordering::Relaxed) > written + 1 { 1 } else { panics + 1 };
        if !journal || panics > PANICS_MAX || !reopen(shared, &mut keeper) {
            shared.figures.dead.store(true, Ordering::Relaxed);
            if let Ok(mut core) = shared.core() {
                core.closed = true;
            }
            tracing::error!(subsystem = "correlator", "the correlator panicked: nothing is judged any more");
            break;
        }
    }
    shared.mailbox.close();
    shared.ended.send_replace(true);
}

/// Reads what is kept again, after a panic.
fn reopen(shared: &Arc<Shared>, keeper: &mut Option<Keeper>) -> bool {
    for _ in 0..PANICS_MAX {
        shared.figures.restarts.fetch_add(1, Ordering::Relaxed);
        tracing::error!(subsystem = "correlator", "the correlator panicked: it starts again from the journal");
        match catch_unwind(AssertUnwindSafe(|| opening::again(shared))) {
            Ok(Ok(opened)) => {
                *keeper = opened;
                return keeper.is_some();
            }
            Ok(Err(error)) => tracing::error!(subsystem = "store", %error, "the journal cannot be read"),
            Err(_panic) => {}
        }
    }
    false
}

/// Round after round, until it is told to stop.
fn work(shared: &Shared, mut keeper: Option<Keeper>, started: &SyncSender<()>) -> Result<(), Poisoned> {
    loop {
        let patience_us = wake_us(shared, keeper.as_ref())?.saturating_sub(shared.clock.now_us());
        let busy = keeper.as_ref().is_some_and(Keeper::is_writing);
        let work = shared.mailbox.take(Duration::from_micros(patience_us), busy);
        let over = round(shared, keeper.as_mut(), work)?;
        if keeper.as_ref().is_some_and(|keeper| keeper.begun) {
            // Nobody may wait for it any more.
            started.try_send(()).unwrap_or_default();
        }
        if over {
            return Ok(());
        }
    }
}

/// When the next round is due though nobody sends anything.
pub(super) fn wake_us(shared: &Shared, keeper: Option<&Keeper>) -> Result<u64, Poisoned> {
    let mut core = shared.core()?;
    if let Some(keeper) = keeper {
        return Ok(keeper.wake_us(shared, &mut core));
    }
    core.watched_us = core.wake_us(shared);
    Ok(core.watched_us)
}

/// One round: takes what has come. Answers whether that was the last.
pub(super) fn round(shared: &Shared, keeper: Option<&mut Keeper>, work: Work) -> Result<bool, Poisoned> {
    shared.figures.beat_us.store(shared.clock.now_us(), Ordering::Relaxed);
    match keeper {
        Some(keeper) => round_and_keep(shared, keeper, work),
        None => round_at_once(shared, work),
    }
}

/// Where all that happens counts at once.
fn round_at_once(shared: &Shared, work: Work) -> Result<bool, Poisoned> {
    for (at_us, came) in work.came {
        let mut core = shared.core()?;
        let batch = match came {
            Came::Batch(batch) => batch,
            Came::Query(query) => {
                core.answer(shared, query);
                continue;
            }
        };
        let stretches = batch.stretches.iter().map(Stretch::parts);
        let gone = core.take(shared, batch.reports, stretches, batch.unknown, Some(at_us));
        if let Some((input, positions)) = batch.positions {
            core.kept.positions.take(&input, &positions);
        }
        core.publish_if_due(shared);
        drop((core, batch.room));
        // The sender may have gone away; what it sent has counted all the same.
        drop(batch.done.send(Ok(gone)));
    }
    let mut core = shared.core()?;
    core.work_off_due(shared);
    if work.stop {
        core.beat(shared);
        core.publish(shared);
        core.closed = true;
        return Ok(true);
    }
    core.publish_if_due(shared);
    Ok(false)
}

/// Where nothing happens that is not kept: it correlates what is written while the next is being written.
fn round_and_keep(shared: &Shared, keeper: &mut Keeper, work: Work) -> Result<bool, Poisoned> {
    let mut core = shared.core()?;
    keeper.take(shared, &mut core, work.came, work.now_us);
    keeper.work(shared, &mut core, work.now_us);
    if keeper.is_broken() {
        return Err(Poisoned);
    }
    if work.stop && keeper.is_done(&core) {
        core.publish(shared);
        keeper.close(&core);
        core.closed = true;
        return Ok(true);
    }
    core.show_if_due(shared);
    Ok(false)
}
