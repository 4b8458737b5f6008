//! Random writes with faults at every step: what was acknowledged is there, once, and in order.

use std::sync::Arc;

use observatory::store::{Log, Piece, frame, history};

use super::faulty::{Faults, FaultyDisk};
use crate::schedules::Rng;

const SCHEDULES: u64 = 3_000;

#[test]
fn what_was_acknowledged_is_there_once_and_in_order() {
    let (mut crashes, mut failures) = (0, 0);
    for seed in 0..SCHEDULES {
        let mut rng = Rng::new(seed);
        let disk = FaultyDisk::new(seed);
        let mut log = Log::new(Arc::new(disk.clone()), rng.pick(&[1, 200, 100_000])).unwrap();
        // By sequence: what was acknowledged. What was not may be there, or not.
        let mut acknowledged: Vec<u64> = Vec::new();
        for step in 0..rng.between(5, 60) {
            if rng.percent(10) {
                disk.set(faults(&mut rng));
            }
            let first = acknowledged.len() as u64 + 1;
            let batch: Vec<u64> = (0..rng.between(1, 3)).map(|at| seed << 32 | step << 8 | at).collect();
            let mut records = Vec::new();
            for (&value, sequence) in batch.iter().zip(first..) {
                frame(&mut records, sequence, |out| out.extend(value.to_le_bytes()));
            }
            match log.append(first, &records) {
                Ok(()) => acknowledged.extend(batch),
                Err(_) => failures += 1,
            }
            if disk.is_dark() || rng.percent(5) {
                crashes += 1;
                disk.restart();
                acknowledged = recover(&disk, &acknowledged, &format!("seed {seed}, step {step}"));
                log = Log::new(Arc::new(disk.clone()), rng.pick(&[1, 200, 100_000])).unwrap();
            }
        }
        recover(&disk, &acknowledged, &format!("seed {seed}, the end"));
    }
    assert!(crashes > SCHEDULES && failures > SCHEDULES, "{crashes} crashes, {failures} failures prove little");
}

/// What is there after a crash: all that was acknowledged, and perhaps something behind it.
fn recover(disk: &FaultyDisk, acknowledged: &[u64], what: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let (last, losses) = history(disk, 0, |piece| {
        if let Piece::Record { sequence, bytes } = piece {
            found.push((sequence, u64::from_le_bytes(bytes.try_into().unwrap())));
        }
    })
    .unwrap();
    let kept = &found[..acknowledged.len().min(found.len())];
    let wanted: Vec<_> = acknowledged.iter().copied().zip(1..).map(|(value, sequence)| (sequence, value)).collect();
    assert_eq!(kept, wanted, "{what}: {losses}");
    // What follows was written and not acknowledged; a hole in it is no loss, but is taken for one.
    let mut all: Vec<_> = found.iter().map(|&(_, value)| value).collect();
    if losses.records > 0 {
        assert!(last > acknowledged.len() as u64, "{what}");
        all.resize(last as usize, 0);
        for &(sequence, value) in &found {
            all[sequence as usize - 1] = value;
        }
    }
    all
}

fn faults(rng: &mut Rng) -> Faults {
    let after = rng.below(6);
    match rng.below(5) {
        0 => Faults { full: true, ..Faults::default() },
        1 => Faults { full_after: Some(after), ..Faults::default() },
        2 => Faults { sync_fails_after: Some(after), ..Faults::default() },
        3 => Faults { power_fails_after: Some(after), ..Faults::default() },
        _ => Faults::default(),
    }
}
