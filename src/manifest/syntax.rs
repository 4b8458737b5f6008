//! TOML, and what to write where it is none.

use std::ops::Range;

use toml::de::{DeTable, Error};

use super::context::Context;
use super::mask::mask;
use super::problem::{Finding, Place};
use super::source::SourceFile;

/// A file's tables. Errors are reported; none where what was read around them cannot be trusted.
pub(super) fn parse<'d>(context: &Context<'d>, index: usize, file: &'d SourceFile) -> Option<Parsed<'d>> {
    let (document, mut errors) = DeTable::parse_recoverable(&file.text);
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    let mut broken_lines = Vec::new();
    for error in &errors {
        let span = span(error, file);
        let line = file.line_of(span.start);
        // What follows on the same line follows from the first slip.
        if broken_lines.last() != Some(&line) {
            broken_lines.push(line);
            context.report(finding(error, &Place { file: index, span }, file));
        }
    }
    let sound = errors.iter().all(|error| matches!(error.message(), DUPLICATE | UNQUOTED | UNQUOTED_LITERAL));
    sound.then(|| Parsed { table: document.into_inner(), broken_lines })
}

/// A file that can be read on, and the lines, from 0, that cannot.
pub(super) struct Parsed<'d> {
    pub(super) table: DeTable<'d>,
    pub(super) broken_lines: Vec<usize>,
}

const DUPLICATE: &str = "duplicate key";
const UNQUOTED: &str = "string values must be quoted";
const UNQUOTED_LITERAL: &str = "string values must be quoted, expected literal string";

/// Where the error is; at the end of the file, the end of its last line that says something.
fn span(error: &Error, file: &SourceFile) -> Range<usize> {
    let said = file.text.trim_end().len();
    let span = error.span().unwrap_or(0..0);
    let start = file.text.floor_char_boundary(span.start.min(said));
    start..file.text.ceil_char_boundary(span.end.min(said)).max(start)
}

/// The line on which something stands, without blanks around it.
fn line<'d>(file: &'d SourceFile, place: &Place) -> &'d str {
    file.line(file.line_of(place.span.start)).0.trim()
}

/// Whether something on the line is not to be shown.
fn hides(file: &SourceFile, place: &Place) -> bool {
    let (line, _) = file.line(file.line_of(place.span.start));
    mask(line) != line
}

fn finding(error: &Error, place: &Place, file: &SourceFile) -> Finding {
    let text = file.text.get(place.span.clone()).unwrap_or("");
    let message = error.message();
    match message {
        DUPLICATE if let Some(name) = many(line(file, place)) => match above(name, place, file) {
            Some(Above::Own) => Finding::error(place, format!("`[[{name}]]` stands below tables of its own"))
                .help(format!("write `[[{name}]]` first, and what belongs to it below")),
            Some(Above::One) => {
                Finding::error(place, format!("`[[{name}]]` was written with one bracket above, as `[{name}]`"))
                    .help(format!("write `[[{name}]]` there, too"))
            }
            None => Finding::error(place, format!("`{name}` is said twice")).help("take one of the two out"),
        },
        DUPLICATE => Finding::error(place, format!("`{text}` is said twice")).help("take one of the two out"),
        UNQUOTED | UNQUOTED_LITERAL if text.is_empty() => {
            Finding::error(place, "the key has no value").help("write one behind the `=`, or take the line out")
        }
        UNQUOTED | UNQUOTED_LITERAL if let Some(flag) = flag(text) => {
            Finding::error(place, format!("`{text}` is not a value"))
                .help(format!("write `{flag}`, or a string in quotes"))
        }
        UNQUOTED | UNQUOTED_LITERAL if hides(file, place) => {
            Finding::error(place, "a string must stand in quotes").help("write it in quotes")
        }
        UNQUOTED | UNQUOTED_LITERAL => {
            Finding::error(place, "a string must stand in quotes").help(format!("write `\"{text}\"`"))
        }
        _ if message.contains("recurs") => Finding::error(place, "this is nested too deeply to be a manifest"),
        _ => {
            let finding = Finding::error(place, format!("this is not TOML: {message}"));
            match help(message) {
                Some(help) => finding.help(help),
                None => finding,
            }
        }
    }
}

/// The name in a line that begins one of many tables, as `[[stream]]` does.
fn many(line: &str) -> Option<&str> {
    Some(line.strip_prefix("[[")?.split_once("]]")?.0.trim())
}

/// The name in a line that begins a table that there is once, as `[server]` does.
fn one(line: &str) -> Option<&str> {
    Some(line.strip_prefix('[')?.split_once(']')?.0.trim())
}

/// What a `[[name]]` that comes too late stands below.
enum Above {
    /// Tables of its own.
    Own,
    /// A `[name]`.
    One,
}

/// What of this name stands last above a place.
fn above(name: &str, place: &Place, file: &SourceFile) -> Option<Above> {
    let lines = (0..file.line_of(place.span.start)).rev().map(|line| file.line(line).0.trim());
    lines.filter_map(|line| many(line).or_else(|| one(line))).find_map(|table| match table.strip_prefix(name)? {
        "" => Some(Above::One),
        rest => rest.starts_with('.').then_some(Above::Own),
    })
}

/// What people write for `true` and `false`.
fn flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn help(message: &str) -> Option<&'static str> {
    const HELP: [(&str, &str); 12] = [
        ("invalid unquoted key", "write `key = value`: a manifest is TOML"),
        ("invalid key-value pair", "write `key = value`: a manifest is TOML"),
        ("unclosed array table", "close it with `]]`: `[[stream]]`"),
        ("unclosed table", "close it with `]`: `[server]`"),
        ("unclosed inline table", "close it with `}`: `{ within = \"10s\" }`"),
        ("unclosed array", "close it with `]`: `[\"a\", \"b\"]`"),
        ("unquoted keys cannot be empty", "write `key = value`"),
        ("key with no value", "write `key = value`"),
        ("missing key for inline table", "put a `,` between two keys, and `}` behind the last"),
        ("escaped value", "write `\\\\` for a backslash, or put the string in single quotes: 'C:\\data'"),
        ("basic string", "close the string with `\"`, and write `\\\\` for a backslash in it"),
        ("literal string", "close the string with `'`"),
    ];
    HELP.iter().find(|(part, _)| message.contains(part)).map(|(_, help)| *help)
}
