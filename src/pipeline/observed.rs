//! What is observed now, and how to read reports that were parsed when it was something else.

use std::sync::Arc;

use crate::event::Report;
use crate::graph::{InputId, InputKind, NodeId, NodeIndex, System};

/// A system with the index of its nodes. Node ids in reports are those of the index that they were
/// parsed with: whoever hands reports over says which that was.
#[derive(Debug)]
pub struct Observed {
    /// What the manifest declares.
    pub system: Arc<System>,
    /// Finds its nodes by name.
    pub nodes: NodeIndex,
    /// The input of `POST /events`.
    pub http: InputId,
}

impl Observed {
    /// Indexes a system.
    pub fn new(system: Arc<System>) -> Arc<Self> {
        let http = system.inputs.iter().position(|input| input.kind == InputKind::Http);
        let http = http.map_or(InputId::NONE, |place| InputId(place as u16));
        Arc::new(Self { nodes: NodeIndex::new(&system), http, system })
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        &self.system.nodes[node.0 as usize]
    }
}

/// Consecutive reports that were parsed with the same index.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// How many.
    pub events: usize,
    /// What brought them, in the order of `by`.
    pub input: InputId,
    /// What they were parsed with.
    pub by: Arc<Observed>,
}

impl Stretch {
    /// The same, for whoever only looks at it.
    pub(super) fn parts(&self) -> (usize, InputId, &Arc<Observed>) {
        (self.events, self.input, &self.by)
    }
}

/// Adds events to the last stretch, or begins another where they were parsed with another index.
pub(super) fn extend(stretches: &mut Vec<Stretch>, events: usize, input: InputId, by: &Arc<Observed>) {
    match stretches.last_mut() {
        Some(last) if Arc::ptr_eq(&last.by, by) && last.input == input => last.events += events,
        _ => stretches.push(Stretch { events, input, by: Arc::clone(by) }),
    }
}

/// What becomes of a report that was parsed with another index: the same nodes by their new ids, or the
/// name of a node that is gone. A parent that is gone is none.
pub(super) fn translate<'a>(report: &mut Report, by: &'a Observed, now: &Observed) -> Result<(), &'a str> {
    let name = by.name(report.node);
    report.node = now.nodes.find(name).ok_or(name)?;
    report.parent = report.parent.and_then(|parent| now.nodes.find(by.name(parent)));
    Ok(())
}

/// The input that was read with another index, in the new one.
pub(super) fn translate_input(input: InputId, by: &Observed, now: &Observed) -> InputId {
    let name = by.system.inputs.get(usize::from(input.0)).map_or("", |input| input.name.as_str());
    now.system.input(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Token;

    fn observed(names: &[&str]) -> Arc<Observed> {
        let nodes = names.iter().map(|&name| name.to_owned()).collect();
        Observed::new(Arc::new(System { nodes, ..System::default() }))
    }

    #[test]
    fn old_ids_are_read_by_name() {
        let (old, new) = (observed(&["web", "worker", "books"]), observed(&["books", "mail", "web"]));
        let read = |node, parent: Option<u32>| {
            let (token, parent) = (Token::new("t").unwrap(), parent.map(NodeId));
            let mut report = Report { node: NodeId(node), token, timestamp_us: None, parent, alias: None };
            translate(&mut report, &old, &new).map(|()| (report.node, report.parent))
        };
        assert_eq!(read(0, None), Ok((NodeId(2), None)));
        assert_eq!(read(1, Some(0)), Err("worker"));
        assert_eq!(read(2, Some(0)), Ok((NodeId(0), Some(NodeId(2)))));
        assert_eq!(read(2, Some(1)), Ok((NodeId(0), None)));
    }

    #[test]
    fn a_stretch_ends_where_the_index_changes() {
        let (old, new) = (observed(&["web"]), observed(&["web"]));
        let mut stretches = Vec::new();
        for (events, by) in [(1, &old), (2, &old), (0, &new), (3, &new), (4, &old)] {
            extend(&mut stretches, events, InputId::default(), by);
        }
        assert_eq!(stretches.iter().map(|stretch| stretch.events).collect::<Vec<_>>(), [3, 3, 4]);
    }
}
