//! Events that arrive together: the core looks them up together, and must judge them as it does one by one.

use observatory::engine::Engine;
use observatory::event::Event;

use super::plan::{START_US, Schedule, long_schedule, schedule};
use super::rng::Rng;
use crate::oracle::Subject;

#[test]
fn events_that_arrive_together_are_judged_as_they_are_one_by_one() {
    for seed in 0..2_000 {
        play(seed, &schedule(seed));
    }
    for seed in 0..40 {
        play(seed, &long_schedule(seed));
    }
}

#[test]
fn recorded_events_are_judged_together_as_they_are_one_by_one() {
    for seed in 0..2_000 {
        let schedule = schedule(seed);
        let mut alone = <Engine as Subject>::start(&schedule.system, START_US);
        let mut together = <Engine as Subject>::start(&schedule.system, START_US);
        let events: Vec<Event> = schedule.steps.iter().filter_map(|step| step.event.clone()).collect();
        for event in &events {
            alone.accept(event, event.timestamp_us);
        }
        together.accept_recorded(&events);
        for engine in [&mut alone, &mut together] {
            engine.settle();
        }
        assert_eq!(alone.snapshot(), together.snapshot(), "schedule {seed}");
        assert_eq!(alone.take_changes(), together.take_changes(), "schedule {seed}");
    }
}

/// Cuts the schedule into batches, each of which arrives at once.
fn play(seed: u64, schedule: &Schedule) {
    let mut rng = Rng::new(seed);
    let mut alone = <Engine as Subject>::start(&schedule.system, START_US);
    let mut together = <Engine as Subject>::start(&schedule.system, START_US);
    let mut steps = schedule.steps.as_slice();
    while !steps.is_empty() {
        let size = rng.pick(&[1, 3, 10, 64, 200]).min(steps.len());
        let (batch, rest) = steps.split_at(size);
        steps = rest;
        let now_us = batch[size - 1].now_us;
        let events: Vec<Event> = batch.iter().filter_map(|step| step.event.clone()).collect();
        for event in &events {
            alone.accept(event, now_us);
        }
        together.accept_all(&events, now_us);
        assert_eq!(alone.snapshot(), together.snapshot(), "schedule {seed}, up to {now_us}");
    }
    alone.settle();
    together.settle();
    assert_eq!(alone.snapshot(), together.snapshot(), "schedule {seed}, settled");
    assert_eq!(alone.take_changes(), together.take_changes(), "schedule {seed}");
}
