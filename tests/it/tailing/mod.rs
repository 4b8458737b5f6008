//! Log files, whatever is done to them: no line is lost or read twice, but for what a truncation takes.

mod cases;
mod memory;
mod model;
mod play;
mod rotate;
mod server;
mod unhinted;
mod world;

use memory::Memory;
use play::Play;
use world::{Real, World};

const ACTIONS: usize = 40;

/// Plays all seeds, and shows the shortest of those that fail.
fn play<W: World>(seeds: u64, world: impl Fn() -> W) {
    let failed = (0..seeds).filter_map(|seed| {
        let mut play = Play::new(world(), seed);
        let error = play.run(ACTIONS).err()?;
        Some((play.told.len(), format!("seed {seed}: {error}\n{}", play.told.join("\n"))))
    });
    let failed: Vec<_> = failed.collect();
    if let Some((_, shortest)) = failed.iter().min() {
        panic!("{} of {seeds} seeds failed; {shortest}", failed.len());
    }
}

#[test]
fn random_things_in_memory() {
    let seeds = std::env::var("OBSERVATORY_TAIL_SEEDS").map_or(10_000, |seeds| seeds.parse().unwrap());
    play(seeds, Memory::default);
}

#[test]
fn random_things_on_a_real_file_system() {
    play(200, Real::new);
}
