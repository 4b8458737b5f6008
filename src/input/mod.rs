//! Inputs: bytes in, [`Report`](crate::event::Report)s out.

pub mod amqp;
pub mod body;
mod eight;
mod fields;
mod lines;
mod merge;
mod names;
pub mod pace;
mod reader;
pub mod recording;
mod refusal;
pub mod replay;
mod resolve;
pub mod rules;
mod said;
pub mod sample;
mod scan;
pub mod tail;
mod timestamp;
mod traceparent;
