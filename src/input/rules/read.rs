//! Lines in, events out.

use std::cell::OnceCell;

use regex::CaptureLocations;

use super::decimal;
use super::format::Beside;
use super::set::{Rule, RuleSet, Shape};
use super::stamp::{self, Stamps};
use super::text::{Field, Found, Unit};
use crate::event::{Report, TIMESTAMP_MIN_US};
use crate::graph::NodeIndex;
use crate::input::body::Reason;
use crate::input::fields::{Fields, Key, Stamp};
use crate::input::reader::not_utf8;
use crate::input::refusal::{Miss, Refusal};
use crate::input::resolve::{Resolver, text_of};
use crate::input::timestamp::Minutes;

/// The longest line of a log; a longer one is refused.
pub const LINE_MAX_BYTES: usize = 1 << 20;

/// What a line came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// An event.
    Event {
        /// The index of the rule that took the line.
        rule: usize,
        /// What the line reports.
        report: Report,
    },
    /// An event of a node that no stream knows, where the manifest accepts these.
    Unknown {
        /// The index of the rule that took the line.
        rule: usize,
        /// The name of the node.
        name: String,
        /// When it saw the message, in microseconds since the Unix epoch.
        timestamp_us: Option<u64>,
    },
    /// No rule takes the line, which is no mistake: it tells of something else.
    NoRule,
    /// The line is no text, or a rule took it and no event can be made of it.
    Refused {
        /// The index of the rule that took the line; none where it is no text.
        rule: Option<usize>,
        /// Why, as a label of the metrics.
        reason: Reason,
        /// Why, for people. It quotes the line, cut short and escaped.
        error: String,
    },
}

impl Line {
    /// What a line comes to that was not even read to its end.
    pub fn too_long() -> Self {
        let error = format!("the line is longer than {LINE_MAX_BYTES} bytes");
        Self::Refused { rule: None, reason: Reason::Syntax, error }
    }
}

/// Reads the lines of one file.
///
/// It remembers the file's last stamp, for the hour that comes twice when clocks are put back; otherwise a line is
/// read the same whatever came before it.
#[derive(Debug)]
pub struct LineReader<'a> {
    set: &'a RuleSet,
    resolver: Resolver<'a>,
    locations: Vec<Option<CaptureLocations>>,
    /// By rule: the last stamp and what it came to, where reading one takes long: many lines are of the same moment.
    stamps: Vec<(Vec<u8>, u64)>,
    /// The same for those of RFC 3339, many of which are of the same minute.
    minutes: Minutes,
    last_us: Option<u64>,
}

/// A line that is text.
pub(super) struct Text<'l> {
    pub(super) bytes: &'l [u8],
    pub(super) ascii: bool,
    /// The same as a `str`, where somebody has asked for it: of ASCII that is known without.
    str: OnceCell<&'l str>,
}

impl<'l> Text<'l> {
    /// One that is not UTF-8, or holds a NUL, was torn or overwritten, and is not guessed at.
    #[inline]
    fn new(line: &'l [u8]) -> Result<Self, Line> {
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        if bytes.len() > LINE_MAX_BYTES {
            return Err(Line::too_long());
        }
        let no_text = |error: String| Line::Refused { rule: None, reason: Reason::Syntax, error };
        if let Some(place) = memchr::memchr(0, bytes) {
            return Err(no_text(format!("the line holds a NUL: see its byte {place}")));
        }
        let (ascii, str) = (bytes.is_ascii(), OnceCell::new());
        if !ascii {
            let text = str::from_utf8(bytes).map_err(|error| no_text(not_utf8("line", error)))?;
            str.get_or_init(|| text);
        }
        Ok(Self { bytes, ascii, str })
    }

    pub(super) fn str(&self) -> &'l str {
        self.str.get_or_init(|| text_of(self.bytes))
    }
}

impl<'a> LineReader<'a> {
    /// Reads by these rules. `accept_unknown`: events of unknown nodes are given back rather than refused.
    pub fn new(set: &'a RuleSet, nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        let locations = set.rules.iter().map(Rule::locations).collect();
        let (stamps, minutes) = (vec![(Vec::new(), 0); set.rules.len()], Minutes::default());
        Self { set, resolver: Resolver::new(nodes, accept_unknown), locations, stamps, minutes, last_us: None }
    }

    /// Goes on in a file whose last event has this stamp; `None` at its beginning.
    #[inline]
    pub fn go_on_from(&mut self, last_us: Option<u64>) {
        self.last_us = last_us;
    }

    /// Reads a line, with or without its `\r`, but without its `\n`. `written_us`: about when it was written, or later:
    /// now, or when a recording was last changed. A stamp without a year is told by it.
    #[inline]
    pub fn read(&mut self, line: &[u8], written_us: u64) -> Line {
        let line = match Text::new(line) {
            Ok(line) => line,
            Err(refused) => return refused,
        };
        let set = self.set;
        let mut found = Found::default();
        for (place, rule) in set.rules.iter().enumerate() {
            let taken = match (&rule.shape, &mut self.locations[place]) {
                (Shape::Match(pattern), Some(locations)) => {
                    let matches = pattern.find(&line, locations, &mut found);
                    if matches { self.event(place, rule, &found, written_us) } else { None }
                }
                _ => rule.find_json(line.str()).and_then(|json| {
                    let found = json.each_ref().map(|text| text.as_ref().map(|text| text.as_bytes()));
                    self.event(place, rule, &found, written_us)
                }),
            };
            if let Some(taken) = taken {
                return taken;
            }
        }
        Line::NoRule
    }

    /// What a rule makes of what it found; `None` where the line has no token or no node, and is not taken.
    #[inline]
    fn event(&mut self, place: usize, rule: &Rule, found: &Found<&[u8]>, written_us: u64) -> Option<Line> {
        // Logs write a field that is not there as nothing, or as `-`.
        let get = |field: Field| found[field as usize].filter(|text| !matches!(text, [] | [b'-']));
        let token = get(Field::Token)?;
        let node = get(Field::Node).or(rule.text.node.as_deref().map(str::as_bytes))?;
        let beside = Beside { written_us, last_us: self.last_us };
        let stamp = get(Field::Timestamp).map(|stamp| {
            let us = self.stamp(place, rule, stamp, beside)?;
            get(Field::Duration).map_or(Ok(us), |duration| less(us, text_of(duration), rule.text.unit))
        });
        let timestamp_us = match stamp.transpose() {
            Ok(us) => us,
            Err(error) => return Some(refused(place, Refusal::new(Reason::Timestamp, error))),
        };
        self.last_us = timestamp_us.or(self.last_us);
        let fields = Fields {
            node: Some((Key::Node, node)),
            token: Some((Key::Token, token)),
            known_node: None,
            trace_id: None,
            timestamp: timestamp_us.map(Stamp::Known),
            parent: get(Field::Parent),
            alias: get(Field::Alias),
        };
        Some(match self.resolver.resolve(&fields) {
            Ok(report) => Line::Event { rule: place, report },
            Err(miss) => missed(place, *miss),
        })
    }

    /// Reads a rule's stamp.
    #[inline]
    fn stamp(&mut self, place: usize, rule: &Rule, text: &[u8], beside: Beside) -> Result<u64, String> {
        match &rule.stamps {
            Stamps::Rfc3339 if let Some(us) = self.minutes.plain(text) => return Ok(us),
            Stamps::Rfc3339 | Stamps::Epoch(_) => return rule.stamps.read(text_of(text), beside),
            Stamps::Format(_) => {}
        }
        let (last, us) = &mut self.stamps[place];
        if last != text || text.is_empty() {
            *us = rule.stamps.read(text_of(text), beside)?;
            text.clone_into(last);
        }
        Ok(*us)
    }
}

/// A moment less a duration.
#[inline]
fn less(us: u64, duration: &str, unit: Unit) -> Result<u64, String> {
    let duration_us = decimal::micros(duration, unit).ok_or_else(|| stamp::no_number("duration", duration, unit))?;
    us.checked_sub(duration_us)
        .filter(|us| *us >= TIMESTAMP_MIN_US)
        .ok_or_else(|| "the timestamp less the duration is before the year 2000".to_owned())
}

#[cold]
fn missed(rule: usize, miss: Miss) -> Line {
    match miss {
        Miss::Unknown { name, timestamp_us } => Line::Unknown { rule, name, timestamp_us },
        Miss::Refused(refusal) => refused(rule, refusal),
        Miss::NotJson(error) => refused(rule, Refusal::new(Reason::Syntax, error)),
    }
}

#[cold]
fn refused(rule: usize, Refusal { reason, error }: Refusal) -> Line {
    Line::Refused { rule: Some(rule), reason, error }
}
