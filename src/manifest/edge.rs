//! One edge of a stream.

use super::check;
use super::nodes::Nodes;
use super::problem::Finding;
use super::section::Section;
use super::stream::Drawn;
use super::top::Defaults;
use crate::graph::Edge;

/// The longest name of an edge, in bytes.
const EDGE_NAME_MAX: usize = 256;

/// Reads an edge; none where its ends cannot be told.
pub(super) fn read(section: &Section<'_>, nodes: &mut Nodes, defaults: &Defaults) -> Option<Drawn> {
    let mut end = |key, example: &str| {
        let text = if section.require(key, example) { section.text(key, example.trim_matches('"')) } else { None };
        text.and_then(|text| nodes.end_of_edge(section.context, text))
    };
    let (from, to) = (end("from", "\"web-server\""), end("to", "\"database\""));
    let name = name(section);
    let check = check::read(section);
    let us = |key, default_us| section.duration_or_zero(key).map_or(default_us, |said| said.value.us);
    let (grace_us, hold_us) = (us("grace", defaults.grace_us), us("hold", defaults.hold_us));
    let silence_us = section.duration("silence").map(|said| said.value.us);
    let (from, to) = (from?, to?);
    let place = section.item("to").map_or_else(|| section.place(), |item| item.place);
    if from == to {
        let finding = Finding::error(&place, format!("the edge leads from {} to itself", nodes.shown(from)));
        section.context.report(finding.help("name another node: what `from` sees, `to` must see"));
        return None;
    }
    let clock_skew_us = defaults.clock_skew_us;
    let edge = Edge { name, from, to, check, grace_us, delay_us: 0, clock_skew_us, hold_us, silence_us };
    Some(Drawn { edge, place })
}

fn name(section: &Section<'_>) -> Option<String> {
    let text = section.text("name", "http traffic sent to processor")?;
    if let Err(error) = crate::event::check_text(&text.value, EDGE_NAME_MAX) {
        let finding = Finding::error(&text.place, format!("the name of an edge {error}"));
        section.context.report(finding.help("write a few words, or take it out"));
    }
    Some(text.value)
}
