//! Recorded events from files of NDJSON or logs, judged by their own timestamps.
//!
//! The arrival clock is the largest timestamp accepted so far; a refused event does not move it.
//! Files are streamed: however large they are, a chunk of each is in memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, mem, thread};

use crate::board::{Board, UnknownSender};
use crate::engine::Engine;
use crate::event::Event;
use crate::graph::{NodeIndex, System};
use crate::outcome::Status;

use super::body::Reason;
use super::merge::{Merge, Reader, Recorded, RefusedLine};
use super::recording::Recording;

/// How many refused lines are named; the rest are counted.
pub const REJECTED_MAX: usize = 10;
/// How many unknown senders are told apart; the events of further ones are counted with the rest.
pub const UNKNOWN_SENDERS_MAX: usize = 1_000;
/// After how many events progress is told and transitions, which nobody reads, are let go.
const ROUND_EVENTS: u64 = 4_096;
/// How many events the core is given together.
const TOGETHER_EVENTS: usize = 256;

/// What became of recorded events.
#[derive(Clone, Debug)]
pub struct ReplayReport {
    /// The picture at the end.
    pub board: Board,
    /// By stream and edge: the worst status that the edge had at any time.
    pub worst: Vec<Vec<Status>>,
    /// What was read.
    pub counts: ReplayCounts,
}

/// How many events were read, and what was wrong with the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    /// Events that were taken, duplicates and those of unknown senders included.
    pub accepted: u64,
    /// Lines that were refused.
    pub rejected: u64,
    /// Those of them that were refused for each [`Reason`], in the order of [`Reason::ALL`].
    pub rejected_by_reason: [u64; Reason::ALL.len()],
    /// The first [`REJECTED_MAX`] of them.
    pub first_rejected: Vec<RejectedLine>,
}

/// A recorded line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedLine {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub error: String,
}

impl fmt::Display for RejectedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.error)
    }
}

/// A file could not be read, or standard input was named twice (then the error says so).
#[derive(Debug)]
pub struct ReplayError {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to read {}: {}", self.file.display(), self.source)
    }
}

impl Error for ReplayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Judges what stands in `files`. `settle`: what is in flight at the end is judged, too. `progress` is told now and
/// then how many bytes have been read, as they lie on the disk.
pub fn run(
    system: &Arc<System>,
    files: &[Recording],
    settle: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<ReplayReport, ReplayError> {
    let bytes = Arc::new(AtomicU64::new(0));
    let opened = open(files, &bytes)?;
    let nodes = NodeIndex::new(system);
    thread::scope(|scope| {
        let reader = |file| Reader::new(file, &nodes, system.accept_unknown);
        let merge = Merge::new(scope, opened.into_iter().zip(files).map(|(open, file)| (open, reader(file))));
        let report = judge(system, merge, files, settle, &mut || progress(bytes.load(Ordering::Relaxed)));
        report.map_err(|(file, source)| ReplayError { file: files[file].path.clone(), source })
    })
}

/// Judges all that comes.
fn judge(
    system: &Arc<System>,
    mut merge: Merge,
    files: &[Recording],
    settle: bool,
    progress: &mut dyn FnMut(),
) -> Result<ReplayReport, (usize, io::Error)> {
    let mut counts = ReplayCounts::default();
    let mut refuse = |line: RefusedLine| counts.refuse(line, files);
    merge.start(&mut refuse)?;
    let mut judge: Option<Judge> = None;
    let mut accepted = 0;
    while let Some(event) = merge.next(&mut refuse)? {
        let judge = judge.get_or_insert_with(|| Judge::new(system, event.timestamp_us()));
        judge.take(event);
        accepted += 1;
        if accepted % ROUND_EVENTS == 0 {
            drop(judge.engine.take_transitions());
            progress();
        }
    }
    progress();
    counts.accepted = accepted;
    Ok(judge.unwrap_or_else(|| Judge::new(system, 0)).report(settle, counts))
}

/// Opens all files before the first is read.
fn open(files: &[Recording], bytes: &Arc<AtomicU64>) -> Result<Vec<Box<dyn Read + Send>>, ReplayError> {
    let mut opened = Vec::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        let failed = |source| ReplayError { file: file.path.clone(), source };
        if file.is_stdin() && files[..place].iter().any(Recording::is_stdin) {
            return Err(failed(io::Error::other("standard input can be named only once")));
        }
        opened.push(file.open(bytes).map_err(failed)?);
    }
    Ok(opened)
}

impl ReplayCounts {
    fn refuse(&mut self, line: RefusedLine, files: &[Recording]) {
        self.rejected += 1;
        self.rejected_by_reason[line.refusal.reason as usize] += 1;
        if self.first_rejected.len() < REJECTED_MAX {
            let (file, line, error) = (files[line.file].path.clone(), line.line, line.refusal.error);
            self.first_rejected.push(RejectedLine { file, line, error });
        }
    }
}

/// The core, and those whom it does not know.
struct Judge {
    engine: Engine,
    /// What the core has not been given yet: it takes many events faster than one by one.
    read: Vec<Event>,
    unknown: HashMap<String, u64>,
}

impl Judge {
    fn new(system: &Arc<System>, start_us: u64) -> Self {
        // The keys change no verdict; they only keep a recording from choosing tokens that collide.
        let keys = RandomState::new();
        let seed = (keys.hash_one(0), keys.hash_one(1));
        let engine = Engine::new(Arc::clone(system), start_us, seed);
        Self { engine, read: Vec::with_capacity(TOGETHER_EVENTS), unknown: HashMap::new() }
    }

    fn take(&mut self, event: Recorded) {
        match event {
            Recorded::Known(event) => {
                self.read.push(event);
                if self.read.len() == TOGETHER_EVENTS {
                    self.give();
                }
            }
            Recorded::Unknown { name, timestamp_us } => {
                self.give();
                self.engine.advance(timestamp_us);
                if self.unknown.len() < UNKNOWN_SENDERS_MAX || self.unknown.contains_key(&name) {
                    *self.unknown.entry(name).or_default() += 1;
                }
            }
        }
    }

    /// Gives the core what has been read.
    fn give(&mut self) {
        self.engine.accept_recorded(&self.read);
        self.read.clear();
    }

    fn report(mut self, settle: bool, counts: ReplayCounts) -> ReplayReport {
        self.give();
        if settle {
            self.engine.settle();
        }
        self.engine.look_at_all();
        let mut board = self.engine.board();
        let mut unknown: Vec<_> =
            mem::take(&mut self.unknown).into_iter().map(|(name, events)| UnknownSender { name, events }).collect();
        unknown.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
        board.unknown_senders = unknown;
        let worst = board
            .streams
            .iter()
            .enumerate()
            .map(|(stream, shown)| (0..shown.edges.len()).map(|edge| self.engine.worst(stream, edge)).collect());
        ReplayReport { worst: worst.collect(), board, counts }
    }
}
