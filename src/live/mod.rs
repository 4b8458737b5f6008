//! Live readers: whoever watches a stream is told what changes in it.
//!
//! ```text
//! a new board   -> Broadcaster   one a stream that is read: compares, writes the difference, once
//!   -> Channel     the last events and the whole, shared by all readers as `Bytes`
//!   -> Reader      its place among the events; behind too far, it gets the whole
//! ```
//!
//! So a reader costs a place and a wake-up, whatever the stream holds; one who stops reading keeps
//! nothing alive and nobody waiting. A stream that nobody reads costs nothing.

mod broadcaster;
mod channel;
mod difference;
mod events;
mod reader;
mod registry;

pub use reader::Reader;
pub use registry::{Live, Refused, Tallies};
