//! The pipeline: it owns the core; everybody else sends it batches and reads its boards.
//!
//! ```text
//! an input          a few events, and the core is free: correlated at once, on its thread; else
//!   -> room         Overloaded at once where there is none
//!   -> LocalIntake  merges what one worker's tasks push into one batch
//!   -> Mailbox      bounded by what was reserved
//!   -> owner        arrival -> correlate -> publish -> acknowledge
//! ```
//!
//! Without a journal events are acknowledged when they are correlated. With one nothing is correlated at once, and
//! nothing happens that is not kept: the owner lists what has come (`front`), has it written and synced by a thread
//! of its own (`committer`), and only then correlates and acknowledges it, while the next is being written
//! (`keeper`). One sync serves all batches that wait. A start, and a panic, goes on with what is kept (`opening`).
//!
//! A reload is a query: between two batches the owner goes on with another system. Reports that were
//! parsed before it and come after it are read again by the names of their nodes ([`Observed`]).

mod asked;
mod committer;
mod core;
mod figures;
mod front;
mod handle;
mod intake;
mod journal_figures;
mod keeper;
mod local;
mod mailbox;
mod observed;
mod opening;
mod owner;
mod port;
mod query;
mod refusals;
mod shutter;
mod stepped;

pub use core::Changed;
pub use figures::{DELAY_BOUNDS_US, Delays, Figures};
pub use handle::{JournalState, Pipeline, Running, Start};
pub use intake::{Batch, Load, Refused, Reservation, WAITING_EVENTS_MAX};
pub use journal_figures::JournalFigures;
pub use local::LocalIntake;
pub use observed::{Observed, Stretch};
pub use opening::Journal;
pub use port::{HandedOver, Harvest, Port};
pub use query::Query;
pub use stepped::Stepped;

pub use crate::journal::{News, Position};
