//! A sample of a log, line by line: what the rules make of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::lines::{self, Lines};
use super::recording::Recording;
use super::rules::{LINE_MAX_BYTES, Line, LineReader, RuleSet};
use crate::graph::NodeIndex;

/// Reads a sample by rules. `take` is told the number of each line, from 1, its text, which is empty where it is too long,
/// and what it came to; it says whether to go on.
pub fn read(
    sample: &Recording,
    rules: &RuleSet,
    nodes: &NodeIndex,
    accept_unknown: bool,
    take: &mut dyn FnMut(u64, &[u8], Line) -> bool,
) -> io::Result<()> {
    let mut lines = Lines::new(sample.open(&Arc::new(AtomicU64::new(0)))?, LINE_MAX_BYTES);
    let mut reader = LineReader::new(rules, nodes, accept_unknown);
    let mut number = 0;
    while let Some(line) = lines.next()? {
        number += 1;
        let go_on = match line {
            lines::Line::Text(text) => take(number, text, reader.read(text, sample.written_us)),
            lines::Line::TooLong => take(number, b"", Line::too_long()),
        };
        if !go_on {
            break;
        }
    }
    Ok(())
}
