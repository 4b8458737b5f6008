//! Problems: what is wrong, where, and what to write instead, rendered like a compiler's.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::mask::{Masked, mask};
use super::source::SourceFile;

/// One thing to say about a manifest, rendered with file, line, the line itself, a caret and what
/// to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One line: what is wrong.
    pub message: String,
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 where it is about the file itself.
    pub line: usize,
    /// The whole report, without colour.
    pub rendered: String,
    /// The whole report for a terminal that shows colours.
    pub coloured: String,
}

impl Problem {
    /// A problem of a whole file.
    pub(super) fn of_file(file: &str, message: &str, help: &str) -> Self {
        let message = mask(message);
        let group = Level::ERROR.primary_title(message.clone()).element(Origin::path(normalize_untrusted_str(file)));
        let group = if help.is_empty() { group } else { group.element(Level::HELP.message(help.to_owned())) };
        let report = [group];
        let (rendered, coloured) = (Renderer::plain().render(&report), Renderer::styled().render(&report));
        Self { message, file: file.to_owned(), line: 0, rendered, coloured }
    }

    /// The same, but on a line.
    pub(super) fn at_line(self, line: usize) -> Self {
        Self { line, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

/// All problems as one text, an empty line between two; ends with a line break unless there are none.
pub fn render(problems: &[Problem], colour: bool) -> String {
    let mut text = String::new();
    for (index, problem) in problems.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(if colour { &problem.coloured } else { &problem.rendered });
        text.push('\n');
    }
    text
}

/// A stretch of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its index among the files.
    pub(super) file: usize,
    /// Its bytes.
    pub(super) span: Range<usize>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// The manifest cannot be used.
    Error,
    /// Legal, but hardly meant.
    Warning,
}

/// A problem that is not rendered yet.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) place: Place,
    message: String,
    label: Option<String>,
    also: Option<(Place, String)>,
    help: Option<String>,
    /// Whether the line that is shown may hold a secret.
    secret: bool,
}

impl Finding {
    fn new(severity: Severity, place: &Place, message: impl Into<String>) -> Self {
        Self {
            severity,
            place: place.clone(),
            message: message.into(),
            label: None,
            also: None,
            help: None,
            secret: false,
        }
    }

    pub(super) fn error(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, place, message)
    }

    pub(super) fn warning(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, place, message)
    }

    /// What to say right at the caret.
    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// What to write instead.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// What stands in quotes on the line is not shown.
    pub(super) fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Another place that has to do with it.
    pub(super) fn also(self, place: &Place, label: impl Into<String>) -> Self {
        Self { also: Some((place.clone(), label.into())), ..self }
    }

    /// The problem for people.
    pub(super) fn render(&self, files: &[SourceFile]) -> Problem {
        let level = if self.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let message = mask(&self.message);
        let primary = snippet(files, &self.place, self.secret, AnnotationKind::Primary, self.label.as_deref());
        let mut group = level.primary_title(message.clone()).elements(primary);
        if let Some((place, label)) = &self.also {
            group = group.elements(snippet(files, place, self.secret, AnnotationKind::Context, Some(label)));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(&mask(help))));
        }
        let report: [Group<'_>; 1] = [group];
        let file = &files[self.place.file];
        Problem {
            message,
            file: file.name.clone(),
            line: file.line_of(self.place.span.start) + 1,
            rendered: Renderer::plain().render(&report),
            coloured: Renderer::styled().render(&report),
        }
    }
}

/// How much of a long line is shown before and after the caret, in bytes.
const LINE_SHOWN: (usize, usize) = (60, 2_000);

/// The first line of a place, without passwords, cut where it is very long.
fn snippet<'a>(
    files: &'a [SourceFile],
    place: &Place,
    secret: bool,
    kind: AnnotationKind,
    label: Option<&str>,
) -> Vec<Element<'a>> {
    let file = &files[place.file];
    let line = file.line_of(place.span.start);
    let (text, line_start) = file.line(line);
    let masked = if secret { Masked::values(text) } else { Masked::new(text) };
    let at = (place.span.start - line_start).min(text.len());
    let start = masked.place(at);
    let end = masked.place((place.span.end.max(place.span.start) - line_start).min(text.len())).max(start);
    let shown = &masked.text;
    let long = shown.len() > LINE_SHOWN.1;
    let from = if long { shown.floor_char_boundary(start.saturating_sub(LINE_SHOWN.0)) } else { 0 };
    let to = shown.ceil_char_boundary((start + LINE_SHOWN.1).min(shown.len()));
    let span = shown.floor_char_boundary(start) - from..shown.ceil_char_boundary(end.min(to)) - from;
    let label = label.map(|label| normalize_untrusted_str(&mask(label)));
    let snippet =
        Snippet::source(shown[from..to].to_owned()).line_start(line + 1).annotation(kind.span(span).label(label));
    let path = normalize_untrusted_str(&file.name);
    if from == 0 {
        return vec![snippet.path(path).into()];
    }
    // The line that is shown begins later than the one in the file: the column must be said.
    let column = text[..text.floor_char_boundary(at)].chars().count() + 1;
    vec![Origin::path(path).line(line + 1).char_column(column).into(), snippet.into()]
}

/// A text in quotes, cut where it is long, without control characters.
pub(super) fn quote(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut quoted = String::from("\"");
    for char in text.chars().take(CHARS_MAX) {
        if char.is_control() {
            quoted.extend(char.escape_default());
        } else {
            quoted.push(char);
        }
    }
    if text.chars().nth(CHARS_MAX).is_some() {
        quoted.push('…');
    }
    quoted.push('"');
    quoted
}
