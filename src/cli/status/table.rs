//! The table of a stream's edges, and its last lost tokens.

use unicode_width::UnicodeWidthStr;

use super::mark;
use super::model::{Edge, Fail, Stream};
use super::paint::{Ink, tone_ink};
use crate::cli::text::printable;
use crate::outcome::{Freshness, Status};
use crate::picture::text::shorten;
use crate::picture::words::{age, count, latency};

/// The most lost tokens that are shown.
const FAILS_MAX: usize = 10;
/// The most columns of an edge's two names.
const NAMES_COLUMNS: usize = 48;

/// What stands above the table.
pub(super) fn head(stream: &Stream, colour: bool) -> String {
    let status = tone_ink(super::status_tone(stream.status));
    let mark = mark(super::status_tone(stream.status));
    let mut line = status.paint(&format!("{mark} {} {}", stream.status, printable(&stream.name)), colour);
    let edges = stream.edges.len();
    if stream.unobserved > 0 {
        line += &format!(", {} of {edges} not observed", stream.unobserved);
    }
    if !stream.description.is_empty() {
        line += &Ink::Faint.paint(&format!("  {}", printable(&stream.description)), colour);
    }
    line + "\n"
}

/// What a terminal that is too narrow does without, first what is missed least: check, 95th percentile, freshness, in
/// flight, indeterminate, held. What is not 0 there stays.
const SPARED: [usize; 6] = [10, 4, 9, 5, 8, 3];

/// The columns that are shown where there are so many columns of characters.
fn shown(rows: &[[String; 11]], widths: &[usize; 11], room: usize) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..widths.len()).collect();
    for spared in SPARED {
        let needed: usize = shown.iter().map(|&column| widths[column] + 2).sum();
        // One gap fewer than columns, and so is the last column's.
        if needed <= room + 2 {
            break;
        }
        let says = rows.iter().any(|row| row[spared] != "-" && row[spared] != Freshness::Live.name());
        if !(says && matches!(spared, 5 | 8 | 9)) {
            shown.retain(|&column| column != spared);
        }
    }
    shown
}

/// A line for each edge, in so many columns where that is possible.
pub(super) fn edges(stream: &Stream, columns: usize, colour: bool) -> String {
    const HEAD: [&str; 11] =
        ["", "EDGE", "STATUS", "HELD", "P95", "IN FLIGHT", "LATE", "MISSING", "INDETERMINATE", "FRESHNESS", "CHECK"];
    let rows: Vec<_> = (1..).zip(&stream.edges).map(|(number, edge)| row(number, edge, stream)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row: &[String; 11]| row[column].width());
        cells.max().unwrap_or(0).max(HEAD[column].width())
    };
    let widths: [usize; 11] = std::array::from_fn(width);
    let shown = shown(&rows, &widths, columns);
    let head = line(&HEAD.map(str::to_owned), &widths, &shown, |_, cell| cell.to_owned());
    let mut text = Ink::Faint.paint(&head, colour) + "\n";
    for (edge, row) in stream.edges.iter().zip(&rows) {
        let paint = |column: usize, cell: &str| {
            let ink = match column {
                0 | 2 | 3 => tone_ink(edge.tone),
                // What could not be judged is told loudly.
                8 if edge.ledger.indeterminate > 0 => Ink::Warn,
                9 if edge.freshness == Freshness::Silent => Ink::Nok,
                10 => Ink::Faint,
                _ => return cell.to_owned(),
            };
            ink.paint(cell, colour)
        };
        text += &(line(row, &widths, &shown, paint) + "\n");
    }
    text
}

fn line(row: &[String; 11], widths: &[usize; 11], shown: &[usize], paint: impl Fn(usize, &str) -> String) -> String {
    let mut text = String::new();
    for &column in shown {
        let cell = &row[column];
        let gap = " ".repeat(widths[column] - cell.width());
        // Numbers stand to the right.
        let numeric = (4..=8).contains(&column);
        if column > 0 {
            text += "  ";
        }
        let cell = if cell.is_empty() { String::new() } else { paint(column, cell) };
        text += &if numeric {
            gap + &cell
        } else if shown.last() == Some(&column) {
            cell
        } else {
            cell + &gap
        };
    }
    text
}

fn row(number: usize, edge: &Edge, stream: &Stream) -> [String; 11] {
    let (from, to) = (printable(&edge.from), printable(&edge.to));
    let ledger = &edge.ledger;
    let some = |number: u64| if number == 0 { "-".to_owned() } else { count(number) };
    let held = match (edge.held, edge.freshness) {
        (Status::Unknown, Freshness::Unobserved) => "-".to_owned(),
        (held, _) => format!("{held} {}", age(stream.at, edge.held_since)),
    };
    [
        format!("{number} {}", mark(edge.tone)),
        format!("{} -> {}", shorten(&from, NAMES_COLUMNS / 2), shorten(&to, NAMES_COLUMNS / 2)),
        edge.label.first().map(|line| printable(line).into_owned()).unwrap_or_default(),
        held,
        edge.latency_ms.map_or_else(|| "-".to_owned(), |latency_ms| latency(latency_ms.p95)),
        some(edge.in_flight),
        some(ledger.late),
        some(ledger.missing),
        some(ledger.indeterminate),
        edge.freshness.name().to_owned(),
        edge.label.get(1).map_or_else(|| "no check".to_owned(), |line| printable(line).into_owned()),
    ]
}

/// The last tokens that were lost or late, over all edges; the newest first.
pub(super) fn fails(stream: &Stream, colour: bool) -> String {
    let mut all: Vec<(&Fail, &Edge)> =
        stream.edges.iter().flat_map(|edge| edge.fails.iter().map(move |fail| (fail, edge))).collect();
    all.sort_by_key(|(fail, _)| std::cmp::Reverse(fail.at));
    all.truncate(FAILS_MAX);
    if all.is_empty() {
        return String::new();
    }
    let mut text = Ink::Faint.paint("LAST LOST", colour) + "\n";
    for (fail, edge) in all {
        let latency = fail.latency_ms.map(|ms| format!(" {}", latency(ms))).unwrap_or_default();
        let outcome = format!("{}{latency}", fail.outcome.name());
        let token = fail.token.as_deref().map_or("a group".into(), printable);
        let edge = format!("{} -> {}", printable(&edge.from), printable(&edge.to));
        text += &format!("{}  {outcome:<16}  {token}  {}\n", fail.at, Ink::Faint.paint(&edge, colour));
    }
    text
}

/// Nodes that are silent though others have seen beyond them.
pub(super) fn nodes(stream: &Stream, colour: bool) -> String {
    let silent = stream.nodes.iter().filter(|node| node.unreported > 0).map(|node| {
        let words =
            format!("{}: {} unreported, seen beyond it but not by it", printable(&node.name), count(node.unreported));
        Ink::Warn.paint(&words, colour) + "\n"
    });
    silent.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_does_without_what_is_missed_least() {
        let row = |flight: &str, freshness: &str| {
            [
                "1 x",
                "a -> b",
                "OK(pass=3/3 100%)",
                "OK 3 s",
                "5.0 ms",
                flight,
                "-",
                "-",
                "-",
                freshness,
                "Check(within=1s)",
            ]
            .map(str::to_owned)
        };
        let widths = [3, 6, 17, 6, 6, 9, 4, 7, 13, 9, 16];
        let wide = widths.iter().sum::<usize>() + 2 * 10;
        let quiet = [row("-", "live")];
        assert_eq!(shown(&quiet, &widths, wide).len(), 11);
        assert_eq!(shown(&quiet, &widths, wide - 1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(shown(&quiet, &widths, 20), [0, 1, 2, 6, 7]);
        // What is not as usual stays.
        assert_eq!(shown(&[row("3", "idle")], &widths, 20), [0, 1, 2, 5, 6, 7, 9]);
    }
}
