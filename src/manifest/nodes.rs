//! The nodes of one stream: declared, or named by its edges.

use std::collections::HashMap;

use toml::de::DeValue;

use super::context::Context;
use super::item::Item;
use super::keys;
use super::problem::{Finding, Place};
use super::section::Section;
use super::text::Text;
use crate::event::{NODE_MAX_BYTES, check_text};

/// The nodes of a stream, in the order in which the manifest names them.
pub(super) struct Nodes {
    pub(super) list: Vec<Node>,
    by_name: HashMap<String, usize>,
    /// Whether the stream lists its nodes: else its edges name them all.
    declared: bool,
    /// Whether some of the list could not be read.
    pub(super) faulty: bool,
}

/// A node of a stream.
pub(super) struct Node {
    pub(super) text: Text,
    pub(super) silence_us: Option<u64>,
}

impl Nodes {
    /// Reads the list of a stream.
    pub(super) fn declared(stream: &Section<'_>) -> Self {
        let mut nodes = Self { list: Vec::new(), by_name: HashMap::new(), declared: false, faulty: false };
        let Some(item) = stream.item("nodes") else { return nodes };
        let DeValue::Array(array) = item.value else {
            item.wrong_type(
                "an array of nodes",
                "write the names in brackets: `nodes = [\"web-server\", \"database\"]`",
            );
            nodes.faulty = true;
            return nodes;
        };
        nodes.declared = true;
        for value in array {
            let place = Place { file: item.place.file, span: value.span() };
            let element = Item { place, value: value.get_ref(), ..item.clone() };
            match node(&element) {
                Some(node) if check_name(item.context, &node.text) => nodes.add(item.context, node),
                _ => nodes.faulty = true,
            }
        }
        nodes
    }

    fn add(&mut self, context: &Context<'_>, node: Node) {
        if self.by_name.contains_key(&node.text.value) {
            let finding = Finding::error(&node.text.place, format!("the node {} is listed twice", node.text.shown()));
            context.report(finding.help("take one of the two out"));
        } else {
            self.push(node);
        }
    }

    fn push(&mut self, node: Node) -> usize {
        self.by_name.insert(node.text.value.clone(), self.list.len());
        self.list.push(node);
        self.list.len() - 1
    }

    /// The node that one end of an edge names.
    pub(super) fn end_of_edge(&mut self, context: &Context<'_>, text: Text) -> Option<usize> {
        if let Some(&node) = self.by_name.get(&text.value) {
            return Some(node);
        }
        if self.declared {
            if !self.faulty {
                self.unknown(context, &text);
            }
            return None;
        }
        check_name(context, &text).then(|| self.push(Node { text, silence_us: None }))
    }

    fn unknown(&self, context: &Context<'_>, text: &Text) {
        let finding =
            Finding::error(&text.place, format!("unknown node {}: the stream does not list it", text.shown()));
        // What comes from the environment is neither shown nor guessed.
        let names = self.list.iter().filter(|node| node.text.is_plain()).map(|node| node.text.value.as_str());
        let near = if text.is_plain() { context.nearest(&text.value, names) } else { None };
        context.report(match near {
            Some(near) => finding
                .label(format!("did you mean \"{near}\"?"))
                .help(format!("write \"{near}\", or add {} to `nodes`", text.shown())),
            None => {
                finding.help(format!("add {} to `nodes`, or leave `nodes` out: the edges name them all", text.shown()))
            }
        });
    }

    /// A node's name in quotes, for people.
    pub(super) fn shown(&self, node: usize) -> String {
        self.list.get(node).map_or_else(String::new, |node| node.text.shown())
    }

    /// A node's name without quotes, for people.
    pub(super) fn shown_bare(&self, node: usize) -> String {
        self.shown(node).trim_matches('"').to_owned()
    }
}

/// One node of the list: a name, or a table with a name.
fn node(item: &Item<'_>) -> Option<Node> {
    match item.value {
        DeValue::String(_) => item.text("database").map(|text| Node { text, silence_us: None }),
        DeValue::Table(table) => {
            let section = Section::open(item.context, &keys::NODE, vec![item.part(table)]);
            let silence_us = section.duration("silence").map(|said| said.value.us);
            let named = section.require("name", "\"database\"");
            if named { section.text("name", "database").map(|text| Node { text, silence_us }) } else { None }
        }
        _ => {
            let help = "write a name, \"database\", or a name and more, `{ name = \"database\", silence = \"5m\" }`";
            item.wrong_type("an array of names or tables", help);
            None
        }
    }
}

fn check_name(context: &Context<'_>, text: &Text) -> bool {
    let checked = check_text(&text.value, NODE_MAX_BYTES);
    if let Err(error) = checked {
        let finding = Finding::error(&text.place, format!("the name of a node {error}"));
        context.report(finding.help(format!("write 1 to {NODE_MAX_BYTES} bytes of UTF-8 without control characters")));
    }
    checked.is_ok()
}
