//! Reads events one by one: by the scanner, or, where one is unusual, by serde.

use std::str;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::event::Report;
use crate::graph::{NodeId, NodeIndex};

use super::fields::{self, DEPTH_MAX};
use super::refusal::{EXAMPLE, Miss};
use super::resolve::Resolver;
use super::scan;

/// What JSON counts as white space.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

#[inline]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Reads events one by one.
pub(super) struct EventReader<'a> {
    resolver: Resolver<'a>,
    scan: bool,
}

impl<'a> EventReader<'a> {
    pub(super) fn new(nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        Self { resolver: Resolver::new(nodes, accept_unknown), scan: true }
    }

    /// One that does without the scanner.
    pub(super) fn by_serde_alone(nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        Self { scan: false, ..Self::new(nodes, accept_unknown) }
    }

    /// The same, for a sender that may report events of these nodes alone.
    pub(super) fn bound_to(self, bounds: &'a [NodeId]) -> Self {
        Self { resolver: self.resolver.bound_to(bounds), ..self }
    }

    /// Reads one value off the start of `text`, which may be nested `depth` deep; `None` where there
    /// is none.
    pub(super) fn value(&mut self, text: &mut &str, depth: usize) -> Option<Result<Report, Box<Miss>>> {
        *text = text.trim_start_matches(BLANKS);
        if self.scan
            && let Some((fields, length)) = scan::object(text.as_bytes())
        {
            *text = &text[length..];
            return Some(self.resolver.resolve(&fields));
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let value = values.next()?.ok()?;
        *text = &text[values.byte_offset()..];
        Some(self.unusual(value.get(), depth))
    }

    /// Reads one line of NDJSON; `None` where it is empty.
    #[inline]
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Result<Report, Box<Miss>>> {
        if self.scan
            && let Some((fields, length)) = scan::object(line)
            && line[length..].iter().copied().all(is_blank)
        {
            return Some(self.resolver.resolve(&fields));
        }
        self.unusual_line(line)
    }

    #[cold]
    fn unusual_line(&mut self, line: &[u8]) -> Option<Result<Report, Box<Miss>>> {
        let line = match str::from_utf8(line) {
            Ok(line) => line.trim_matches(BLANKS),
            Err(error) => return Some(Err(Box::new(Miss::NotJson(not_utf8("line", error))))),
        };
        if line.is_empty() {
            return None;
        }
        let Err(error) = serde_json::from_str::<IgnoredAny>(line) else {
            return Some(self.unusual(line, DEPTH_MAX));
        };
        let (column, error) = (error.column(), error.to_string());
        let what = error.split(" at line ").next().unwrap_or_default();
        let error = format!("the line is no JSON: {what} at column {column}; send {EXAMPLE}");
        Some(Err(Box::new(Miss::NotJson(error))))
    }

    /// Reads a value that is known to be JSON.
    #[cold]
    fn unusual(&mut self, json: &str, depth: usize) -> Result<Report, Box<Miss>> {
        let fields = fields::read(json, depth)?;
        self.resolver.resolve(&fields)
    }
}

/// Takes off a byte order mark, which some tools put before UTF-8.
pub(super) fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cold]
pub(super) fn not_utf8(what: &str, error: str::Utf8Error) -> String {
    format!("the {what} is not UTF-8: see its byte {}", error.valid_up_to())
}
