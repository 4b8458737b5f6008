//! Snapshots: each a file that is whole, or not there.

use std::io;

use super::disk::Disk;
use super::files::{Files, SnapshotFile, snapshot_name, unfinished_name};
use super::{history, record};

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
    // What a crash has left of another is of no use to anybody, and takes room.
    for name in Files::of(disk)?.unfinished {
        disk.remove(&name)?;
    }
    let name = snapshot_name(snapshot.sequence, snapshot.at_us);
    let unfinished = unfinished_name(&name);
    let written = write(disk, &unfinished, snapshot)
        .and_then(|()| disk.rename(&unfinished, &name))
        .and_then(|()| disk.sync_folder());
    if written.is_err() {
        // Where the disk is full, the room is needed. Where it cannot be removed now, the next one does.
        disk.remove(&unfinished).unwrap_or_default();
    }
    written
}

fn write(disk: &dyn Disk, name: &str, snapshot: &Snapshot) -> io::Result<()> {
    let mut file = disk.create(name)?;
    file.append(&record::header(&snapshot.bytes))?;
    file.append(&snapshot.bytes)?;
    file.sync()
}

/// The snapshots that are there, the newest first, each `None` where it is not whole. An error where one cannot be read that
/// may be good.
pub fn snapshots(disk: &dyn Disk) -> io::Result<impl DoubleEndedIterator<Item = io::Result<Option<Snapshot>>>> {
    let files = Files::of(disk)?.snapshots;
    Ok(files.into_iter().rev().map(move |file| read(disk, &file)))
}

fn read(disk: &dyn Disk, file: &SnapshotFile) -> io::Result<Option<Snapshot>> {
    let Some(mut bytes) = history::read(disk, &file.name)? else { return Ok(None) };
    let Some(length) = record::preface(&bytes).map(<[u8]>::len) else { return Ok(None) };
    bytes.drain(..record::HEADER);
    bytes.truncate(length);
    Ok(Some(Snapshot { sequence: file.sequence, at_us: file.at_us, bytes }))
}
