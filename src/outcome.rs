//! What a verdict is made of: outcomes, statuses, the ledger.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One judged request (or group of a count check) on one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It came, within the deadline.
    Pass,
    /// It came, but is stamped further before its upstream than the clock skew allows.
    Reversed,
    /// It came, later than the deadline.
    Late,
    /// The deadline passed without it.
    Missing,
    /// The deadline passed without it, but it was seen beyond the downstream node.
    Unreported,
    /// It could not be judged.
    Indeterminate,
    /// No check asked for it, and it did not come.
    Unmatched,
}

impl Outcome {
    /// Every outcome, in the order of the ledger.
    pub const ALL: [Self; 7] =
        [Self::Pass, Self::Reversed, Self::Late, Self::Missing, Self::Unreported, Self::Indeterminate, Self::Unmatched];

    /// The outcome's name in the API and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Reversed => "reversed",
            Self::Late => "late",
            Self::Missing => "missing",
            Self::Unreported => "unreported",
            Self::Indeterminate => "indeterminate",
            Self::Unmatched => "unmatched",
        }
    }

    /// Counts as a pass in a window.
    pub fn is_pass(self) -> bool {
        matches!(self, Self::Pass | Self::Reversed)
    }

    /// Counts as a fail in a window.
    pub fn is_fail(self) -> bool {
        matches!(self, Self::Late | Self::Missing)
    }
}

/// The status of an edge or a stream; `Ord` ranks from best known to worst, UNKNOWN lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Not enough is known.
    #[default]
    Unknown,
    /// The check holds.
    Ok,
    /// The warn threshold is reached.
    Warn,
    /// The fail threshold is reached.
    Nok,
}

impl Status {
    /// Every status, from UNKNOWN to NOK: the index is the value in the metrics.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Ok, Self::Warn, Self::Nok];

    /// The name as users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Nok => "NOK",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How fresh an edge's status is; it stands beside the status and never changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// An input that feeds the edge cannot testify.
    Blind,
    /// No event for longer than the edge's `silence`.
    Silent,
    /// No outcome ever.
    Unobserved,
    /// Something in flight, or an outcome within the last minute.
    Live,
    /// An edge on the way to it is NOK.
    Starved,
    /// None of these.
    Idle,
}

impl Freshness {
    /// Every freshness, in the order in which they apply.
    pub const ALL: [Self; 6] = [Self::Blind, Self::Silent, Self::Unobserved, Self::Live, Self::Starved, Self::Idle];

    /// The name in the API and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Silent => "silent",
            Self::Unobserved => "unobserved",
            Self::Live => "live",
            Self::Starved => "starved",
            Self::Idle => "idle",
        }
    }
}

/// What a node has shown of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// No event for longer than the node's `silence`.
    Silent,
    /// No event yet.
    Unobserved,
    /// It has sent, and not one edge out of it has an outcome yet.
    Waiting,
    /// It has sent.
    Observed,
}

impl NodeState {
    /// Every state, in the order in which they apply.
    pub const ALL: [Self; 4] = [Self::Silent, Self::Unobserved, Self::Waiting, Self::Observed];

    /// The name in the API and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Unobserved => "unobserved",
            Self::Waiting => "waiting",
            Self::Observed => "observed",
        }
    }
}

/// How many requests of an edge came to what, corrected by revisions.
///
/// It always balances: `upstream` is the sum of the outcomes and `in_flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the outcomes")]
pub struct Ledger {
    pub upstream: u64,
    pub pass: u64,
    pub reversed: u64,
    pub late: u64,
    pub missing: u64,
    pub unreported: u64,
    pub indeterminate: u64,
    pub unmatched: u64,
    pub in_flight: u64,
    pub orphans: u64,
    pub duplicates: u64,
    pub revisions: u64,
}

impl Ledger {
    /// The count of one outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Pass => self.pass,
            Outcome::Reversed => self.reversed,
            Outcome::Late => self.late,
            Outcome::Missing => self.missing,
            Outcome::Unreported => self.unreported,
            Outcome::Indeterminate => self.indeterminate,
            Outcome::Unmatched => self.unmatched,
        }
    }

    /// The count of one outcome, to change it.
    pub fn of_mut(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Reversed => &mut self.reversed,
            Outcome::Late => &mut self.late,
            Outcome::Missing => &mut self.missing,
            Outcome::Unreported => &mut self.unreported,
            Outcome::Indeterminate => &mut self.indeterminate,
            Outcome::Unmatched => &mut self.unmatched,
        }
    }

    /// All requests that have an outcome.
    pub fn decided(&self) -> u64 {
        Outcome::ALL.iter().map(|&outcome| self.of(outcome)).sum()
    }

    /// Whether every request is accounted for.
    pub fn balances(&self) -> bool {
        self.upstream == self.decided() + self.in_flight
    }
}

/// A change worth a line in the log, the trail and an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When it took place on the arrival clock, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// The stream's index.
    pub stream: usize,
    /// What changed.
    pub subject: Subject,
    /// How.
    pub change: Change,
}

/// What a transition is about, by its index in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An edge.
    Edge(usize),
    /// A node.
    Node(usize),
}

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The status of an edge's window.
    Status {
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
    },
    /// The held status of an edge.
    Held {
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
    },
    /// It fell silent (`true`) or was heard again.
    Silent(bool),
}
