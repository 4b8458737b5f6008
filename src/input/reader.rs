//! Reads events one by one: by the scanner, or, where one is unusual, by serde.

use std::str;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::event::Report;
use crate::graph::{NodeId, NodeIndex};

use super::fields::{self, DEPTH_MAX};
use super::refusal::{EXAMPLE, Miss};
use super::resolve::Resolver;
use super::scan::{self, Known};

/// What JSON counts as white space.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Reads events one by one.
pub(super) struct EventReader<'a> {
    resolver: Resolver<'a>,
    scan: bool,
    known: Known,
    /// Room for the one event of a line.
    reports: Vec<Report>,
}

impl<'a> EventReader<'a> {
    pub(super) fn new(nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        let (resolver, known) = (Resolver::new(nodes, accept_unknown), Known::default());
        Self { resolver, scan: true, known, reports: Vec::new() }
    }

    /// One that does without the scanner.
    pub(super) fn by_serde_alone(nodes: &'a NodeIndex, accept_unknown: bool) -> Self {
        Self { scan: false, ..Self::new(nodes, accept_unknown) }
    }

    /// The same, for a sender that may report events of these nodes alone.
    pub(super) fn bound_to(self, bounds: &'a [NodeId]) -> Self {
        Self { resolver: self.resolver.bound_to(bounds), ..self }
    }

    /// Reads one value off the start of `text`, which may be nested `depth` deep, into `reports`; `None` where there
    /// is none.
    pub(super) fn value(
        &mut self,
        text: &mut &str,
        depth: usize,
        reports: &mut Vec<Report>,
    ) -> Option<Result<(), Box<Miss>>> {
        *text = text.trim_start_matches(BLANKS);
        if self.scan
            && let Some((fields, length)) = scan::object(text.as_bytes(), &mut self.known)
        {
            *text = &text[length..];
            return Some(self.resolver.resolve_into(&fields, reports));
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let value = values.next()?.ok()?;
        *text = &text[values.byte_offset()..];
        Some(self.unusual(value.get(), depth, reports))
    }

    /// Reads the first line of NDJSON off `bytes`, which are not empty, into `reports`; `None` where that line is empty.
    #[inline]
    pub(super) fn first_line(&mut self, bytes: &mut &[u8], reports: &mut Vec<Report>) -> Option<Result<(), Box<Miss>>> {
        if self.scan
            && let Some((fields, length)) = scan::line(bytes, &mut self.known)
        {
            let line;
            (line, *bytes) = bytes.split_at(length);
            let resolved = self.resolver.resolve_into(&fields, reports);
            if !bytes.is_empty()
                && let (Ok(()), Some(report)) = (&resolved, reports.last())
            {
                self.known.learn(line, &fields, report.node);
            }
            return Some(resolved);
        }
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let line = &bytes[..end];
        *bytes = bytes.get(end + 1..).unwrap_or_default();
        self.unusual_line(line, reports)
    }

    /// Reads one line of NDJSON; `None` where it is empty.
    #[inline]
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Result<Report, Box<Miss>>> {
        let (mut rest, mut reports) = (line, std::mem::take(&mut self.reports));
        let read = if line.is_empty() { None } else { self.first_line(&mut rest, &mut reports) };
        let report = reports.pop();
        self.reports = reports;
        match read? {
            Ok(()) => report.map(Ok),
            Err(miss) => Some(Err(miss)),
        }
    }

    #[cold]
    fn unusual_line(&mut self, line: &[u8], reports: &mut Vec<Report>) -> Option<Result<(), Box<Miss>>> {
        let line = match str::from_utf8(line) {
            Ok(line) => line.trim_matches(BLANKS),
            Err(error) => return Some(Err(Box::new(Miss::NotJson(not_utf8("line", error))))),
        };
        if line.is_empty() {
            return None;
        }
        let Err(error) = serde_json::from_str::<IgnoredAny>(line) else {
            return Some(self.unusual(line, DEPTH_MAX, reports));
        };
        let (column, error) = (error.column(), error.to_string());
        let what = error.split(" at line ").next().unwrap_or_default();
        let error = format!("the line is no JSON: {what} at column {column}; send {EXAMPLE}");
        Some(Err(Box::new(Miss::NotJson(error))))
    }

    /// Reads a value that is known to be JSON.
    #[cold]
    fn unusual(&mut self, json: &str, depth: usize, reports: &mut Vec<Report>) -> Result<(), Box<Miss>> {
        let fields = fields::read(json, depth)?;
        self.resolver.resolve_into(&fields, reports)
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
