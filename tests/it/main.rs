//! The tests of behaviour, one file a behaviour, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers, too")]

mod clients;
#[cfg(test)]
mod discovery;
mod events;
mod manifest;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schedules;
