//! Inputs: bytes in, [`Report`](crate::event::Report)s out.

pub mod body;
