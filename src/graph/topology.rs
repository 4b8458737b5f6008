//! What follows from a stream's edges: neighbours, order, and what lies beyond a node.

use petgraph::algo::{dominators, toposort};
use petgraph::graph::{DiGraph, NodeIndex as Index};

use super::Stream;

/// The shape of one stream's graph. Nodes and edges are indices in [`Stream`].
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// By node: the edges that lead to it.
    pub edges_in: Vec<Vec<usize>>,
    /// By node: the edges that leave it.
    pub edges_out: Vec<Vec<usize>>,
    /// By edge: the nodes that `from` can reach only through `to`, ascending; without `to` itself.
    pub beyond: Vec<Vec<usize>>,
    /// The nodes, each after all that lead to it; ties in the order of the manifest.
    pub order: Vec<usize>,
}

impl Topology {
    /// Derives the shape of a stream. A graph with a cycle has no order: it is left empty, but the
    /// manifest refuses such a graph.
    pub fn new(stream: &Stream) -> Self {
        let nodes = stream.nodes.len();
        let mut graph = DiGraph::<(), usize>::with_capacity(nodes, stream.edges.len());
        for _ in 0..nodes {
            graph.add_node(());
        }
        let (mut edges_in, mut edges_out) = (vec![Vec::new(); nodes], vec![Vec::new(); nodes]);
        for (index, edge) in stream.edges.iter().enumerate() {
            graph.add_edge(Index::new(edge.from), Index::new(edge.to), index);
            edges_out[edge.from].push(index);
            edges_in[edge.to].push(index);
        }
        let beyond = beyond(stream, &graph);
        let order = toposort(&graph, None).unwrap_or_default().into_iter().map(Index::index).collect();
        Self { edges_in, edges_out, beyond, order }
    }

    /// Whether no edge leads to the node.
    pub fn is_root(&self, node: usize) -> bool {
        self.edges_in[node].is_empty()
    }

    /// Whether no edge leaves the node.
    pub fn is_leaf(&self, node: usize) -> bool {
        self.edges_out[node].is_empty()
    }
}

/// A node is beyond `to` of an edge when `to` dominates it in the flow that starts at `from`.
fn beyond(stream: &Stream, graph: &DiGraph<(), usize>) -> Vec<Vec<usize>> {
    let mut beyond = vec![Vec::new(); stream.edges.len()];
    for from in graph.node_indices() {
        let dominators = dominators::simple_fast(graph, from);
        let edges = || stream.edges.iter().enumerate().filter(|(_, edge)| edge.from == from.index());
        if edges().next().is_none() {
            continue;
        }
        for node in graph.node_indices() {
            for dominator in dominators.strict_dominators(node).into_iter().flatten() {
                for (index, _) in edges().filter(|(_, edge)| edge.to == dominator.index()) {
                    beyond[index].push(node.index());
                }
            }
        }
    }
    beyond
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, NodeId, StreamNode};

    fn stream(nodes: usize, edges: &[(usize, usize)]) -> Stream {
        let edge = |&(from, to): &(usize, usize)| Edge {
            name: None,
            from,
            to,
            check: None,
            grace_us: 0,
            delay_us: 0,
            clock_skew_us: 0,
            hold_us: 0,
            silence_us: None,
        };
        Stream {
            nodes: (0..nodes).map(|id| StreamNode { id: NodeId(id as u32), silence_us: None }).collect(),
            edges: edges.iter().map(edge).collect(),
            ..Stream::default()
        }
    }

    #[test]
    fn beyond_is_what_can_be_reached_through_to_alone() {
        let chain = Topology::new(&stream(4, &[(0, 1), (1, 2), (2, 3)]));
        assert_eq!(chain.beyond, [vec![2, 3], vec![3], vec![]]);
        // 0 -> 1 -> 3 and 0 -> 2 -> 3: nothing but through one of two ways.
        let diamond = Topology::new(&stream(5, &[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]));
        assert_eq!(diamond.beyond, [vec![], vec![], vec![4], vec![4], vec![]]);
        // A shortcut past the middle.
        let shortcut = Topology::new(&stream(3, &[(0, 1), (1, 2), (0, 2)]));
        assert_eq!(shortcut.beyond, vec![Vec::<usize>::new(); 3]);
    }
}
