//! Behaviour of the whole, one file a behaviour.

mod manifest;
