//! A world in which named cases are told, once to the oracle and once to the core.

use observatory::board::{OutcomeEntry, status_line};
use observatory::clock::{Moment, duration_text};
use observatory::engine::Engine;
use observatory::event::{Event, Token};
use observatory::graph::{InputId, InputState, NodeId, System};
use observatory::outcome::{Freshness, Ledger, NodeState, Outcome, Status};

use super::law::{system, us};
use crate::oracle::{EdgeShot, NodeShot, Oracle, Snapshot, Subject};

/// When every world starts: its `"0s"`.
const START_US: u64 = 1_700_000_000_000_000;

/// Tells a case to both implementations.
pub(crate) fn both(lines: &[&str], case: impl Fn(&mut World)) {
    let system = system(lines);
    case(&mut World::new("oracle", &system, Box::new(Oracle::start(&system, START_US))));
    case(&mut World::new("core", &system, Box::new(Engine::start(&system, START_US))));
}

/// Tells a case to the core alone: where there is too much of it for the oracle.
pub(crate) fn core(lines: &[&str], case: impl Fn(&mut World)) {
    let system = system(lines);
    case(&mut World::new("core", &system, Box::new(Engine::start(&system, START_US))));
}

/// One implementation, and what it is told.
pub(crate) struct World {
    who: &'static str,
    system: System,
    subject: Box<dyn Subject>,
}

fn moment(text: &str) -> u64 {
    START_US.checked_add_signed(us(text)).expect("in range")
}

impl World {
    fn new(who: &'static str, system: &System, subject: Box<dyn Subject>) -> Self {
        Self { who, system: system.clone(), subject }
    }

    /// What is reported at a moment: `"b sees t1"`, `"b sees t1 stamped 900ms, c sees t2 alias j2"`, `"b sees t1 via log"`:
    /// where no input is named the first brings it.
    pub(crate) fn at(&mut self, time: &str, reports: &str) -> &mut Self {
        let now_us = moment(time);
        for report in reports.split(", ") {
            let words: Vec<&str> = report.split(' ').collect();
            let (words, input) = match words[..] {
                [ref words @ .., "via", input] => (words.to_vec(), self.input_named(input)),
                _ => (words, InputId::default()),
            };
            let (words, alias) = match words[..] {
                [ref words @ .., "alias", alias] => (words.to_vec(), Some(alias)),
                _ => (words, None),
            };
            let (node, token, stamp) = match words[..] {
                [node, "sees", token] => (node, token, time),
                [node, "sees", token, "stamped", stamp] => (node, token, stamp),
                _ => panic!("{report} is no report"),
            };
            let node = self.system.nodes.iter().position(|name| name == node).expect("a node of the manifest");
            let token = Token::new(token).expect("a token");
            let alias = alias.map(|alias| Box::new(Token::new(alias).expect("a token")));
            let node = NodeId(node as u32);
            let event =
                Event { node, clock_flagged: false, input, token, timestamp_us: moment(stamp), parent: None, alias };
            self.subject.accept(&event, now_us);
        }
        self
    }

    fn input_named(&self, name: &str) -> InputId {
        let place = self.system.inputs.iter().position(|input| input.name == name);
        InputId(place.expect("an input of the manifest") as u16)
    }

    /// An input says how it is.
    pub(crate) fn input(&mut self, time: &str, name: &str, state: InputState) -> &mut Self {
        let input = self.input_named(name);
        self.subject.set_input(input, state, moment(time));
        self
    }

    /// We did not run from one moment until another.
    pub(crate) fn gap(&mut self, from: &str, until: &str) -> &mut Self {
        self.subject.gap(moment(from), moment(until));
        self
    }

    /// How long an edge was blind.
    pub(crate) fn blind(&mut self, edge: &str, span: &str) -> &mut Self {
        let wanted = u64::try_from(us(span)).expect("a span");
        assert_eq!(self.edge(edge).blind_us, wanted, "{}: how long {edge} was blind", self.who);
        self
    }

    /// Time passes up to a moment.
    pub(crate) fn until(&mut self, time: &str) -> &mut Self {
        self.subject.advance(moment(time));
        self
    }

    /// The clock runs out.
    pub(crate) fn settle(&mut self) -> &mut Self {
        self.subject.settle();
        self
    }

    /// Everything at this moment.
    pub(crate) fn see(&mut self) -> Snapshot {
        self.subject.snapshot()
    }

    /// What is seen of an edge: `"a -> b"`, or `"second: a -> b"`.
    pub(crate) fn edge(&mut self, name: &str) -> EdgeShot {
        let (stream, edge) = self.find(name);
        self.subject.snapshot().streams[stream].edges[edge].clone()
    }

    fn find(&self, name: &str) -> (usize, usize) {
        let (stream, edge) = name.split_once(": ").map_or((None, name), |(stream, edge)| (Some(stream), edge));
        let named = |place: &observatory::graph::Stream| stream.is_none_or(|stream| place.name == stream);
        let index = self.system.streams.iter().position(named).expect("a stream of the manifest");
        let stream = &self.system.streams[index];
        let node = |place: usize| self.system.nodes[stream.nodes[place].id.0 as usize].as_str();
        let (from, to) = edge.split_once(" -> ").expect("an edge has an arrow");
        let found = stream.edges.iter().position(|edge| (node(edge.from), node(edge.to)) == (from, to));
        (index, found.expect("an edge of the manifest"))
    }

    /// What is seen of a node of the first stream.
    pub(crate) fn node(&mut self, name: &str) -> NodeShot {
        let node = |id: NodeId| &self.system.nodes[id.0 as usize];
        let place = self.system.streams[0].nodes.iter().position(|place| node(place.id) == name);
        self.subject.snapshot().streams[0].nodes[place.expect("a node of the manifest")].clone()
    }

    /// The ledger of an edge: `"upstream=2 pass=1 in_flight=1"`, all others 0.
    pub(crate) fn ledger(&mut self, edge: &str, fields: &str) -> &mut Self {
        let mut wanted = Ledger::default();
        for field in fields.split_whitespace() {
            let (name, count) = field.split_once('=').expect("a field and a number");
            let count = count.parse().expect("a number");
            match name {
                "upstream" => wanted.upstream = count,
                "in_flight" => wanted.in_flight = count,
                "orphans" => wanted.orphans = count,
                "duplicates" => wanted.duplicates = count,
                "revisions" => wanted.revisions = count,
                _ => {
                    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == name);
                    *wanted.of_mut(outcome.expect("a field of the ledger")) = count;
                }
            }
        }
        let seen = self.edge(edge).ledger;
        assert!(seen.balances(), "{}: the ledger balances always: {seen:?}", self.who);
        assert_eq!(seen, wanted, "{}: the ledger of {edge}", self.who);
        self
    }

    /// The first line of an edge's label.
    pub(crate) fn label(&mut self, edge: &str, label: &str) -> &mut Self {
        let seen = self.edge(edge);
        assert_eq!(status_line(seen.status, seen.pass, seen.total), label, "{}: {edge}", self.who);
        self
    }

    /// The status of an edge, and since when.
    pub(crate) fn status(&mut self, edge: &str, status: Status, since: &str) -> &mut Self {
        let seen = self.edge(edge);
        let wanted = (status, Moment(moment(since)));
        assert_eq!((seen.status, seen.status_since), wanted, "{}: status of {edge}", self.who);
        self
    }

    /// The held status of an edge, and since when.
    pub(crate) fn held(&mut self, edge: &str, status: Status, since: &str) -> &mut Self {
        let seen = self.edge(edge);
        assert_eq!((seen.held, seen.held_since), (status, Moment(moment(since))), "{}: held of {edge}", self.who);
        self
    }

    /// The freshness of an edge.
    pub(crate) fn fresh(&mut self, edge: &str, freshness: Freshness) -> &mut Self {
        assert_eq!(self.edge(edge).freshness, freshness, "{}: {edge}", self.who);
        self
    }

    /// The state of a node.
    pub(crate) fn state(&mut self, node: &str, state: NodeState) -> &mut Self {
        assert_eq!(self.node(node).state, state, "{}: {node}", self.who);
        self
    }

    /// The status of the first stream, and how many of its edges have no outcome.
    pub(crate) fn stream(&mut self, status: Status, unobserved: usize) -> &mut Self {
        let stream = &self.subject.snapshot().streams[0];
        assert_eq!((stream.status, stream.unobserved), (status, unobserved), "{}: the stream", self.who);
        self
    }

    /// The window of an edge, newest last: `"pass t1 100ms, missing t2"`.
    pub(crate) fn window(&mut self, edge: &str, outcomes: &str) -> &mut Self {
        let seen = told(&self.edge(edge).window);
        assert_eq!(seen, outcomes, "{}: the window of {edge}", self.who);
        self
    }

    /// The fails of an edge, newest last.
    pub(crate) fn fails(&mut self, edge: &str, outcomes: &str) -> &mut Self {
        let seen = told(&self.edge(edge).fails);
        assert_eq!(seen, outcomes, "{}: the fails of {edge}", self.who);
        self
    }

    /// When the last outcome in the window was decided.
    pub(crate) fn decided(&mut self, edge: &str, at: &str) -> &mut Self {
        let seen = self.edge(edge).window.last().map(|entry| entry.at);
        assert_eq!(seen, Some(Moment(moment(at))), "{}: the last outcome of {edge}", self.who);
        self
    }

    /// Aliases that were ignored in the first stream.
    pub(crate) fn conflicts(&mut self, conflicts: u64) -> &mut Self {
        assert_eq!(self.see().streams[0].alias_conflicts, conflicts, "{}: conflicts", self.who);
        self
    }

    /// Tokens remembered, over all streams.
    pub(crate) fn tokens(&mut self, tokens: usize) -> &mut Self {
        assert_eq!(self.see().tokens, tokens, "{}: tokens remembered", self.who);
        self
    }
}

fn told(entries: &[OutcomeEntry]) -> String {
    let entry = |entry: &OutcomeEntry| {
        let token = entry.token.as_ref().map(|token| format!(" {token}")).unwrap_or_default();
        let latency = entry.latency_ms.map(|ms| format!(" {}", duration_text((ms * 1000.0).round() as u64)));
        format!("{}{token}{}", entry.outcome.name(), latency.unwrap_or_default())
    };
    entries.iter().map(entry).collect::<Vec<_>>().join(", ")
}
