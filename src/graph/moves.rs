//! Where the nodes and edges of a stream stand in its next shape.

use super::{Stream, System};

/// What stays of a stream when its manifest changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moves {
    /// By old node: its new place.
    pub nodes: Vec<Option<usize>>,
    /// By old edge: its new place. An edge stays when its two nodes are named the same.
    pub edges: Vec<Option<usize>>,
}

impl Moves {
    /// From one shape of a stream to the next, each with the system that names its nodes.
    pub fn new(old: (&System, &Stream), new: (&System, &Stream)) -> Self {
        let name =
            |(system, stream): (&System, &Stream), node: usize| system.nodes[stream.nodes[node].id.0 as usize].clone();
        let find = |node| (0..new.1.nodes.len()).find(|&place| name(new, place) == name(old, node));
        let nodes: Vec<_> = (0..old.1.nodes.len()).map(find).collect();
        let stays = |edge: &super::Edge| {
            let (from, to) = (nodes[edge.from]?, nodes[edge.to]?);
            new.1.edges.iter().position(|other| (other.from, other.to) == (from, to))
        };
        let edges = old.1.edges.iter().map(stays).collect();
        Self { nodes, edges }
    }

    /// By new edge: its old place.
    pub fn old_edges(&self, new: &Stream) -> Vec<Option<usize>> {
        (0..new.edges.len()).map(|edge| self.edges.iter().position(|&place| place == Some(edge))).collect()
    }
}
