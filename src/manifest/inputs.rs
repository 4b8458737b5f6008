//! The inputs: what each says of itself, and its own keys.

use std::collections::{HashMap, HashSet};

use toml::de::DeValue;

use super::item::{Bounds, Item};
use super::keys;
use super::problem::{Finding, Place};
use super::section::Section;
use super::settings::InputSettings;
use super::text::Text;
use crate::graph::InputKind;

/// Reads all inputs. `known` are the nodes of all streams.
pub(super) fn read(top: &Section<'_>, known: &[String]) -> Vec<InputSettings> {
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
    for amqp in sections("amqp", &keys::AMQP) {
        check_amqp(&amqp);
        not_built(&amqp, "[[input.amqp]]");
        reader.take(&amqp, InputKind::Amqp);
    }
    for log in sections("log", &keys::LOG) {
        check_log(&log);
        not_built(&log, "[[input.log]]");
        reader.take(&log, InputKind::Log);
    }
    if let (true, Some(http)) = (reader.inputs.is_empty(), http) {
        let finding = Finding::warning(&http.place(), "no input is left: a server would never see an event");
        http.context.report(finding.help("take `enabled = false` out, or add another input"));
    }
    reader.inputs
}

fn not_built(section: &Section<'_>, title: &str) {
    let finding = Finding::not_built(&section.place(), format!("`{title}` is not built yet"));
    section.context.report(finding.help("take it out until then; POST /events works"));
}

impl InputSettings {
    /// An input of which the manifest says nothing.
    fn unnamed(kind: InputKind) -> Self {
        Self { kind, name: kind.name().to_owned(), nodes: Vec::new(), delay_us: 0 }
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
            input.nodes = self.nodes(&nodes);
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

    fn nodes(&self, item: &Item<'_>) -> Vec<String> {
        let DeValue::Array(array) = item.value else {
            item.wrong_type("an array of nodes", "write the names in brackets: `nodes = [\"journal\"]`");
            return Vec::new();
        };
        let known: HashSet<&str> = self.known.iter().map(String::as_str).collect();
        let mut nodes = Vec::new();
        for value in array {
            let place = Place { file: item.place.file, span: value.span() };
            let element = Item { place, value: value.get_ref(), ..item.clone() };
            if !matches!(element.value, DeValue::String(_)) {
                element.wrong_type("an array of names", "write each name in quotes: `nodes = [\"journal\"]`");
                continue;
            }
            let Some(text) = element.text("journal") else { continue };
            if !known.contains(text.value.as_str()) {
                let message = format!("unknown node {}: no stream has it", text.shown());
                // What comes from the environment is not shown.
                let written = |name: &&str| item.context.files.iter().any(|file| file.text.contains(*name));
                let names = self.known.iter().map(String::as_str).filter(written);
                let near = item.context.nearest(&text.value, names);
                let help = match near.filter(|_| text.is_plain()) {
                    Some(near) => format!("write \"{near}\""),
                    None => "name nodes of the streams".to_owned(),
                };
                element.wrong(message, help);
            }
            nodes.push(text.value);
        }
        nodes
    }
}

fn check_amqp(amqp: &Section<'_>) {
    const URL_EXAMPLE: &str = "\"amqp://${AMQP_USER}:${AMQP_PASSWORD}@localhost:5672/%2f\"";
    if amqp.require("url", URL_EXAMPLE)
        && let Some(url) = amqp.text("url", "amqp://localhost:5672/%2f")
        && !["amqp://", "amqps://"].iter().any(|scheme| url.value.starts_with(scheme))
    {
        let finding = Finding::error(&url.place, "`url` must begin with amqp:// or amqps://");
        amqp.context.report(finding.help(format!("write `url = {URL_EXAMPLE}`")));
    }
    if amqp.require("queue", "\"observatory.input\"") {
        amqp.text("queue", "observatory.input");
    }
    amqp.text("exchange", "observatory");
    amqp.text("exchange_type", "topic");
    amqp.text("routing_key", "observatory.input");
    amqp.whole("prefetch", &Bounds { range: 1..=65_535, example: "1000" });
}

fn check_log(log: &Section<'_>) {
    if log.require("path", "\"/var/log/nginx/access*.log\"")
        && let Some(path) = log.text("path", "/var/log/nginx/access*.log")
        && let Err(error) = glob::Pattern::new(&path.value)
    {
        let finding = Finding::error(&path.place, format!("{} is not a glob: {}", path.shown(), error.msg));
        log.context.report(finding.help("`*` stands for any characters, `?` for one, `[0-9]` for one of these"));
    }
    log.choice("from", &["end", "beginning"]);
    let rules = log.sections("rule", &keys::RULE);
    if rules.is_empty() && log.item("rule").is_none() {
        let finding = Finding::error(&log.place(), "[[input.log]] needs a rule that makes events of its lines");
        log.context.report(finding.help("add `[[input.log.rule]]` with `match` or `json` below it"));
    }
    for rule in rules {
        check_rule(&rule);
    }
}

fn check_rule(rule: &Section<'_>) {
    rule.text("node", "web-server");
    rule.text("match", "^(?<timestamp>\\S+) req=(?<token>\\S+)");
    rule.text("timestamp", "%Y-%m-%dT%H:%M:%S%.f%:z");
    rule.text("timezone", "Europe/Helsinki");
    rule.choice("unit", &["s", "ms", "us"]);
    if let Some(json) = rule.section("json", &keys::JSON) {
        for key in keys::JSON.keys {
            json.text(key, "/request_id");
        }
    }
    match (rule.item("match"), rule.item("json")) {
        (None, None) => {
            let finding = Finding::error(&rule.place(), "a rule needs `match` or `json`");
            let help =
                "add `match = '^(?<timestamp>\\S+) req=(?<token>\\S+)'`, or `json = { token = \"/request_id\" }`";
            rule.context.report(finding.help(help));
        }
        (Some(_), Some(json)) => {
            json.wrong("a rule has `match` or `json`, not both", "take one out, or make two rules");
        }
        _ => {}
    }
}
