//! What is sent to the owner, and the room that it takes while it waits.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::observed::Stretch;
use crate::event::{Packed, Report, Token};
use crate::journal::Position;

/// The most events that may wait for the owner.
pub const WAITING_EVENTS_MAX: usize = 256 * 1024;
/// The most bytes that waiting events may take.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too much waits already: try again a little later. Nothing was taken.
    Overloaded,
    /// The journal cannot be written: try again later. Nothing was taken.
    Unwritable,
    /// The pipeline has stopped. Whether anything was taken is not known.
    Stopped,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overloaded => "too many events are waiting to be judged",
            Self::Unwritable => "the journal cannot be written",
            Self::Stopped => "the server is stopping",
        })
    }
}

/// How much room events take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Their number.
    pub events: usize,
    /// Their memory, in bytes.
    pub bytes: usize,
}

impl Load {
    /// The room that reports and the names of unknown senders take.
    pub fn of(reports: &[Report], unknown: &[String]) -> Self {
        let long = |token: &Token| match &token.0 {
            Packed::Long(text) => text.len(),
            _ => 0,
        };
        let alias = |report: &Report| report.alias.as_ref().map_or(0, |alias| size_of::<Token>() + long(alias));
        let names: usize = unknown.iter().map(|name| size_of::<String>() + name.len()).sum();
        let tokens: usize = reports.iter().map(|report| long(&report.token) + alias(report)).sum();
        Self { events: reports.len() + unknown.len(), bytes: size_of_val(reports) + tokens + names }
    }
}

/// Counts what waits.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Mutex<Load>,
    /// Whether any is taken: told without the lock.
    waits: AtomicBool,
    freed: Notify,
}

impl Room {
    /// Takes room. Where nothing waits any load is taken, so that no batch is refused for ever.
    pub(super) fn reserve(self: &Arc<Self>, load: Load) -> Result<Reservation, Refused> {
        let mut taken = self.lock();
        let both = Load { events: taken.events + load.events, bytes: taken.bytes + load.bytes };
        if taken.events > 0 && (both.events > WAITING_EVENTS_MAX || both.bytes > WAITING_BYTES_MAX) {
            return Err(Refused::Overloaded);
        }
        *taken = both;
        self.waits.store(both.events > 0, Ordering::Release);
        Ok(Reservation { room: Arc::clone(self), load })
    }

    /// Takes room as soon as there is some.
    pub(super) async fn wait(self: &Arc<Self>, load: Load) -> Reservation {
        loop {
            // Listens before it looks, so that no room is missed that becomes free in between.
            let freed = self.freed.notified();
            if let Ok(reservation) = self.reserve(load) {
                return reservation;
            }
            freed.await;
        }
    }

    /// Whether anything waits.
    pub(super) fn is_taken(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }

    /// What waits now.
    pub(super) fn taken(&self) -> Load {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Load> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room that is held until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    room: Arc<Room>,
    load: Load,
}

impl Reservation {
    /// Makes one of two.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.load.events += other.load.events;
        self.load.bytes += other.load.bytes;
        other.load = Load::default();
    }

    /// How much it holds.
    pub fn load(&self) -> Load {
        self.load
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut taken = self.room.lock();
        taken.events -= self.load.events;
        taken.bytes -= self.load.bytes;
        self.room.waits.store(taken.events > 0, Ordering::Release);
        drop(taken);
        self.room.freed.notify_waiters();
    }
}

/// Events that are taken and acknowledged together.
#[derive(Debug)]
pub struct Batch {
    /// The events, in order.
    pub reports: Vec<Report>,
    /// What they were parsed with, in their order.
    pub stretches: Vec<Stretch>,
    /// Names of senders that no stream knows, one an event.
    pub unknown: Vec<String>,
    /// Which input brought them, where it has its place kept, and where it stands after them.
    pub positions: Option<(Arc<str>, Vec<Position>)>,
    /// The room that the batch holds while it waits.
    pub room: Reservation,
    /// Told when the batch is acknowledged, with the places of the reports whose nodes are gone: these
    /// were not taken; or why nothing of it was. Dropped where the pipeline stopped before.
    pub done: oneshot::Sender<Result<Vec<usize>, Refused>>,
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn who_waits_for_room_sleeps_until_some_is_freed() {
        let room = Arc::new(Room::default());
        let full = room.reserve(Load { events: WAITING_EVENTS_MAX, bytes: 1 }).unwrap();
        let mut waits = pin!(room.wait(Load { events: 1, bytes: 1 }));
        let mut look = || waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(look().is_pending(), "and it does not go in circles, either");
        assert!(room.reserve(Load { events: 1, bytes: 1 }).is_err());
        assert!(look().is_pending(), "another's failure frees nothing");
        drop(full);
        assert!(look().is_ready());
    }

    #[test]
    fn room_is_bounded_but_never_refuses_for_ever() {
        let room = Arc::new(Room::default());
        let huge = room.reserve(Load { events: 2 * WAITING_EVENTS_MAX, bytes: 1 }).unwrap();
        assert_eq!(room.reserve(Load { events: 1, bytes: 1 }).unwrap_err(), Refused::Overloaded);
        assert_eq!(room.taken().events, 2 * WAITING_EVENTS_MAX);
        drop(huge);
        assert_eq!(room.taken(), Load::default());
        let mut small = room.reserve(Load { events: 1, bytes: 1 }).unwrap();
        assert!(room.reserve(Load { events: WAITING_EVENTS_MAX, bytes: 1 }).is_err());
        assert!(room.reserve(Load { events: 1, bytes: WAITING_BYTES_MAX }).is_err());
        small.merge(room.reserve(Load { events: 2, bytes: 2 }).unwrap());
        assert_eq!(room.taken(), Load { events: 3, bytes: 3 });
        drop(small);
        assert_eq!(room.taken(), Load::default());
    }
}
