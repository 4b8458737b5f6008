//! The whole server but its sockets, in one thread, by a clock that the test moves: years of crashes in a minute.
//!
//! A schedule is made from a number: a few nodes, messages between them, senders that give up or not, a file that keeps
//! its lines, and what goes wrong: `kill -9`, power cuts with torn writes, full disks, failing and slow syncs, clock steps,
//! a process that stands still, push-back, floods, reloads. The world knows what is true; at the end every request must
//! have come to that, or be indeterminate where the law allows it. What was told on the way is what the journal says again.
//!
//! `OBSERVATORY_SIMULATIONS=1000000` plays so many; `OBSERVATORY_SIMULATION=42` tells the story of one.

mod faults;
mod files;
mod host;
mod judge;
mod plan;
mod senders;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use observatory::clock::{Clock, MonotonicClock};

use crate::journal::node::{replay, seen};
use plan::Plan;
use world::World;

/// How many schedules the ordinary test command plays, over all its tests.
const SIMULATIONS: u64 = 10_000;
/// How many tests share them.
const SHARES: u64 = 2;
/// So many that fail are enough.
const FAILURES_MAX: usize = 10;

/// Plays a schedule; answers how long it took in the simulated world, in microseconds.
fn play(world: &mut World<'_>) -> Result<u64, String> {
    let passed_us = world.run();
    let plan = world.plan;
    let shown = world.stop();
    let (lines, mut played) = replay(&world.host.disk);
    world.host.compare(&lines, played.begun)?;
    let kept = played.kept.as_mut().ok_or("nothing was kept")?;
    let again = seen(&kept.board());
    if shown != again {
        return Err(format!("the journal comes to something else: {again}\nshown {shown}"));
    }
    if played.lost.files.records > 0 || played.lost.unreadable > 0 {
        return Err(format!("something was lost: {:?}", played.lost));
    }
    for place in plan.edges() {
        let detail = kept.engine.edge_detail(place.0, place.1).ok_or("no edge")?;
        judge::hold(world, place, &detail).map_err(|why| format!("edge {} -> {}: {why}", place.2, place.3))?;
    }
    Ok(passed_us)
}

fn play_safely(plan: &Plan, told: bool) -> (Result<u64, String>, String) {
    let mut world = World::new(plan, told);
    let played = catch_unwind(AssertUnwindSafe(|| play(&mut world)));
    let played = played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(format!(
            "panic: {}",
            text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned())).unwrap_or_default()
        ))
    });
    let story = world.story.take().unwrap_or_default().join("\n");
    let why = played.as_ref().err().map_or("", String::as_str);
    let told = if told { format!("{}{story}\n{}", plan.tell(), judge::tell(plan, &world, why)) } else { String::new() };
    (played, told)
}

/// The story of a seed, and how it ends.
fn story(seed: u64) -> (String, Result<u64, String>) {
    let (played, story) = play_safely(&Plan::new(seed), true);
    (story, played)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn simulate(share: u64) {
    if let Some(seed) = number("OBSERVATORY_SIMULATION") {
        let (told, why) = story(seed);
        return println!("{told}\n{why:?}");
    }
    let all = number("OBSERVATORY_SIMULATIONS").unwrap_or(SIMULATIONS);
    let clock = MonotonicClock::start();
    let begun_us = clock.now_us();
    let (mut passed_us, mut count) = (0, 0);
    let mut failures = Vec::new();
    for seed in (share..all).step_by(SHARES as usize) {
        match play_safely(&Plan::new(seed), false).0 {
            Ok(us) => passed_us += us,
            Err(why) => failures.push((seed, why)),
        }
        count += 1;
        if failures.len() >= FAILURES_MAX {
            break;
        }
    }
    let took_us = clock.now_us() - begun_us;
    let hours = passed_us as f64 / 3.6e9;
    println!("{count} schedules: {hours:.1} hours, {:.2} simulated hours a second", hours * 1e6 / took_us as f64);
    if let Some((seed, _)) = failures.first() {
        let told: Vec<_> = failures.iter().map(|(seed, why)| format!("simulation {seed}: {why}")).collect();
        panic!("{}\n\n{}", told.join("\n"), story(*seed).0);
    }
}

#[test]
fn no_fault_makes_a_false_verdict_in_the_first_share() {
    simulate(0);
}

#[test]
fn no_fault_makes_a_false_verdict_in_the_second_share() {
    simulate(1);
}
