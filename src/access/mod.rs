//! Who may read and report: the pure parts. `now` is an argument; nothing here reads a file or a header.
//!
//! Programs show a [`Key`], of which only the SHA-256 is kept; people log in with a password that is kept
//! as [`Hashed`], and then show the cookie of their session ([`Sessions`]). The [`Throttle`] says how often
//! somebody may try. A [`Secret`] is what must not be shown.

mod key;
mod password;
mod roster;
mod secret;
mod sessions;
mod throttle;

pub use key::{Digest, KEY_PREFIX, Key, May, NoRandomness, new_secret};
pub use password::{Hashed, PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS};
pub use roster::{Doorman, Login, Roster};
pub use secret::Secret;
pub use sessions::{SESSION_US, SESSIONS_MAX, Sessions};
pub use throttle::Throttle;
