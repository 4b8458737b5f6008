//! What the correlator tells health.

use crate::event::Token;
use crate::outcome::Outcome;

/// One thing that the correlator found out about an edge, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A new upstream event arrived; it opened a request, unless it only joined a group.
    Upstream {
        /// The edge.
        edge: usize,
        /// Whether a request (or group) began with it.
        opened: bool,
        /// Its arrival.
        at_us: u64,
    },
    /// A request got its first outcome.
    Decided(Decision),
    /// An outcome was corrected.
    Revised {
        /// What it is now, and when that was found out.
        decision: Decision,
        /// What it was.
        from: Outcome,
    },
    /// A downstream event was forgotten without ever meeting its upstream.
    Orphan {
        /// The edge.
        edge: usize,
    },
    /// An event arrived again.
    Duplicate {
        /// The edge.
        edge: usize,
    },
}

/// An outcome and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The edge.
    pub edge: usize,
    /// What came of the request.
    pub outcome: Outcome,
    /// Which message; none for a group of a count check.
    pub token: Option<Token>,
    /// The latency, where it came and the clocks agree.
    pub latency_us: Option<u64>,
    /// Of a `reversed` one: by how much the downstream's stamp lies before the upstream's.
    pub behind_us: u64,
    /// When it was decided: at its deadline, or when what decided it arrived.
    pub at_us: u64,
    /// Its place among the edge's outcomes that have one, counted from 0.
    pub place: Option<u64>,
}
