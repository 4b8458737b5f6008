//! The journal as the owner keeps it: what is listed is written, and only then it happens.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{error, info};

use super::asked::{Asked, Waiting};
use super::committer::Committer;
use super::core::Core;
use super::front::TOGETHER_US;
use super::handle::Shared;
use super::intake::Batch;
use super::mailbox::Came;
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

/// What is being written.
struct Flight {
    happenings: Vec<Happening>,
    /// The sequence of the first.
    first: u64,
    asked: Asked,
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
    /// Who waits for what is listed and is not being written.
    asked: Asked,
    /// What waits until something can be written again.
    waiting: Waiting,
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
            asked: Asked::default(),
            waiting: Waiting::default(),
        })
    }

    /// Takes what has come: it is listed by the moment at which it was handed over, whatever is being written now.
    pub(super) fn take(&mut self, shared: &Shared, core: &mut Core, came: Vec<(u64, Came)>, now_us: u64) {
        if !came.is_empty() {
            core.front.calm_until_us = core.kept.engine.calm_until_us();
        }
        if self.outage.is_none() {
            for came in self.waiting.take() {
                self.list(shared, core, came, core.front.listed_us);
            }
        }
        for (at_us, came) in came {
            match came {
                Came::Query(Query::Edge { stream, from, to, answer }) => {
                    // Whoever asked may have gone away.
                    drop(answer.send(core.edge(&stream, &from, &to)));
                }
                // While nothing can be written, what comes is refused, unless its input keeps it.
                came if self.outage.is_some() => self.waiting.keep(came),
                came => self.list(shared, core, came, at_us.max(core.front.listed_us)),
            }
        }
        if self.outage.is_none() {
            self.look_around(shared, core, now_us);
        }
    }

    /// Looks around, and at who waits for us.
    fn look_around(&self, shared: &Shared, core: &mut Core, now_us: u64) {
        let flying_us = self.flight.as_ref().and_then(|flight| flight.asked.since_us);
        core.front.note_wait(shared, flying_us.or(self.asked.since_us), now_us);
        core.front.look_around(shared, now_us);
    }

    /// Lists what came at a moment.
    fn list(&mut self, shared: &Shared, core: &mut Core, came: Came, at_us: u64) {
        self.look_around(shared, core, at_us);
        match came {
            Came::Batch(mut batch) => {
                // What an input can read again later is kept, in case that nothing can be written.
                let keeps = batch.positions.is_some();
                let reports = if keeps { batch.reports.clone() } else { std::mem::take(&mut batch.reports) };
                let positions = batch.positions.as_ref().map(|(input, at)| (input.to_string(), at.clone()));
                let stretches = batch.stretches.iter().map(Stretch::parts);
                let moment = (at_us, shared.clock.ahead_us());
                let gone = core.front.list_events(reports, stretches, batch.unknown.clone(), positions, moment);
                self.asked.list_batch(batch, gone, at_us);
            }
            Came::Query(query) => {
                match &query {
                    Query::Input { name, news, gaps } => {
                        core.front.list_news(shared, name, news.clone(), *gaps, at_us);
                    }
                    Query::Reload { observed, .. } => core.front.list_reload(Arc::clone(observed), at_us),
                    Query::Edge { .. } => {}
                }
                self.asked.list_query(query);
            }
        }
    }

    /// When there is something to do though nobody sends anything. A write that ends wakes the owner by itself.
    pub(super) fn wake_us(&self, shared: &Shared, core: &mut Core) -> u64 {
        let board_us = core.board_due_us();
        let passes = !shared.mailbox.is_closing();
        if self.flight.is_some() {
            // Often enough to see that it hangs, too.
            return if passes && self.outage.is_none() { board_us.min(core.look_us()) } else { board_us };
        }
        let next_us = match &self.outage {
            Some(outage) if passes => outage.retry_us.min(core.due_us()),
            Some(outage) => outage.retry_us,
            None if !core.front.is_empty() || !self.waiting.is_empty() => 0,
            // Nobody waits any more: that is to be seen at once.
            None if passes && core.front.is_stalled() => 0,
            None if passes => core.due_us().min(core.front.listed_us + BEAT_US).min(core.look_us()),
            None => board_us,
        };
        next_us.max(self.begun_us + COMMIT_US).min(board_us)
    }

    /// Whether all that came has happened.
    pub(super) fn is_done(&self, core: &Core) -> bool {
        self.flight.is_none() && (self.outage.is_some() || (core.front.is_empty() && self.waiting.is_empty()))
    }

    /// One round: what is written happens, while the next is being written. `now_us`: until when all that came is listed.
    pub(super) fn work(&mut self, shared: &Shared, core: &mut Core, now_us: u64) {
        let mut landed = self.land(shared, core);
        // What has come is written while this happens; else what falls due is looked for when it has happened.
        if (self.outage.is_some() || core.front.is_empty())
            && let Some(flight) = landed.take()
        {
            self.happen(shared, core, flight);
        }
        // Where the server stops, the clock goes on though no time passes any more.
        let clock_us = shared.clock.now_us();
        if self.flight.is_none() && clock_us >= self.begun_us + COMMIT_US {
            match self.outage.as_ref().map(|outage| (outage.since_us, outage.retry_us)) {
                Some((since_us, retry_us)) if clock_us >= retry_us => {
                    let gap = Happening::new(Entry::Gap { from_us: since_us, until_us: now_us }, now_us);
                    self.write(shared, vec![gap]);
                }
                Some(_) => core.judge_paused(shared, now_us, self.written + 1),
                None => self.begin(shared, core, now_us),
            }
        }
        if let Some(flight) = landed {
            self.happen(shared, core, flight);
        }
        let hangs = self.flight.as_ref().is_some_and(|flight| clock_us > flight.begun_us + HANG_US);
        shared.figures.journal.hangs.store(hangs, Ordering::Relaxed);
        if self.outage.is_none() {
            self.shutter.click(core, self.written, clock_us);
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

    /// Has what is listed written, and that time has passed where that is worth it.
    fn begin(&mut self, shared: &Shared, core: &mut Core, now_us: u64) {
        // Where nothing could be written until now, nobody has looked yet.
        self.look_around(shared, core, now_us);
        let listed_us = core.front.listed_us;
        let passes = if core.front.is_empty() {
            now_us >= core.due_us() || now_us >= listed_us + BEAT_US
        } else {
            // That we ran until now is known as soon as what came before is.
            now_us > listed_us + TOGETHER_US
        };
        if passes {
            core.front.list_beat(now_us);
        }
        if !core.front.is_empty() {
            let happenings = core.front.take();
            self.write(shared, happenings);
        }
    }

    fn write(&mut self, shared: &Shared, happenings: Vec<Happening>) {
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
        let begun_us = shared.clock.now_us();
        self.begun_us = begun_us;
        let bytes = records.len() as u64;
        self.committer.write(first, records, preface);
        let asked = if self.outage.is_some() { Asked::default() } else { std::mem::take(&mut self.asked) };
        self.flight = Some(Flight { happenings, first, asked, begun_us, bytes });
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
            if let Some(since_us) = flight.asked.since_us {
                core.note_sent(since_us);
            }
            for (happening, sequence) in flight.happenings.into_iter().zip(flight.first..) {
                core.apply(shared, &happening, sequence);
                core.front.recycle(happening);
            }
        }
        let Asked { batches, queries, .. } = flight.asked;
        if queries.iter().any(|query| matches!(query, Query::Reload { .. })) {
            core.publish(shared);
        }
        for (batch, gone) in batches {
            let Batch { room, done, .. } = batch;
            drop(room);
            // The sender may have gone away; what it sent has counted all the same.
            drop(done.send(Ok(gone)));
        }
        for query in queries {
            if let Query::Reload { answer, .. } = query {
                answer.send(()).unwrap_or_default();
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
        for asked in [flight.asked, std::mem::take(&mut self.asked)] {
            self.waiting.keep_all(asked);
        }
    }
}
