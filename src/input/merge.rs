//! Recorded events of several files in one order: that of their timestamps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;
use std::{mem, vec};

use crate::event::{Event, Report};
use crate::graph::{InputId, NodeIndex};

use super::body::Reason;
use super::lines::{Line, Lines};
use super::reader::EventReader;
use super::recording::Recording;
use super::refusal::{Miss, Refusal};
use super::rules::{self, LineReader};

/// The longest line of a recording.
const LINE_MAX_BYTES: usize = 8 << 20;

/// One recorded event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// Of a node that a stream knows.
    Known(Event),
    /// Of a node that no stream knows, where the manifest accepts them.
    Unknown { name: String, timestamp_us: u64 },
}

impl Recorded {
    pub(super) fn timestamp_us(&self) -> u64 {
        match self {
            Self::Known(event) => event.timestamp_us,
            Self::Unknown { timestamp_us, .. } => *timestamp_us,
        }
    }
}

/// What stands in files, merged: each is read in its own order, and the one whose next event has
/// the smallest timestamp is read next; at the same timestamp, the one that was named first.
///
/// Each file is read ahead on a thread of its own, some batches far. What comes out does not depend on how fast they are.
pub(super) struct Merge {
    files: Vec<Ahead>,
    order: BinaryHeap<Reverse<(u64, usize)>>,
}

/// A file that is read ahead.
struct Ahead {
    batches: Receiver<io::Result<Batch>>,
    /// What is left of the batch that is being given out; its first event is the file's next.
    events: vec::IntoIter<Recorded>,
    head: Option<Recorded>,
}

/// Some lines of a file.
#[derive(Default)]
struct Batch {
    events: Vec<Recorded>,
    refused: Vec<(u64, Refusal)>,
}

/// How many events make a batch: few enough to stay in a processor's cache from one thread to the other.
const BATCH_EVENTS: usize = 1_024;
/// How many events of all files together their batches hold, where there are many files.
const BATCHES_EVENTS: usize = 16_384;
/// How many batches of a file wait at most.
const BATCHES_AHEAD: usize = 2;

/// A line that gave no event: which file, which line, why.
pub(super) struct RefusedLine {
    pub(super) file: usize,
    pub(super) line: u64,
    pub(super) refusal: Refusal,
}

impl Merge {
    /// Begins to read files, on threads of a scope.
    pub(super) fn new<'scope, R: Read + Send + 'scope>(
        scope: &'scope Scope<'scope, '_>,
        files: impl ExactSizeIterator<Item = (R, Reader<'scope>)>,
    ) -> Self {
        let batch_events = (BATCHES_EVENTS / files.len().max(1)).clamp(64, BATCH_EVENTS);
        let ahead = |(file, reader): (R, Reader<'scope>)| {
            let (sender, batches) = sync_channel(BATCHES_AHEAD);
            scope.spawn(move || read_ahead(file, reader, batch_events, &sender));
            Ahead { batches, events: Vec::new().into_iter(), head: None }
        };
        Self { files: files.map(ahead).collect(), order: BinaryHeap::new() }
    }

    /// Waits for the first event of every file. Must come before [`Self::next`]. An error comes with
    /// the file's index.
    pub(super) fn start(&mut self, refuse: &mut dyn FnMut(RefusedLine)) -> Result<(), (usize, io::Error)> {
        (0..self.files.len()).try_for_each(|file| self.read(file, refuse))
    }

    /// The next event; `None` at the end of all files.
    #[inline]
    pub(super) fn next(&mut self, refuse: &mut dyn FnMut(RefusedLine)) -> Result<Option<Recorded>, (usize, io::Error)> {
        let Some(Reverse((_, file))) = self.order.pop() else {
            return Ok(None);
        };
        let head = self.files[file].head.take();
        self.read(file, refuse)?;
        Ok(head)
    }

    /// Goes on to the next event of one file.
    fn read(&mut self, file: usize, refuse: &mut dyn FnMut(RefusedLine)) -> Result<(), (usize, io::Error)> {
        let ahead = &mut self.files[file];
        loop {
            if let Some(event) = ahead.events.next() {
                self.order.push(Reverse((event.timestamp_us(), file)));
                ahead.head = Some(event);
                return Ok(());
            }
            // Its thread has ended where it sends no more.
            let Ok(batch) = ahead.batches.recv() else { return Ok(()) };
            let batch = batch.map_err(|error| (file, error))?;
            batch.refused.into_iter().for_each(|(line, refusal)| refuse(RefusedLine { file, line, refusal }));
            ahead.events = batch.events.into_iter();
        }
    }
}

/// Reads a file to its end, or until nobody wants to know.
fn read_ahead(file: impl Read, mut reader: Reader<'_>, batch_events: usize, batches: &SyncSender<io::Result<Batch>>) {
    let mut lines = Lines::new(file, reader.line_max());
    let mut batch = Batch { events: Vec::with_capacity(batch_events), ..Batch::default() };
    loop {
        match lines.next() {
            Ok(Some(line)) => match reader.read(&line) {
                None => continue,
                Some(Ok(event)) => batch.events.push(event),
                Some(Err(refusal)) => batch.refused.push((lines.number(), refusal)),
            },
            Ok(None) => break,
            Err(error) => {
                // What came before the error counts first.
                if batches.send(Ok(batch)).is_ok() {
                    drop(batches.send(Err(error)));
                }
                return;
            }
        }
        if batch.events.len() + batch.refused.len() >= batch_events {
            let full = mem::replace(&mut batch, Batch { events: Vec::with_capacity(batch_events), ..Batch::default() });
            if batches.send(Ok(full)).is_err() {
                return;
            }
        }
    }
    drop(batches.send(Ok(batch)));
}

/// How the lines of a file are read.
pub(super) enum Reader<'a> {
    /// As events in NDJSON.
    Events(EventReader<'a>),
    /// By rules; and about when they were written.
    Log(Box<LineReader<'a>>, u64),
}

impl<'a> Reader<'a> {
    pub(super) fn new(recording: &'a Recording, nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        match &recording.rules {
            Some(rules) => Self::Log(Box::new(LineReader::new(rules, nodes, accept_unknown)), recording.written_us),
            None => Self::Events(EventReader::new(nodes, accept_unknown)),
        }
    }

    fn line_max(&self) -> usize {
        match self {
            Self::Events(_) => LINE_MAX_BYTES,
            Self::Log(..) => rules::LINE_MAX_BYTES,
        }
    }

    /// The event of a line; `None` where it gives none.
    #[inline]
    fn read(&mut self, line: &Line<'_>) -> Option<Result<Recorded, Refusal>> {
        match (self, line) {
            (Self::Events(reader), Line::Text(line)) => recorded(line, reader),
            (Self::Events(_), Line::TooLong) => {
                let error = format!("the line is longer than {LINE_MAX_BYTES} bytes");
                Some(Err(Refusal::new(Reason::Syntax, error)))
            }
            (Self::Log(reader, written_us), Line::Text(line)) => logged(reader.read(line, *written_us)),
            (Self::Log(..), Line::TooLong) => logged(rules::Line::too_long()),
        }
    }
}

/// What a line of a log came to.
#[inline]
fn logged(line: rules::Line) -> Option<Result<Recorded, Refusal>> {
    Some(match line {
        rules::Line::NoRule => return None,
        rules::Line::Event { report, .. } => known(report),
        rules::Line::Unknown { name, timestamp_us: Some(timestamp_us), .. } => {
            Ok(Recorded::Unknown { name, timestamp_us })
        }
        rules::Line::Unknown { timestamp_us: None, .. } => Err(no_timestamp()),
        rules::Line::Refused { reason, error, .. } => Err(Refusal { reason, error }),
    })
}

/// A report that says when.
#[inline]
fn known(Report { node, token, timestamp_us, parent, alias }: Report) -> Result<Recorded, Refusal> {
    let timestamp_us = timestamp_us.ok_or_else(no_timestamp)?;
    let input = InputId::default();
    Ok(Recorded::Known(Event { node, input, clock_flagged: false, token, timestamp_us, parent, alias }))
}

/// The event of a line; `None` where the line is empty.
fn recorded(line: &[u8], reader: &mut EventReader<'_>) -> Option<Result<Recorded, Refusal>> {
    Some(match reader.line(line)? {
        Ok(report) => known(report),
        Err(miss) => match *miss {
            Miss::Unknown { name, timestamp_us: Some(timestamp_us) } => Ok(Recorded::Unknown { name, timestamp_us }),
            Miss::Unknown { timestamp_us: None, .. } => Err(no_timestamp()),
            Miss::Refused(refusal) => Err(refusal),
            Miss::NotJson(error) => Err(Refusal::new(Reason::Syntax, error)),
        },
    })
}

#[cold]
fn no_timestamp() -> Refusal {
    Refusal::new(Reason::Timestamp, "\"timestamp\" is missing; recorded events are judged by their own timestamps")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TIMESTAMP_MIN_US;
    use crate::graph::System;

    fn merged(files: &[&str], accept_unknown: bool) -> (Vec<String>, Vec<(usize, u64, String)>) {
        let nodes = NodeIndex::new(&System { nodes: vec!["a".to_owned(), "b".to_owned()], ..System::default() });
        let mut refused = Vec::new();
        let mut refuse = |line: RefusedLine| refused.push((line.file, line.line, line.refusal.error));
        let reader = || Reader::Events(EventReader::new(&nodes, accept_unknown));
        let mut events = Vec::new();
        std::thread::scope(|scope| {
            let mut merge = Merge::new(scope, files.iter().map(|file| (file.as_bytes(), reader())));
            merge.start(&mut refuse).unwrap();
            while let Some(event) = merge.next(&mut refuse).unwrap() {
                events.push(match event {
                    Recorded::Known(event) => event.token.to_string(),
                    Recorded::Unknown { name, .. } => name,
                });
            }
        });
        (events, refused)
    }

    fn file(events: &[(&str, u64)]) -> String {
        let line = |&(token, after): &(&str, u64)| {
            let at = TIMESTAMP_MIN_US + after;
            format!("{{\"node\":\"a\",\"token\":\"{token}\",\"timestamp\":{at}}}\n")
        };
        events.iter().map(line).collect()
    }

    #[test]
    fn each_file_keeps_its_order_and_the_smallest_timestamp_goes_first() {
        let (first, second) = (file(&[("a1", 10), ("a2", 5), ("a3", 30)]), file(&[("b1", 7), ("b2", 10), ("b3", 30)]));
        assert_eq!(merged(&[&first, &second], false).0, ["b1", "a1", "a2", "b2", "a3", "b3"]);
        assert_eq!(merged(&[&second, "", &first], false).0, ["b1", "b2", "a1", "a2", "b3", "a3"]);
        assert_eq!(merged(&[], false).0, [""; 0]);
    }

    #[test]
    fn what_is_no_event_is_refused_by_its_line() {
        let good = file(&[("t", 0)]);
        let bad = format!("\u{feff}{good}\r\n{{\"node\":\"a\",\"token\":\"u\"}}\n{good}\nwhat?");
        let (events, refused) = merged(&[&good, &bad], false);
        assert_eq!(events, ["t", "t", "t"]);
        assert_eq!(refused.iter().map(|(file, line, _)| (*file, *line)).collect::<Vec<_>>(), [(1, 3), (1, 6)]);
        assert!(refused[0].2.contains("\"timestamp\" is missing"), "{refused:?}");
        assert!(refused[1].2.contains("no JSON"), "{refused:?}");
    }

    #[test]
    fn an_unknown_sender_is_in_the_order_where_the_manifest_accepts_it() {
        let unknown = file(&[("t", 5)]).replace("\"a\"", "\"x\"");
        assert_eq!(merged(&[&file(&[("s", 9)]), &unknown], true).0, ["x", "s"]);
        assert_eq!(merged(&[&unknown], false).0, [""; 0]);
        assert_eq!(merged(&["{\"node\":\"x\",\"token\":\"t\"}"], true).1.len(), 1);
    }
}
