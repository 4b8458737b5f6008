//! Comparing what was judged with what is true.

use observatory::board::Board;
use observatory::outcome::Ledger;

use super::picture::EDGES;

/// Compares what was judged with the truth, by edge; a message for each difference. Revisions are
/// left out: they tell how a verdict came about.
pub(crate) fn differences(board: &Board, truth: &[Ledger; EDGES.len()]) -> Vec<String> {
    let edges = board.streams[0].edges.iter().zip(truth);
    edges
        .filter(|(edge, truth)| Ledger { revisions: 0, ..edge.ledger } != **truth)
        .map(|(edge, truth)| format!("{} -> {}: {:?}, but in truth {truth:?}", edge.from, edge.to, edge.ledger))
        .collect()
}
