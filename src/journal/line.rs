//! A change as a line of JSON: the same change is the same line, whoever writes it.

use serde::Serialize;

use crate::clock::Moment;
use crate::graph::System;
use crate::outcome::{Change, Status, Subject, Transition};

/// A change by its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line<'a> {
    /// The record of the journal that made it; 0 without a journal.
    pub sequence: u64,
    /// When.
    pub at: Moment,
    /// In which stream.
    pub stream: &'a str,
    /// The node; none where it is an edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<&'a str>,
    /// The edge's upstream node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'a str>,
    /// The edge's downstream node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'a str>,
    /// `status`, `held`, `silent` or `heard`.
    pub change: &'static str,
    /// The status that it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Status>,
    /// The status that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Status>,
}

impl<'a> Line<'a> {
    /// Names what a change is about. `system` is what it names places in.
    pub fn new(sequence: u64, system: &'a System, transition: &Transition) -> Self {
        let stream = &system.streams[transition.stream];
        let name = |place: usize| system.nodes[stream.nodes[place].id.0 as usize].as_str();
        let (node, edge) = match transition.subject {
            Subject::Node(place) => (Some(name(place)), None),
            Subject::Edge(edge) => (None, stream.edges.get(edge)),
        };
        let (change, was, is) = match transition.change {
            Change::Status { from, to } => ("status", Some(from), Some(to)),
            Change::Held { from, to } => ("held", Some(from), Some(to)),
            Change::Silent(true) => ("silent", None, None),
            Change::Silent(false) => ("heard", None, None),
        };
        Self {
            sequence,
            at: Moment(transition.at_us),
            stream: &stream.name,
            node,
            from: edge.map(|edge| name(edge.from)),
            to: edge.map(|edge| name(edge.to)),
            change,
            was,
            is,
        }
    }
}
