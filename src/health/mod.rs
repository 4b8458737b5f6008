//! Judges each edge by its outcomes: windows, statuses, held statuses, silence, latency.
//!
//! [`StreamHealth`] takes the correlator's verdicts on one stream. Everything is brought up to a moment
//! before something happens at it, so that no answer depends on how often anybody asks.

mod blind;
mod edge;
mod held;
mod latency;
mod rate;
mod rules;
mod silence;
mod stream;
mod view;
mod window;

pub use edge::EdgeHealth;
pub use rate::Rate;
pub use rules::status;
pub use stream::StreamHealth;
