//! The body of `POST /events`: one JSON object, an array of them, or NDJSON.

use crate::event::Report;
use crate::graph::NodeIndex;

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
    /// Events that were refused, by their index in the body (of NDJSON: by line, empty ones not counted).
    pub rejected: Vec<Rejected>,
    /// Names of unknown nodes, one an event, where the manifest accepts them.
    pub unknown: Vec<String>,
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

/// The body is no JSON at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJson(pub String);

/// Reads a body. `accept_unknown`: names of unknown nodes are given back rather than refused.
#[expect(clippy::todo, reason = "being written")]
pub fn parse(_body: &[u8], _format: Format, _nodes: &NodeIndex, _accept_unknown: bool) -> Result<Parsed, NotJson> {
    todo!()
}
