//! Manifests: what is read, and what is said of bad ones.

mod good;
