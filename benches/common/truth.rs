//! Comparing what was judged with what is true.

use observatory::board::Board;
use observatory::outcome::Ledger;

use super::system::EDGES;

/// The first number among the arguments, else `default`: how much to do.
pub(crate) fn size(default: usize) -> usize {
    std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default)
}

/// Compares what was judged with the truth, by edge; a message for each difference. Revisions are
/// left out: they tell how a verdict came about.
pub(crate) fn differences(board: &Board, truth: &[Ledger; EDGES.len()]) -> Vec<String> {
    let edges = board.streams[0].edges.iter().zip(truth);
    edges
        .filter(|(edge, truth)| Ledger { revisions: 0, ..edge.ledger } != **truth)
        .map(|(edge, truth)| format!("{} -> {}: {:?}, but in truth {truth:?}", edge.from, edge.to, edge.ledger))
        .collect()
}
