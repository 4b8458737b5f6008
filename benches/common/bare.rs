//! The yardstick of all that reads events.

use std::hint::black_box;

use serde::Deserialize;

use super::workload::Stamps;

/// What everybody would do at the least: borrow the fields from each line.
pub(crate) fn bare_parse(lines: &[u8], stamps: Stamps) -> usize {
    #[derive(Deserialize)]
    struct Integer<'a> {
        node: &'a str,
        token: &'a str,
        timestamp: u64,
    }
    #[derive(Deserialize)]
    struct Rfc3339<'a> {
        node: &'a str,
        token: &'a str,
        timestamp: &'a str,
    }
    let mut start = 0;
    let lines = memchr::memchr_iter(b'\n', lines).map(|end| &lines[std::mem::replace(&mut start, end + 1)..end]);
    let parsed = lines.map(|line| match stamps {
        Stamps::Integer => {
            let event: Integer<'_> = serde_json::from_slice(line).expect("an event");
            black_box((event.node, event.token, event.timestamp)).0.len()
        }
        Stamps::Rfc3339 => {
            let event: Rfc3339<'_> = serde_json::from_slice(line).expect("an event");
            black_box((event.node, event.token, event.timestamp)).0.len()
        }
    });
    parsed.filter(|&length| length > 0).count()
}
