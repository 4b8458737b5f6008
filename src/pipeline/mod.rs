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
//! Events are acknowledged when they are correlated. A journal is not built yet; it will stand between
//! arrival and correlation. Then nothing may be correlated at once: the owner's thread takes all that
//! is queued together, so that one sync serves many batches.
//!
//! A reload is a query: between two batches the owner goes on with another system. Reports that were
//! parsed before it and come after it are read again by the names of their nodes ([`Observed`]).

mod core;
mod figures;
mod handle;
mod intake;
mod local;
mod mailbox;
mod observed;
mod owner;
mod port;
mod query;
mod refusals;
mod senders;
mod told;

pub use figures::{DELAY_BOUNDS_US, Delays, Figures};
pub use handle::{Pipeline, Running, Start};
pub use intake::{Batch, EVENTS_MAX, Load, Refused, Reservation};
pub use local::LocalIntake;
pub use observed::{Observed, Stretch};
pub use port::{Harvest, News, Port, Position};
pub use query::Query;
