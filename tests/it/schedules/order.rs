//! Time checks do not care in which order events arrive: the verdicts follow from the events alone.

use std::collections::BTreeMap;

use observatory::engine::Engine;
use observatory::event::{Event, Token};
use observatory::graph::{CheckKind, InputId, Stream, System, Window};
use observatory::outcome::{Ledger, Outcome};

use super::plan::START_US;
use super::rng::Rng;
use super::world::world;
use crate::oracle::{Oracle, Subject, beyond};

/// How many sets of events, each of which arrives in several orders.
const SETS: u64 = 3_000;
const ORDERS: usize = 4;

/// By edge: its ledger, and what came of every token, with the latency in microseconds.
type Verdicts = Vec<(Ledger, BTreeMap<Token, (Outcome, Option<u64>)>)>;

#[test]
fn verdicts_do_not_depend_on_the_order_of_arrival() {
    let mut revisions = 0;
    for seed in 0..SETS {
        let mut rng = Rng::new(seed);
        let (system, unit_us) = timed_world(&mut rng);
        let events = events(&mut rng, &system, unit_us);
        let wanted = verdicts_of(&system.streams[0], &events);
        for _ in 0..ORDERS {
            let order = arrivals(&mut rng, &system.streams[0], &events);
            let (by_oracle, _) = deliver::<Oracle>(&system, &order);
            assert_eq!(by_oracle, wanted, "oracle, seed {seed}: {order:#?}");
            let (by_core, revised) = deliver::<Engine>(&system, &order);
            assert_eq!(by_core, wanted, "core, seed {seed}: {order:#?}");
            revisions += revised;
        }
    }
    assert!(revisions > SETS, "orders that correct nothing prove little: {revisions}");
}

/// A stream without count checks, whose windows hold everything.
fn timed_world(rng: &mut Rng) -> (System, u64) {
    let (mut system, unit_us) = world(rng);
    system.streams.truncate(1);
    system.max_tokens = 4_000;
    for check in system.streams[0].edges.iter_mut().filter_map(|edge| edge.check.as_mut()) {
        check.kind = CheckKind::Time;
        check.thresholds.window = Some(Window::Outcomes(1_000));
    }
    (system, unit_us)
}

/// Some tokens, each seen at some nodes.
fn events(rng: &mut Rng, system: &System, unit_us: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for token in 0..rng.between(1, 12) {
        let token = Token::new(&format!("t{token}")).expect("it is short");
        let start_us = START_US + unit_us * rng.below(20);
        let seen = rng.pick(&[40, 70, 95]);
        for node in &system.streams[0].nodes {
            if rng.percent(seen) {
                let timestamp_us = start_us + unit_us * rng.below(14) + rng.below(2);
                events.push(Event {
                    node: node.id,
                    clock_flagged: false,
                    input: InputId::default(),
                    token: token.clone(),
                    timestamp_us,
                    parent: None,
                    alias: None,
                });
            }
        }
    }
    events
}

/// The verdicts, from the events alone.
fn verdicts_of(stream: &Stream, events: &[Event]) -> Verdicts {
    let mut stamps: BTreeMap<&Token, BTreeMap<usize, u64>> = BTreeMap::new();
    for event in events {
        let place = stream.nodes.iter().position(|node| node.id == event.node).expect("a node of the stream");
        stamps.entry(&event.token).or_default().insert(place, event.timestamp_us);
    }
    let edges = stream.edges.iter().enumerate().map(|(index, edge)| {
        let (mut ledger, mut outcomes) = (Ledger::default(), BTreeMap::new());
        for (token, seen) in &stamps {
            let beyond = beyond(stream, index).iter().any(|node| seen.contains_key(node));
            let (outcome, latency_us) = match (seen.get(&edge.from), seen.get(&edge.to), &edge.check) {
                (None, None, _) => continue,
                (None, Some(_), _) => {
                    ledger.orphans += 1;
                    continue;
                }
                (Some(_), None, Some(check)) if !check.optional && beyond => (Outcome::Unreported, None),
                (Some(_), None, Some(check)) if !check.optional => (Outcome::Missing, None),
                (Some(_), None, _) => (Outcome::Unmatched, None),
                (Some(from), Some(to), check) => match (to.checked_sub(*from), check) {
                    (None, _) if from - to <= edge.clock_skew_us => (Outcome::Pass, Some(0)),
                    (None, None) => (Outcome::Pass, None),
                    (None, Some(_)) => (Outcome::Reversed, None),
                    (Some(latency_us), Some(check)) if latency_us > check.within_us => {
                        (Outcome::Late, Some(latency_us))
                    }
                    (Some(latency_us), _) => (Outcome::Pass, Some(latency_us)),
                },
            };
            ledger.upstream += 1;
            *ledger.of_mut(outcome) += 1;
            // What was not asked for and did not come has no place in the window.
            if outcome != Outcome::Unmatched {
                outcomes.insert((*token).clone(), (outcome, latency_us));
            }
        }
        (ledger, outcomes)
    });
    edges.collect()
}

/// A random order in which every event finds its token remembered, with duplicates that agree.
fn arrivals(rng: &mut Rng, stream: &Stream, events: &[Event]) -> Vec<(Event, u64)> {
    let mut shuffled = events.to_vec();
    rng.shuffle(&mut shuffled);
    let mut last: BTreeMap<Token, u64> = BTreeMap::new();
    let mut arrivals = Vec::new();
    for event in shuffled {
        let gap_us = if rng.percent(20) { stream.memory_us() } else { rng.below(stream.memory_us() + 1) };
        let arrival_us = last.get(&event.token).map_or(START_US + rng.below(100), |last_us| last_us + gap_us);
        last.insert(event.token.clone(), arrival_us);
        if rng.percent(30) {
            arrivals.push((event.clone(), arrival_us + rng.below(stream.memory_us() + 1)));
        }
        arrivals.push((event, arrival_us));
    }
    arrivals.sort_by_key(|(_, arrival_us)| *arrival_us);
    arrivals
}

/// What an implementation makes of it when the clock has run out, and how often it corrected itself.
fn deliver<S: Subject>(system: &System, arrivals: &[(Event, u64)]) -> (Verdicts, u64) {
    let mut subject = S::start(system, START_US);
    for (event, arrival_us) in arrivals {
        subject.accept(event, *arrival_us);
    }
    subject.settle();
    let mut revisions = 0;
    let edges = subject.snapshot().streams.remove(0).edges.into_iter().map(|edge| {
        revisions += edge.ledger.revisions;
        let outcome = |entry: observatory::board::OutcomeEntry| {
            let latency_us = entry.latency_ms.map(|ms| (ms * 1_000.0).round() as u64);
            (entry.token.expect("a time check knows its tokens"), (entry.outcome, latency_us))
        };
        let ledger = Ledger { revisions: 0, duplicates: 0, ..edge.ledger };
        (ledger, edge.window.into_iter().map(outcome).collect())
    });
    let verdicts = edges.collect();
    (verdicts, revisions)
}
