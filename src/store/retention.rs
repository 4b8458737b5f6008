//! What is let go when a snapshot has been written: the oldest, by age and by size, never what the two newest need.

use std::io;

use super::disk::Disk;
use super::files::Files;

/// Snapshots that are kept whatever they take: if the newest is bad, there is another.
const SNAPSHOTS_MIN: usize = 2;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What all files may take, in bytes.
    pub max_bytes: u64,
    /// How far back they go, in microseconds.
    pub max_age_us: u64,
}

/// Removes what is beyond the limits, as far as the two newest snapshots do without it; answers what is left. Where there
/// is only one snapshot, no segment goes: they are what there is if it is bad. Where something cannot be removed, it stays
/// with all that is newer, until the next time: so nothing is missing in the middle.
pub fn prune(disk: &dyn Disk, limits: Limits, now_us: u64) -> io::Result<Files> {
    let mut files = Files::of(disk)?;
    while files.snapshots.len() > SNAPSHOTS_MIN {
        // What the oldest adds is the time up to the next.
        let old = files.snapshots[1].at_us.saturating_add(limits.max_age_us) < now_us;
        if !old && files.bytes() <= limits.max_bytes {
            break;
        }
        if disk.remove(&files.snapshots[0].name).is_err() {
            return Ok(files);
        }
        files.snapshots.remove(0);
        drop_segments(disk, &mut files);
    }
    drop_segments(disk, &mut files);
    Ok(files)
}

/// Removes the segments that end before the oldest snapshot.
fn drop_segments(disk: &dyn Disk, files: &mut Files) {
    if files.snapshots.len() < SNAPSHOTS_MIN {
        return;
    }
    let held = files.snapshots[0].sequence;
    while files.segments.get(1).is_some_and(|next| next.first <= held + 1)
        && disk.remove(&files.segments[0].name).is_ok()
    {
        files.segments.remove(0);
    }
}
