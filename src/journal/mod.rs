//! What is kept over a restart: all that happens, in order, and what it comes to.
//!
//! A [`Happening`] is an entry of the core's one list with all that belongs to it. What the list comes to so far is the
//! core with what stands beside it: who sends that nobody knows, what inputs told, where they stand in what they read.

mod codec;
mod happening;
mod kept;
mod line;
mod play;
mod positions;
mod senders;
mod told;

pub use codec::{Unreadable, read, read_system, system_sum, write, write_system};
pub use happening::{Happening, News};
pub use kept::{Changes, Kept};
pub use line::Line;
pub use play::{Begin, Lost, Played, play, snapshot};
pub use positions::{Position, Positions};
pub use senders::Senders;
pub use told::Told;
