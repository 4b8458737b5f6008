//! What changed between what readers were shown and a new board.

use serde::Serialize;

use crate::board::{EdgeBoard, NodeBoard, StreamBoard};
use crate::clock::Moment;
use crate::outcome::Status;

/// How much a board differs from what was shown; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// Not at all, but for its time.
    None,
    /// In numbers alone.
    Numbers,
    /// In what a reader acts on: a status, a held status, a freshness, a node's state.
    State,
    /// In the graph itself: which nodes and edges there are, and what the edges owe.
    Graph,
}

/// The data of `event: change`.
#[derive(Serialize)]
struct Change<'a> {
    at: Moment,
    status: Status,
    unobserved: usize,
    alias_conflicts: u64,
    nodes: Vec<&'a NodeBoard>,
    edges: Vec<&'a EdgeBoard>,
}

fn of_nodes(shown: &NodeBoard, new: &NodeBoard) -> Difference {
    if (shown.state, shown.clock_flagged) != (new.state, new.clock_flagged) {
        Difference::State
    } else if shown != new {
        Difference::Numbers
    } else {
        Difference::None
    }
}

fn of_edges(shown: &EdgeBoard, new: &EdgeBoard) -> Difference {
    let state = |edge: &EdgeBoard| (edge.status, edge.status_since, edge.held, edge.held_since, edge.freshness);
    if state(shown) != state(new) {
        Difference::State
    } else if shown != new {
        Difference::Numbers
    } else {
        Difference::None
    }
}

/// Whether both have the same graph.
fn same_graph(shown: &StreamBoard, new: &StreamBoard) -> bool {
    let edge = |edge: &EdgeBoard, other: &EdgeBoard| {
        (&edge.from, &edge.to, &edge.name, edge.discovered) == (&other.from, &other.to, &other.name, other.discovered)
            && edge.check == other.check
    };
    shown.description == new.description
        && (shown.nodes.len(), shown.edges.len()) == (new.nodes.len(), new.edges.len())
        && shown.nodes.iter().zip(&new.nodes).all(|(a, b)| (&a.name, a.root) == (&b.name, b.root))
        && shown.edges.iter().zip(&new.edges).all(|(a, b)| edge(a, b))
}

/// How much a board differs from what was shown.
pub(super) fn difference(shown: &StreamBoard, new: &StreamBoard) -> Difference {
    if !same_graph(shown, new) {
        return Difference::Graph;
    }
    let whole = if (shown.status, shown.unobserved) != (new.status, new.unobserved) {
        Difference::State
    } else if shown.alias_conflicts != new.alias_conflicts {
        Difference::Numbers
    } else {
        Difference::None
    };
    let nodes = shown.nodes.iter().zip(&new.nodes).map(|(shown, new)| of_nodes(shown, new));
    let edges = shown.edges.iter().zip(&new.edges).map(|(shown, new)| of_edges(shown, new));
    nodes.chain(edges).max().unwrap_or(whole).max(whole)
}

/// Shows what differs by at least `least`, and gives it as JSON. The graph must be the same.
pub(super) fn show(shown: &mut StreamBoard, new: &StreamBoard, least: Difference) -> serde_json::Result<String> {
    let StreamBoard { at, status, unobserved, alias_conflicts, .. } = *new;
    (shown.at, shown.status, shown.unobserved, shown.alias_conflicts) = (at, status, unobserved, alias_conflicts);
    let mut change = Change { at, status, unobserved, alias_conflicts, nodes: Vec::new(), edges: Vec::new() };
    for (shown, new) in shown.nodes.iter_mut().zip(&new.nodes) {
        if of_nodes(shown, new) >= least {
            shown.clone_from(new);
            change.nodes.push(new);
        }
    }
    for (shown, new) in shown.edges.iter_mut().zip(&new.edges) {
        if of_edges(shown, new) >= least {
            shown.clone_from(new);
            change.edges.push(new);
        }
    }
    serde_json::to_string(&change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::EdgeCounters;
    use crate::outcome::{Freshness, Ledger, NodeState};

    fn node(name: &str) -> NodeBoard {
        let (state, name) = (NodeState::Observed, name.to_owned());
        NodeBoard { name, state, root: false, events: 1, rate: 0.1, last: None, clock_flagged: false, unreported: 0 }
    }

    fn edge(from: &str, to: &str) -> EdgeBoard {
        EdgeBoard {
            from: from.to_owned(),
            to: to.to_owned(),
            name: None,
            status: Status::Ok,
            status_since: Moment(1),
            held: Status::Ok,
            held_since: Moment(1),
            freshness: Freshness::Live,
            pass: 1,
            total: 1,
            in_flight: 0,
            rate: 0.1,
            last_pass: None,
            last_fail: None,
            discovered: false,
            latency_ms: None,
            check: None,
            ledger: Ledger::default(),
            recent_fails: [].into(),
            counters: EdgeCounters::default(),
        }
    }

    fn chain() -> StreamBoard {
        StreamBoard {
            name: "chain".to_owned(),
            description: String::new(),
            status: Status::Ok,
            unobserved: 0,
            alias_conflicts: 0,
            at: Moment(7),
            nodes: ["a", "b", "c"].map(node).into(),
            edges: vec![edge("a", "b"), edge("b", "c")],
        }
    }

    #[test]
    fn only_what_changed_is_shown() {
        let (mut shown, mut new) = (chain(), chain());
        new.at = Moment(8);
        assert_eq!(difference(&shown, &new), Difference::None);
        new.edges[0].in_flight += 1;
        assert_eq!(difference(&shown, &new), Difference::Numbers);
        new.edges[1].freshness = Freshness::Blind;
        new.nodes[2].state = NodeState::Silent;
        assert_eq!(difference(&shown, &new), Difference::State);

        let names = |json: &str, list: &str, name: &str| -> Vec<String> {
            let change: serde_json::Value = serde_json::from_str(json).unwrap();
            change[list].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
        };
        let change = show(&mut shown, &new, Difference::State).unwrap();
        assert_eq!(
            (names(&change, "edges", "to"), names(&change, "nodes", "name")),
            (vec!["c".into()], vec!["c".into()])
        );
        // The mere number is still to be shown.
        assert_eq!(difference(&shown, &new), Difference::Numbers);
        let change = show(&mut shown, &new, Difference::Numbers).unwrap();
        assert_eq!((names(&change, "edges", "to"), names(&change, "nodes", "name")), (vec!["b".into()], vec![]));
        assert_eq!(difference(&shown, &new), Difference::None);
    }

    #[test]
    fn another_graph_is_another_graph() {
        let with = |change: fn(&mut StreamBoard)| {
            let mut new = chain();
            change(&mut new);
            difference(&chain(), &new)
        };
        assert_eq!(with(|new| drop(new.edges.pop())), Difference::Graph);
        assert_eq!(with(|new| new.nodes[0].name.push('x')), Difference::Graph);
        assert_eq!(with(|new| new.edges[0].discovered = true), Difference::Graph);
        assert_eq!(with(|new| new.unobserved += 1), Difference::State);
        assert_eq!(with(|new| new.edges[1].status_since = Moment(2)), Difference::State);
    }
}
