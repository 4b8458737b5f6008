//! Reads the journal from a record on, whatever has become of its bytes.

use std::fmt;
use std::io;

use super::disk::Disk;
use super::files::{Files, SegmentFile};
use super::record;

/// What the journal holds, piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// What a segment begins with.
    Preface(&'a [u8]),
    /// A record.
    Record {
        /// Its place in the journal.
        sequence: u64,
        /// What was written.
        bytes: &'a [u8],
    },
}

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Records that were written and are not there.
    pub records: u64,
    /// Bytes that are no good record; at the end, those of a record that was not written whole.
    pub bytes: u64,
    /// Segments that cannot be read at all, or whose headers are bad.
    pub segments: u64,
}

impl Losses {
    /// Whether nothing is lost.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, bytes, segments } = self;
        write!(f, "{records} records lost, {bytes} bytes are no record, {segments} bad segment headers")
    }
}

/// Reads all records behind the one with the sequence `after`, and the prefaces that come before them. Answers the last
/// sequence, and what was lost on the way. An error where the folder cannot be read, or a file that may be good: whoever goes
/// on without it would hide it for ever.
pub fn history(disk: &dyn Disk, after: u64, mut each: impl FnMut(Piece<'_>)) -> io::Result<(u64, Losses)> {
    let files = Files::of(disk)?;
    let mut last = after;
    let mut losses = Losses::default();
    for (segment, until) in files.segments.iter().zip(ends(&files.segments)) {
        if until <= last.saturating_add(1) {
            continue;
        }
        let Some(bytes) = read(disk, &segment.name)? else {
            losses.segments += 1;
            continue;
        };
        let mut rest = &bytes[..];
        // One that is empty was begun, and nothing came of it.
        if let Some(preface) = record::preface(rest) {
            // It tells nothing new to those who know records that came after it.
            if segment.first > last {
                each(Piece::Preface(preface));
            }
            rest = &rest[record::HEADER + preface.len()..];
        } else if !rest.is_empty() {
            losses.segments += 1;
        }
        // Within the segment: records that are known already are stepped over, not lost.
        let mut inside = segment.first.saturating_sub(1);
        let mut stray = 0;
        while !rest.is_empty() {
            let Some(found) = record::parse(rest, inside) else {
                stray += 1;
                rest = &rest[1..];
                continue;
            };
            if found.sequence >= until {
                break;
            }
            inside = found.sequence;
            rest = &rest[found.whole..];
            if found.sequence > last {
                losses.records += found.sequence - last - 1;
                last = found.sequence;
                each(Piece::Record { sequence: found.sequence, bytes: found.bytes });
            }
        }
        // Where all is there that should be, it is the end of a write that failed, and was done again.
        if last.saturating_add(1) < until {
            losses.bytes += stray;
        }
    }
    Ok((last, losses))
}

/// Before which sequence each segment ends: where two hold the same sequence, the later one counts.
fn ends(segments: &[SegmentFile]) -> Vec<u64> {
    let mut ends = Vec::with_capacity(segments.len());
    let mut until = u64::MAX;
    for segment in segments.iter().rev() {
        ends.push(until);
        until = until.min(segment.first);
    }
    ends.reverse();
    ends
}

/// A whole file; `None` where it is lost: gone, or on a part of the disk that is broken.
pub(super) fn read(disk: &dyn Disk, name: &str) -> io::Result<Option<Vec<u8>>> {
    match disk.read(name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{name}: {error}"))),
    }
}
