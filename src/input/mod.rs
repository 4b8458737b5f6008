//! Inputs: bytes in, [`Report`](crate::event::Report)s out.

pub mod body;
mod fields;
mod refusal;
mod resolve;
mod scan;
mod timestamp;
