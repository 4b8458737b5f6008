//! Questions that only the owner can answer, because the board does not hold the answer.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::observed::Observed;
use crate::board::EdgeDetail;
use crate::journal::News;

/// The most questions that may wait for the owner.
pub(super) const QUERIES_MAX: usize = 64;

/// A question to the owner.
#[derive(Debug)]
pub enum Query {
    /// One edge with its window and fails. By names: where an edge stands can change at any time.
    Edge {
        /// The stream's name.
        stream: String,
        /// The upstream node's name.
        from: String,
        /// The downstream node's name.
        to: String,
        /// Where the answer goes: none where there is no such edge any more.
        answer: oneshot::Sender<Option<EdgeDetail>>,
    },
    /// An input tells how it is.
    Input {
        /// Its name.
        name: Arc<str>,
        /// How it is.
        news: News,
        /// How often we had not run when it found that out.
        gaps: u64,
    },
    /// Go on with another manifest.
    Reload {
        /// What it declares.
        observed: Arc<Observed>,
        /// Told when it is in force, and on the board.
        answer: oneshot::Sender<()>,
    },
}
