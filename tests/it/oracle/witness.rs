//! Who can testify: inputs, gaps of ours, and what follows for nodes and edges. Histories are kept whole.

use std::collections::BTreeSet;

use observatory::graph::{Edge, Input, InputId, InputState, NodeId, Stream, System};

/// All that was ever said, and what was brought.
#[derive(Debug)]
pub(super) struct WitnessModel {
    inputs: Vec<Input>,
    start_us: u64,
    /// By input: what it said, and when.
    said: Vec<Vec<(u64, InputState)>>,
    /// When we did not run.
    gaps: Vec<(u64, u64)>,
    /// Which input has brought an event of which node.
    brought: BTreeSet<(InputId, NodeId)>,
}

impl WitnessModel {
    /// Of a live system; one without inputs replays recorded events, and is never blind.
    pub(super) fn new(system: &System, start_us: u64) -> Option<Self> {
        let said = |input: &Input| {
            let state = if input.kind.keeps() { InputState::CatchingUp } else { InputState::Up };
            vec![(start_us, state)]
        };
        (!system.inputs.is_empty()).then(|| Self {
            inputs: system.inputs.clone(),
            start_us,
            said: system.inputs.iter().map(said).collect(),
            gaps: Vec::new(),
            brought: BTreeSet::new(),
        })
    }

    pub(super) fn say(&mut self, input: InputId, state: InputState, now_us: u64) {
        self.said[usize::from(input.0)].push((now_us, state));
    }

    pub(super) fn gap(&mut self, from_us: u64, until_us: u64) {
        self.gaps.push((from_us, until_us));
        for (input, said) in self.inputs.iter().zip(&mut self.said) {
            // What it keeps must be read again before it can testify.
            if input.kind.keeps() && said.last().expect("never empty").1 == InputState::Up {
                said.push((from_us, InputState::CatchingUp));
            }
        }
    }

    /// Answers whether that is new.
    pub(super) fn bring(&mut self, input: InputId, node: NodeId) -> bool {
        usize::from(input.0) < self.inputs.len() && self.brought.insert((input, node))
    }

    /// The inputs that bring a node's events: those named for it, else those that have brought one, else all.
    fn inputs_of(&self, node: NodeId) -> Vec<usize> {
        let all = 0..self.inputs.len();
        let named: Vec<_> = all.clone().filter(|&input| self.inputs[input].nodes.contains(&node)).collect();
        let brought = all.clone().filter(|&input| self.brought.contains(&(InputId(input as u16), node))).collect();
        [named, brought, all.collect()].into_iter().find(|some: &Vec<_>| !some.is_empty()).unwrap_or_default()
    }

    /// The largest delay of those that bring the events of an edge's nodes.
    pub(super) fn delay_us(&self, stream: &Stream, edge: &Edge) -> u64 {
        let ends = [edge.from, edge.to].map(|node| self.inputs_of(stream.nodes[node].id)).concat();
        ends.into_iter().map(|input| self.inputs[input].delay_us).max().unwrap_or(0)
    }

    /// When an input that keeps nothing could not testify: before the start, while it was not up, in our gaps.
    fn blanks_of(&self, input: usize) -> Vec<(u64, u64)> {
        let said = &self.said[input];
        let ends = said.iter().skip(1).map(|&(at_us, _)| at_us).chain([u64::MAX]);
        let silent = said.iter().zip(ends).filter(|((_, state), _)| *state != InputState::Up);
        let mut blanks: Vec<_> = silent.map(|(&(from_us, _), until_us)| (from_us, until_us)).collect();
        blanks.push((0, self.start_us));
        blanks.extend(&self.gaps);
        blanks
    }

    /// Whether nothing that `to` had could escape us from one moment to another. What is kept is read in the end.
    pub(super) fn testifies(&self, node: NodeId, from_us: u64, until_us: u64) -> bool {
        let mut lost = Vec::new();
        for input in self.inputs_of(node).into_iter().filter(|&input| !self.inputs[input].kind.keeps()) {
            lost.extend(self.blanks_of(input));
        }
        !lost.iter().any(|&(begin_us, end_us)| begin_us < end_us && begin_us <= until_us && from_us < end_us)
    }

    /// The first moment from which on an input can testify, as far as is known.
    fn sees_from(&self, input: usize, now_us: u64) -> u64 {
        if self.inputs[input].kind.keeps() {
            return match self.said[input].iter().rev().take_while(|(_, state)| *state == InputState::Up).last() {
                Some(&(at_us, _)) => at_us,
                None => u64::MAX,
            };
        }
        let past = self.blanks_of(input).into_iter().filter(|&(begin_us, _)| begin_us <= now_us);
        past.map(|(_, end_us)| end_us).max().unwrap_or(0)
    }

    /// Until when a node is blind.
    pub(super) fn node_blind_until_us(&self, node: NodeId, now_us: u64) -> u64 {
        self.inputs_of(node).into_iter().map(|input| self.sees_from(input, now_us)).max().unwrap_or(0)
    }

    /// Until when an edge is blind, and until when nothing on it is judged: the inputs that keep what we have not
    /// read have caught up, and grace has passed since.
    pub(super) fn edge_blind_until_us(&self, stream: &Stream, edge: &Edge, now_us: u64) -> (u64, u64) {
        let grace_us = edge.grace_us + self.delay_us(stream, edge);
        let ends = [edge.from, edge.to].map(|node| self.inputs_of(stream.nodes[node].id)).concat();
        let (kept, lost): (Vec<_>, Vec<_>) = ends.into_iter().partition(|&input| self.inputs[input].kind.keeps());
        let kept_us = kept.into_iter().map(|input| self.sees_from(input, now_us).saturating_add(grace_us)).max();
        let lost_us = lost.into_iter().map(|input| self.sees_from(input, now_us)).max();
        let kept_us = kept_us.unwrap_or(0);
        (kept_us.max(lost_us.unwrap_or(0)), kept_us)
    }
}

/// When a node or an edge was blind: from, until. The last interval may go on.
#[derive(Debug, Default)]
pub(super) struct BlindModel {
    intervals: Vec<(u64, u64)>,
}

impl BlindModel {
    /// From now on it is blind until a moment, or not.
    pub(super) fn set(&mut self, until_us: u64, now_us: u64) {
        if let Some(last) = self.intervals.last_mut().filter(|last| last.1 > now_us) {
            last.1 = until_us.max(now_us);
        } else if until_us > now_us {
            self.intervals.push((now_us, until_us));
        }
    }

    pub(super) fn is(&self, now_us: u64) -> bool {
        self.intervals.iter().any(|&(from_us, until_us)| from_us <= now_us && now_us < until_us)
    }

    /// How much of the time from one moment to another it was blind.
    pub(super) fn between(&self, from_us: u64, until_us: u64) -> u64 {
        let part = |&(begin_us, end_us): &(u64, u64)| end_us.min(until_us).saturating_sub(begin_us.max(from_us));
        self.intervals.iter().map(part).sum()
    }

    /// The first moment at which more than `span_us` of seeing time has passed since another.
    pub(super) fn after(&self, from_us: u64, span_us: u64) -> Option<u64> {
        let mut at_us = from_us + span_us + 1;
        for &(begin_us, end_us) in self.intervals.iter().filter(|interval| interval.1 > from_us) {
            if begin_us < at_us {
                at_us = at_us.checked_add(end_us - begin_us.max(from_us)).filter(|_| end_us != u64::MAX)?;
            }
        }
        Some(at_us)
    }
}
