//! The status of an edge over time, and the worst of the last `hold`.

use serde::{Deserialize, Serialize};

use crate::outcome::Status;

/// A change of one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) from: Status,
    pub(super) to: Status,
    pub(super) at_us: u64,
}

/// The status, the held status, and since when.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Standing {
    hold_us: u64,
    pub(super) status: Status,
    pub(super) status_since_us: u64,
    pub(super) held: Status,
    pub(super) held_since_us: u64,
    /// The worst status ever.
    pub(super) worst: Status,
    /// By status: when it last ended.
    ended_us: [Option<u64>; 4],
}

impl Standing {
    pub(super) fn new(hold_us: u64, start_us: u64) -> Self {
        Self {
            hold_us,
            status: Status::Unknown,
            status_since_us: start_us,
            held: Status::Unknown,
            held_since_us: start_us,
            worst: Status::Unknown,
            ended_us: [None; 4],
        }
    }

    /// Holds for another time from now on.
    pub(super) fn set_hold(&mut self, hold_us: u64) {
        self.hold_us = hold_us;
    }

    /// Sets the status at a moment to which this has been brought up; answers the turns of the status
    /// and of the held status.
    pub(super) fn set(&mut self, status: Status, at_us: u64) -> [Option<Turn>; 2] {
        if status == self.status {
            return [None, None];
        }
        let turn = Turn { from: self.status, to: status, at_us };
        self.ended_us[self.status as usize] = Some(at_us);
        (self.status, self.status_since_us) = (status, at_us);
        self.worst = self.worst.max(status);
        [Some(turn), self.hold(at_us)]
    }

    /// The first moment at which the held status is no longer what it is, if nothing happens.
    pub(super) fn next_decay_us(&self) -> Option<u64> {
        if self.held == self.status {
            return None;
        }
        self.ended_us[self.held as usize].map(|ended_us| ended_us + self.hold_us + 1)
    }

    /// Works out the held status of a moment; answers its turn.
    pub(super) fn hold(&mut self, at_us: u64) -> Option<Turn> {
        let on_show = |status: &Status| {
            *status == self.status
                || self.ended_us[*status as usize].is_some_and(|ended_us| ended_us + self.hold_us >= at_us)
        };
        let held = Status::ALL.into_iter().rev().find(on_show).unwrap_or(self.status);
        if held == self.held {
            return None;
        }
        let turn = Turn { from: self.held, to: held, at_us };
        (self.held, self.held_since_us) = (held, at_us);
        Some(turn)
    }
}
