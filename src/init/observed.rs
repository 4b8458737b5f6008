//! What was seen of a system.

/// A system, as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What to call it.
    pub name: String,
    /// Where it was seen: a file, a server.
    pub source: String,
    /// Its streams.
    pub streams: Vec<ObservedStream>,
    /// What the reader should know of how it was seen.
    pub notes: Vec<String>,
}

/// One stream, as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservedStream {
    /// Its name.
    pub name: String,
    /// What flows here.
    pub description: String,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Its edges, without a cycle.
    pub edges: Vec<ObservedEdge>,
    /// How many messages were seen, where that is known.
    pub messages: Option<u64>,
}

/// One edge, as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservedEdge {
    /// The upstream node.
    pub from: String,
    /// The downstream node.
    pub to: String,
    /// What people call it.
    pub name: Option<String>,
    /// Messages seen at `from`.
    pub upstream: u64,
    /// Of those, the ones seen at `to`.
    pub matches: u64,
    /// Whether `upstream` counts exactly what could have come; else it is only near that.
    pub exact: bool,
    /// How long they took; none where nothing came.
    pub latencies: Option<Latencies>,
    /// A count check that the edge has.
    pub groups: Option<Groups>,
}

/// How long messages took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// Half of them took at most this.
    pub p50_us: u64,
    /// Of a thousand, 999 took at most this.
    pub p999_us: u64,
}

/// A count check: of every so many messages, so many are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Upstream events in a group.
    pub every: u32,
    /// Downstream events that make it pass.
    pub expect: u32,
    /// Whether tokens must be the same.
    pub same_token: bool,
    /// Its deadline in microseconds.
    pub within_us: u64,
}
