//! Questions that only the owner can answer, because the board does not hold the answer.

use tokio::sync::oneshot;

use crate::board::EdgeDetail;

/// The most questions that may wait for the owner.
pub(super) const QUERIES_MAX: usize = 64;

/// A question to the owner.
#[derive(Debug)]
pub enum Query {
    /// One edge with its window and fails.
    Edge {
        /// The stream's index.
        stream: usize,
        /// The edge's index in it.
        edge: usize,
        /// Where the answer goes: none where there is no such edge any more.
        answer: oneshot::Sender<Option<EdgeDetail>>,
    },
}
