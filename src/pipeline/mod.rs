//! The pipeline: one thread owns the core; everybody else sends it batches and reads its boards.
//!
//! ```text
//! an input          reserves room                    Overloaded at once where there is none
//!   -> LocalIntake  merges what one worker's tasks push into one batch
//!   -> Mailbox      bounded by what was reserved
//!   -> Owner        arrival -> (journal) -> correlate -> publish -> acknowledge
//! ```
//!
//! A batch is acknowledged when it is correlated. A journal goes between arrival and correlation:
//! the owner takes all that is queued at once, so one sync can serve many batches.
//!
//! A reload is a query: between two batches the owner goes on with another system. Reports that were
//! parsed before it and come after it are read again by the names of their nodes ([`Observed`]).

mod figures;
mod handle;
mod intake;
mod local;
mod mailbox;
mod observed;
mod owner;
mod query;
mod senders;

pub use figures::{DELAY_BOUNDS_US, Delays, Figures};
pub use handle::{Pipeline, Running, Start};
pub use intake::{Batch, EVENTS_MAX, Load, Refused, Reservation};
pub use local::LocalIntake;
pub use observed::{Observed, Stretch};
pub use query::Query;
