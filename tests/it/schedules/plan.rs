//! Random schedules: who reports what, and when it arrives.

use observatory::event::{Event, Token};
use observatory::graph::{Edge, InputId, InputState, System};

use super::aliases::Aliases;
use super::inputs::Inputs;
use super::rng::Rng;
use super::world::world;

/// When every schedule starts.
pub(crate) const START_US: u64 = 1_700_000_000_000_000;

/// One step: at `now_us` an event arrives, or only time has passed.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) now_us: u64,
    pub(crate) event: Option<Event>,
    /// What is said before that.
    pub(crate) said: Option<Said>,
    /// Whether everything is compared after it.
    pub(crate) look: bool,
}

/// What happens that is no event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    /// An input says how it is.
    Input(InputId, InputState),
    /// We did not run since then.
    Gap(u64),
}

/// A world and what happens in it.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) system: System,
    pub(crate) steps: Vec<Step>,
    /// Whether the ledgers are looked at after every step: a look makes the core judge what is due.
    pub(crate) watched: bool,
}

impl Schedule {
    /// Whether it has inputs: then it is live, and things can be blind.
    pub(crate) fn has_inputs(&self) -> bool {
        !self.system.inputs.is_empty()
    }

    /// Whether any event carries an alias.
    pub(crate) fn has_aliases(&self) -> bool {
        self.steps.iter().filter_map(|step| step.event.as_ref()).any(|event| event.alias.is_some())
    }
}

/// The schedule of a seed: short, with few tokens.
pub(crate) fn schedule(seed: u64) -> Schedule {
    let mut rng = Rng::new(seed);
    let (count, tokens) = (rng.between(5, 90), rng.pick(&[2, 3, 5, 8, 20]));
    planned(rng, (Aliases::of(seed), Inputs::of(seed)), count, tokens, 12)
}

/// The long schedule of a seed, with many tokens.
pub(crate) fn long_schedule(seed: u64) -> Schedule {
    let mut rng = Rng::new(seed);
    let (count, tokens) = (rng.between(500, 1_500), rng.pick(&[100, 1_000]));
    planned(rng, (Aliases::of(seed), Inputs::of(seed)), count, tokens, 2)
}

/// So many steps with so many tokens; everything is compared after so many percent of them.
fn planned(
    mut rng: Rng,
    (aliases, mut inputs): (Option<Aliases>, Option<Inputs>),
    count: u64,
    tokens: u64,
    looks: u64,
) -> Schedule {
    let (mut system, unit_us) = world(&mut rng);
    if let Some(inputs) = &mut inputs {
        inputs.declare(&mut system, unit_us);
    }
    let tokens: Vec<Token> = (0..tokens).map(|token| Token::new(&format!("t{token}")).expect("it is short")).collect();
    let strict = system.max_tokens < 4_000;
    let past = Vec::new();
    let mut planner = Planner { rng, aliases, inputs, unit_us, tokens, now_us: START_US, past, strict, looks, system };
    let steps = (0..count).map(|_| planner.step()).collect();
    let watched = planner.rng.percent(50);
    Schedule { system: planner.system, steps, watched }
}

struct Planner {
    rng: Rng,
    aliases: Option<Aliases>,
    inputs: Option<Inputs>,
    unit_us: u64,
    tokens: Vec<Token>,
    now_us: u64,
    /// All events so far, with their arrivals.
    past: Vec<(Event, u64)>,
    /// Whether no two events may arrive at the same moment.
    strict: bool,
    /// In how many of a hundred steps everything is compared.
    looks: u64,
    system: System,
}

impl Planner {
    fn step(&mut self) -> Step {
        self.pass_time();
        let look = self.rng.percent(self.looks);
        let last_us = self.past.last().map_or(START_US, |(_, arrival_us)| *arrival_us);
        let said = self.inputs.as_mut().and_then(|inputs| inputs.say(last_us, self.now_us));
        if self.rng.percent(12) {
            return Step { now_us: self.now_us, event: None, said, look };
        }
        if self.strict && self.past.last().is_some_and(|(_, arrival_us)| *arrival_us == self.now_us) {
            self.now_us += 1;
        }
        let mut event = self.event();
        if let Some(aliases) = &mut self.aliases {
            aliases.put(&mut event, &self.tokens, &self.past);
        }
        if let Some(inputs) = &mut self.inputs {
            event.input = inputs.of_event(event.node);
        }
        self.past.push((event.clone(), self.now_us));
        Step { now_us: self.now_us, event: Some(event), said, look }
    }

    /// Time stands still, passes a little, or up to a moment at which something is due.
    fn pass_time(&mut self) {
        let due_us = match self.rng.below(100) {
            0..42 => self.now_us,
            42..74 => self.now_us + self.unit_us * self.rng.between(1, 3),
            74..93 => self.some_due(),
            93..98 => self.now_us + self.unit_us * self.rng.between(4, 20),
            _ => self.now_us + self.rng.pick(&[self.unit_us * 100, 60_000_000]),
        };
        let early = u64::from(self.rng.percent(5));
        let late = u64::from(self.rng.percent(25));
        self.now_us = self.now_us.max(due_us + late - early.min(due_us));
    }

    /// A moment at which something of a past event may be due.
    fn some_due(&mut self) -> u64 {
        let Some((event, arrival_us)) = self.some_past() else { return self.now_us };
        let Some((stream, edge)) = self.some_edge_of(&event) else { return self.now_us };
        let edge = &self.system.streams[stream].edges[edge];
        let patience_us = edge.patience_us().unwrap_or(0);
        let deadline_us = arrival_us + patience_us;
        match self.rng.below(10) {
            0..5 => deadline_us,
            5..7 => arrival_us + self.system.streams[stream].memory_us(),
            7 => deadline_us + self.system.remember_us,
            8 => deadline_us + edge.hold_us,
            _ => arrival_us + edge.silence_us.unwrap_or(patience_us + edge.grace_us),
        }
    }

    fn some_past(&mut self) -> Option<(Event, u64)> {
        let recent = self.past.len().min(8) as u64;
        let back = 1 + self.rng.below(recent) as usize;
        (recent > 0).then(|| self.past[self.past.len() - back].clone())
    }

    /// A stream of the event's node and an edge out of it there.
    fn some_edge_of(&mut self, event: &Event) -> Option<(usize, usize)> {
        let mut found = Vec::new();
        for (index, stream) in self.system.streams.iter().enumerate() {
            let leaves = |edge: &Edge| stream.nodes[edge.from].id == event.node;
            found.extend((0..stream.edges.len()).filter(|&edge| leaves(&stream.edges[edge])).map(|edge| (index, edge)));
        }
        (!found.is_empty()).then(|| self.rng.pick(&found))
    }

    /// An event that goes on where a past one was, comes again, or comes out of the blue.
    fn event(&mut self) -> Event {
        let clock_flagged = self.rng.percent(1);
        let past = self.some_past();
        if let Some((past, _)) = past.filter(|_| self.rng.percent(72)) {
            if self.rng.percent(8) {
                return Event { timestamp_us: self.stamp(past.timestamp_us), clock_flagged, ..past };
            }
            if let Some((stream, edge)) = self.some_edge_of(&past) {
                let stream = &self.system.streams[stream];
                let edge = &stream.edges[edge];
                let (mut to, within_us) = (edge.to, edge.check.as_ref().map_or(0, |check| check.within_us));
                let skew_us = edge.clock_skew_us;
                if self.rng.percent(35) {
                    let next = stream.edges.iter().find(|next| next.from == to);
                    to = next.map_or(to, |next| next.to);
                }
                let node = stream.nodes[to].id;
                let exact_us = match self.rng.below(4) {
                    0 => past.timestamp_us + within_us,
                    1 => past.timestamp_us - skew_us,
                    _ => self.now_us,
                };
                return Event {
                    node,
                    clock_flagged,
                    input: InputId::default(),
                    token: past.token,
                    timestamp_us: self.stamp(exact_us),
                    parent: None,
                    alias: None,
                };
            }
        }
        let stream = &self.system.streams[self.rng.below(self.system.streams.len() as u64) as usize];
        let place = if self.rng.percent(60) {
            stream.edges[self.rng.below(stream.edges.len() as u64) as usize].from
        } else {
            self.rng.below(stream.nodes.len() as u64) as usize
        };
        let (node, token) =
            (stream.nodes[place].id, self.tokens[self.rng.below(self.tokens.len() as u64) as usize].clone());
        Event {
            node,
            clock_flagged,
            input: InputId::default(),
            token,
            timestamp_us: self.stamp(self.now_us),
            parent: None,
            alias: None,
        }
    }

    /// A stamp near a moment: at it, just beside it, or some units off.
    fn stamp(&mut self, near_us: u64) -> u64 {
        match self.rng.below(10) {
            0..5 => near_us,
            5 => near_us + 1,
            6 => near_us - 1,
            7 | 8 => near_us - self.unit_us * self.rng.between(1, 8),
            _ => near_us + self.unit_us * self.rng.between(1, 8),
        }
    }
}
