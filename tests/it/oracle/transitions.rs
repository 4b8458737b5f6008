//! The changes worth a line in the log, told from the histories.

use std::collections::BTreeMap;

use observatory::outcome::{Change, Ledger, Status, Subject, Transition};

use super::Oracle;
use super::edge::EdgeModel;
use super::stream::StreamModel;

/// By stream, kind and place: every change, and when.
pub(crate) type Changes = BTreeMap<(usize, &'static str, usize), Vec<(u64, Change)>>;

/// Sorts transitions by what they are about.
pub(crate) fn by_subject(transitions: &[Transition]) -> Changes {
    let mut changes = Changes::new();
    for transition in transitions {
        let (kind, place) = match (transition.subject, transition.change) {
            (Subject::Edge(edge), Change::Status { .. }) => ("status", edge),
            (Subject::Edge(edge), Change::Held { .. }) => ("held", edge),
            (Subject::Edge(edge), Change::Silent(_)) => ("silent edge", edge),
            (Subject::Node(node), _) => ("silent node", node),
        };
        changes.entry((transition.stream, kind, place)).or_default().push((transition.at_us, transition.change));
    }
    changes
}

impl Oracle {
    /// Every change so far.
    pub(crate) fn changes(&self) -> Changes {
        let mut changes = Changes::new();
        for (index, stream) in self.streams.iter().enumerate() {
            for (place, edge) in stream.edges.iter().enumerate() {
                let status = told(&edge.statuses, |from, to| Change::Status { from, to });
                let held = told(&edge.helds, |from, to| Change::Held { from, to });
                let silent = silences(&edge.silences, edge.silent_since(self.now_us));
                for (kind, told) in [("status", status), ("held", held), ("silent edge", silent)] {
                    changes.insert((index, kind, place), told);
                }
            }
            for (place, node) in stream.nodes.iter().enumerate() {
                let silent = silences(&node.silences, stream.node_silent_since(place, self.now_us));
                changes.insert((index, "silent node", place), silent);
            }
        }
        changes.retain(|_, told| !told.is_empty());
        changes
    }

    /// What changes only when something is due: ledgers, statuses, silences, tokens.
    pub(crate) fn pulse(&self) -> (Vec<Ledger>, Vec<usize>) {
        let edge = |edge: &EdgeModel| {
            [edge.statuses.len(), edge.helds.len(), usize::from(edge.silent_since(self.now_us).is_some())]
        };
        let stream = |stream: &StreamModel| {
            let nodes = 0..stream.nodes.len();
            let silent = nodes.filter(|&node| stream.node_silent_since(node, self.now_us).is_some()).count();
            [stream.edges.iter().flat_map(edge).collect(), vec![stream.names(), silent]].concat()
        };
        (self.ledgers(), self.streams.iter().flat_map(stream).collect())
    }
}

fn told(history: &[(u64, Status)], change: fn(Status, Status) -> Change) -> Vec<(u64, Change)> {
    history.windows(2).map(|pair| (pair[1].0, change(pair[0].1, pair[1].1))).collect()
}

fn silences(past: &[(u64, u64)], present: Option<u64>) -> Vec<(u64, Change)> {
    let past = past.iter().flat_map(|&(from, to)| [(from, Change::Silent(true)), (to, Change::Silent(false))]);
    past.chain(present.map(|from| (from, Change::Silent(true)))).collect()
}
