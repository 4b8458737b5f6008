//! What the correlator tells health.

use crate::event::Token;
use crate::outcome::Outcome;

/// Who is told what the correlator finds out about the edges of a stream, in the order in which it does.
pub trait Verdicts {
    /// A new upstream event arrived at `at_us`; it opened a request, unless it only joined a group.
    fn upstream(&mut self, edge: usize, opened: bool, at_us: u64);
    /// A request got its first outcome.
    fn decided(&mut self, decision: &Decision<'_>);
    /// An outcome was corrected: what it is now, and what it was.
    fn revised(&mut self, decision: &Decision<'_>, from: Outcome);
    /// A downstream event was forgotten without ever meeting its upstream.
    fn orphan(&mut self, edge: usize);
    /// An event arrived again.
    fn duplicate(&mut self, edge: usize);
    /// An alias was ignored: a node has seen both messages.
    fn alias_conflict(&mut self);
}

/// An outcome and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The edge.
    pub edge: usize,
    /// What came of the request.
    pub outcome: Outcome,
    /// Which message; none for a group of a count check.
    pub token: Option<&'a Token>,
    /// The latency, where it came and the clocks agree.
    pub latency_us: Option<u64>,
    /// Of a `reversed` one: by how much the downstream's stamp lies before the upstream's.
    pub behind_us: u64,
    /// When it was decided: at its deadline, or when what decided it arrived.
    pub at_us: u64,
    /// Its place among the edge's outcomes that have one, counted from 0.
    pub place: Option<u64>,
}

impl<'a> Decision<'a> {
    /// On a request of `token` without a match; it has no place yet.
    pub(super) fn unmatched(edge: usize, outcome: Outcome, token: &'a Token, at_us: u64) -> Self {
        Self { edge, outcome, token: Some(token), latency_us: None, behind_us: 0, at_us, place: None }
    }
}
