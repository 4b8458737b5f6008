//! One row of the table of edges.

use super::view::{Badge, When};
use crate::board::{EdgeBoard, StreamBoard, Tone, check_line, status_line};
use crate::clock::Moment;
use crate::picture::text::visible;
use crate::picture::words::{count, freshness, freshness_why, latency, rate};

pub(super) struct EdgeRow {
    /// Its place in the stream's list, wherever its row stands.
    pub(super) index: usize,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) name: Option<String>,
    pub(super) discovered: bool,
    pub(super) optional: bool,
    pub(super) badge: Badge,
    /// In the pieces between which a line may break.
    pub(super) check: Option<Vec<String>>,
    pub(super) held: Badge,
    pub(super) held_since: When,
    pub(super) freshness: &'static str,
    pub(super) freshness_words: &'static str,
    pub(super) freshness_why: &'static str,
    pub(super) latency: Option<[String; 3]>,
    pub(super) rate: String,
    pub(super) in_flight: String,
    pub(super) counts: [Count; 3],
    pub(super) ledger: String,
}

/// A number that is loud where it is not 0.
pub(super) struct Count {
    pub(super) label: &'static str,
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// The rows of a stream: what is broken first, else in the order of the manifest.
pub(super) fn edge_rows(stream: &StreamBoard) -> Vec<EdgeRow> {
    let mut edges: Vec<(usize, &EdgeBoard)> = stream.edges.iter().enumerate().collect();
    edges.sort_by_key(|(_, edge)| match Tone::of(edge) {
        Tone::Nok => 0,
        Tone::Warn => 1,
        _ => 2,
    });
    edges.into_iter().map(|(index, edge)| edge_row(index, edge, stream.at)).collect()
}

fn edge_row(index: usize, edge: &EdgeBoard, at: Moment) -> EdgeRow {
    let tone = Tone::of(edge);
    let ledger = &edge.ledger;
    let loud = |label, n: u64, class| Count { label, class: if n > 0 { class } else { "none" }, text: count(n) };
    EdgeRow {
        index,
        from: visible(&edge.from).into_owned(),
        to: visible(&edge.to).into_owned(),
        name: edge.name.as_deref().map(|name| visible(name).into_owned()),
        discovered: edge.discovered,
        optional: edge.check.as_ref().is_some_and(|check| check.optional),
        badge: Badge::new(tone, status_line(edge.status, edge.pass, edge.total)),
        check: check_line(edge).map(|line| line.split_inclusive(',').map(str::to_owned).collect()),
        held: Badge::of(edge.held),
        held_since: When::new(at, edge.held_since),
        freshness: edge.freshness.name(),
        freshness_words: freshness(edge.freshness),
        freshness_why: freshness_why(edge.freshness),
        latency: edge.latency_ms.map(|ms| [ms.p50, ms.p95, ms.p99].map(latency)),
        rate: rate(edge.rate),
        in_flight: count(edge.in_flight),
        counts: [
            loud("Late", ledger.late, "bad"),
            loud("Missing", ledger.missing, "bad"),
            loud("Indeterminate", ledger.indeterminate, "doubt"),
        ],
        ledger: ledger_words(edge),
    }
}

/// The rest of the ledger, where it is not 0.
fn ledger_words(edge: &EdgeBoard) -> String {
    let ledger = &edge.ledger;
    let others = [
        (ledger.reversed, "reversed"),
        (ledger.unreported, "unreported"),
        (ledger.unmatched, "unmatched"),
        (ledger.orphans, "orphans"),
        (ledger.duplicates, "duplicates"),
        (ledger.revisions, "revised"),
    ];
    let said: Vec<String> =
        others.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
    said.join(", ")
}
