//! What `check --sample` answers: which rule took each line of a log, and what it understood.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::text::printable;
use super::{Exit, output, recordings};
use crate::clock::Moment;
use crate::event::Report;
use crate::graph::NodeIndex;
use crate::input::rules::{Line, Nearness, RuleSet};
use crate::input::sample;
use crate::manifest::Manifest;

/// How much of a line is shown that no rule took, in characters.
const SHOWN_CHARS: usize = 120;

/// What a line came to.
#[derive(Serialize)]
struct Shown {
    /// From 1.
    line: u64,
    /// The rule that took it, from 1.
    rule: Option<usize>,
    node: Option<String>,
    token: Option<String>,
    timestamp: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// Why there is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How near a rule came.
    #[serde(skip_serializing_if = "Option::is_none")]
    near: Option<String>,
}

/// How many lines came to what.
#[derive(Serialize)]
struct Summary {
    lines: u64,
    /// Lines that gave an event.
    taken: u64,
    /// Of them, by rule.
    rules: Vec<u64>,
    /// Lines that no rule took.
    untaken: u64,
    /// Lines that a rule took, or that are no text, and of which no event can be made.
    refused: u64,
}

/// Reads the sample and answers. Ends with 1 where no line was taken.
pub(super) fn run(manifest: &Manifest, file: &Path, input: Option<&str>, json: bool) -> ExitCode {
    let (recording, rules) = match recordings::sample(&manifest.settings, file, input) {
        Ok(sample) => sample,
        Err(error) => return output::wrong(&error),
    };
    let nodes = NodeIndex::new(&manifest.system);
    let near = Nearness::new(rules);
    let mut summary = Summary { lines: 0, taken: 0, rules: vec![0; rules.texts().len()], untaken: 0, refused: 0 };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = if json { out.write_all(b"{\"sample\":[") } else { Ok(()) };
    let read = sample::read(&recording, rules, &nodes, manifest.system.accept_unknown, &mut |number, text, line| {
        let shown = shown(manifest, rules, &near, number, text, line);
        summary.count(&shown);
        written = if json { write_json(&mut out, &shown) } else { write_text(&mut out, &shown, text) };
        written.is_ok()
    });
    let written = written.and_then(|()| {
        let end = if json { summary.json() } else { summary.text() };
        out.write_all(end.as_bytes()).and_then(|()| out.flush())
    });
    if let Err(error) = read {
        return output::fail(&format!("failed to read {}: {error}", file.display()));
    }
    match written {
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            output::fail(&format!("failed to write to standard output: {error}"))
        }
        _ if summary.taken == 0 => Exit::Failed.into(),
        _ => ExitCode::SUCCESS,
    }
}

fn shown(manifest: &Manifest, rules: &RuleSet, near: &Nearness<'_>, number: u64, text: &[u8], line: Line) -> Shown {
    let mut shown = Shown {
        line: number,
        rule: None,
        node: None,
        token: None,
        timestamp: None,
        alias: None,
        parent: None,
        error: None,
        near: None,
    };
    let name = |node: crate::graph::NodeId| manifest.system.nodes.get(node.0 as usize).cloned();
    match line {
        Line::Event { rule, report: Report { node, token, timestamp_us, parent, alias } } => {
            shown.rule = Some(rule + 1);
            shown.node = name(node);
            shown.token = Some(token.to_string());
            shown.timestamp = timestamp_us.map(Moment);
            shown.alias = alias.map(|alias| alias.to_string());
            shown.parent = parent.and_then(name);
        }
        Line::Unknown { rule, name, timestamp_us } => {
            shown.rule = Some(rule + 1);
            shown.node = Some(name);
            shown.timestamp = timestamp_us.map(Moment);
        }
        Line::NoRule => shown.near = str::from_utf8(text).ok().and_then(|text| near.of(text.trim_end_matches('\r'))),
        Line::Refused { rule, error, .. } => {
            shown.rule = rule.map(|rule| rule + 1);
            shown.error = Some(error);
        }
    }
    debug_assert!(shown.rule.is_none_or(|rule| rule <= rules.texts().len()), "a rule that took a line is one of them");
    shown
}

impl Summary {
    fn count(&mut self, shown: &Shown) {
        self.lines += 1;
        match (shown.rule, &shown.error) {
            (_, Some(_)) => self.refused += 1,
            (Some(rule), None) => {
                self.taken += 1;
                self.rules[rule - 1] += 1;
            }
            (None, None) => self.untaken += 1,
        }
    }

    fn json(&self) -> String {
        // Numbers always serialize.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("],{}\n", json.trim_start_matches('{'))
    }

    fn text(&self) -> String {
        let mut text = format!("\n{} of {} lines taken", self.taken, self.lines);
        let by_rule = self.rules.iter().enumerate().map(|(rule, lines)| format!("{lines} by rule {}", rule + 1));
        if self.rules.len() > 1 {
            text += &format!(" ({})", by_rule.collect::<Vec<_>>().join(", "));
        }
        for (lines, what) in [(self.untaken, "by no rule"), (self.refused, "refused")] {
            if lines > 0 {
                text += &format!(", {lines} {what}");
            }
        }
        text + "\n"
    }
}

fn write_json(out: &mut impl Write, shown: &Shown) -> io::Result<()> {
    if shown.line > 1 {
        out.write_all(b",")?;
    }
    serde_json::to_writer(out, shown).map_err(io::Error::other)
}

/// One line, and what is wrong below it.
fn write_text(out: &mut impl Write, shown: &Shown, line: &[u8]) -> io::Result<()> {
    let mut text = format!("{:>5}  ", shown.line);
    match (shown.rule, &shown.error) {
        (Some(rule), None) => {
            let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), printable_owned);
            let at = shown.timestamp.map_or_else(|| "no timestamp".to_owned(), |at| at.to_string());
            text += &format!("rule {rule}  {at}  {}  {}", or_dash(&shown.node), or_dash(&shown.token));
            for (what, value) in [("alias", &shown.alias), ("parent", &shown.parent)] {
                if let Some(value) = value {
                    // Writing to a string cannot fail.
                    write!(text, "  {what} {}", printable(value)).unwrap_or_default();
                }
            }
        }
        (rule, why) => {
            let by = rule.map_or_else(String::new, |rule| format!("rule {rule}, "));
            let what = if why.is_some() { "refused" } else { "no rule" };
            let start: String = String::from_utf8_lossy(line).chars().take(SHOWN_CHARS).collect();
            text += &format!("{by}{what}: {}", printable(&start));
            if let Some(why) = why.as_ref().or(shown.near.as_ref()) {
                // What it quotes of the line is escaped already, and what it quotes of a rule is the reader's own.
                text += &format!("\n       {}", printable(why).replace(r"\\", r"\"));
            }
        }
    }
    text.push('\n');
    out.write_all(text.as_bytes())
}

fn printable_owned(text: &str) -> String {
    printable(text).to_string()
}
