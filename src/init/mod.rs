//! Makes a manifest from what was observed: by recorded events, or by a server.
//!
//! `files` and `served` say what was seen, `render` writes it down, with `human` numbers. All of it is pure: bytes and
//! texts in, text out.

mod files;
mod human;
mod observed;
mod render;
mod served;

pub use files::{NothingSeen, of_events};
pub use observed::{Groups, Latencies, Observed, ObservedEdge, ObservedStream};
pub use render::manifest;
pub use served::{EdgeObject, StreamObject, StreamsObject};
