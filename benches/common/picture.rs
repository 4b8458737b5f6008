//! The known picture, which all benchmarks observe.

/// The nodes, by their ids.
pub(crate) const NODES: [&str; 4] = ["web-server", "event-processor", "database", "journal"];
/// The edges: from, to, within in milliseconds.
pub(crate) const EDGES: [(usize, usize, u64); 3] = [(0, 1, 10_000), (1, 2, 500), (1, 3, 1_000)];
