//! The body of `POST /events`: one JSON object, an array of them, or NDJSON.
//!
//! Each event is read by the scanner, or, where it is unusual, by serde.

use std::str;

use serde::de::IgnoredAny;

use crate::event::Report;
use crate::graph::{NodeId, NodeIndex};

use super::fields::DEPTH_MAX;
use super::reader::{BLANKS, EventReader, not_utf8, strip_bom};
use super::refusal::{Miss, Refusal};

/// How many refused events of a body are named; the rest are counted. So an answer stays smaller
/// than a body of garbage.
pub const REJECTED_MAX: usize = 1_000;

/// Few events take less.
const EVENT_BYTES: usize = 80;

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

    /// Takes what was read, besides what is in `reports` by now.
    #[inline]
    fn take(&mut self, index: usize, read: Result<(), Box<Miss>>) {
        if let Err(miss) = read {
            self.miss(index, *miss);
        }
    }

    #[cold]
    fn miss(&mut self, index: usize, miss: Miss) {
        match miss {
            Miss::Unknown { name, .. } => self.unknown.push(name),
            Miss::Refused(Refusal { reason, error }) if self.rejected.len() < REJECTED_MAX => {
                self.rejected.push(Rejected { index, error, reason });
            }
            Miss::Refused(Refusal { reason, .. }) => self.rejected_unnamed[reason as usize] += 1,
            Miss::NotJson(error) => self.miss(index, Miss::Refused(Refusal::new(Reason::Syntax, error))),
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
    /// The sender may not report events of this node.
    Forbidden,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Syntax, Self::Field, Self::UnknownNode, Self::Timestamp, Self::Forbidden];

    /// The name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Field => "field",
            Self::UnknownNode => "unknown_node",
            Self::Timestamp => "timestamp",
            Self::Forbidden => "forbidden",
        }
    }
}

/// The body is no JSON at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJson(pub String);

/// Reads a body. `accept_unknown`: names of unknown nodes are given back rather than refused.
pub fn parse(body: &[u8], format: Format, nodes: &NodeIndex, accept_unknown: bool) -> Result<Parsed, NotJson> {
    read(body, format, EventReader::new(nodes, accept_unknown))
}

/// Reads the body of a sender that may report events of these nodes alone.
pub fn parse_bound(body: &[u8], format: Format, nodes: &NodeIndex, bounds: &[NodeId]) -> Result<Parsed, NotJson> {
    read(body, format, EventReader::new(nodes, false).bound_to(bounds))
}

/// Reads a body as [`parse`] does, but without the scanner: what tests and fuzzing hold it against.
pub fn parse_by_serde_alone(
    body: &[u8],
    format: Format,
    nodes: &NodeIndex,
    accept_unknown: bool,
) -> Result<Parsed, NotJson> {
    read(body, format, EventReader::by_serde_alone(nodes, accept_unknown))
}

fn read(body: &[u8], format: Format, mut reader: EventReader<'_>) -> Result<Parsed, NotJson> {
    let body = strip_bom(body);
    match format {
        Format::Json => {
            let text = str::from_utf8(body).map_err(|error| NotJson(not_utf8("body", error)))?;
            read_json(text, &mut reader).ok_or_else(|| not_json(text))
        }
        Format::Ndjson => read_ndjson(body, &mut reader),
    }
}

/// Reads an object or an array; `None` where the text is no JSON.
fn read_json(text: &str, reader: &mut EventReader<'_>) -> Option<Parsed> {
    let mut parsed = Parsed::default();
    let mut rest = text.trim_start_matches(BLANKS);
    if let Some(elements) = rest.strip_prefix('[') {
        rest = elements.trim_start_matches(BLANKS);
        let mut last = rest.starts_with(']');
        let mut index = 0;
        while !last {
            let read = reader.value(&mut rest, DEPTH_MAX - 1, &mut parsed.reports)?;
            parsed.take(index, read);
            index += 1;
            rest = rest.trim_start_matches(BLANKS);
            last = rest.starts_with(']');
            rest = if last { rest } else { rest.strip_prefix(',')? };
        }
        rest = rest.strip_prefix(']')?;
    } else {
        let read = reader.value(&mut rest, DEPTH_MAX, &mut parsed.reports)?;
        parsed.take(0, read);
    }
    rest.trim_start_matches(BLANKS).is_empty().then_some(parsed)
}

/// Says where a body stops being JSON.
#[cold]
fn not_json(text: &str) -> NotJson {
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => NotJson(format!("the body is no JSON: {error}")),
        Ok(_) => NotJson("the body is no JSON".to_owned()),
    }
}

fn read_ndjson(body: &[u8], reader: &mut EventReader<'_>) -> Result<Parsed, NotJson> {
    let mut parsed = Parsed { reports: Vec::with_capacity(body.len() / EVENT_BYTES), ..Parsed::default() };
    let (mut rest, mut index, mut any_json) = (body, 0, false);
    let mut first_error = None;
    while !rest.is_empty() {
        let Some(event) = reader.first_line(&mut rest, &mut parsed.reports) else { continue };
        match &event {
            Err(miss) if let Miss::NotJson(error) = miss.as_ref() => {
                first_error.get_or_insert_with(|| error.clone());
            }
            _ => any_json = true,
        }
        parsed.take(index, event);
        index += 1;
    }
    match first_error {
        Some(error) if !any_json => Err(NotJson(format!("no line of the body is JSON; of the first: {error}"))),
        _ => Ok(parsed),
    }
}
