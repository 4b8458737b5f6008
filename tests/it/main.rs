//! Behaviour of the whole, one file a behaviour.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers, too")]

mod events;
mod manifest;
