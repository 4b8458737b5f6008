//! Recorded events of several files in one order: that of their timestamps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read};

use crate::event::{Event, Report};
use crate::graph::{InputId, NodeIndex};

use super::body::Reason;
use super::lines::{Line, Lines};
use super::reader::EventReader;
use super::refusal::{Miss, Refusal};

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
pub(super) struct Merge<'a, R> {
    reader: EventReader<'a>,
    files: Vec<Lines<R>>,
    /// The next event of each file that has one.
    heads: Vec<Option<Recorded>>,
    order: BinaryHeap<Reverse<(u64, usize)>>,
}

/// A line that gave no event: which file, which line, why.
pub(super) struct RefusedLine {
    pub(super) file: usize,
    pub(super) line: u64,
    pub(super) refusal: Refusal,
}

impl<'a, R: Read> Merge<'a, R> {
    pub(super) fn new(files: impl IntoIterator<Item = R>, nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        let files: Vec<_> = files.into_iter().map(|file| Lines::new(file, LINE_MAX_BYTES)).collect();
        let heads = files.iter().map(|_| None).collect();
        Self { reader: EventReader::new(nodes, accept_unknown), files, heads, order: BinaryHeap::new() }
    }

    /// Reads the first event of every file. Must come before [`Self::next`]. An error comes with
    /// the file's index.
    pub(super) fn start(&mut self, refuse: &mut dyn FnMut(RefusedLine)) -> Result<(), (usize, io::Error)> {
        (0..self.files.len()).try_for_each(|file| self.read(file, refuse))
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(Lines::bytes).sum()
    }

    /// The next event; `None` at the end of all files.
    pub(super) fn next(&mut self, refuse: &mut dyn FnMut(RefusedLine)) -> Result<Option<Recorded>, (usize, io::Error)> {
        let Some(Reverse((_, file))) = self.order.pop() else {
            return Ok(None);
        };
        let head = self.heads[file].take();
        self.read(file, refuse)?;
        Ok(head)
    }

    /// Reads on in one file, to its next event.
    fn read(&mut self, file: usize, refuse: &mut dyn FnMut(RefusedLine)) -> Result<(), (usize, io::Error)> {
        loop {
            let lines = &mut self.files[file];
            let event = match lines.next().map_err(|error| (file, error))? {
                None => return Ok(()),
                Some(Line::Text(line)) => recorded(line, &mut self.reader),
                Some(Line::TooLong) => {
                    let error = format!("the line is longer than {LINE_MAX_BYTES} bytes");
                    Some(Err(Refusal::new(Reason::Syntax, error)))
                }
            };
            match event {
                None => {}
                Some(Ok(event)) => {
                    self.order.push(Reverse((event.timestamp_us(), file)));
                    self.heads[file] = Some(event);
                    return Ok(());
                }
                Some(Err(refusal)) => refuse(RefusedLine { file, line: lines.number(), refusal }),
            }
        }
    }
}

/// The event of a line; `None` where the line is empty.
fn recorded(line: &[u8], reader: &mut EventReader<'_>) -> Option<Result<Recorded, Refusal>> {
    Some(match reader.line(line)? {
        Ok(Report { node, token, timestamp_us: Some(timestamp_us), parent, alias }) => Ok(Recorded::Known(Event {
            node,
            input: InputId::default(),
            clock_flagged: false,
            token,
            timestamp_us,
            parent,
            alias,
        })),
        Ok(Report { timestamp_us: None, .. }) => Err(no_timestamp()),
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
        let mut merge = Merge::new(files.iter().map(|file| file.as_bytes()), &nodes, accept_unknown);
        merge.start(&mut refuse).unwrap();
        let mut events = Vec::new();
        while let Some(event) = merge.next(&mut refuse).unwrap() {
            events.push(match event {
                Recorded::Known(event) => event.token.to_string(),
                Recorded::Unknown { name, .. } => name,
            });
        }
        assert_eq!(merge.bytes(), files.iter().map(|file| file.len() as u64).sum::<u64>());
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
