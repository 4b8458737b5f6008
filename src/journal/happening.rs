//! One thing that happens, with all that is kept of it.

use serde::{Deserialize, Serialize};

use super::positions::Position;
use crate::engine::Entry;
use crate::graph::InputState;

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

impl Happening {
    /// The bare entry.
    pub fn new(entry: Entry, now_us: u64) -> Self {
        Self { entry, now_us, unknown: Vec::new(), positions: Vec::new(), news: None }
    }
}
