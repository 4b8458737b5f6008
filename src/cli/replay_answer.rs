//! What a replay answers: the API's stream objects, or a table for people.

use std::fmt::Write;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::text::printable;
use crate::board::{EdgeBoard, NodeBoard, StreamBoard, status_line};
use crate::clock::Moment;
use crate::input::replay::ReplayReport;
use crate::outcome::{Outcome, Status};

/// `{"streams": [...]}`.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    streams: Vec<StreamAnswer<'a>>,
    accepted: u64,
    rejected: u64,
}

#[derive(Serialize)]
struct StreamAnswer<'a> {
    name: &'a str,
    description: &'a str,
    status: Status,
    unobserved: usize,
    at: Moment,
    nodes: &'a [NodeBoard],
    edges: Vec<EdgeAnswer<'a>>,
}

#[derive(Serialize)]
struct EdgeAnswer<'a> {
    #[serde(flatten)]
    edge: &'a EdgeBoard,
    worst: Status,
}

/// Each edge with the worst status that it had.
fn edges(report: &ReplayReport) -> impl Iterator<Item = (&StreamBoard, Vec<(&EdgeBoard, Status)>)> {
    report.board.streams.iter().zip(&report.worst).map(|(stream, worst)| {
        let edges = stream.edges.iter().zip(worst.iter().copied()).collect();
        (stream.as_ref(), edges)
    })
}

/// The streams as the API has them, each edge with its `worst`.
pub(super) fn streams(report: &ReplayReport) -> Answer<'_> {
    let streams = edges(report).map(|(stream, edges)| StreamAnswer {
        name: &stream.name,
        description: &stream.description,
        status: stream.status,
        unobserved: stream.unobserved,
        at: stream.at,
        nodes: &stream.nodes,
        edges: edges.into_iter().map(|(edge, worst)| EdgeAnswer { edge, worst }).collect(),
    });
    Answer { streams: streams.collect(), accepted: report.counts.accepted, rejected: report.counts.rejected }
}

/// A line for each edge: what it is at the end, the worst that it was, what came of its requests.
pub(super) fn table(report: &ReplayReport, colour: bool) -> String {
    let mut rows = vec![["STREAM", "EDGE", "STATUS", "WORST", "REQUESTS"].map(str::to_owned)];
    let mut statuses = vec![Status::Unknown];
    for (stream, edges) in edges(report) {
        for (edge, worst) in edges {
            let name = format!("{} -> {}", printable(&edge.from), printable(&edge.to));
            let status = status_line(edge.status, edge.pass, edge.total);
            rows.push([stream.name.clone(), name, status, worst.to_string(), requests(edge)]);
            statuses.push(worst);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for (row, status) in rows.iter().zip(statuses) {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            text += &if colour && column == 3 { painted(cell, status) } else { cell.clone() };
            text += &" ".repeat(width - cell.width() + 2);
        }
        text += &row[4];
        text.push('\n');
    }
    let (accepted, rejected) = (report.counts.accepted, report.counts.rejected);
    // Writing to a String cannot fail.
    writeln!(text, "{accepted} events, {rejected} refused").unwrap_or_default();
    text
}

/// The ledger in words, without what is 0: `1000 = 990 pass + 10 missing`.
fn requests(edge: &EdgeBoard) -> String {
    let ledger = &edge.ledger;
    let parts: Vec<_> = Outcome::ALL
        .into_iter()
        .map(|outcome| (ledger.of(outcome), outcome.name()))
        .chain([(ledger.in_flight, "in flight")])
        .filter(|&(count, _)| count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    if parts.is_empty() {
        return "0".to_owned();
    }
    format!("{} = {}", ledger.upstream, parts.join(" + "))
}

/// A status in its colour.
fn painted(text: &str, status: Status) -> String {
    let code = match status {
        Status::Ok => 32,
        Status::Warn => 33,
        Status::Nok => 31,
        Status::Unknown => return text.to_owned(),
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
