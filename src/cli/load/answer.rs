//! What came of the traffic, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::super::text::printable;
use super::delays::Percentiles;
use super::drive::Tally;
use super::ledgers::Ledgers;
use crate::board::ms;
use crate::clock::duration_text;
use crate::graph::System;
use crate::load::{Counts, EdgeExpected, FIELDS, balances};

/// Being behind by less is the machine's own unrest.
const BEHIND_US: u64 = 100_000;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) equal: bool,
    seed: u64,
    requests: u64,
    events: u64,
    acknowledged: u64,
    refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_refused: Option<String>,
    retries: u64,
    /// Messages a second: asked for and reached.
    rate: f64,
    rate_reached: f64,
    behind_ms: f64,
    /// When the server took nothing: from and to, in milliseconds from the start.
    outages_ms: Vec<(f64, f64)>,
    /// From the moment at which an event should have been sent to its acknowledgement.
    latency_ms: Option<Percentiles>,
    streams: Vec<Stream>,
}

#[derive(Debug, Serialize)]
struct Stream {
    name: String,
    edges: Vec<Edge>,
}

#[derive(Debug, Serialize)]
struct Edge {
    from: String,
    to: String,
    equal: bool,
    balances: bool,
    expected: BTreeMap<&'static str, i64>,
    actual: BTreeMap<&'static str, i64>,
    differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// A field that is not as it may be.
#[derive(Debug, Serialize)]
struct Difference {
    field: &'static str,
    least: i64,
    most: i64,
    actual: i64,
}

impl Answer {
    /// `asked`: the rate, how many messages, the seed. `ledgers`: before and after.
    pub(super) fn new(
        system: &System,
        asked: (f64, u64, u64),
        tally: &Tally,
        expected: &[Vec<EdgeExpected>],
        ledgers: (&Ledgers, &Ledgers),
    ) -> Self {
        let streams = system.streams.iter().enumerate().map(|(at, stream)| {
            let name = |place: usize| system.nodes[stream.nodes[place].id.0 as usize].clone();
            let edges = stream.edges.iter().enumerate().map(|(edge, declared)| {
                let (before, after) = (&ledgers.0.edges[at][edge], &ledgers.1.edges[at][edge]);
                let actual = std::array::from_fn(|field| after[field] - before[field]);
                Edge::new(name(declared.from), name(declared.to), &expected[at][edge], &actual)
            });
            Stream { name: stream.name.clone(), edges: edges.collect() }
        });
        let streams: Vec<_> = streams.collect();
        let edges_equal = streams.iter().flat_map(|stream| &stream.edges).all(|edge| edge.equal);
        let (rate, requests, seed) = asked;
        let (planned_us, really_us) = tally.last_us;
        let kept = if really_us == 0 { 1.0 } else { (planned_us as f64 / really_us as f64).min(1.0) };
        Self {
            equal: edges_equal && tally.refused == 0,
            seed,
            requests,
            events: tally.events,
            acknowledged: tally.acknowledged,
            refused: tally.refused,
            first_refused: tally.first_refused.clone(),
            retries: tally.retries,
            rate,
            rate_reached: rate * kept,
            behind_ms: ms(tally.sent.behind_us),
            outages_ms: tally.sent.outages_us.iter().map(|&(from_us, to_us)| (ms(from_us), ms(to_us))).collect(),
            latency_ms: tally.delays.percentiles(),
            streams,
        }
    }

    /// For people: what was sent, then a line for each edge.
    pub(super) fn text(&self, colour: bool) -> String {
        let mut text = self.sent();
        let mut rows = vec![["STREAM", "EDGE", "THE SERVER SAYS", "TRUTH"].map(str::to_owned)];
        let mut equal = vec![true];
        for stream in &self.streams {
            for edge in &stream.edges {
                let name = format!("{} -> {}", printable(&edge.from), printable(&edge.to));
                rows.push([stream.name.clone(), name, requests(&edge.actual), edge.verdict()]);
                equal.push(edge.equal);
            }
        }
        let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for (row, equal) in rows.iter().zip(equal) {
            for (cell, width) in row.iter().zip(widths) {
                text += cell;
                text += &" ".repeat(width - cell.width() + 2);
            }
            text += &if equal || !colour { row[3].clone() } else { format!("\u{1b}[31m{}\u{1b}[0m", row[3]) };
            text.push('\n');
        }
        text += if self.equal {
            "the ledgers are equal to the truth\n"
        } else {
            "the ledgers are NOT equal to the truth\n"
        };
        text
    }

    /// How it was sent, and taken.
    fn sent(&self) -> String {
        let Self { seed, requests, events, acknowledged, retries, rate, rate_reached, .. } = self;
        let mut text = format!(
            "{requests} messages, {events} events, seed {seed}: {rate_reached:.1} messages/s of {rate} asked for\n\
             {acknowledged} events acknowledged, {retries} requests sent again\n"
        );
        if let Some(Percentiles { p50, p99, p999, max, .. }) = self.latency_ms {
            text += &format!(
                "acknowledged after {p50:.1} ms (median), {p99:.1} ms (99 %), {p999:.1} ms (99.9 %), {max:.1} ms (all), \
                 from when they should have been sent\n"
            );
        }
        let behind_us = (self.behind_ms * 1000.0) as u64;
        if behind_us > BEHIND_US {
            let behind = duration_text(behind_us.next_multiple_of(1_000));
            text += &format!("behind by up to {behind}: the server, or this machine, did not keep up with the rate\n");
        }
        for (from, to) in &self.outages_ms {
            text += &format!("the server took nothing from {:.1} s to {:.1} s\n", from / 1000.0, to / 1000.0);
        }
        if let Some(first) = &self.first_refused {
            let (refused, first) = (self.refused, printable(first));
            text += &format!("{refused} events were refused: {first}\n");
        }
        text.push('\n');
        text
    }
}

impl Edge {
    fn new(from: String, to: String, expected: &EdgeExpected, actual: &Counts) -> Self {
        let fields = |counts: &Counts| FIELDS.into_iter().zip(*counts).collect();
        let difference = |field: usize| Difference {
            field: FIELDS[field],
            least: expected.least[field],
            most: expected.most[field],
            actual: actual[field],
        };
        let differences: Vec<_> = expected.differences(actual).into_iter().map(difference).collect();
        let balances = balances(actual);
        Self {
            from,
            to,
            equal: differences.is_empty() && balances,
            balances,
            expected: fields(&expected.truth),
            actual: fields(actual),
            differences,
            note: expected.note,
        }
    }

    /// `equal`, or what is not: `missing: 9, not 10`.
    fn verdict(&self) -> String {
        let mut text = String::new();
        for Difference { field, least, most, actual } in &self.differences {
            let field = field.replace('_', " ");
            let range = if least == most { least.to_string() } else { format!("{least} to {most}") };
            // Writing to a String cannot fail.
            write!(text, "{field}: {actual}, not {range}; ").unwrap_or_default();
        }
        if !self.balances {
            text += "it does not balance; ";
        }
        match (text.strip_suffix("; "), self.note) {
            (None, None) => "equal".to_owned(),
            (None, Some(note)) if note.starts_with("not ") => note.to_owned(),
            (None, Some(note)) => format!("as it may be: {note}"),
            (Some(text), None) => text.to_owned(),
            (Some(text), Some(note)) => format!("{text} ({note})"),
        }
    }
}

/// The ledger in words, without what is 0: `1000 = 990 pass + 10 missing, 3 duplicates`.
fn requests(counts: &BTreeMap<&'static str, i64>) -> String {
    let of = |field: &str| counts.get(field).copied().unwrap_or(0);
    let some = |fields: &[&'static str]| {
        let fields = fields.iter().filter(|field| of(field) != 0);
        fields.map(|field| format!("{} {}", of(field), field.replace('_', " "))).collect::<Vec<_>>()
    };
    let (outcomes, beside) = FIELDS[1..].split_at(FIELDS.len() - 3);
    let mut text = of("upstream").to_string();
    let outcomes = some(outcomes);
    if !outcomes.is_empty() {
        text += &format!(" = {}", outcomes.join(" + "));
    }
    for beside in some(beside) {
        text += &format!(", {beside}");
    }
    text
}
