//! Random schedules: the core and the oracle must agree after every step.
//!
//! A schedule is made from a number. Those that once showed a difference are in `seeds.txt` and are
//! played first. `OBSERVATORY_SCHEDULES=1000000` plays so many.

mod aliases;
mod inputs;
mod order;
mod plan;
mod play;
pub(crate) mod rng;
mod together;
mod world;

use observatory::engine::Engine;
pub(crate) use plan::{START_US, Said, schedule};
use plan::{Schedule, long_schedule};
use play::STATES;
pub(crate) use play::{Tally, hold};
pub(crate) use rng::Rng;
pub(crate) use world::world;

/// How many schedules the ordinary test command plays, over all its tests.
const SCHEDULES: u64 = 100_000;
/// How many long ones, in which lists overflow and memory is used again.
const LONG_SCHEDULES: u64 = 400;
/// How many tests share them.
const SHARES: u64 = 2;

/// What must happen, so that agreement means something.
const HAPPENINGS: [&str; 28] = [
    "pass",
    "reversed",
    "late",
    "missing",
    "unreported",
    "indeterminate",
    "unmatched",
    "missing -> pass",
    "missing -> late",
    "missing -> reversed",
    "missing -> unreported",
    "unreported -> pass",
    "unreported -> late",
    "unreported -> reversed",
    "duplicate",
    "orphan",
    "downstream came first",
    "lost and found",
    "lost too long",
    "evicted: settled",
    "evicted: undecided",
    "window in time expired",
    "held decayed",
    "claimed after waiting",
    "dropped: before the group",
    "dropped: waited too long",
    "dropped: too many wait",
    "group given up",
];

/// What must happen in schedules with aliases.
const ALIAS_HAPPENINGS: [&str; 5] =
    ["alias: named", "alias: joined", "alias: conflict", "alias: matched across", "alias: revised across"];

/// What must happen in schedules with inputs.
const INPUT_HAPPENINGS: [&str; 9] = [
    "no witness",
    "no witness: group",
    "indeterminate -> pass",
    "indeterminate -> late",
    "indeterminate -> reversed",
    "postponed: deadline",
    "postponed: forgetting",
    "memory changed",
    "edge blind",
];

#[test]
fn schedules_that_once_failed() {
    for line in include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#')) {
        let (make, number): (fn(u64) -> Schedule, _) = match line.strip_prefix("long ") {
            Some(number) => (long_schedule, number),
            None => (schedule, line),
        };
        let seed = number.trim().parse().expect("a line of seeds.txt ends in a number");
        hold::<Engine>(line, &make(seed), &mut Tally::new());
    }
}

#[test]
fn core_and_oracle_agree_on_the_first_share() {
    agree_on_share(0);
}

#[test]
fn core_and_oracle_agree_on_the_second_share() {
    agree_on_share(1);
}

#[test]
fn core_and_oracle_agree_on_long_schedules() {
    for seed in 0..LONG_SCHEDULES {
        hold::<Engine>(&format!("long {seed}"), &long_schedule(seed), &mut Tally::new());
    }
}

fn agree_on_share(share: u64) {
    let all = std::env::var("OBSERVATORY_SCHEDULES").ok().and_then(|number| number.parse().ok()).unwrap_or(SCHEDULES);
    let mut tally = Tally::new();
    let seeds = (share..all).step_by(SHARES as usize);
    let (mut count, mut aliased, mut fed) = (0, 0, 0);
    for seed in seeds {
        let schedule = schedule(seed);
        count += 1;
        aliased += u64::from(schedule.has_aliases());
        fed += u64::from(schedule.has_inputs());
        hold::<Engine>(&seed.to_string(), &schedule, &mut tally);
    }
    println!("{count} schedules, {aliased} with aliases, {fed} with inputs: {tally:#?}");
    let always = HAPPENINGS.iter().chain(&STATES).map(|name| (name, count));
    let aliased = ALIAS_HAPPENINGS.iter().map(|name| (name, aliased));
    for (name, count) in always.chain(aliased).chain(INPUT_HAPPENINGS.iter().map(|name| (name, fed))) {
        let times = tally.get(name).copied().unwrap_or(0);
        assert!(times >= count / 250, "the schedules are of no use: \"{name}\" only {times} times in {count}");
    }
}
