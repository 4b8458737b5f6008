//! Log files, whatever is done to them: no line is lost or read twice, but for what a truncation takes.

mod cases;
mod memory;
mod model;
mod play;
mod rotate;
pub(crate) mod server;
mod unhinted;
mod world;

use std::ops::Range;

use memory::Memory;
use play::{Dice, Play};
use world::{Real, World};

const ACTIONS: usize = 40;

/// What went wrong, where something did, and what had happened.
fn fails<W: World>(world: &impl Fn() -> W, seed: u64, actions: &[u64]) -> Option<(String, Vec<String>)> {
    let mut play = Play::new(world(), seed);
    let error = play.run(actions).err()?;
    Some((error, play.told))
}

/// Leaves out what the failure does not need.
fn shorten<W: World>(world: &impl Fn() -> W, seed: u64, actions: &mut Vec<u64>) {
    while let Some(spare) = (0..actions.len()).find(|&spare| {
        let rest = [&actions[..spare], &actions[spare + 1..]].concat();
        fails(world, seed, &rest).is_some()
    }) {
        actions.remove(spare);
    }
}

/// Plays all seeds, and shows the shortest of those that fail.
fn play<W: World>(seeds: Range<u64>, world: impl Fn() -> W) {
    let failed = seeds.clone().filter_map(|seed| {
        let mut dice = Dice::new(seed);
        let mut actions: Vec<u64> = (0..ACTIONS).map(|_| dice.seed()).collect();
        fails(&world, seed, &actions)?;
        shorten(&world, seed, &mut actions);
        let (error, told) = fails(&world, seed, &actions)?;
        Some((told.len(), format!("seed {seed}: {error}\n{}", told.join("\n"))))
    });
    let failed: Vec<_> = failed.collect();
    if let Some((_, shortest)) = failed.iter().min() {
        panic!("{} of {} seeds failed; {shortest}", failed.len(), seeds.end - seeds.start);
    }
}

/// Others than these where `OBSERVATORY_TAIL_SEEDS=FROM..TO` says so.
fn seeds(usual: u64) -> Range<u64> {
    let Ok(said) = std::env::var("OBSERVATORY_TAIL_SEEDS") else { return 0..usual };
    let (from, to) = said.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

#[test]
fn random_things_in_memory() {
    play(seeds(10_000), Memory::default);
}

#[test]
fn random_things_on_a_real_file_system() {
    play(seeds(500), Real::new);
}
