//! Lines in, events out.

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
use crate::input::resolve::Resolver;

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
    stamps: Vec<(String, u64)>,
    last_us: Option<u64>,
}

impl<'a> LineReader<'a> {
    /// Reads by these rules. `accept_unknown`: events of unknown nodes are given back rather than refused.
    pub fn new(set: &'a RuleSet, nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        let locations = set.rules.iter().map(Rule::locations).collect();
        let stamps = vec![(String::new(), 0); set.rules.len()];
        Self { set, resolver: Resolver::new(nodes, accept_unknown), locations, stamps, last_us: None }
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
        let line = match text(line) {
            Ok(line) => line,
            Err(refused) => return refused,
        };
        let set = self.set;
        for (place, rule) in set.rules.iter().enumerate() {
            let taken = match (&rule.shape, &mut self.locations[place]) {
                (Shape::Match(pattern), Some(locations)) => match pattern.find(line, locations) {
                    Some(found) => self.event(place, rule, &given(found), written_us),
                    None => None,
                },
                _ => match rule.find_json(line) {
                    Some(found) => self.event(place, rule, &given(found), written_us),
                    None => None,
                },
            };
            if let Some(taken) = taken {
                return taken;
            }
        }
        Line::NoRule
    }

    /// What a rule makes of what it found; `None` where the line has no token or no node, and is not taken.
    #[inline]
    fn event<T: AsRef<str>>(&mut self, place: usize, rule: &Rule, found: &Found<T>, written_us: u64) -> Option<Line> {
        let get = |field: Field| found[field as usize].as_ref().map(AsRef::as_ref);
        let (token, node) = (get(Field::Token)?, get(Field::Node).or(rule.text.node.as_deref())?);
        let beside = Beside { written_us, last_us: self.last_us };
        let stamp = get(Field::Timestamp).map(|stamp| {
            let us = self.stamp(place, rule, stamp, beside)?;
            get(Field::Duration).map_or(Ok(us), |duration| less(us, duration, rule.text.unit))
        });
        let timestamp_us = match stamp.transpose() {
            Ok(us) => us,
            Err(error) => return Some(refused(place, Refusal::new(Reason::Timestamp, error))),
        };
        self.last_us = timestamp_us.or(self.last_us);
        let fields = Fields {
            node: Some((Key::Node, node.as_bytes())),
            token: Some((Key::Token, token.as_bytes())),
            known_node: None,
            trace_id: None,
            timestamp: timestamp_us.map(Stamp::Integer),
            parent: get(Field::Parent).map(str::as_bytes),
            alias: get(Field::Alias).map(str::as_bytes),
        };
        Some(match self.resolver.resolve(&fields) {
            Ok(report) => Line::Event { rule: place, report },
            Err(miss) => missed(place, *miss),
        })
    }

    /// Reads a rule's stamp.
    #[inline]
    fn stamp(&mut self, place: usize, rule: &Rule, text: &str, beside: Beside) -> Result<u64, String> {
        if !matches!(rule.stamps, Stamps::Format(_)) {
            return rule.stamps.read(text, beside);
        }
        let (last, us) = &mut self.stamps[place];
        if last != text || text.is_empty() {
            *us = rule.stamps.read(text, beside)?;
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

/// What is given: logs write a field that is not there as nothing, or as `-`.
#[inline]
fn given<T: AsRef<str>>(found: Found<T>) -> Found<T> {
    found.map(|text| text.filter(|text| !matches!(text.as_ref(), "" | "-")))
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

/// The text of a line. One that is not UTF-8, or holds a NUL, was torn or overwritten, and is not guessed at.
#[inline]
fn text(line: &[u8]) -> Result<&str, Line> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LINE_MAX_BYTES {
        return Err(Line::too_long());
    }
    let no_text = |error: String| Line::Refused { rule: None, reason: Reason::Syntax, error };
    if let Some(place) = memchr::memchr(0, line) {
        return Err(no_text(format!("the line holds a NUL: see its byte {place}")));
    }
    str::from_utf8(line).map_err(|error| no_text(not_utf8("line", error)))
}
