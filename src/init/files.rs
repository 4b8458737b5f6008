//! What recorded events show: one stream of all nodes that they name.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use serde::Deserialize;

use super::human::counted;
use super::observed::{Latencies, Observed, ObservedEdge, ObservedStream};
use crate::discovery::{Discovery, Sighting};
use crate::event::{NODE_MAX_BYTES, Report, Token, check_text};
use crate::graph::{NodeId, NodeIndex, STREAM_NODES_MAX, Stream, StreamNode, System};
use crate::input::body::{Format, parse};

/// The most messages that are looked at.
const MESSAGES_MAX: usize = 2_000_000;
/// After so many messages the evidence is looked at.
const LOOK_EVERY: usize = 512;
/// The longest name of a stream.
const STREAM_NAME_MAX: usize = 64;

/// Why nothing can be said of some files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NothingSeen {
    /// Not one event with a node, a token and a timestamp; with what is wrong with the first that was refused.
    NoEvents(Option<String>),
    /// More nodes than a stream may have.
    TooManyNodes(usize),
}

impl fmt::Display for NothingSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEvents(None) => {
                f.write_str("there is no event in it: write one JSON object a line, with node, token and timestamp")
            }
            Self::NoEvents(Some(error)) => write!(f, "there is no event in it that can be used: {error}"),
            Self::TooManyNodes(nodes) => {
                write!(f, "the events name {nodes} nodes, and a stream has at most {STREAM_NODES_MAX}")
            }
        }
    }
}

impl std::error::Error for NothingSeen {}

/// What is read of an event to know its node.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    node: Option<Cow<'a, str>>,
    #[serde(borrow)]
    origin: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service: Option<Cow<'a, str>>,
    #[serde(borrow)]
    parent: Option<Cow<'a, str>>,
}

/// What recorded events show; `files` are NDJSON, `name` becomes that of the stream.
pub fn of_events(name: &str, source: &str, files: &[Vec<u8>]) -> Result<Observed, NothingSeen> {
    let (system, left_out) = system(files)?;
    let index = NodeIndex::new(&system);
    let mut seen = Recording::default();
    for file in files {
        // NDJSON always parses: what is wrong with a line is said of that line.
        let Ok(parsed) = parse(file, Format::Ndjson, &index, false) else { continue };
        seen.refused += parsed.rejected_count() as u64;
        seen.first_error = seen.first_error.or_else(|| parsed.rejected.into_iter().next().map(|refused| refused.error));
        for report in parsed.reports {
            seen.take(report);
        }
    }
    if seen.messages.iter().all(Vec::is_empty) {
        return Err(NothingSeen::NoEvents(seen.first_error));
    }
    let notes = notes(&seen, &left_out);
    let edges = seen.edges(&system);
    let messages = seen.messages.iter().filter(|message| !message.is_empty()).count() as u64;
    let stream = ObservedStream {
        name: stream_name(name),
        description: String::new(),
        nodes: system.nodes,
        edges,
        messages: Some(messages),
    };
    Ok(Observed { name: stream.name.clone(), source: source.to_owned(), streams: vec![stream], notes })
}

/// One stream with all nodes that events name, in the order in which they do; and the names that no manifest can hold.
fn system(files: &[Vec<u8>]) -> Result<(System, Vec<String>), NothingSeen> {
    let (mut known, mut nodes, mut left_out) = (HashSet::new(), Vec::new(), Vec::new());
    for line in files.iter().flat_map(|file| file.split(|&byte| byte == b'\n')) {
        let Ok(named) = serde_json::from_slice::<Named<'_>>(line) else { continue };
        let node = named.node.or(named.origin).or(named.service);
        for name in node.into_iter().chain(named.parent) {
            if check_text(&name, NODE_MAX_BYTES).is_ok() && known.insert(name.clone().into_owned()) {
                // A manifest would look for a variable.
                let list = if name.contains("${") { &mut left_out } else { &mut nodes };
                list.push(name.into_owned());
            }
        }
    }
    if nodes.len() > STREAM_NODES_MAX {
        return Err(NothingSeen::TooManyNodes(nodes.len()));
    }
    let places = (0..nodes.len() as u32).map(|id| StreamNode { id: NodeId(id), silence_us: None }).collect();
    let stream = Stream { nodes: places, ..Stream::default() };
    Ok((System { nodes, streams: vec![stream], ..System::default() }, left_out))
}

/// What the reader of the manifest should know.
fn notes(seen: &Recording, left_out: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if seen.refused > 0 {
        let first = seen.first_error.as_deref().unwrap_or_default();
        notes.push(format!("{} could not be used; the first: {first}", counted(seen.refused, "event")));
    }
    if seen.unstamped > 0 {
        notes.push(format!("{} had no timestamp and could not be used.", counted(seen.unstamped, "event")));
    }
    if seen.too_many > 0 {
        let most = counted(MESSAGES_MAX as u64, "message");
        notes.push(format!("Only the first {most} were looked at; {} were not.", counted(seen.too_many, "event")));
    }
    if !left_out.is_empty() {
        notes.push(format!("Left out, since a manifest cannot name them: {}", left_out.join(" ")));
    }
    notes
}

/// The messages of some recordings.
#[derive(Default)]
struct Recording {
    /// By token, aliases included: the message.
    by_token: HashMap<Token, usize, hashbrown::DefaultHashBuilder>,
    /// Where each was seen; nowhere, if it became one with another.
    messages: Vec<Vec<Sighting>>,
    /// By message: the one that it became.
    became: HashMap<usize, usize>,
    /// Parents and their children, and how often each was named.
    parents: BTreeMap<(usize, usize), u64>,
    refused: u64,
    first_error: Option<String>,
    unstamped: u64,
    too_many: u64,
}

impl Recording {
    fn take(&mut self, report: Report) {
        let Some(timestamp_us) = report.timestamp_us else {
            self.unstamped += 1;
            return;
        };
        let Some(message) = self.message(report.token) else {
            self.too_many += 1;
            return;
        };
        let node = report.node.0 as usize;
        if self.messages[message].iter().any(|sighting| sighting.node == node) {
            return;
        }
        let parent = report.parent.map(|parent| parent.0 as usize).filter(|&parent| parent != node);
        if let Some(parent) = parent {
            *self.parents.entry((parent, node)).or_default() += 1;
        }
        self.messages[message].push(Sighting { node, timestamp_us, named: parent.is_some() });
        if let Some(alias) = report.alias {
            self.join(message, *alias);
        }
    }

    /// The message of a token.
    fn message(&mut self, token: Token) -> Option<usize> {
        if let Some(&message) = self.by_token.get(&token) {
            return Some(self.now(message));
        }
        if self.messages.len() >= MESSAGES_MAX {
            return None;
        }
        self.messages.push(Vec::new());
        self.by_token.insert(token, self.messages.len() - 1);
        Some(self.messages.len() - 1)
    }

    /// What a message became.
    fn now(&self, mut message: usize) -> usize {
        while let Some(&next) = self.became.get(&message) {
            message = next;
        }
        message
    }

    /// Makes `alias` a token of the message, unless a node has seen both.
    fn join(&mut self, message: usize, alias: Token) {
        let Some(&other) = self.by_token.get(&alias) else {
            self.by_token.insert(alias, message);
            return;
        };
        let other = self.now(other);
        let at = |message: usize| self.messages[message].iter().map(|sighting| sighting.node);
        if other != message && at(message).all(|node| at(other).all(|met| met != node)) {
            let gone = std::mem::take(&mut self.messages[other]);
            self.messages[message].extend(gone);
            self.became.insert(other, message);
        }
    }

    /// The edges that they show, and how long they took on each.
    fn edges(&self, system: &System) -> Vec<ObservedEdge> {
        let nodes = system.nodes.len();
        let mut discovery = Discovery::new(nodes, &[], 0, 0);
        // The most often named goes first: a slip cannot keep the truth out.
        let mut parents: Vec<_> = self.parents.iter().collect();
        parents.sort_by_key(|&(_, &times)| std::cmp::Reverse(times));
        for (&(from, to), _) in parents {
            discovery.parent(from, to);
        }
        let several = self.messages.iter().filter(|message| message.len() > 1);
        for (number, message) in several.enumerate() {
            discovery.message(message.iter().copied(), number as u64);
            if (number + 1).is_multiple_of(LOOK_EVERY) {
                discovery.look(number as u64);
            }
        }
        discovery.look(u64::MAX / 2);
        let mut out = vec![Vec::new(); nodes];
        for (edge, &(from, to)) in discovery.edges().iter().enumerate() {
            out[from].push((edge, to));
        }
        let mut upstream = vec![0_u64; nodes];
        let mut latencies_us = vec![Vec::new(); discovery.edges().len()];
        for message in &self.messages {
            for sighting in message {
                upstream[sighting.node] += 1;
                for &(edge, to) in &out[sighting.node] {
                    if let Some(met) = message.iter().find(|other| other.node == to) {
                        latencies_us[edge].push(met.timestamp_us.saturating_sub(sighting.timestamp_us));
                    }
                }
            }
        }
        let observed = |(&(from, to), latencies_us): (&(usize, usize), Vec<u64>)| ObservedEdge {
            from: system.nodes[from].clone(),
            to: system.nodes[to].clone(),
            upstream: upstream[from],
            matches: latencies_us.len() as u64,
            exact: true,
            latencies: quantiles(latencies_us),
            ..ObservedEdge::default()
        };
        discovery.edges().iter().zip(latencies_us).map(observed).collect()
    }
}

fn quantiles(mut latencies_us: Vec<u64>) -> Option<Latencies> {
    latencies_us.sort_unstable();
    let rank = |share: f64| ((latencies_us.len() as f64 * share).ceil() as usize).saturating_sub(1);
    Some(Latencies { p50_us: *latencies_us.get(rank(0.5))?, p999_us: *latencies_us.get(rank(0.999))? })
}

/// A name that a stream may have.
fn stream_name(name: &str) -> String {
    let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    let name: String = name.chars().map(|char| if fits(char) { char } else { '-' }).take(STREAM_NAME_MAX).collect();
    if name.chars().all(|char| char == '.') { "stream".to_owned() } else { name }
}
