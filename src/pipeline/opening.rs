//! Opens the journal: what was kept comes back, and the time since counts as one in which we did not run.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;

use tracing::{info, warn};

use super::core::Core;
use super::handle::Shared;
use super::keeper::Keeper;
use super::observed::Observed;
use crate::board::Board;
use crate::clock::Clock;
use crate::graph::System;
use crate::journal::{self, Begin, Kept, Played};
use crate::store::{Disk, Files, Limits, Log};

/// A segment is closed when it has grown to this.
const SEGMENT_BYTES: u64 = 64 << 20;

/// However little time has passed by the clock: a time in which we were away is not nothing.
const AWAY_MIN_US: u64 = 1;

/// Where the journal is kept, and how much of it.
#[derive(Clone)]
pub struct Journal {
    /// The folder.
    pub disk: Arc<dyn Disk>,
    /// What is let go.
    pub limits: Limits,
}

/// Random keys, so that no sender can choose tokens that collide.
fn seed() -> (u64, u64) {
    (RandomState::new().hash_one(0_u8), RandomState::new().hash_one(1_u8))
}

/// What was kept, or a beginning, and how far it is written.
struct Opened {
    kept: Kept,
    /// Whether anything was kept.
    old: bool,
    written: u64,
    unsaved_bytes: u64,
}

/// Reads what was kept; where that is nothing, begins with the system at a moment.
fn open(journal: &Journal, system: &Arc<System>, now_us: u64) -> io::Result<Opened> {
    let Played { kept, sequence, bytes, lost, begun, .. } =
        journal::play(&*journal.disk, Begin::Newest, None, seed(), |_, _, _, _| {})?;
    if !lost.is_none() {
        let journal::Lost { files, unreadable, snapshots } = lost;
        let (records, strays, segments) = (files.records, files.bytes, files.segments);
        warn!(
            subsystem = "store",
            records, unreadable, snapshots, segments, strays, "some of the journal is lost: all else is read"
        );
    }
    // What comes next rests on what is read: where that was written and not synced, a power cut would take it alone.
    if let Err(error) = Files::of(&*journal.disk).and_then(|files| files.sync(&*journal.disk)) {
        warn!(subsystem = "store", %error, "what is read of the journal may not outlast a power cut");
    }
    let old = kept.is_some();
    if let Some(kept) = &kept {
        info!(
            subsystem = "store",
            snapshot = begun,
            last = sequence,
            tokens = kept.engine.tokens(),
            "the journal is read"
        );
    }
    let kept = kept.unwrap_or_else(|| Kept::live(Arc::clone(system), now_us, seed()));
    Ok(Opened { kept, old, written: sequence, unsaved_bytes: bytes })
}

impl Opened {
    /// The core that goes on from there, with what it owes: we were down, and the manifest may be another. And how far the
    /// journal is written, with the bytes since the last snapshot.
    fn core(self, observed: Arc<Observed>, now_us: u64) -> (Core, Board, (u64, u64)) {
        let Self { mut kept, old, written, unsaved_bytes } = self;
        let differs = kept.differs(&observed.system);
        let before = if differs { Observed::new(Arc::clone(&kept.system)) } else { Arc::clone(&observed) };
        let board = kept.board();
        let mut core = Core::new(kept, before, &board, now_us);
        if old {
            let ms = now_us.saturating_sub(core.front.listed_us) / 1_000;
            info!(subsystem = "store", ms, "the server was not there: what came then is not judged");
            core.front.come_back(now_us);
        } else {
            core.front.list_beat(now_us);
        }
        if differs {
            core.front.list_reload(observed, now_us);
        }
        (core, board, (written, unsaved_bytes))
    }
}

/// A clock that goes on from where the journal ends, if the wall clock was set back while we were down. It loses a tenth of
/// the time, until it is the wall clock's again: so nothing is ever judged too early, and no moment comes twice.
struct Ahead {
    clock: Arc<dyn Clock>,
    /// How far it was ahead.
    by_us: u64,
    /// When that was, by the other clock.
    since_us: u64,
}

/// Of the time that passes, [`Ahead`] loses one part in this.
const LOSES: u64 = 10;

impl Ahead {
    fn left_us(&self, now_us: u64) -> u64 {
        self.by_us.saturating_sub(now_us.saturating_sub(self.since_us) / LOSES)
    }
}

impl Clock for Ahead {
    fn now_us(&self) -> u64 {
        let now_us = self.clock.now_us();
        now_us + self.left_us(now_us)
    }

    fn ahead_us(&self) -> u64 {
        self.left_us(self.clock.now_us())
    }
}

/// What a pipeline begins with.
pub(super) struct Beginning {
    pub(super) core: Core,
    pub(super) board: Board,
    pub(super) clock: Arc<dyn Clock>,
    /// How far the journal is written, and its bytes since the last snapshot.
    pub(super) written: (u64, u64),
}

/// Begins with what was kept, or anew.
pub(super) fn begin(
    journal: Option<&Journal>,
    observed: &Arc<Observed>,
    mut clock: Arc<dyn Clock>,
) -> io::Result<Beginning> {
    let now_us = clock.now_us();
    let Some(journal) = journal else {
        let mut kept = Kept::live(Arc::clone(&observed.system), now_us, seed());
        let board = kept.board();
        let core = Core::new(kept, Arc::clone(observed), &board, now_us);
        return Ok(Beginning { core, board, clock, written: (0, 0) });
    };
    let opened = open(journal, &observed.system, now_us)?;
    let end_us = opened.kept.engine.now_us();
    if opened.old && now_us <= end_us {
        // How long we were away nobody knows: but we were, and what was in flight must not be judged as if we had been there.
        let by_us = end_us - now_us + AWAY_MIN_US;
        warn!(
            subsystem = "store",
            ms = by_us / 1_000,
            "the clock was set back while the server was down: ours goes on where the journal ends, and loses a tenth until both agree"
        );
        clock = Arc::new(Ahead { clock, by_us, since_us: now_us });
    }
    // What begins anew begins with the first record's moment.
    let now_us = if opened.old { clock.now_us() } else { now_us };
    let (core, board, written) = opened.core(Arc::clone(observed), now_us);
    Ok(Beginning { core, board, clock, written })
}

/// Goes on writing behind what was read.
pub(super) fn keep(
    shared: &Arc<Shared>,
    core: &Core,
    (written, unsaved_bytes): (u64, u64),
) -> io::Result<Option<Keeper>> {
    let Some(Journal { disk, limits }) = &shared.journal else { return Ok(None) };
    let log = Log::new(Arc::clone(disk), SEGMENT_BYTES)?;
    Keeper::start(shared, log, (*limits, written, unsaved_bytes), core).map(Some)
}

/// Reads what is kept again, after a panic.
pub(super) fn again(shared: &Arc<Shared>) -> io::Result<Option<Keeper>> {
    let Some(journal) = &shared.journal else { return Ok(None) };
    let observed = shared.observed.load_full();
    let now_us = shared.clock.now_us();
    let (core, _, written) = open(journal, &observed.system, now_us)?.core(observed, now_us);
    let keeper = keep(shared, &core, written)?;
    shared.replace(core);
    // Whether it can be written is found out anew; and what inputs have told is not known any more.
    shared.figures.journal.heal();
    shared.gaps.send_modify(|gaps| *gaps += 1);
    Ok(keeper)
}
