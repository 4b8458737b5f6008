//! An engine that was written down and read again is the engine that went on.

use std::sync::Arc;

use observatory::engine::Engine;
use observatory::graph::Discover;

use crate::schedules::{Rng, START_US, schedule};

const SCHEDULES: u64 = 4_000;

/// All that can be seen of an engine, and what it does next.
fn look(engine: &mut Engine) -> String {
    let board = engine.board();
    let details: Vec<_> = board
        .streams
        .iter()
        .enumerate()
        .flat_map(|(at, stream)| (0..stream.edges.len()).map(move |edge| (at, edge)))
        .collect();
    let details: Vec<_> = details.into_iter().map(|(stream, edge)| engine.edge_detail(stream, edge)).collect();
    let worst: Vec<_> = board
        .streams
        .iter()
        .enumerate()
        .map(|(at, stream)| (0..stream.edges.len()).map(|edge| engine.worst(at, edge)).collect::<Vec<_>>())
        .collect();
    let (due_us, changes) = (engine.next_due_us(), engine.take_transitions());
    format!("{board:#?}\n{details:#?}\n{worst:?}\n{due_us:?}\n{changes:#?}\n{}", engine.tokens())
}

fn again(engine: &Engine, seed: u64) -> Engine {
    let bytes = postcard::to_stdvec(engine).unwrap();
    postcard::from_bytes::<Engine>(&bytes).unwrap().restored((seed, !seed))
}

#[test]
fn an_engine_goes_on_as_if_it_had_never_stopped() {
    let (mut restored, mut discovered) = (0, 0);
    for seed in 0..SCHEDULES {
        let mut rng = Rng::new(seed);
        let mut schedule = schedule(seed);
        for stream in &mut schedule.system.streams {
            if rng.percent(30) {
                stream.discover = Some(Discover { grace_us: 1_000, hold_us: 1_000_000, ..Discover::default() });
            }
        }
        let mut one = Engine::new(Arc::new(schedule.system.clone()), START_US, (1, 2));
        let mut other = Engine::new(Arc::new(schedule.system.clone()), START_US, (3, 4));
        for step in &schedule.steps {
            if rng.percent(10) {
                other = again(&other, seed);
                restored += 1;
            }
            for engine in [&mut one, &mut other] {
                match &step.event {
                    Some(event) => engine.accept(event, step.now_us),
                    None => engine.advance(step.now_us),
                }
            }
            // Whoever keeps an engine has taken what it told.
            assert_eq!(one.take_transitions(), other.take_transitions(), "schedule {seed}");
            if step.look {
                assert_eq!(look(&mut one), look(&mut other), "schedule {seed}");
                let edges = one.board().streams.iter().flat_map(|stream| stream.edges.clone()).collect::<Vec<_>>();
                discovered += edges.iter().filter(|edge| edge.discovered).count();
            }
        }
        other = again(&other, seed);
        one.settle();
        other.settle();
        assert_eq!(look(&mut one), look(&mut other), "schedule {seed}, settled");
    }
    assert!(restored > SCHEDULES && discovered > 100, "{restored} restored, {discovered} discovered prove little");
}
