//! Who may read and report: the pure parts.
//!
//! A [`Secret`] is what must not be shown.

mod secret;

pub use secret::Secret;
