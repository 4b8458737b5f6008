//! One line for Nagios and those like it.

use std::process::ExitCode;

use super::model::{Edge, Stream};
use crate::cli::text::printable;
use crate::outcome::Status;

/// The most edges that are named.
const NAMED_MAX: usize = 5;

/// What the line says and how the command ends.
pub(super) struct Verdict {
    pub(super) line: String,
    pub(super) exit: ExitCode,
}

/// The exit code that stands for a status.
fn exit(status: Status) -> ExitCode {
    ExitCode::from(match status {
        Status::Ok => 0,
        Status::Warn => 1,
        Status::Nok => 2,
        Status::Unknown => 3,
    })
}

/// It is not known how things are.
pub(super) fn unknown(why: &str) -> Verdict {
    Verdict { line: format!("OBSERVATORY UNKNOWN - {}\n", safe(why)), exit: exit(Status::Unknown) }
}

/// The worst of some streams, what is wrong in each, and numbers to keep. `troubles`: what keeps the server from knowing.
pub(super) fn verdict(streams: &[Stream], troubles: &[String]) -> Verdict {
    let blind = (!troubles.is_empty()).then_some(Status::Unknown);
    let Some(worst) = streams.iter().map(|stream| stream.status).chain(blind).max_by_key(|status| rank(*status)) else {
        return unknown("there is no stream");
    };
    let streams_said = streams.iter().map(|stream| format!("{}: {}", safe(&stream.name), summary(stream)));
    let said: Vec<_> = troubles.iter().map(|trouble| safe(trouble)).chain(streams_said).collect();
    let data: Vec<_> = streams.iter().flat_map(numbers).collect();
    Verdict { line: format!("OBSERVATORY {worst} - {} | {}\n", said.join("; "), data.join(" ")), exit: exit(worst) }
}

/// For a plugin UNKNOWN is worse than OK: somebody should look.
fn rank(status: Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::Unknown => 1,
        Status::Warn => 2,
        Status::Nok => 3,
    }
}

/// `1 NOK (a -> b NOK(pass=1/4 25%)), 2 OK`
fn summary(stream: &Stream) -> String {
    let counts = stream.counts();
    let mut parts = Vec::new();
    for (status, &edges) in Status::ALL.iter().zip(&counts).rev().filter(|&(_, &edges)| edges > 0) {
        let noun = if edges == 1 { "edge" } else { "edges" };
        let mut part = format!("{edges} {noun} {status}");
        if *status >= Status::Warn {
            let bad = stream.edges.iter().filter(|edge| edge.counts_as() == *status);
            let mut names: Vec<_> = bad.take(NAMED_MAX).map(named).collect();
            if edges > NAMED_MAX {
                names.push(format!("{} more", edges - NAMED_MAX));
            }
            part += &format!(" ({})", names.join(", "));
        }
        parts.push(part);
    }
    if stream.unobserved > 0 {
        parts.push(format!("{} not observed", stream.unobserved));
    }
    if parts.is_empty() { "no edges".to_owned() } else { parts.join(", ") }
}

fn named(edge: &Edge) -> String {
    let label = edge.label.first().map_or("", String::as_str);
    format!("{} -> {} {}", safe(&edge.from), safe(&edge.to), safe(label))
}

/// Numbers of a stream, each `'label'=value`.
fn numbers(stream: &Stream) -> Vec<String> {
    let sum = |of: fn(&Edge) -> u64| stream.edges.iter().map(of).sum::<u64>();
    let [unknown, ok, warn, nok] = stream.counts();
    let counters = [
        ("late", sum(|edge| edge.ledger.late)),
        ("missing", sum(|edge| edge.ledger.missing)),
        ("indeterminate", sum(|edge| edge.ledger.indeterminate)),
    ];
    let edges = [("ok", ok), ("warn", warn), ("nok", nok), ("unknown", unknown)];
    // The name of a stream is of letters, digits, `-`, `_` and `.`: no quote must be doubled.
    let name = &stream.name;
    let edges = edges.map(|(label, edges)| format!("'{name} {label}'={edges};;;0;{}", stream.edges.len()));
    let in_flight = format!("'{name} in flight'={};;;0;", sum(|edge| edge.in_flight));
    edges
        .into_iter()
        .chain([in_flight])
        .chain(counters.map(|(label, n)| format!("'{name} {label}'={n}c;;;0;")))
        .collect()
}

/// A name without what would end the line's first part.
fn safe(text: &str) -> String {
    printable(text).replace('|', "¦")
}
