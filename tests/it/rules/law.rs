//! Manifests of a few words, with the law's defaults.
//!
//! ```text
//! a -> b                                      no check
//! a -> b: within=500ms ok=3 warn=1 fail=2     a time check
//! a -> b: within=1s optional
//! a -> b: every=5 expect=2 within=1s          a count check; same_token
//! a -> b: within=1s window=5m fail=5%         and grace, delay, skew, hold, silence
//! node a: silence=5m
//! input http                                  an input that keeps nothing
//! input log: keeps nodes=a,b delay=15s        one that keeps what is not read; after the nodes
//! horizon=10s
//! stream second                               what follows is another stream's
//! max_tokens=3
//! remember=1h
//! ```

use std::collections::HashMap;

use observatory::graph::{
    Check, CheckKind, CountCheck, Edge, Input, InputKind, NodeId, Stream, StreamNode, System, Threshold, Thresholds,
    Window,
};

/// Microseconds of a text like `"1s"`, `"1s+1us"`, `"-50ms"`.
pub(crate) fn us(text: &str) -> i64 {
    let mut sum = 0;
    for term in text.replace('-', "+-").split('+').filter(|term| !term.is_empty()) {
        let digits = term.trim_start_matches('-');
        let unit_at = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or_else(|| panic!("{term} has no unit"));
        let factor = match &digits[unit_at..] {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            unit => panic!("{unit} is no unit"),
        };
        let amount: i64 = digits[..unit_at].parse().expect("digits");
        sum += amount * factor * if term.starts_with('-') { -1 } else { 1 };
    }
    sum
}

/// A duration.
fn span(text: &str) -> u64 {
    u64::try_from(us(text)).expect("a duration is not negative")
}

/// The system that these lines declare.
pub(crate) fn system(lines: &[&str]) -> System {
    let mut system = System {
        max_tokens: 4_000_000,
        remember_us: span("1h"),
        streams: vec![stream_named("first")],
        ..System::default()
    };
    for line in lines {
        if let Some(name) = line.strip_prefix("stream ") {
            system.streams.push(stream_named(name));
        } else if let Some(input) = line.strip_prefix("input ") {
            let (name, terms) = input.split_once(':').unwrap_or((input, ""));
            let input = input_named(&system, name, &Terms::new(terms));
            system.inputs.push(input);
        } else if let Some((edge, terms)) = line.split_once(':').or(line.contains("->").then_some((line, ""))) {
            declare(&mut system, edge, &Terms::new(terms));
        } else {
            let terms = Terms::new(line);
            system.max_tokens = terms.number("max_tokens").map_or(system.max_tokens, |number| number as usize);
            system.remember_us = terms.span("remember").unwrap_or(system.remember_us);
            let stream = system.streams.last_mut().expect("there is one");
            stream.horizon_us = terms.span("horizon").unwrap_or(stream.horizon_us);
        }
    }
    system
}

fn stream_named(name: &str) -> Stream {
    Stream { name: name.to_owned(), horizon_us: span("10s"), ..Stream::default() }
}

fn declare(system: &mut System, what: &str, terms: &Terms) {
    let silence_us = terms.span("silence");
    if let Some(name) = what.strip_prefix("node ") {
        let place = place_of(system, name);
        system.streams.last_mut().expect("there is one").nodes[place].silence_us = silence_us;
        return;
    }
    let (from, to) = what.split_once("->").expect("an edge has an arrow");
    let (from, to) = (place_of(system, from.trim()), place_of(system, to.trim()));
    let edge = Edge {
        name: None,
        from,
        to,
        check: check(terms),
        grace_us: terms.span("grace").unwrap_or(span("1s")),
        delay_us: terms.span("delay").unwrap_or(0),
        clock_skew_us: terms.span("skew").unwrap_or(span("50ms")),
        hold_us: terms.span("hold").unwrap_or(span("10s")),
        silence_us,
    };
    system.streams.last_mut().expect("there is one").edges.push(edge);
}

fn input_named(system: &System, name: &str, terms: &Terms) -> Input {
    let id = |name| NodeId(system.nodes.iter().position(|node| node == name).expect("a node") as u32);
    Input {
        kind: if terms.says("keeps") { InputKind::Log } else { InputKind::Http },
        name: name.to_owned(),
        nodes: terms.text("nodes").map_or_else(Vec::new, |names| names.split(',').map(id).collect()),
        delay_us: terms.span("delay").unwrap_or(0),
    }
}

/// The node's place in the last stream; it is added where it is new.
fn place_of(system: &mut System, name: &str) -> usize {
    let known = system.nodes.iter().position(|known| known == name);
    let id = NodeId(known.unwrap_or_else(|| {
        system.nodes.push(name.to_owned());
        system.nodes.len() - 1
    }) as u32);
    let nodes = &mut system.streams.last_mut().expect("there is one").nodes;
    nodes.iter().position(|node| node.id == id).unwrap_or_else(|| {
        nodes.push(StreamNode { id, silence_us: None });
        nodes.len() - 1
    })
}

fn check(terms: &Terms) -> Option<Check> {
    let within_text = terms.text("within")?;
    let kind = terms.number("every").map_or(CheckKind::Time, |every| {
        let expect = terms.number("expect").expect("a count check expects something");
        CheckKind::Count(CountCheck { every, expect, same_token: terms.says("same_token") })
    });
    let window = terms.text("window").map(|text| match text.parse() {
        Ok(outcomes) => Window::Outcomes(outcomes),
        Err(_) => Window::Time(span(text)),
    });
    Some(Check {
        kind,
        within_us: span(within_text),
        within_text: within_text.to_owned(),
        thresholds: Thresholds {
            ok: terms.number("ok").unwrap_or(1),
            warn: terms.threshold("warn"),
            fail: terms.threshold("fail"),
            window,
        },
        optional: terms.says("optional"),
    })
}

/// The `key=value` of a line; a bare word has no value.
struct Terms<'a>(HashMap<&'a str, &'a str>);

impl<'a> Terms<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.split_whitespace().map(|term| term.split_once('=').unwrap_or((term, ""))).collect())
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    fn says(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    fn number(&self, key: &str) -> Option<u32> {
        Some(self.text(key)?.parse().expect("a number"))
    }

    fn span(&self, key: &str) -> Option<u64> {
        self.text(key).map(span)
    }

    fn threshold(&self, key: &str) -> Threshold {
        match self.text(key).map(|text| (text, text.strip_suffix('%'))) {
            None => Threshold::Count(0),
            Some((_, Some(percent))) => {
                let percent: f64 = percent.parse().expect("a percentage");
                Threshold::Percent((percent * 10_000.0).round() as u32)
            }
            Some((number, None)) => Threshold::Count(number.parse().expect("a number")),
        }
    }
}
