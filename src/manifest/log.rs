//! An `[[input.log]]`: its files and its rules, which are compiled here, so that what is wrong is said at once.

use std::sync::Arc;

use super::inputs::unknown_node;
use super::item::Item;
use super::keys;
use super::problem::{Finding, Place};
use super::section::Section;
use super::text::Text;
use crate::input::rules::{Field, Lines, LogSettings, RuleError, RuleKey, RuleSet, RuleText, Start, Unit};

/// The nodes of all streams.
pub(super) struct Known<'k> {
    pub(super) names: &'k [String],
    /// Whether others are accepted, too.
    pub(super) accept: bool,
}

/// Reads an input of log files; `None` where something is wrong.
pub(super) fn read(log: &Section<'_>, known: &Known<'_>) -> Option<LogSettings> {
    let path = if log.require("path", "\"/var/log/nginx/access*.log\"") { path(log) } else { None };
    let start = log.choice("from", &["end", "beginning"]);
    let start = start.map_or(Start::End, |said| if said.value == 0 { Start::End } else { Start::Beginning });
    let sections = log.sections("rule", &keys::RULE);
    if sections.is_empty() && log.item("rule").is_none() {
        let finding = Finding::error(&log.place(), "[[input.log]] needs a rule that makes events of its lines");
        log.context.report(finding.help("add `[[input.log.rule]]` with `match` or `json` below it"));
    }
    let mut rules = RuleSet::default();
    let mut good = true;
    for section in sections {
        good &= rule(&section, known, &mut rules).is_some();
    }
    good.then_some(LogSettings { path: path?, start, rules: Arc::new(rules) })
}

fn path(log: &Section<'_>) -> Option<String> {
    let path = log.text("path", "/var/log/nginx/access*.log")?;
    if let Err(error) = glob::Pattern::new(&path.value) {
        let finding = Finding::error(&path.place, format!("{} is not a glob: {}", path.shown(), error.msg));
        log.context.report(finding.help("`*` stands for any characters, `?` for one, `[0-9]` for one of these"));
        return None;
    }
    let absolute = path.value.starts_with('/');
    let mut below = path.value.as_str();
    while let Some(rest) = below.strip_prefix("./") {
        below = rest.trim_start_matches('/');
    }
    let folder = glob::Pattern::escape(&log.context.files[path.place.file].folder.display().to_string());
    Some(if absolute || folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") })
}

/// What a rule writes, by its keys.
struct Written<'d> {
    rule: Section<'d>,
    json: Option<Section<'d>>,
    texts: Vec<(RuleKey, Text)>,
}

/// Reads a rule and compiles it, whatever else is wrong with it, so that all is said at once; `None` where something is wrong.
fn rule(section: &Section<'_>, known: &Known<'_>, rules: &mut RuleSet) -> Option<()> {
    let json = section.section("json", &keys::JSON);
    let mut written = Written { rule: section.clone(), json, texts: Vec::new() };
    let node = section.item("node").map(|item| node(&item, known));
    let pattern = written.text(RuleKey::Match, r"^(?<timestamp>\S+) req=(?<token>\S+)");
    let timestamp = written.text(RuleKey::Timestamp, "%Y-%m-%dT%H:%M:%S%.f%:z");
    let timezone = written.text(RuleKey::Timezone, "Europe/Helsinki");
    let unit = section.choice("unit", &Unit::NAMES).map(|said| Unit::ALL[said.value]);
    let pointers = Field::ALL.map(|field| (field, written.text(RuleKey::Pointer(field), "/request_id")));
    let lines = match (section.says("match"), section.item("json")) {
        (false, None) => {
            let finding = Finding::error(&section.place(), "a rule needs `match` or `json`");
            let help =
                "add `match = '^(?<timestamp>\\S+) req=(?<token>\\S+)'`, or `json = { token = \"/request_id\" }`";
            section.context.report(finding.help(help));
            return None;
        }
        (true, Some(json)) => {
            json.wrong("a rule has `match` or `json`, not both", "take one out, or make two rules");
            return None;
        }
        (true, None) => Lines::Match(pattern.said()?),
        (false, Some(_)) => {
            let mut said = Vec::new();
            for (field, pointer) in pointers {
                match pointer {
                    Value::Unsaid => {}
                    pointer => said.push((field, pointer.said()?)),
                }
            }
            written.json.as_ref()?;
            Lines::Json(said)
        }
    };
    let bad_unit = section.says("unit") && unit.is_none();
    let bad = bad_unit || timestamp.is_bad() || timezone.is_bad() || matches!(node, Some(Err(_)));
    let text = RuleText {
        node: node.map(|node| node.unwrap_or_else(|written| written)),
        lines,
        timestamp: timestamp.said(),
        timezone: timezone.said(),
        unit: unit.unwrap_or_default(),
    };
    if section.says("unit") && !text.has_duration() {
        let finding =
            Finding::warning(&section.item("unit")?.place, "`unit` is for a duration, and the rule takes none");
        section.context.report(finding.help("capture the `duration`, or take `unit` out"));
    }
    let added = rules.add(&text).map_err(|errors| errors.into_iter().for_each(|error| written.report(error)));
    added.ok().filter(|()| !bad)
}

/// A node that a rule names itself; where it will not do, what is written in its place.
fn node(item: &Item<'_>, known: &Known<'_>) -> Result<String, String> {
    let Some(text) = item.text("web-server") else { return Err(String::new()) };
    if !known.accept && !known.names.contains(&text.value) {
        unknown_node(item, &text, known.names);
        return Err(text.value);
    }
    Ok(text.value)
}

/// What became of a key's text.
enum Value {
    Unsaid,
    Bad,
    Said(String),
}

impl Value {
    fn said(self) -> Option<String> {
        if let Self::Said(text) = self { Some(text) } else { None }
    }

    fn is_bad(&self) -> bool {
        matches!(self, Self::Bad)
    }
}

impl<'d> Written<'d> {
    fn item(&self, key: RuleKey) -> Option<Item<'d>> {
        match key {
            RuleKey::Match => self.rule.item("match"),
            RuleKey::Json => self.rule.item("json"),
            RuleKey::Timestamp => self.rule.item("timestamp"),
            RuleKey::Timezone => self.rule.item("timezone"),
            RuleKey::Pointer(field) => self.json.as_ref()?.item(field.name()),
        }
    }

    fn text(&mut self, key: RuleKey, example: &str) -> Value {
        let Some(item) = self.item(key) else { return Value::Unsaid };
        let Some(text) = item.text(example) else { return Value::Bad };
        self.texts.push((key, text.clone()));
        Value::Said(text.value)
    }

    /// Reports what is wrong with a key, right where it is wrong.
    fn report(&self, error: RuleError) {
        let context = self.rule.context;
        let place = self.item(error.key).map_or_else(|| self.rule.place(), |item| item.place);
        let text = self.texts.iter().find(|(key, _)| *key == error.key).map(|(_, text)| text);
        if text.is_some_and(|text| !text.is_plain()) {
            // What is wrong would tell what the environment says.
            let finding = Finding::error(&place, "with the environment's variables put in, this cannot be used");
            context.report(finding.help("write it out once, so that `check` can say what is wrong"));
            return;
        }
        let within = text.zip(error.span).and_then(|(text, span)| {
            // Where the manifest writes it as it is, without escapes.
            let source = context.files[place.file].text.get(place.span.clone())?;
            let start = place.span.start + source.find(&text.value)?;
            Some(Place { file: place.file, span: start + span.start..start + span.end })
        });
        let finding = Finding::error(&within.unwrap_or(place), error.message).help(error.help);
        context.report(match error.label {
            Some(label) => finding.label(label),
            None => finding,
        });
    }
}
