//! The machine that the server runs on: its disk, its clock, and one life of the server after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use observatory::clock::Clock;
use observatory::graph::System;
use observatory::journal::Line;
use observatory::pipeline::{Changed, Journal, Pipeline, Start, Stepped};
use observatory::store::{Limits, history};
use tokio::sync::broadcast;

use super::plan::S;
use crate::journal::faulty::FaultyDisk;

/// What is kept: all and no snapshots, or so little that snapshots are taken, and what is old is let go.
const LIMITS: [Limits; 3] = [
    Limits { max_bytes: 1 << 40, max_age_us: 1 << 60 },
    Limits { max_bytes: 1 << 40, max_age_us: 60 * S },
    Limits { max_bytes: 20_000, max_age_us: 1 << 60 },
];

/// A clock that the world moves.
pub(super) struct SimClock {
    world_us: Arc<AtomicU64>,
    ahead_us: i64,
}

impl Clock for SimClock {
    fn now_us(&self) -> u64 {
        self.world_us.load(Ordering::Relaxed).saturating_add_signed(self.ahead_us)
    }
}

/// A server that runs.
pub(super) struct Life {
    pub(super) stepped: Stepped,
    changes: broadcast::Receiver<Changed>,
    first: u64,
}

/// The machine.
pub(super) struct Host {
    pub(super) disk: FaultyDisk,
    pub(super) world_us: Arc<AtomicU64>,
    /// What the machine's clock is ahead of the world's.
    pub(super) ahead_us: i64,
    limits: Limits,
    pub(super) life: Option<Life>,
    /// By life: its first record, and what it told by the record that it came of.
    told: Vec<(u64, BTreeMap<u64, Vec<String>>)>,
}

impl Host {
    pub(super) fn new(seed: u64, now_us: u64) -> Self {
        let world_us = Arc::new(AtomicU64::new(now_us));
        let limits = LIMITS[seed as usize % LIMITS.len()];
        Self { disk: FaultyDisk::new(seed), world_us, ahead_us: 0, limits, life: None, told: Vec::new() }
    }

    /// Starts the server, where the disk can be read and written.
    pub(super) fn start(&mut self, system: &Arc<System>) {
        let clock = SimClock { world_us: Arc::clone(&self.world_us), ahead_us: self.ahead_us };
        let journal = Some(Journal { disk: Arc::new(self.disk.clone()), limits: self.limits });
        let first = history(&self.disk, 0, |_| {}).unwrap().0 + 1;
        let stepped = Start { system: Arc::clone(system), clock: Arc::new(clock), journal }.stepped().unwrap();
        let changes = stepped.pipeline.transitions();
        self.life = Some(Life { stepped, changes, first });
    }

    pub(super) fn pipeline(&self) -> Option<&Pipeline> {
        self.life.as_ref().map(|life| &life.stepped.pipeline)
    }

    /// Ends the server as it is.
    pub(super) fn end(&mut self) {
        let Some(Life { stepped, mut changes, first }) = self.life.take() else { return };
        drop(stepped);
        let mut told = BTreeMap::<u64, Vec<String>>::new();
        while let Ok(Changed { sequence, observed, transition }) = changes.try_recv() {
            let line = serde_json::to_string(&Line::new(sequence, &observed.system, &transition)).unwrap();
            told.entry(sequence).or_default().push(line);
        }
        self.told.push((first, told));
    }

    /// Holds what was told to what the journal says again, as lines, behind the record `begun`.
    pub(super) fn compare(&self, again: &[String], begun: u64) -> Result<(), String> {
        let mut replayed = BTreeMap::<u64, Vec<&str>>::new();
        for line in again {
            let sequence = serde_json::from_str::<serde_json::Value>(line).unwrap()["sequence"].as_u64().unwrap();
            replayed.entry(sequence).or_default().push(line);
        }
        let ends = self.told.iter().skip(1).map(|(first, _)| *first).chain([u64::MAX]);
        for (life, ((first, told), end)) in self.told.iter().zip(ends).enumerate() {
            let (from, last) =
                (*first.max(&(begun + 1)), told.keys().copied().filter(|&sequence| sequence < end).max());
            if from >= end {
                continue;
            }
            for (sequence, lines) in told.range(from..end) {
                let again = replayed.get(sequence).map_or(&[][..], |again| &again[..]);
                // The last life ends in order, another may end in the middle of it.
                let whole = end == u64::MAX || Some(*sequence) != last;
                if again.len() < lines.len() || lines != &again[..lines.len()] || (whole && again.len() > lines.len()) {
                    return Err(format!("life {life}, record {sequence}\n told {lines:#?}\nagain {again:#?}"));
                }
            }
            // What was written and had not happened yet stands behind all that was told.
            for (sequence, again) in replayed.range(from..end) {
                if !told.contains_key(sequence) && (end == u64::MAX || last.is_some_and(|last| *sequence < last)) {
                    return Err(format!("life {life}, record {sequence} was not told: {again:#?}"));
                }
            }
        }
        Ok(())
    }
}
