//! What follows from a graph, by walking it again and again.

use observatory::graph::Stream;

/// The nodes that can be reached from `from` without stepping on `without`; `from` among them.
pub(super) fn reachable(stream: &Stream, from: usize, without: Option<usize>) -> Vec<usize> {
    let mut reached = vec![from];
    let mut next = 0;
    while next < reached.len() {
        let node = reached[next];
        next += 1;
        for edge in stream.edges.iter().filter(|edge| edge.from == node && Some(edge.to) != without) {
            if !reached.contains(&edge.to) {
                reached.push(edge.to);
            }
        }
    }
    reached
}

/// The nodes that cannot be reached from `from` but through `to`, without `to`.
pub(crate) fn beyond(stream: &Stream, edge: usize) -> Vec<usize> {
    let (from, to) = (stream.edges[edge].from, stream.edges[edge].to);
    let otherwise = reachable(stream, from, Some(to));
    reachable(stream, from, None).into_iter().filter(|node| *node != to && !otherwise.contains(node)).collect()
}

/// The edges on some way to an edge.
pub(super) fn on_the_way_to(stream: &Stream, edge: usize) -> Vec<usize> {
    let from = stream.edges[edge].from;
    (0..stream.edges.len()).filter(|&other| reachable(stream, stream.edges[other].to, None).contains(&from)).collect()
}
