//! Snapshots: each a file that is whole, or not there.

use std::io;

use super::disk::Disk;
use super::files::{Files, SnapshotFile, snapshot_name, unfinished_name};
use super::record;

/// What all records up to a sequence come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last record that it holds; 0 for none.
    pub sequence: u64,
    /// The moment of that, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// What was written.
    pub bytes: Vec<u8>,
}

/// Writes a snapshot. It counts when this returns.
pub fn write_snapshot(disk: &dyn Disk, snapshot: &Snapshot) -> io::Result<()> {
    let name = snapshot_name(snapshot.sequence, snapshot.at_us);
    let unfinished = unfinished_name(&name);
    if disk.list()?.iter().any(|(name, _)| *name == unfinished) {
        disk.remove(&unfinished)?;
    }
    let mut file = disk.create(&unfinished)?;
    file.append(&record::header(&snapshot.bytes))?;
    file.append(&snapshot.bytes)?;
    file.sync()?;
    disk.rename(&unfinished, &name)?;
    disk.sync_folder()
}

/// The snapshots that are there, the newest first, each `None` where it is not whole.
pub fn snapshots(disk: &dyn Disk) -> io::Result<impl DoubleEndedIterator<Item = Option<Snapshot>>> {
    let files = Files::of(disk)?.snapshots;
    Ok(files.into_iter().rev().map(move |file| read(disk, &file)))
}

fn read(disk: &dyn Disk, file: &SnapshotFile) -> Option<Snapshot> {
    let mut bytes = disk.read(&file.name).ok()?;
    let length = record::preface(&bytes)?.len();
    bytes.drain(..record::HEADER);
    bytes.truncate(length);
    Some(Snapshot { sequence: file.sequence, at_us: file.at_us, bytes })
}
