//! The body of `POST /events`: one JSON object, an array of them, or NDJSON.
//!
//! One UTF-8 check a body, then each event by the scanner, or, where it is unusual, by serde.

use std::borrow::Cow;
use std::str;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::event::Report;
use crate::graph::NodeIndex;

use super::fields::{self, DEPTH_MAX};
use super::refusal::{EXAMPLE, Refusal};
use super::resolve::{Resolver, Taken};
use super::scan;

/// How many refused events of a body are named; the rest are counted. So an answer stays smaller
/// than a body of garbage.
pub const REJECTED_MAX: usize = 1_000;

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/json`: one object or an array of them.
    Json,
    /// `application/x-ndjson`: one object a line; empty lines are skipped.
    Ndjson,
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The events, in order.
    pub reports: Vec<Report>,
    /// Events that were refused, by their index in the body (of NDJSON: by line, empty ones not
    /// counted); the first [`REJECTED_MAX`].
    pub rejected: Vec<Rejected>,
    /// How many events were refused beyond those in `rejected`, by [`Reason`] in the order of [`Reason::ALL`].
    pub rejected_unnamed: [usize; Reason::ALL.len()],
    /// Names of unknown nodes, one an event, where the manifest accepts them.
    pub unknown: Vec<String>,
}

impl Parsed {
    /// How many events were refused.
    pub fn rejected_count(&self) -> usize {
        self.rejected.len() + self.rejected_unnamed.iter().sum::<usize>()
    }

    fn take(&mut self, index: usize, event: Result<Taken, Refusal>) {
        match event {
            Ok(Taken::Known(report)) => self.reports.push(report),
            Ok(Taken::Unknown { name, .. }) => self.unknown.push(name),
            Err(Refusal { reason, error }) if self.rejected.len() < REJECTED_MAX => {
                self.rejected.push(Rejected { index, error, reason });
            }
            Err(Refusal { reason, .. }) => self.rejected_unnamed[reason as usize] += 1,
        }
    }
}

/// An event that was refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejected {
    /// Its index in the body.
    pub index: usize,
    /// What is wrong, and what to send instead.
    pub error: String,
    /// The reason as a label of the metrics.
    #[serde(skip)]
    pub reason: Reason,
}

/// Why an event was refused: a label of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No JSON object.
    Syntax,
    /// A field is absent or of the wrong type.
    Field,
    /// No stream knows the node.
    UnknownNode,
    /// A timestamp that cannot be meant.
    Timestamp,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Syntax, Self::Field, Self::UnknownNode, Self::Timestamp];

    /// The name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Field => "field",
            Self::UnknownNode => "unknown_node",
            Self::Timestamp => "timestamp",
        }
    }
}

/// The body is no JSON at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJson(pub String);

/// Reads a body. `accept_unknown`: names of unknown nodes are given back rather than refused.
pub fn parse(body: &[u8], format: Format, nodes: &NodeIndex, accept_unknown: bool) -> Result<Parsed, NotJson> {
    EventReader::new(nodes, accept_unknown).body(body, format)
}

/// Reads a body as [`parse`] does, but without the scanner: what tests and fuzzing hold it against.
pub fn parse_by_serde_alone(
    body: &[u8],
    format: Format,
    nodes: &NodeIndex,
    accept_unknown: bool,
) -> Result<Parsed, NotJson> {
    EventReader { scan: false, ..EventReader::new(nodes, accept_unknown) }.body(body, format)
}

/// Reads events one by one.
pub(super) struct EventReader<'a> {
    resolver: Resolver<'a>,
    scan: bool,
}

/// Why a line gave no event.
pub(super) enum LineError {
    /// It is no JSON at all.
    NotJson(String),
    /// It is JSON, but no event that can be taken.
    Refused(Refusal),
}

impl LineError {
    pub(super) fn into_refusal(self) -> Refusal {
        match self {
            Self::NotJson(error) => Refusal::new(Reason::Syntax, error),
            Self::Refused(refusal) => refusal,
        }
    }
}

impl<'a> EventReader<'a> {
    pub(super) fn new(nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        Self { resolver: Resolver::new(nodes, accept_unknown), scan: true }
    }

    fn body(&mut self, body: &[u8], format: Format) -> Result<Parsed, NotJson> {
        let body = strip_bom(body);
        match format {
            Format::Json => self.json(body),
            Format::Ndjson => self.ndjson(body),
        }
    }

    fn json(&mut self, body: &[u8]) -> Result<Parsed, NotJson> {
        let text = str::from_utf8(body).map_err(|error| NotJson(not_utf8("body", error)))?;
        let mut parsed = Parsed::default();
        let mut rest = text.trim_start_matches(BLANKS);
        let Some(elements) = rest.strip_prefix('[') else {
            let event = self.value(&mut rest, DEPTH_MAX).ok_or_else(|| not_json(text))?;
            if !rest.trim_start_matches(BLANKS).is_empty() {
                return Err(not_json(text));
            }
            parsed.take(0, event);
            return Ok(parsed);
        };
        rest = elements.trim_start_matches(BLANKS);
        let mut more = !rest.starts_with(']');
        if !more {
            rest = &rest[1..];
        }
        let mut index = 0;
        while more {
            let event = self.value(&mut rest, DEPTH_MAX - 1).ok_or_else(|| not_json(text))?;
            parsed.take(index, event);
            index += 1;
            rest = rest.trim_start_matches(BLANKS);
            more = rest.starts_with(',');
            if !more && !rest.starts_with(']') {
                return Err(not_json(text));
            }
            rest = &rest[1..];
        }
        if rest.trim_start_matches(BLANKS).is_empty() { Ok(parsed) } else { Err(not_json(text)) }
    }

    /// Reads one value off the start of `text`; `None` where there is none.
    fn value(&mut self, text: &mut &str, depth: usize) -> Option<Result<Taken, Refusal>> {
        *text = text.trim_start_matches(BLANKS);
        if let Some((fields, length)) = scan::object(text).filter(|_| self.scan) {
            *text = &text[length..];
            return Some(self.resolver.resolve(&fields));
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let value = values.next()?.ok()?;
        *text = &text[values.byte_offset()..];
        Some(fields::read(value.get(), depth).and_then(|fields| self.resolver.resolve(&fields)))
    }

    fn ndjson(&mut self, body: &[u8]) -> Result<Parsed, NotJson> {
        let mut parsed = Parsed { reports: Vec::with_capacity(body.len() / 128), ..Parsed::default() };
        let text = str::from_utf8(body).ok();
        let (mut start, mut index, mut json) = (0, 0, 0);
        let mut first_error = None;
        while start < body.len() {
            let end = memchr::memchr(b'\n', &body[start..]).map_or(body.len(), |length| start + length);
            let line = match text {
                Some(text) => Ok(&text[start..end]),
                None => str::from_utf8(&body[start..end]),
            };
            start = end + 1;
            let event = match line {
                Ok(line) => match self.line(line) {
                    Some(event) => event,
                    None => continue,
                },
                Err(error) => Err(LineError::NotJson(not_utf8("line", error))),
            };
            match &event {
                Err(LineError::NotJson(error)) if first_error.is_none() => first_error = Some(error.clone()),
                Err(LineError::NotJson(_)) => {}
                _ => json += 1,
            }
            parsed.take(index, event.map_err(LineError::into_refusal));
            index += 1;
        }
        match first_error {
            Some(error) if json == 0 => Err(NotJson(format!("no line of the body is JSON; of the first: {error}"))),
            _ => Ok(parsed),
        }
    }

    /// Reads one line of NDJSON; `None` where it is empty.
    #[inline]
    pub(super) fn line(&mut self, line: &str) -> Option<Result<Taken, LineError>> {
        if self.scan
            && let Some((fields, length)) = scan::object(line)
            && line[length..].trim_start_matches(BLANKS).is_empty()
        {
            return Some(self.resolver.resolve(&fields).map_err(LineError::Refused));
        }
        self.unusual_line(line.trim_matches(BLANKS))
    }

    #[cold]
    fn unusual_line(&mut self, line: &str) -> Option<Result<Taken, LineError>> {
        if line.is_empty() {
            return None;
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(line) {
            let (column, error) = (error.column(), error.to_string());
            let what = error.split(" at line ").next().unwrap_or_default();
            return Some(Err(LineError::NotJson(format!(
                "the line is no JSON: {what} at column {column}; send {EXAMPLE}"
            ))));
        }
        let event = fields::read(line, DEPTH_MAX).and_then(|fields| self.resolver.resolve::<Cow<'_, str>>(&fields));
        Some(event.map_err(LineError::Refused))
    }
}

/// What JSON counts as white space.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Takes off a byte order mark, which some tools put before UTF-8.
pub(super) fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cold]
pub(super) fn not_utf8(what: &str, error: str::Utf8Error) -> String {
    format!("the {what} is not UTF-8: see its byte {}", error.valid_up_to())
}

/// Says where a body stops being JSON.
#[cold]
fn not_json(text: &str) -> NotJson {
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => NotJson(format!("the body is no JSON: {error}")),
        Ok(_) => NotJson("the body is no JSON".to_owned()),
    }
}
