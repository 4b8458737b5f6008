//! The journal as the owner keeps it: what is listed is written, and only then it happens.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{error, info};

use super::committer::Committer;
use super::core::Core;
use super::handle::Shared;
use super::intake::{Batch, Refused};
use super::observed::Stretch;
use super::query::Query;
use super::shutter::Shutter;
use crate::clock::SECOND_US;
use crate::engine::Entry;
use crate::journal::{self, Happening};
use crate::store::{Limits, Log, frame};

/// Syncs begin at least this long after one another: many batches share one.
const COMMIT_US: u64 = 2_000;
/// Where nothing happens, the passing of time is written this often.
const BEAT_US: u64 = SECOND_US;
/// Where the journal could not be written, it is tried again after this long.
const RETRY_US: u64 = SECOND_US;
/// A write that takes longer than this hangs.
const HANG_US: u64 = 5 * SECOND_US;
/// To a record with this many events no more are added.
const EVENTS_MAX: usize = 64 * 1024;

/// What is being written.
struct Flight {
    happenings: Vec<Happening>,
    /// The sequence of the first.
    first: u64,
    /// The batches that it holds, with the places of what was not taken.
    batches: Vec<(Batch, Vec<usize>)>,
    queries: Vec<Query>,
    begun_us: u64,
    bytes: u64,
}

/// We take nothing, because nothing can be written.
struct Outage {
    /// The moment of the last that was written.
    since_us: u64,
    /// When it is tried again.
    retry_us: u64,
}

/// Writes what is listed, and has it happen when it is written.
pub(super) struct Keeper {
    committer: Committer,
    shutter: Shutter,
    /// The sequence of the last record that is written.
    written: u64,
    /// A sum over what names nodes and inputs, after all that is listed.
    sum: u32,
    flight: Option<Flight>,
    outage: Option<Outage>,
    /// The memory of the last write.
    spare: Vec<u8>,
    /// When the last write was begun.
    begun_us: u64,
    /// Whether the first write has ended, well or not.
    pub(super) begun: bool,
    /// What came and is not listed.
    batches: VecDeque<Batch>,
    queries: Vec<Query>,
}

impl Keeper {
    /// Goes on behind the record `written`, with what `core` observes.
    pub(super) fn start(
        shared: &Arc<Shared>,
        mut log: Log,
        (limits, written, unsaved_bytes): (Limits, u64, u64),
        core: &Core,
    ) -> io::Result<Self> {
        let preface = journal::write_system(&core.observed().system);
        let sum = journal::system_sum(&core.observed().system);
        log.set_preface(preface);
        Ok(Self {
            committer: Committer::start(shared, log)?,
            shutter: Shutter::new(Arc::clone(shared), limits, unsaved_bytes),
            written,
            sum,
            flight: None,
            outage: None,
            spare: Vec::new(),
            begun_us: 0,
            begun: false,
            batches: VecDeque::new(),
            queries: Vec::new(),
        })
    }

    /// Takes what has come.
    pub(super) fn take(&mut self, core: &mut Core, batches: Vec<Batch>, queries: Vec<Query>) {
        self.batches.extend(batches);
        for query in queries {
            match query {
                Query::Edge { stream, from, to, answer } => {
                    // Whoever asked may have gone away.
                    drop(answer.send(core.edge(&stream, &from, &to)));
                }
                query => self.queries.push(query),
            }
        }
        // While nothing can be written, what comes is refused, unless its input keeps it.
        if self.outage.is_some() && self.batches.iter().any(|batch| batch.positions.is_none()) {
            self.batches = std::mem::take(&mut self.batches).into_iter().filter_map(refuse).collect();
        }
    }

    /// When there is something to do though nobody sends anything. A write that ends wakes the owner by itself.
    pub(super) fn wake_us(&self, core: &mut Core) -> u64 {
        let board_us = core.board_due_us();
        if self.flight.is_some() {
            // Often enough to see that it hangs, too.
            return board_us;
        }
        let next_us = match &self.outage {
            Some(outage) => outage.retry_us.min(core.due_us()),
            None if self.waits(core) => 0,
            None => core.due_us().min(core.front.listed_us + BEAT_US).min(core.look_us()),
        };
        next_us.max(self.begun_us + COMMIT_US).min(board_us)
    }

    fn waits(&self, core: &Core) -> bool {
        !self.batches.is_empty() || !self.queries.is_empty() || !core.front.is_empty()
    }

    /// Whether all that came has happened.
    pub(super) fn is_done(&self) -> bool {
        self.flight.is_none() && (self.outage.is_some() || (self.batches.is_empty() && self.queries.is_empty()))
    }

    /// One round: what is written happens, while the next is being written.
    pub(super) fn work(&mut self, shared: &Shared, core: &mut Core) {
        let mut landed = self.land(shared, core);
        // What has come is written while this happens; else what falls due is looked for when it has happened.
        if (self.outage.is_some() || !self.waits(core))
            && let Some(flight) = landed.take()
        {
            self.happen(shared, core, flight);
        }
        let now_us = shared.clock.now_us();
        if self.flight.is_none() && now_us >= self.begun_us + COMMIT_US {
            match self.outage.as_ref().map(|outage| (outage.since_us, outage.retry_us)) {
                Some((since_us, retry_us)) if now_us >= retry_us => {
                    let gap = Happening::new(Entry::Gap { from_us: since_us, until_us: now_us }, now_us);
                    self.write(vec![gap], Vec::new(), Vec::new(), now_us);
                }
                Some(_) => core.judge_paused(shared, now_us, self.written + 1),
                None => self.list(shared, core, now_us),
            }
        }
        if let Some(flight) = landed {
            self.happen(shared, core, flight);
        }
        let hangs = self.flight.as_ref().is_some_and(|flight| now_us > flight.begun_us + HANG_US);
        shared.figures.journal.hangs.store(hangs, Ordering::Relaxed);
        if self.outage.is_none() {
            self.shutter.click(core, self.written, now_us);
        }
    }

    /// Writes a snapshot of all that has happened, and waits for it. What has been judged since nothing can be written is
    /// judged again at the next start.
    pub(super) fn close(&mut self, core: &Core) {
        if self.outage.is_none() {
            self.shutter.close(core, self.written);
        }
    }

    /// Whether something is being written, or has been and has not happened yet.
    pub(super) fn is_writing(&self) -> bool {
        self.flight.is_some()
    }

    /// Writes what waits to be written, where no thread does.
    pub(super) fn step(&mut self) {
        self.committer.step();
    }

    /// Whether nothing will be written any more: then the owner must begin again.
    pub(super) fn is_broken(&self) -> bool {
        self.committer.is_gone()
    }

    /// Has what waits written.
    fn list(&mut self, shared: &Shared, core: &mut Core, now_us: u64) {
        core.front.look_around(shared, now_us);
        let batches = self.list_batches(core, now_us);
        // What was handed over before counts before.
        let queries = if self.batches.is_empty() { std::mem::take(&mut self.queries) } else { Vec::new() };
        for query in &queries {
            match query {
                Query::Input { name, news, gaps, .. } => {
                    core.front.list_news(shared, name, news.clone(), *gaps, now_us);
                }
                Query::Reload { observed, .. } => core.front.list_reload(Arc::clone(observed), now_us),
                Query::Edge { .. } => {}
            }
        }
        let due = core.front.is_empty() && (now_us >= core.due_us() || now_us >= core.front.listed_us + BEAT_US);
        if due {
            core.front.list_beat(now_us);
        }
        if !core.front.is_empty() {
            let happenings = core.front.take();
            self.write(happenings, batches, queries, now_us);
        }
    }

    /// Lists the events of all batches that wait, as one.
    fn list_batches(&mut self, core: &mut Core, now_us: u64) -> Vec<(Batch, Vec<usize>)> {
        let mut batches = Vec::new();
        let (mut events, mut unknown, mut positions) = (core.front.room(), Vec::new(), Vec::new());
        while events.len() < EVENTS_MAX
            && let Some(mut batch) = self.batches.pop_front()
        {
            unknown.extend(batch.unknown.iter().cloned());
            let stretches = batch.stretches.iter().map(Stretch::parts);
            // Those of an input that can read them again later are kept, in case that nothing can be written.
            let reports =
                if batch.positions.is_some() { batch.reports.clone() } else { std::mem::take(&mut batch.reports) };
            let gone = core.front.events(reports, stretches, &mut unknown, now_us, &mut events);
            positions.extend(batch.positions.iter().map(|(input, positions)| (input.to_string(), positions.clone())));
            batches.push((batch, gone));
        }
        if !batches.is_empty() {
            core.front.list_events(events, unknown, positions, now_us);
        }
        batches
    }

    fn write(
        &mut self,
        happenings: Vec<Happening>,
        batches: Vec<(Batch, Vec<usize>)>,
        queries: Vec<Query>,
        now_us: u64,
    ) {
        let first = self.written + 1;
        let mut records = std::mem::take(&mut self.spare);
        let mut preface = None;
        for (happening, sequence) in happenings.iter().zip(first..) {
            frame(&mut records, sequence, |out| journal::write(happening, self.sum, out));
            if let Entry::Reload(system) = &happening.entry {
                self.sum = journal::system_sum(system);
                preface = Some(journal::write_system(system));
            }
        }
        self.begun_us = now_us;
        let bytes = records.len() as u64;
        self.committer.write(first, records, preface);
        self.flight = Some(Flight { happenings, first, batches, queries, begun_us: now_us, bytes });
    }

    /// Looks whether the write has ended. Answers what was written.
    fn land(&mut self, shared: &Shared, core: &mut Core) -> Option<Flight> {
        self.flight.as_ref()?;
        let (result, spare) = self.committer.ended()?;
        self.spare = spare;
        let flight = self.flight.take()?;
        self.begun = true;
        if let Err(error) = result {
            self.fail(shared, core, flight, &error);
            return None;
        }
        self.written = flight.first + flight.happenings.len() as u64 - 1;
        self.shutter.wrote(flight.bytes);
        shared.figures.journal.wrote(shared.clock.now_us(), flight.begun_us, flight.bytes);
        Some(flight)
    }

    /// What is written happens, and is acknowledged.
    fn happen(&mut self, shared: &Shared, core: &mut Core, flight: Flight) {
        if self.outage.take().is_some() {
            // What lies in the gap has been judged already.
            for (gap, sequence) in flight.happenings.iter().zip(flight.first..) {
                core.resume(shared, gap.now_us, sequence);
            }
            core.front.listed_us = core.kept.engine.now_us();
            core.front.awake_us = core.front.listed_us;
            // What was refused meanwhile lies in the gap, but for what came while that was written.
            shared.refusals.forget(core.front.listed_us);
            shared.gaps.send_modify(|gaps| *gaps += 1);
            shared.figures.gaps.fetch_add(1, Ordering::Relaxed);
            shared.figures.journal.heal();
            info!(subsystem = "store", "the journal is written again: events are taken");
        } else {
            for (batch, _) in &flight.batches {
                core.note_sent(batch.sent_us);
            }
            for (happening, sequence) in flight.happenings.into_iter().zip(flight.first..) {
                core.apply(shared, &happening, sequence);
                core.front.recycle(happening);
            }
        }
        if flight.queries.iter().any(|query| matches!(query, Query::Reload { .. })) {
            core.publish(shared);
        }
        for (batch, gone) in flight.batches {
            let Batch { room, done, .. } = batch;
            drop(room);
            // The sender may have gone away; what it sent has counted all the same.
            drop(done.send(Ok(gone)));
        }
        for query in flight.queries {
            match query {
                Query::Input { answer, .. } | Query::Reload { answer, .. } => answer.send(()).unwrap_or_default(),
                Query::Edge { .. } => {}
            }
        }
    }

    /// Nothing can be written: what waits is refused, or waits on; what is known goes on being judged.
    fn fail(&mut self, shared: &Shared, core: &mut Core, flight: Flight, error: &io::Error) {
        let since_us = core.kept.engine.now_us();
        let outage = self.outage.get_or_insert(Outage { since_us, retry_us: 0 });
        outage.retry_us = shared.clock.now_us() + RETRY_US;
        if shared.figures.journal.fail(error) {
            error!(subsystem = "store", %error, "the journal cannot be written: events are refused until it can");
            core.pause(shared, self.written + 1);
        }
        core.front.forget(Arc::clone(core.observed()), since_us);
        self.sum = journal::system_sum(&core.observed().system);
        // What was listed is not known to be kept. Whoever keeps it waits; the others are told.
        let mut waiting: Vec<Batch> = flight.batches.into_iter().map(|(batch, _)| batch).collect();
        waiting.extend(self.batches.drain(..));
        self.batches.extend(waiting.into_iter().filter_map(refuse));
        let mut queries = flight.queries;
        queries.append(&mut self.queries);
        self.queries = queries;
    }
}

/// Refuses a batch, unless its input keeps it.
fn refuse(batch: Batch) -> Option<Batch> {
    if batch.positions.is_some() {
        return Some(batch);
    }
    drop(batch.room);
    // The sender may have gone away.
    drop(batch.done.send(Err(Refused::Unwritable)));
    None
}
