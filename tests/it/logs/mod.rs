//! Lines of logs, by rules: from a manifest to what `check --sample` and `replay` say.

mod commands;
mod ready;
mod wrong;

use std::sync::Arc;

use observatory::graph::NodeIndex;
use observatory::input::rules::{Line, LineReader, RuleSet};
use observatory::manifest::{Manifest, Source, load, render};

/// Nodes and an edge for the rules to bring events of.
const STREAM: &str = r#"
[[stream]]
name = "s"
  [[stream.edge]]
  from = "front"
  to = "back"
  check = { within = "2s", ok = 1 }
"#;

/// A manifest with these inputs.
fn manifest(inputs: &str) -> Result<Manifest, String> {
    let text = format!("{inputs}\n{STREAM}");
    load(&Source::Text("logs.toml".to_owned(), text)).map_err(|problems| render(&problems, false))
}

/// The rules of the first input of log files.
fn rules(manifest: &Manifest) -> Arc<RuleSet> {
    let log = manifest.settings.inputs.iter().find_map(|input| input.log.as_ref());
    Arc::clone(&log.unwrap_or_else(|| panic!("no log")).rules)
}

/// What lines come to, for short: the node, the token and the timestamp of events.
fn read(manifest: &Manifest, lines: &[u8], written: &str) -> Vec<String> {
    let (rules, nodes) = (rules(manifest), NodeIndex::new(&manifest.system));
    let mut reader = LineReader::new(&rules, &nodes, manifest.system.accept_unknown);
    let written_us = written.parse::<jiff::Timestamp>().unwrap().as_microsecond() as u64;
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines).split(|byte| *byte == b'\n');
    let say = |line: &[u8]| match reader.read(line, written_us) {
        Line::Event { report, .. } => {
            let at = report
                .timestamp_us
                .map_or_else(|| "-".to_owned(), |us| jiff::Timestamp::from_microsecond(us as i64).unwrap().to_string());
            format!("{} {} {at}", manifest.system.nodes[report.node.0 as usize], report.token)
        }
        Line::Unknown { name, .. } => format!("unknown {name}"),
        Line::NoRule => "no rule".to_owned(),
        Line::Refused { error, .. } => format!("refused: {error}"),
    };
    lines.map(say).collect()
}
