//! The streams: their names, their nodes, and how their edges hang together.

use std::collections::HashMap;

use super::context::Context;
use super::cycle;
use super::edge;
use super::item::thousands;
use super::keys;
use super::nodes::Nodes;
use super::problem::{Finding, Place, quote};
use super::section::Section;
use super::text::Text;
use super::top::Defaults;
use crate::graph::{Discover, Edge, NodeId, STREAM_NODES_MAX, Stream, StreamNode};

/// The longest name of a stream.
const STREAM_NAME_MAX: usize = 64;

/// All streams so far.
pub(super) struct Streams<'a> {
    defaults: &'a Defaults,
    done: Vec<Stream>,
    names: HashMap<String, Place>,
    nodes: Vec<String>,
    node_ids: HashMap<String, NodeId>,
    sections: usize,
}

impl<'a> Streams<'a> {
    pub(super) fn new(defaults: &'a Defaults) -> Self {
        let (names, node_ids) = (HashMap::new(), HashMap::new());
        Self { defaults, done: Vec::new(), names, nodes: Vec::new(), node_ids, sections: 0 }
    }

    /// Whether not one `[[stream]]` was read, good or bad.
    pub(super) fn is_empty(&self) -> bool {
        self.sections == 0
    }

    /// The nodes of all streams, and the streams.
    pub(super) fn into_parts(self) -> (Vec<String>, Vec<Stream>) {
        (self.nodes, self.done)
    }

    /// Reads one `[[stream]]`.
    pub(super) fn read(&mut self, section: &Section<'_>) {
        self.sections += 1;
        let name = self.name(section);
        let description = section.text("description", "From the shop's front to its books");
        let mut nodes = Nodes::declared(section);
        let edge_sections = section.sections("edge", &keys::EDGE);
        let edges: Vec<_> = edge_sections.iter().map(|edge| edge::read(edge, &mut nodes, self.defaults)).collect();
        let all_good = edges.iter().all(Option::is_some);
        let edges: Vec<Drawn> = edges.into_iter().flatten().collect();
        check_shape(section, &nodes, &edges);
        let discover = self.discover(section);
        if all_good && !edges.is_empty() && discover.is_none() {
            warn_of_idle_nodes(section.context, &nodes, &edges);
        }
        let stream = Stream {
            name: name.map_or_else(String::new, |name| name.value),
            description: description.map_or_else(String::new, |text| text.value),
            nodes: nodes
                .list
                .iter()
                .map(|node| StreamNode { id: self.id(&node.text.value), silence_us: node.silence_us })
                .collect(),
            edges: edges.into_iter().map(|drawn| drawn.edge).collect(),
            horizon_us: self.defaults.horizon_us,
            discover,
        };
        self.done.push(stream);
    }

    /// The node of this name, over all streams.
    fn id(&mut self, name: &str) -> NodeId {
        if let Some(&id) = self.node_ids.get(name) {
            return id;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(name.to_owned());
        self.node_ids.insert(name.to_owned(), id);
        id
    }

    /// Edges are drawn from traffic where that is said, or where none are declared.
    fn discover(&self, section: &Section<'_>) -> Option<Discover> {
        let said = section.flag("discover");
        let discover = said.map_or(!section.says("edge"), |said| said.value);
        let Defaults { grace_us, clock_skew_us, hold_us, .. } = *self.defaults;
        discover.then_some(Discover { grace_us, delay_us: 0, clock_skew_us, hold_us })
    }

    fn name(&mut self, section: &Section<'_>) -> Option<Text> {
        if !section.require("name", "\"orders\"") {
            return None;
        }
        let name = section.text("name", "orders")?;
        let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        let only_dots = name.value.bytes().all(|byte| byte == b'.');
        if only_dots || name.value.len() > STREAM_NAME_MAX || !name.value.chars().all(fits) {
            let message = format!("{} cannot be the name of a stream", name.shown());
            let meant: String =
                name.value.chars().map(|char| if fits(char) { char } else { '-' }).take(STREAM_NAME_MAX).collect();
            let rule = "1 to 64 letters (a to z), digits, `-`, `_` and `.`";
            let help = if name.is_plain() && !only_dots {
                format!("write {rule}: {}", quote(&meant))
            } else {
                format!("write {rule}")
            };
            section.context.report(Finding::error(&name.place, message).help(help));
        }
        if let Some(first) = self.names.get(&name.value) {
            let finding = Finding::error(&name.place, format!("two streams are named {}", name.shown()));
            section.context.report(finding.also(first, "the first").help("give each a name of its own"));
        }
        self.names.entry(name.value.clone()).or_insert_with(|| name.place.clone());
        Some(name)
    }
}

/// An edge, and where it says where it leads.
pub(super) struct Drawn {
    pub(super) edge: Edge,
    pub(super) place: Place,
}

/// What holds for the graph as a whole: its size, no edge twice, no cycle.
fn check_shape(section: &Section<'_>, nodes: &Nodes, edges: &[Drawn]) {
    let context = section.context;
    let place = section.item("nodes").map_or_else(|| section.place(), |item| item.place);
    if nodes.list.len() > STREAM_NODES_MAX {
        let most = thousands(STREAM_NODES_MAX as u64);
        let message = format!("the stream has {} nodes", thousands(nodes.list.len() as u64));
        let help = format!("a stream has at most {most}: make several streams, a node may stand in each of them");
        context.report(Finding::error(&place, message).help(help));
    }
    if nodes.list.is_empty() && !nodes.faulty && !section.says("edge") {
        let help = "add a `[[stream.edge]]` with `from` and `to` below it";
        context.report(Finding::error(&section.place(), "the stream has neither nodes nor edges").help(help));
    }
    let mut first: HashMap<(usize, usize), &Place> = HashMap::new();
    for drawn in edges {
        let ends = (drawn.edge.from, drawn.edge.to);
        if let Some(first) = first.get(&ends) {
            let (from, to) = (nodes.shown(ends.0), nodes.shown(ends.1));
            let finding = Finding::error(&drawn.place, format!("the edge from {from} to {to} is declared twice"));
            context.report(finding.also(first, "the first").help("take one of the two out"));
        } else {
            first.insert(ends, &drawn.place);
        }
    }
    let ends: Vec<_> = edges.iter().map(|drawn| (drawn.edge.from, drawn.edge.to)).collect();
    for cycle in cycle::find(nodes.list.len(), &ends) {
        report_cycle(context, nodes, edges, &cycle);
    }
}

fn report_cycle(context: &Context<'_>, nodes: &Nodes, edges: &[Drawn], cycle: &[usize]) {
    const SHOWN_MAX: usize = 12;
    let on_cycle = |edge: &Edge| {
        let next = cycle.iter().position(|&node| node == edge.from).map(|at| cycle[(at + 1) % cycle.len()]);
        next == Some(edge.to)
    };
    // The last one written closes it.
    let Some(closing) = edges.iter().rfind(|drawn| on_cycle(&drawn.edge)) else { return };
    let mut way: Vec<_> = cycle.iter().take(SHOWN_MAX).map(|&node| nodes.shown_bare(node)).collect();
    if cycle.len() > SHOWN_MAX {
        way.push("...".to_owned());
    }
    way.extend(cycle.first().map(|&node| nodes.shown_bare(node)));
    let finding = Finding::error(&closing.place, format!("the stream has a cycle: {}", way.join(" -> ")));
    let finding = finding.label("this edge closes it");
    context.report(finding.help("take one of these edges out, or give the way back a stream of its own"));
}

fn warn_of_idle_nodes(context: &Context<'_>, nodes: &Nodes, edges: &[Drawn]) {
    let mut touched = vec![false; nodes.list.len()];
    for drawn in edges {
        touched[drawn.edge.from] = true;
        touched[drawn.edge.to] = true;
    }
    for (node, touched) in nodes.list.iter().zip(touched) {
        if !touched && node.silence_us.is_none() {
            let message = format!("no edge touches the node {}: nothing is demanded of it", node.text.shown());
            let finding = Finding::warning(&node.text.place, message);
            context.report(finding.help("declare an edge, give it a `silence`, or take it out"));
        }
    }
}
