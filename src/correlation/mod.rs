//! Pairs equal tokens per edge and keeps the deadlines: events in, [`Verdicts`] out.
//!
//! One [`Flow`] serves one stream. It is pure: `now` is an argument, nothing is read or written
//! but its own memory. `tokens` remembers the messages, `requests` what is in flight or was judged
//! without a match, `lost` what went missing and was forgotten, `count` the groups of count checks,
//! `sight` whether somebody can testify that nothing came.

mod count;
mod drawn;
mod flow;
mod index;
mod key;
mod lost;
mod matching;
mod names;
mod requests;
mod sight;
mod sightings;
mod slab;
mod tokens;
mod verdicts;

pub use drawn::DrawnEdges;
pub use flow::{Flow, Joined};
pub use key::{KeyHasher, hash_token};
pub use sight::{Blank, Sight};
pub use sightings::Seen;
pub use verdicts::{Decision, Verdicts};
