//! The end of the journal that is written to.

use std::io;
use std::sync::Arc;

use super::disk::{Append, Disk};
use super::files::{Files, segment_name};
use super::record;

/// Appends to the journal. One at a time does, for a folder.
pub struct Log {
    disk: Arc<dyn Disk>,
    /// What is appended to; none where the next record begins another segment.
    open: Option<Segment>,
    /// The number of the next segment.
    number: u64,
    segment_bytes: u64,
    preface: Vec<u8>,
}

struct Segment {
    file: Box<dyn Append>,
    bytes: u64,
}

impl Log {
    /// Begins a segment of its own with the first record, and another whenever one has grown to `segment_bytes`.
    pub fn new(disk: Arc<dyn Disk>, segment_bytes: u64) -> io::Result<Self> {
        let number = Files::of(&*disk)?.next_number();
        Ok(Self { disk, open: None, number, segment_bytes, preface: Vec::new() })
    }

    /// What stands before the records of the segments that are begun from now on.
    pub fn set_preface(&mut self, preface: Vec<u8>) {
        self.preface = preface;
    }

    /// Writes records, as [`frame`](super::frame) made them, of which the first has this sequence. They are on the disk
    /// when this returns. After an error they count for nothing: they may be written again, with the same sequences.
    pub fn append(&mut self, first: u64, records: &[u8]) -> io::Result<()> {
        // After an error the segment stays closed: what stands in it from here on is not known.
        if let Some(segment) = self.open.take() {
            return self.write(segment, records);
        }
        let name = segment_name(self.number, first);
        // Whatever comes of it, the name is used up.
        self.number += 1;
        let written = self.begin(&name).and_then(|segment| self.write(segment, records));
        if written.is_err() {
            // Nothing in it counts. An outage may last, and leaves nothing behind.
            self.disk.remove(&name).unwrap_or_default();
        }
        written
    }

    fn write(&mut self, mut segment: Segment, records: &[u8]) -> io::Result<()> {
        segment.file.append(records)?;
        segment.file.sync()?;
        segment.bytes += records.len() as u64;
        self.open = Some(segment).filter(|segment| segment.bytes < self.segment_bytes);
        Ok(())
    }

    fn begin(&mut self, name: &str) -> io::Result<Segment> {
        let header = record::header(&self.preface);
        let mut file = self.disk.create(name)?;
        file.append(&header)?;
        file.append(&self.preface)?;
        // The records that follow are synced with it; the name must be there by then.
        self.disk.sync_folder()?;
        Ok(Segment { file, bytes: (header.len() + self.preface.len()) as u64 })
    }
}
