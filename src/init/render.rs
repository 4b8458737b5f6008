//! The manifest of what was observed.

use std::fmt::Write;

use super::human::{count, counted, deadline_us, duration, percent};
use super::observed::{Latencies, Observed, ObservedEdge, ObservedStream};
use crate::clock::duration_text;

/// From so many messages on an edge is busy: it is judged by shares.
const BUSY: u64 = 1_000;
/// Of an edge that every message takes, at least this share comes, in percent; where the messages seen upstream are
/// known only nearly, a lower one.
const EVERY: u64 = 95;
const NEARLY_EVERY: u64 = 80;

/// Writes a manifest, with comments that say what was seen.
pub fn manifest(observed: &Observed) -> String {
    let mut text = String::new();
    let nodes: usize = observed.streams.iter().map(|stream| stream.nodes.len()).sum();
    let edges: usize = observed.streams.iter().map(|stream| stream.edges.len()).sum();
    let sizes = [(observed.streams.len(), "stream"), (nodes, "node"), (edges, "edge")];
    let sizes = sizes.map(|(number, thing)| counted(number as u64, thing)).join(", ");
    comment(&mut text, "", &format!("Made by `observatory init` from {}: {sizes}.", observed.source));
    comment(&mut text, "", "Each `within` is what 999 of 1,000 messages took at most, rounded up. Read it through:");
    comment(&mut text, "", "what was seen need not be what is owed. `observatory check` says what is wrong with it.");
    for note in &observed.notes {
        comment(&mut text, "", note);
    }
    text += &format!("\nname = {}\n", quoted(&observed.name));
    for stream in &observed.streams {
        write_stream(&mut text, stream);
    }
    text
}

fn write_stream(text: &mut String, stream: &ObservedStream) {
    *text += &format!("\n[[stream]]\nname = {}\n", quoted(&stream.name));
    if !stream.description.is_empty() {
        *text += &format!("description = {}\n", quoted(&stream.description));
    }
    *text += "nodes = [\n";
    for node in &stream.nodes {
        *text += &format!("  {},\n", quoted(node));
    }
    *text += "]\n";
    if let Some(messages) = stream.messages {
        comment(text, "", &format!("{} seen.", counted(messages, "message")));
    }
    if stream.edges.is_empty() {
        comment(text, "", "No edge was seen: edges will be drawn as traffic shows them.");
    } else {
        let touched = |node: &String| stream.edges.iter().any(|edge| edge.from == *node || edge.to == *node);
        *text += if stream.nodes.iter().all(touched) {
            "# discover = true  # would go on drawing what is not declared\n"
        } else {
            "discover = true  # for the nodes that no edge was seen at yet\n"
        };
    }
    for edge in &stream.edges {
        write_edge(text, edge);
    }
}

fn write_edge(text: &mut String, edge: &ObservedEdge) {
    *text += "\n  [[stream.edge]]\n";
    comment(text, "  ", &seen(edge));
    if let Some(name) = &edge.name {
        *text += &format!("  name = {}\n", quoted(name));
    }
    *text += &format!("  from = {}\n  to = {}\n", quoted(&edge.from), quoted(&edge.to));
    if let Some(groups) = edge.groups {
        let same_token = if groups.same_token { ", same_token = true" } else { "" };
        let (every, expect, within) = (groups.every, groups.expect, duration_text(groups.within_us));
        *text += &format!(
            "  check = {{ kind = \"count\", every = {every}, expect = {expect}, within = \"{within}\", ok = 1{same_token} }}\n"
        );
    } else if let Some(latencies) = edge.latencies {
        *text += &format!("  check = {{ {} }}\n", check(edge, latencies));
        if !takes_every(edge) {
            *text += "  optional = true  # only some messages take this way\n";
        }
    }
}

/// What was seen of an edge.
fn seen(edge: &ObservedEdge) -> String {
    let Some(Latencies { p50_us, p999_us }) = edge.latencies else {
        return "Nothing was seen to come yet: say what it owes, `check = { within = \"1s\" }`.".to_owned();
    };
    let (half, most) = (duration(p50_us), duration(p999_us));
    let came = if edge.upstream == 0 {
        counted(edge.matches, "message")
    } else {
        let about = if edge.exact { "" } else { "about " };
        let (of, share) = (count(edge.upstream), percent(edge.matches.min(edge.upstream), edge.upstream));
        format!("{} of {about}{of} messages ({share})", count(edge.matches))
    };
    format!("{came} came: half took at most {half}, 999 of 1,000 at most {most}.")
}

/// Whether every message takes this way, as far as can be told.
fn takes_every(edge: &ObservedEdge) -> bool {
    let share = if edge.exact { EVERY } else { NEARLY_EVERY };
    edge.matches.saturating_mul(100) >= edge.upstream.saturating_mul(share)
}

fn check(edge: &ObservedEdge, latencies: Latencies) -> String {
    let within = duration_text(deadline_us(latencies.p999_us));
    if edge.matches < BUSY {
        return format!("within = \"{within}\", ok = 3, warn = 1, fail = 2");
    }
    // What is lost already is no news.
    let lost = if edge.exact && takes_every(edge) { edge.upstream.saturating_sub(edge.matches) } else { 0 };
    let lost_percent = (lost * 100).div_ceil(edge.upstream.max(1));
    let (warn, fail) = (1 + lost_percent, 5.max(2 + 2 * lost_percent));
    format!("within = \"{within}\", ok = 20, warn = \"{warn}%\", fail = \"{fail}%\", window = \"5m\"")
}

/// A comment; what could end it or steer a terminal is left out.
fn comment(text: &mut String, indent: &str, words: &str) {
    let words: String = words.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    // Writing to a String cannot fail.
    writeln!(text, "{indent}# {words}").unwrap_or_default();
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
