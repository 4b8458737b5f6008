//! The inputs: what each says of itself, and its own keys.

use std::collections::{HashMap, HashSet};

use toml::de::DeValue;

use super::amqp;
use super::item::Item;
use super::keys;
use super::log::{self, Known};
use super::problem::{Finding, Place};
use super::section::Section;
use super::settings::InputSettings;
use super::text::Text;
use crate::graph::InputKind;

/// Reads all inputs. `known` are the nodes of all streams; `accept_unknown`: others are accepted, too.
pub(super) fn read(top: &Section<'_>, known: &[String], accept_unknown: bool) -> Vec<InputSettings> {
    let inputs = top.section("input", &keys::INPUT);
    let section = |key, table| inputs.as_ref().and_then(|inputs| inputs.section(key, table));
    let sections = |key, table| inputs.as_ref().map_or_else(Vec::new, |inputs| inputs.sections(key, table));
    let mut reader = Reader { known, names: HashMap::new(), inputs: Vec::new() };
    let http = section("http", &keys::HTTP);
    if let Some(http) = &http {
        reader.take(http, InputKind::Http);
        if http.flag("enabled").is_some_and(|enabled| !enabled.value) {
            reader.inputs.clear();
        }
    } else {
        reader.inputs.push(InputSettings::unnamed(InputKind::Http));
    }
    for section in sections("amqp", &keys::AMQP) {
        let settings = amqp::read(&section);
        reader.take(&section, InputKind::Amqp);
        if let Some(input) = reader.inputs.last_mut() {
            input.amqp = settings;
        }
    }
    for section in sections("log", &keys::LOG) {
        let settings = log::read(&section, &Known { names: known, accept: accept_unknown });
        reader.take(&section, InputKind::Log);
        if let Some(input) = reader.inputs.last_mut() {
            input.log = settings;
        }
    }
    if let (true, Some(http)) = (reader.inputs.is_empty(), http) {
        let finding = Finding::warning(&http.place(), "no input is left: a server would never see an event");
        http.context.report(finding.help("take `enabled = false` out, or add another input"));
    }
    reader.inputs
}

impl InputSettings {
    /// An input of which the manifest says nothing.
    fn unnamed(kind: InputKind) -> Self {
        Self { kind, name: kind.name().to_owned(), nodes: Vec::new(), delay_us: 0, amqp: None, log: None }
    }
}

/// What all inputs may say: `name`, `nodes`, `delay`.
struct Reader<'k> {
    known: &'k [String],
    names: HashMap<String, Place>,
    inputs: Vec<InputSettings>,
}

impl Reader<'_> {
    fn take(&mut self, section: &Section<'_>, kind: InputKind) {
        let mut input = InputSettings::unnamed(kind);
        if let Some(name) = section.text("name", "orders-mq") {
            self.check_name(section, &name);
            input.name = name.value;
        }
        if let Some(delay) = section.duration_or_zero("delay") {
            input.delay_us = delay.value.us;
        }
        if let Some(nodes) = section.item("nodes") {
            input.nodes = self::nodes(&nodes, self.known);
        }
        if !section.says("name") {
            input.name = self.unused(input.name);
        }
        self.inputs.push(input);
    }

    /// Where several inputs say no name they are told apart by a number: `log`, `log-2`.
    fn unused(&self, name: String) -> String {
        let used = |name: &str| self.inputs.iter().any(|input| input.name == name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| !used(name)).unwrap_or(name)
    }

    fn check_name(&mut self, section: &Section<'_>, name: &Text) {
        if name.value.is_empty() || name.value.chars().any(char::is_control) {
            let finding =
                Finding::error(&name.place, "the name of an input must not be empty, or hold control characters");
            section.context.report(finding.help("write a name like \"orders-mq\", or take it out"));
        }
        if let Some(first) = self.names.insert(name.value.clone(), name.place.clone()) {
            let finding = Finding::error(&name.place, format!("two inputs are named {}", name.shown()));
            section.context.report(finding.also(&first, "the first").help("give each a name of its own"));
        }
    }
}

/// An array of names of nodes. `known` are those of all streams.
pub(super) fn nodes(item: &Item<'_>, known: &[String]) -> Vec<String> {
    let DeValue::Array(array) = item.value else {
        item.wrong_type("an array of nodes", "write the names in brackets: `nodes = [\"journal\"]`");
        return Vec::new();
    };
    let names: HashSet<&str> = known.iter().map(String::as_str).collect();
    let mut nodes = Vec::new();
    for value in array {
        let place = Place { file: item.place.file, span: value.span() };
        let element = Item { place, value: value.get_ref(), ..item.clone() };
        if !matches!(element.value, DeValue::String(_)) {
            element.wrong_type("an array of names", "write each name in quotes: `nodes = [\"journal\"]`");
            continue;
        }
        let Some(text) = element.text("journal") else { continue };
        if !names.contains(text.value.as_str()) {
            unknown_node(&element, &text, known);
        }
        nodes.push(text.value);
    }
    nodes
}

/// Reports a node that no stream has.
pub(super) fn unknown_node(item: &Item<'_>, text: &Text, known: &[String]) {
    let message = format!("unknown node {}: no stream has it", text.shown());
    // What comes from the environment is not shown.
    let written = |name: &&str| item.context.files.iter().any(|file| file.text.contains(*name));
    let near = item.context.nearest(&text.value, known.iter().map(String::as_str).filter(written));
    let help = match near.filter(|_| text.is_plain()) {
        Some(near) => format!("write \"{near}\""),
        None => "name nodes of the streams".to_owned(),
    };
    item.wrong(message, help);
}
