//! The tests of behaviour, one file a behaviour, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers, too")]

mod events;
mod manifest;
