//! The inputs: where events come from, and what each can say of itself.

use serde::{Deserialize, Serialize};

use super::NodeId;

/// An input among all inputs of the system: the index in [`System::inputs`](super::System::inputs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InputId(pub u16);

impl InputId {
    /// The place that no input has.
    pub const NONE: Self = Self(u16::MAX);
}

/// An input, as the manifest declares it for the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// How it gets its events.
    pub kind: InputKind,
    /// Its name, unique; its kind where the manifest says none.
    pub name: String,
    /// The nodes whose events it brings; empty where the manifest does not say, and it is learned.
    pub nodes: Vec<NodeId>,
    /// How late it may bring them.
    pub delay_us: u64,
}

/// How an input gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// `POST /events`.
    Http,
    /// A queue of a broker.
    Amqp,
    /// Log files.
    Log,
}

impl InputKind {
    /// The name in the manifest, the API and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Amqp => "amqp",
            Self::Log => "log",
        }
    }

    /// Whether it keeps what we have not read: then it testifies for a gap, once it has caught up.
    pub fn keeps(self) -> bool {
        match self {
            Self::Http => false,
            Self::Amqp | Self::Log => true,
        }
    }
}

/// Whether an input can testify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputState {
    /// What its senders report reaches us.
    Up,
    /// It is there again, but has not yet brought all that waited.
    CatchingUp,
    /// Nothing of it reaches us.
    Down,
}

impl InputState {
    /// The name in the API and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::CatchingUp => "catching_up",
            Self::Down => "down",
        }
    }
}
