//! Inputs that catch up are read in step, by timestamp, so that the backlog of one does not wait in memory
//! for the other.
//!
//! Each input has a [`Lane`]. Before it hands over what it has read, it says from when that is
//! ([`Lane::reach`]), and is held up there while another that catches up is far behind. The one that is furthest
//! behind is never held up, so somebody always goes on. What stands still is not waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How far an input may be ahead of the slowest, by timestamps, in microseconds.
const AHEAD_MAX_US: u64 = 5_000_000;
/// Where nothing moves for this long, those that are behind are not waited for any more, until they move.
const PATIENCE: Duration = Duration::from_secs(5);

/// What all inputs share; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pace {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    lanes: Mutex<Vec<(u64, Place)>>,
    /// Told whenever somebody has moved; counts how often.
    moved: watch::Sender<u64>,
    patience: Duration,
}

/// Where an input stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It does not catch up: nobody waits for it.
    Free,
    /// It catches up; from when that is that it brings next, where it knows already.
    At(Option<u64>),
    /// It stood still for too long.
    Stuck,
}

impl Place {
    /// Whether who brings something from then on has to wait for it.
    fn holds_up(self, timestamp_us: u64) -> bool {
        match self {
            Self::Free | Self::Stuck => false,
            Self::At(at_us) => at_us.unwrap_or(0).saturating_add(AHEAD_MAX_US) < timestamp_us,
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::patient(PATIENCE)
    }
}

impl Pace {
    fn patient(patience: Duration) -> Self {
        Self { shared: Arc::new(Shared { lanes: Mutex::default(), moved: watch::channel(0).0, patience }) }
    }

    /// The place of one more input. Nobody waits for it before it says [`Lane::begin`].
    pub fn lane(&self) -> Lane {
        let mut lanes = self.shared.lock();
        let number = lanes.last().map_or(0, |(number, _)| number + 1);
        lanes.push((number, Place::Free));
        Lane { shared: Arc::clone(&self.shared), number }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Place)>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one input; when it is dropped nobody waits for it any more.
#[derive(Debug)]
pub struct Lane {
    shared: Arc<Shared>,
    number: u64,
}

impl Lane {
    /// It begins to catch up. The others wait for the first that it brings.
    pub fn begin(&self) {
        self.put(Place::At(None));
    }

    /// What it brings next is from `timestamp_us` (microseconds since the Unix epoch) on. Ready when nobody who
    /// catches up is far behind that.
    pub async fn reach(&self, timestamp_us: u64) {
        self.put(Place::At(Some(timestamp_us)));
        let mut moved = self.shared.moved.subscribe();
        while self.held_up(timestamp_us) {
            // The sender lives as long as we do.
            if timeout(self.shared.patience, moved.changed()).await.is_err() {
                self.give_up(timestamp_us);
            }
        }
    }

    /// It has caught up, or cannot go on: nobody waits for it.
    pub fn leave(&self) {
        self.put(Place::Free);
    }

    fn put(&self, place: Place) {
        if let Some((_, own)) = self.shared.lock().iter_mut().find(|(number, _)| *number == self.number) {
            *own = place;
        }
        self.shared.moved.send_modify(|count| *count += 1);
    }

    fn held_up(&self, timestamp_us: u64) -> bool {
        let lanes = self.shared.lock();
        lanes.iter().any(|(number, place)| *number != self.number && place.holds_up(timestamp_us))
    }

    fn give_up(&self, timestamp_us: u64) {
        let mut lanes = self.shared.lock();
        for (_, place) in lanes.iter_mut().filter(|(number, _)| *number != self.number) {
            if place.holds_up(timestamp_us) {
                *place = Place::Stuck;
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.lock().retain(|(number, _)| *number != self.number);
        self.shared.moved.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn who_is_ahead_waits_for_the_slowest_and_the_slowest_never() {
        run(async {
            let pace = Pace::default();
            let (logs, queue) = (pace.lane(), pace.lane());
            logs.begin();
            queue.begin();
            let mut ahead = pin!(logs.reach(100_000_000));
            assert!(poll!(&mut ahead).is_pending(), "the other has not said yet where it begins");
            queue.reach(10_000_000).await;
            assert!(poll!(&mut ahead).is_pending(), "the other is far behind");
            queue.reach(95_000_000).await;
            ahead.await;
        });
    }

    #[test]
    fn nobody_waits_for_one_that_has_caught_up_or_is_gone() {
        run(async {
            let pace = Pace::default();
            let (logs, queue, gone) = (pace.lane(), pace.lane(), pace.lane());
            logs.reach(100_000_000).await;
            queue.begin();
            gone.begin();
            let mut ahead = pin!(logs.reach(100_000_001));
            assert!(poll!(&mut ahead).is_pending());
            queue.leave();
            assert!(poll!(&mut ahead).is_pending());
            drop(gone);
            ahead.await;
        });
    }

    #[test]
    fn one_that_stands_still_is_not_waited_for_until_it_moves() {
        run(async {
            let pace = Pace::patient(Duration::from_millis(10));
            let (logs, queue) = (pace.lane(), pace.lane());
            queue.begin();
            logs.reach(100_000_000).await;
            logs.reach(200_000_000).await;
            queue.reach(1).await;
            let mut ahead = pin!(logs.reach(300_000_000));
            assert!(poll!(&mut ahead).is_pending(), "it has moved");
        });
    }
}
