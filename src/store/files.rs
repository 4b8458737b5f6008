//! What stands in the folder, by the names of the files.

use std::io;

use super::disk::Disk;

const SEGMENT: &str = "journal-";
const SNAPSHOT: &str = "snapshot-";
/// How the name of a snapshot begins that is not whole yet.
const UNFINISHED: &str = "unfinished-";

/// A segment of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Its place among the segments.
    pub(super) number: u64,
    /// The sequence of its first record.
    pub(super) first: u64,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SnapshotFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// The last record that it holds.
    pub(super) sequence: u64,
    /// The moment of that, in microseconds since the Unix epoch.
    pub(super) at_us: u64,
}

/// The files of a journal, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    pub(super) segments: Vec<SegmentFile>,
    pub(super) snapshots: Vec<SnapshotFile>,
    pub(super) unfinished: Vec<String>,
}

impl Files {
    /// Those of a folder; foreign files are left out.
    pub fn of(disk: &dyn Disk) -> io::Result<Self> {
        let mut files = Self::default();
        for (name, bytes) in disk.list()? {
            if name.starts_with(UNFINISHED) {
                files.unfinished.push(name);
            } else if let Some((number, first)) = numbers(&name, SEGMENT) {
                files.segments.push(SegmentFile { name, bytes, number, first });
            } else if let Some((sequence, at_us)) = numbers(&name, SNAPSHOT) {
                files.snapshots.push(SnapshotFile { name, bytes, sequence, at_us });
            }
        }
        files.segments.sort_unstable_by_key(|segment| segment.number);
        files.snapshots.sort_unstable_by_key(|snapshot| snapshot.sequence);
        Ok(files)
    }

    /// Ready when all that can be read of the segments is on the disk: where their writer was killed, it may not be yet.
    pub fn sync(&self, disk: &dyn Disk) -> io::Result<()> {
        self.segments.iter().try_for_each(|segment| disk.sync(&segment.name))?;
        disk.sync_folder()
    }

    /// Whether the segments go back to the first record.
    pub fn are_whole(&self) -> bool {
        self.segments.first().is_some_and(|oldest| oldest.first == 1)
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// What all of them take, in bytes.
    pub fn bytes(&self) -> u64 {
        let segments: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        segments + self.snapshots.iter().map(|snapshot| snapshot.bytes).sum::<u64>()
    }

    /// The moment of the newest snapshot, in microseconds since the Unix epoch.
    pub fn newest_snapshot_us(&self) -> Option<u64> {
        self.snapshots.last().map(|snapshot| snapshot.at_us)
    }

    /// The number of the next segment.
    pub(super) fn next_number(&self) -> u64 {
        self.segments.last().map_or(1, |segment| segment.number + 1)
    }
}

/// The name of a segment.
pub(super) fn segment_name(number: u64, first: u64) -> String {
    format!("{SEGMENT}{number:010}-{first:020}")
}

/// The name of a snapshot.
pub(super) fn snapshot_name(sequence: u64, at_us: u64) -> String {
    format!("{SNAPSHOT}{sequence:020}-{at_us:020}")
}

/// The name of a snapshot that is being written.
pub(super) fn unfinished_name(name: &str) -> String {
    format!("{UNFINISHED}{name}")
}

fn numbers(name: &str, kind: &str) -> Option<(u64, u64)> {
    let (one, two) = name.strip_prefix(kind)?.split_once('-')?;
    Some((one.parse().ok()?, two.parse().ok()?))
}
