//! Plays the journal again: from a snapshot on, all that happened.

use std::io;
use std::sync::Arc;

use super::codec::{self, read_system, system_sum};
use super::kept::{Changes, Kept};
use crate::engine::Entry;
use crate::graph::{NodeIndex, System};
use crate::store::{Disk, Files, Losses, Piece, Snapshot, history, snapshots};

/// Raised with every change of what is written in a snapshot: one of another version is as good as none.
const VERSION: u32 = 3;

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the newest good snapshot: to go on quickly.
    Newest,
    /// With the first record, or the oldest snapshot where that is gone: to judge all again that is kept.
    Oldest,
}

/// What was found.
#[derive(Debug)]
pub struct Played {
    /// What it comes to; none where nothing has been kept.
    pub kept: Option<Kept>,
    /// The last record.
    pub sequence: u64,
    /// The record with which the snapshot ends that it began with; 0 where it began with none.
    pub begun: u64,
    /// The moment of that, in microseconds.
    pub begun_us: u64,
    /// Bytes of the records that were played.
    pub bytes: u64,
    /// Events in them, those that were taken.
    pub events: u64,
    /// What was lost on the way.
    pub lost: Lost,
}

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// In the files.
    pub files: Losses,
    /// Whole records that cannot be read: of another version, or of nodes that are not known because a reload is lost.
    pub unreadable: u64,
    /// Snapshots that are bad, or of another version.
    pub snapshots: u64,
}

impl Lost {
    /// Whether nothing is lost.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What the smallest snapshots take, in bytes, and what each token adds.
const SNAPSHOT_BYTES: usize = 64 * 1024;
const TOKEN_BYTES: usize = 80;

/// A snapshot of what is kept up to a record.
pub fn snapshot(kept: &Kept, sequence: u64) -> Snapshot {
    // As large as it will be, or nearly so: to move it while it grows would take as long as to write it.
    let mut bytes = Vec::with_capacity(SNAPSHOT_BYTES + kept.engine.tokens() * TOKEN_BYTES);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    // To memory, and of plain data: it cannot fail.
    let bytes = postcard::to_extend(kept, bytes).unwrap_or_default();
    Snapshot { sequence, at_us: kept.engine.now_us(), bytes }
}

/// What a snapshot holds, where this version can read it.
fn open(snapshot: &Snapshot, seed: (u64, u64)) -> Option<Kept> {
    let bytes = snapshot.bytes.strip_prefix(&VERSION.to_le_bytes())?;
    let mut kept: Kept = postcard::from_bytes(bytes).ok()?;
    kept.engine = kept.engine.restored(seed);
    Some(kept)
}

/// Plays what is kept. `instead`: judges it by this system from the beginning, whatever was in force. `each` is told the
/// changes by each record, with its sequence and what names their places: before a reload, and now.
pub fn play(
    disk: &dyn Disk,
    begin: Begin,
    instead: Option<&Arc<System>>,
    seed: (u64, u64),
    mut each: impl FnMut(u64, &System, &System, Changes),
) -> io::Result<Played> {
    let mut lost = Lost::default();
    let whole = begin == Begin::Oldest && Files::of(disk)?.are_whole();
    let mut found = snapshots(disk)?.filter(|_| !whole);
    let mut next = || if begin == Begin::Newest { found.next() } else { found.next_back() };
    let mut opened = None;
    while let Some(snapshot) = next() {
        opened = snapshot?.and_then(|snapshot| Some((open(&snapshot, seed)?, snapshot.sequence, snapshot.at_us)));
        if opened.is_some() {
            break;
        }
        lost.snapshots += 1;
    }
    let (kept, begun, begun_us) = opened.map_or((None, 0, 0), |(kept, sequence, at_us)| (Some(kept), sequence, at_us));
    let instead = instead.map(|system| (system, NodeIndex::new(system)));
    let mut player = Player { named: None, kept: None, instead, seed, unreadable: 0, bytes: 0, events: 0 };
    if let Some(kept) = kept {
        player.begin(kept);
    }
    let (sequence, files) = history(disk, begun, |piece| match piece {
        Piece::Preface(bytes) => player.preface(bytes),
        Piece::Record { sequence, bytes } => {
            if let Some((before, changes)) = player.record(bytes)
                && let Some(kept) = &player.kept
            {
                each(sequence, &before, &kept.system, changes);
            }
        }
    })?;
    lost.files = files;
    lost.unreadable = player.unreadable;
    Ok(Played { kept: player.kept, sequence, begun, begun_us, bytes: player.bytes, events: player.events, lost })
}

struct Player<'a> {
    /// The system that names nodes and inputs in the records, with its sum.
    named: Option<(Arc<System>, u32)>,
    kept: Option<Kept>,
    /// What it is judged by instead, with the index of its nodes.
    instead: Option<(&'a Arc<System>, NodeIndex)>,
    seed: (u64, u64),
    unreadable: u64,
    bytes: u64,
    events: u64,
}

impl Player<'_> {
    fn name(&mut self, system: Arc<System>) {
        let sum = system_sum(&system);
        self.named = Some((system, sum));
    }

    /// Begins with a snapshot.
    fn begin(&mut self, mut kept: Kept) {
        self.name(Arc::clone(&kept.system));
        if let Some((instead, _)) = &self.instead {
            drop(kept.turn(instead));
        }
        self.kept = Some(kept);
    }

    /// A segment says what names its places. Where that is another than we know, the record of a reload is lost.
    fn preface(&mut self, bytes: &[u8]) {
        let sum = crc32c::crc32c(bytes);
        if self.named.as_ref().is_some_and(|(_, known)| *known == sum) {
            return;
        }
        let Ok(system) = read_system(bytes) else { return };
        let system = Arc::new(system);
        if let Some(kept) = self.kept.as_mut().filter(|_| self.instead.is_none()) {
            drop(kept.turn(&system));
        }
        self.name(system);
    }

    fn record(&mut self, bytes: &[u8]) -> Option<(Arc<System>, Changes)> {
        self.bytes += bytes.len() as u64;
        let sum = self.named.as_ref().map_or(0, |(_, sum)| *sum);
        let Ok(mut happening) = codec::read(bytes, sum) else {
            self.unreadable += 1;
            return None;
        };
        if let Entry::Reload(system) = &happening.entry {
            self.name(Arc::clone(system));
        }
        let Some((named, _)) = &self.named else {
            self.unreadable += 1;
            return None;
        };
        if let Some((instead, nodes)) = &self.instead {
            happening.turn(named, instead, nodes);
        }
        if let Entry::Events(events) = &happening.entry {
            self.events += events.len() as u64;
        }
        let system = self.instead.as_ref().map_or(named, |(instead, _)| *instead);
        let begin = || Kept::live(Arc::clone(system), happening.now_us, self.seed);
        let kept = self.kept.get_or_insert_with(begin);
        let before = Arc::clone(&kept.system);
        Some((before, kept.apply(&happening)))
    }
}
