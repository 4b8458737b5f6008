//! Cycles: a stream is a way forward.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex as Index};

/// The cycles of a graph: of each knot of nodes a shortest one through its first node, as indices
/// of nodes in order, the first not repeated.
pub(super) fn find(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), ()>::with_capacity(nodes, edges.len());
    for _ in 0..nodes {
        graph.add_node(());
    }
    for &(from, to) in edges {
        graph.add_edge(Index::new(from), Index::new(to), ());
    }
    let mut cycles: Vec<_> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|knot| knot.len() > 1)
        .filter_map(|knot| shortest(&graph, &knot))
        .collect();
    cycles.sort();
    cycles
}

fn shortest(graph: &DiGraph<(), ()>, knot: &[Index]) -> Option<Vec<usize>> {
    let start = *knot.iter().min()?;
    let mut came_from = vec![None; graph.node_count()];
    let mut waiting = VecDeque::from([start]);
    while let Some(node) = waiting.pop_front() {
        // `neighbors` names the last edge first.
        let mut next: Vec<_> = graph.neighbors(node).collect();
        next.reverse();
        for next in next {
            if next == start {
                return Some(way(&came_from, start, node));
            }
            if came_from[next.index()].is_none() {
                came_from[next.index()] = Some(node);
                waiting.push_back(next);
            }
        }
    }
    None
}

fn way(came_from: &[Option<Index>], start: Index, end: Index) -> Vec<usize> {
    let mut way = vec![end.index()];
    let mut node = end;
    while node != start {
        let Some(before) = came_from[node.index()] else { break };
        way.push(before.index());
        node = before;
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_named_from_its_first_node() {
        assert_eq!(find(4, &[(0, 1), (1, 2), (2, 3), (3, 1)]), [[1, 2, 3]]);
        assert_eq!(find(2, &[(0, 1), (1, 0)]), [[0, 1]]);
        assert!(find(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).is_empty());
    }

    #[test]
    fn every_knot_has_its_cycle() {
        assert_eq!(find(5, &[(0, 1), (1, 0), (1, 2), (2, 3), (3, 4), (4, 2)]), [vec![0, 1], vec![2, 3, 4]]);
    }

    #[test]
    fn a_long_way_round_does_not_overflow() {
        let nodes = 100_000;
        let edges: Vec<_> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
        assert_eq!(find(nodes, &edges)[0].len(), nodes);
    }
}
