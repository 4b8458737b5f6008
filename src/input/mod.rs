//! Inputs: bytes in, [`Report`](crate::event::Report)s out.

pub mod body;
mod fields;
mod lines;
mod merge;
mod reader;
pub mod recording;
mod refusal;
pub mod replay;
mod resolve;
pub mod rules;
pub mod sample;
mod scan;
mod timestamp;
mod traceparent;
