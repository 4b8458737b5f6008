//! The plan: events in the order of their sending.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::faults::{Faults, Share};
use super::random::{Random, mix};
use super::travel::{Visit, travel};
use super::truth::{Seen, Truth};
use super::ways::Ways;
use crate::clock::SECOND_US;
use crate::graph::{NodeId, System};

/// The most that clocks may be wrong: a stamp further ahead than five minutes would be replaced by the server.
const SKEW_MAX_US: u64 = 120 * SECOND_US;
/// A report that is sent twice comes again within this time, if the streams remember as long.
const AGAIN_MAX_US: u64 = SECOND_US;
/// Messages that groups of a count check send on have numbers from here.
const SENT_ON: u64 = 1 << 48;

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct Options {
    /// The same seed gives the same plan.
    pub seed: u64,
    /// How many messages begin.
    pub requests: u64,
    /// How many begin in a second.
    pub rate: f64,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

/// An event to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When, in microseconds from the start.
    pub send_us: u64,
    /// Who saw the message.
    pub node: NodeId,
    /// Which message: see [`token_text`].
    pub message: u64,
    /// When it saw it by its own clock, in microseconds from the start; its clock may be before that.
    pub stamp_us: i64,
}

/// The token of a message of a plan with this seed: 32 hexadecimal digits.
pub fn token_text(seed: u64, message: u64) -> String {
    format!("{:016x}{:016x}", mix(mix(seed).wrapping_add(message)), mix(seed ^ message))
}

/// An event that waits for its turn; the first field that differs says which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ahead {
    send_us: u64,
    number: u64,
    node: usize,
    message: u64,
    stamp_us: i64,
    at_us: u64,
    again: bool,
}

/// A message that a group with `same_token` may send on: judged when no group holds it any more.
#[derive(Debug, Default)]
struct Held {
    seen: Vec<Seen>,
    visited: Vec<usize>,
    groups: usize,
}

/// Made-up traffic over a system's graph, as an iterator in the order of sending.
#[derive(Debug)]
pub struct Plan<'a> {
    system: &'a System,
    options: Options,
    ways: Ways,
    /// By node: how often it does not report, and reports twice.
    silent: Vec<Share>,
    twice: Vec<Share>,
    /// By node: how wrong its clock is.
    skew_us: Vec<i64>,
    /// By node: how soon a report comes again at the latest.
    again_us: Vec<u64>,
    ahead: BinaryHeap<Reverse<Ahead>>,
    numbered: u64,
    next_request: u64,
    sent_on: u64,
    /// By way: the messages of the group that is being filled.
    filling: Vec<Vec<u64>>,
    held: HashMap<u64, Held>,
    truth: Truth,
}

impl<'a> Plan<'a> {
    /// Plans traffic over a system (as the server runs it, delays of the inputs included). The error says
    /// what in the options does not fit it.
    pub fn new(system: &'a System, options: Options) -> Result<Self, String> {
        let faults = &options.faults;
        let mut ways = Ways::new(system)?;
        ways.set_faults(system, faults)?;
        let nodes = || system.nodes.iter().map(String::as_str);
        faults.unreported.check("--unreported", "node", &nodes())?;
        faults.duplicate.check("--duplicate", "node", &nodes())?;
        check_times(system, faults)?;
        if !(options.rate.is_finite() && options.rate > 0.0) {
            return Err("the rate must be above 0".to_owned());
        }
        let skew_us = |node: u64| {
            let range_us = faults.skew_us;
            Random::new(options.seed, !node).between(0, 2 * range_us) as i64 - range_us as i64
        };
        let (filling, count) = (vec![Vec::new(); ways.all.len()], system.nodes.len());
        Ok(Self {
            silent: nodes().map(|node| faults.unreported.of(node)).collect(),
            twice: nodes().map(|node| faults.duplicate.of(node)).collect(),
            skew_us: (0..count as u64).map(skew_us).collect(),
            again_us: again_us(system),
            ahead: BinaryHeap::new(),
            numbered: 0,
            next_request: 0,
            sent_on: 0,
            filling,
            held: HashMap::new(),
            truth: Truth::new(system),
            ways,
            system,
            options,
        })
    }

    /// Whether the order of arrival matters: there are count checks.
    pub fn is_ordered(&self) -> bool {
        self.system.streams.iter().flat_map(|stream| &stream.edges).any(|edge| edge.count().is_some())
    }

    /// How long after the last event everything is judged and forgotten, in microseconds.
    pub fn settle_us(&self) -> u64 {
        let patience = |stream: &crate::graph::Stream| {
            let edges = stream.edges.iter().filter_map(crate::graph::Edge::patience_us);
            edges.chain([stream.memory_us()]).max().unwrap_or(0)
        };
        self.system.streams.iter().map(patience).max().unwrap_or(0)
    }

    /// How many messages have begun.
    pub fn begun(&self) -> u64 {
        self.next_request
    }

    /// What must come of all that was planned. Only when the last event is out.
    pub fn into_truth(mut self) -> Truth {
        for (_, held) in std::mem::take(&mut self.held) {
            self.truth.judge(self.system, &held.seen);
        }
        self.truth.close(self.system);
        self.truth
    }

    fn start_us(&self, request: u64) -> u64 {
        (request as f64 * SECOND_US as f64 / self.options.rate) as u64
    }

    /// Begins the next message. The parts of the graph that do not hang together take turns.
    fn begin(&mut self, at_us: u64) {
        let message = self.next_request;
        self.next_request += 1;
        let roots = &self.ways.roots[(message % self.ways.roots.len() as u64) as usize];
        let starts: Vec<_> = roots.iter().map(|&root| (root, at_us)).collect();
        self.follow(message, &starts, 0, Held::default());
    }

    /// Follows a message from some nodes on; nothing is sent before `now_us`.
    fn follow(&mut self, message: u64, starts: &[(usize, u64)], now_us: u64, mut held: Held) {
        let mut random = Random::new(self.options.seed, message.wrapping_add((held.visited.len() as u64) << 49));
        let was = |node: usize| held.visited.contains(&node);
        let visits = travel(&self.ways, self.options.faults.optional, &self.silent, starts, was, &mut random);
        for Visit { node, at_us, reported } in visits {
            held.visited.push(node);
            let held_back_us = random.between(0, self.options.faults.disorder_us);
            if !reported {
                continue;
            }
            let stamp_us = at_us as i64 + self.skew_us[node];
            let send_us = now_us.max(at_us + held_back_us);
            held.seen.push(Seen { node, stamp_us, send_us });
            held.groups += self.groups(node).filter(|&(_, same_token)| same_token).count();
            self.numbered += 1;
            let (number, again) = (self.numbered, false);
            self.ahead.push(Reverse(Ahead { send_us, number, node, message, stamp_us, at_us, again }));
        }
        if held.groups == 0 {
            self.truth.judge(self.system, &held.seen);
        } else {
            self.held.insert(message, held);
        }
    }

    /// The ways out of a node that messages go in numbers, and whether they keep their tokens.
    fn groups(&self, node: usize) -> impl Iterator<Item = (usize, bool)> {
        let ways = self.ways.out[node].iter();
        ways.filter_map(|&way| Some((way, self.ways.all[way].count?.same_token)))
    }

    /// Gives an event out, and sees to what it brings about.
    fn release(&mut self, event: Ahead) -> Planned {
        let Ahead { send_us, node, message, stamp_us, .. } = event;
        if event.again {
            self.truth.duplicate(node);
        } else {
            self.truth.report(Seen { node, stamp_us, send_us }, message);
            let mut random = Random::new(self.options.seed, message ^ mix(node as u64));
            let (twice, after_us) = (random.chance(self.twice[node]), random.between(0, self.again_us[node]));
            if twice {
                self.numbered += 1;
                let (number, send_us) = (self.numbered, send_us + after_us);
                self.ahead.push(Reverse(Ahead { send_us, number, again: true, ..event }));
            }
            for (way, _) in self.groups(node).collect::<Vec<_>>() {
                self.fill(way, event);
            }
        }
        Planned { send_us, node: NodeId(node as u32), message, stamp_us }
    }

    /// Adds a message to the group of a way; a full one sends on what it owes.
    fn fill(&mut self, way: usize, event: Ahead) {
        let Some(count) = self.ways.all[way].count else { return };
        self.filling[way].push(event.message);
        if self.filling[way].len() < count.every as usize {
            return;
        }
        let group = std::mem::take(&mut self.filling[way]);
        let mut random = Random::new(self.options.seed, mix(event.message) ^ way as u64);
        let first = random.next() as usize % group.len();
        let mut chosen = Vec::new();
        for number in 0..count.expect as usize {
            let lost = random.chance(self.ways.all[way].loss);
            let at_us = event.at_us + self.ways.all[way].takes_us(&mut random);
            if !lost {
                chosen.push((group[(first + number) % group.len()], at_us));
            }
        }
        let to = self.ways.all[way].to;
        if !count.same_token {
            for (_, at_us) in chosen {
                self.sent_on += 1;
                self.follow(SENT_ON + self.sent_on, &[(to, at_us)], event.send_us, Held::default());
            }
            return;
        }
        for message in group {
            let Some(mut held) = self.held.remove(&message) else { continue };
            held.groups -= 1;
            let goes = chosen.iter().find(|(chosen, _)| *chosen == message);
            let starts: Vec<_> = goes.map(|&(_, at_us)| (to, at_us)).into_iter().collect();
            self.follow(message, &starts, event.send_us, held);
        }
    }
}

impl Iterator for Plan<'_> {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        loop {
            let start_us = (self.next_request < self.options.requests).then(|| self.start_us(self.next_request));
            // What a message brings about comes after its start: so no event that is still unknown goes before.
            match (self.ahead.peek(), start_us) {
                (None, None) => return None,
                (Some(Reverse(event)), start_us) if start_us.is_none_or(|start_us| event.send_us < start_us) => {
                    let event = *event;
                    self.ahead.pop();
                    return Some(self.release(event));
                }
                (_, start_us) => self.begin(start_us.unwrap_or(0)),
            }
        }
    }
}

/// What of the faults would make the truth unknowable.
fn check_times(system: &System, faults: &Faults) -> Result<(), String> {
    let edges = || system.streams.iter().flat_map(|stream| &stream.edges);
    let shortest_us = edges().filter(|edge| edge.check.is_some()).map(crate::graph::Edge::wait_us).min();
    let shortest_us = shortest_us.unwrap_or(SECOND_US);
    let text = crate::clock::duration_text;
    if faults.disorder_us > shortest_us / 2 {
        let (most, grace) = (text(shortest_us / 2), text(shortest_us));
        return Err(format!("--disorder can be at most {most}: half of the shortest grace, which is {grace}"));
    }
    if faults.skew_us > SKEW_MAX_US {
        return Err(format!("--skew can be at most {}", text(SKEW_MAX_US)));
    }
    if !faults.late.is_never() && system.remember_us == 0 && shortest_us == 0 {
        return Err("--late needs a grace or `remember` above 0: else what comes late is not known any more".to_owned());
    }
    Ok(())
}

/// By node: how soon a report comes again at the latest, so that its streams still remember it.
fn again_us(system: &System) -> Vec<u64> {
    let mut again_us = vec![AGAIN_MAX_US; system.nodes.len()];
    for stream in &system.streams {
        for node in &stream.nodes {
            let again_us = &mut again_us[node.id.0 as usize];
            *again_us = (*again_us).min(stream.memory_us() / 2);
        }
    }
    again_us
}
