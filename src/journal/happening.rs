//! One thing that happens, with all that is kept of it.

use serde::{Deserialize, Serialize};

use super::positions::Position;
use crate::engine::Entry;
use crate::graph::{InputId, InputState, NodeId, NodeIndex, System};

/// What the core is told, and what belongs to it: kept together, or not at all.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What the core is told.
    pub entry: Entry,
    /// The moment of it on the arrival clock, in microseconds.
    pub now_us: u64,
    /// With events: names of senders that no stream knows, one an event.
    pub unknown: Vec<String>,
    /// With events: where inputs stand after them, by their names.
    pub positions: Vec<(String, Vec<Position>)>,
    /// With an input's state: its name, and all that it tells.
    pub news: Option<(String, News)>,
}

/// What an input tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Whether it can testify.
    pub state: InputState,
    /// How far behind it is, where it knows: the age of what it reads next.
    pub lag_us: Option<u64>,
    /// What has gone wrong last, in words for people, without secrets; `None` leaves what was said before.
    pub error: Option<String>,
}

impl News {
    /// Stands for what the same input told before, too: what went wrong last is not forgotten.
    pub fn follow(&mut self, before: Self) {
        self.error = self.error.take().or(before.error);
    }
}

impl Happening {
    /// The bare entry.
    pub fn new(entry: Entry, now_us: u64) -> Self {
        Self { entry, now_us, unknown: Vec::new(), positions: Vec::new(), news: None }
    }

    /// Reads it for another system than the one that names its places: the same nodes and inputs by their names. Events of
    /// nodes that are not there are left out; a reload is no more than a moment.
    pub(super) fn turn(&mut self, named: &System, instead: &System, nodes: &NodeIndex) {
        let node = |id: NodeId| nodes.find(named.nodes.get(id.0 as usize)?);
        match &mut self.entry {
            Entry::Events(events) => events.retain_mut(|event| {
                event.input = input(event.input, named, instead);
                event.parent = event.parent.and_then(node);
                node(event.node).is_some_and(|here| {
                    event.node = here;
                    true
                })
            }),
            Entry::Input { input: id, .. } => *id = input(*id, named, instead),
            Entry::Reload(_) => self.entry = Entry::Beat,
            Entry::Gap { .. } | Entry::Beat => {}
        }
    }
}

/// The input of the same name.
fn input(id: InputId, named: &System, instead: &System) -> InputId {
    named.inputs.get(usize::from(id.0)).map_or(InputId::NONE, |input| instead.input(&input.name))
}
