//! Inputs: bytes in, [`Report`](crate::event::Report)s out.

pub mod body;
mod fields;
mod lines;
mod merge;
mod reader;
mod refusal;
pub mod replay;
mod resolve;
mod scan;
mod timestamp;
