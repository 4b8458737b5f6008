//! Server-sent events, as they go over the wire.

use actix_web::web::Bytes;

use crate::clock::Moment;

/// Keeps a connection open that has nothing to tell.
pub(super) const COMMENT: Bytes = Bytes::from_static(b": still here\n\n");
/// A reader whose connection breaks comes back after this time at least, in milliseconds.
const RETRY_MIN_MS: u64 = 1_000;
/// And up to so much later, so that not all come back at once.
const RETRY_SPREAD_MS: u64 = 2_000;

/// What the data of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The whole stream object.
    Stream,
    /// What changed in it.
    Change,
}

/// An event; its id is the moment that it shows, in microseconds.
pub(super) fn event(kind: Kind, at: Moment, json: &str) -> Bytes {
    let name = match kind {
        Kind::Stream => "stream",
        Kind::Change => "change",
    };
    // JSON as we write it has no line breaks.
    format!("event: {name}\nid: {}\ndata: {json}\n\n", at.0).into()
}

/// What a reader's stream begins with. `random` is different for every reader.
pub(super) fn greeting(random: u64) -> Bytes {
    format!("retry: {}\n\n", RETRY_MIN_MS + random % RETRY_SPREAD_MS).into()
}
