//! A manifest changes while messages are in flight.

mod cases;
mod turned;

use std::sync::Arc;

use observatory::event::{Event, Token};
use observatory::graph::{InputId, InputState, NodeId, System};

use crate::oracle::{Subject, engine};
use crate::schedules::{Rng, START_US, Said, Tally, hold, schedule, world};
use turned::Turned;

/// How many schedules are played with reloads.
const SCHEDULES: u64 = 3_000;

#[test]
fn the_same_manifest_in_another_order_changes_nothing() {
    for seed in 1_000_000..1_000_000 + SCHEDULES {
        hold::<Turned>(&seed.to_string(), &schedule(seed), &mut Tally::new());
    }
}

/// A system of the second seed for the nodes and streams of the first.
fn another(system: &System, seed: u64) -> System {
    let (mut other, _) = world(&mut Rng::new(seed));
    other.max_tokens = system.max_tokens;
    other.inputs.clone_from(&system.inputs);
    for input in &mut other.inputs {
        input.nodes.retain(|node| (node.0 as usize) < other.nodes.len());
    }
    other
}

#[test]
fn every_ledger_balances_through_any_change() {
    for seed in 0..SCHEDULES {
        let played = schedule(seed);
        let systems: Vec<Arc<System>> = (0..3)
            .map(|index| {
                Arc::new(if index == 0 { played.system.clone() } else { another(&played.system, seed * 7 + index) })
            })
            .collect();
        let mut rng = Rng::new(seed);
        let mut engine = engine(&systems[0], START_US, (1, 2));
        let mut current = 0;
        for step in &played.steps {
            if rng.percent(10) {
                current = rng.below(3) as usize;
                engine.reload(Arc::clone(&systems[current]), step.now_us);
            }
            match step.said {
                Some(Said::Input(input, state)) => engine.set_input(input, state, step.now_us),
                Some(Said::Gap(from_us)) => engine.gap(from_us, step.now_us),
                None => {}
            }
            match &step.event {
                Some(event) if (event.node.0 as usize) < systems[current].nodes.len() => {
                    engine.accept(event, step.now_us);
                }
                _ => engine.advance(step.now_us),
            }
            let ledgers = Subject::ledgers(&mut engine);
            assert!(ledgers.iter().all(observatory::outcome::Ledger::balances), "seed {seed}: {ledgers:?}");
        }
        for input in 0..played.system.inputs.len() {
            engine.set_input(InputId(input as u16), InputState::Up, engine.now_us());
        }
        engine.settle();
        assert_eq!(engine.tokens(), 0, "seed {seed}: every token is forgotten in the end");
    }
}

/// An event of the node of this name, stamped when it arrives.
fn event(system: &System, node: &str, token: &str, at_us: u64) -> Event {
    let place = system.nodes.iter().position(|name| name == node).unwrap();
    Event {
        node: NodeId(place as u32),
        clock_flagged: false,
        input: InputId::default(),
        token: Token::new(token).unwrap(),
        timestamp_us: at_us,
        parent: None,
        alias: None,
    }
}
