//! One reader's place among the events of a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web::Bytes;
use prometheus::{IntCounter, IntGauge};
use tokio::sync::watch;

use super::channel::{Channel, Next};

/// What is handed over at once at most: a reader who stops reading keeps no more than this in memory
/// of its own.
const PIECE: usize = 32 * 1024;

/// A place among the readers, given back when dropped.
pub(super) struct Place {
    pub(super) taken: Arc<AtomicUsize>,
    pub(super) gauge: IntGauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::AcqRel);
        self.gauge.dec();
    }
}

/// Reads a stream's live events.
pub struct Reader {
    pub(super) channel: Arc<Channel>,
    pub(super) next: watch::Receiver<u64>,
    /// It has had all events before this one.
    pub(super) at: u64,
    /// What it has still to be given of the last event.
    pub(super) rest: Bytes,
    pub(super) restarts: IntCounter,
    pub(super) _place: Place,
}

impl Reader {
    /// The next bytes, as soon as there are any; nothing when the stream has ended.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.rest.is_empty() {
                return Some(self.rest.split_to(self.rest.len().min(PIECE)));
            }
            // Marked as seen before we look: what comes in between is seen the next time.
            self.next.borrow_and_update();
            let fresh = self.at == 0;
            match self.channel.after(&mut self.at) {
                Next::Event(event) => self.rest = event,
                Next::Whole(whole) => {
                    if !fresh {
                        self.restarts.inc();
                    }
                    self.rest = whole;
                }
                Next::Nothing => self.next.changed().await.ok()?,
                Next::End => return None,
            }
        }
    }
}
