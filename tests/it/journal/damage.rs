//! Every byte of a small journal flipped, and every length cut: what is whole is read, what is not is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use observatory::store::{Limits, Log, Losses, Piece, Snapshot, frame, history, prune, snapshots, write_snapshot};

use super::faulty::FaultyDisk;

const PREFACE: &[u8] = b"what a reader must know";

/// What a reader finds behind `after`.
fn read(disk: &FaultyDisk, after: u64) -> (Vec<(u64, Vec<u8>)>, usize, u64, Losses) {
    let (mut records, mut prefaces) = (Vec::new(), 0);
    let (last, losses) = history(disk, after, |piece| match piece {
        Piece::Preface(preface) => {
            assert_eq!(preface, PREFACE);
            prefaces += 1;
        }
        Piece::Record { sequence, bytes } => records.push((sequence, bytes.to_vec())),
    })
    .unwrap();
    (records, prefaces, last, losses)
}

fn append(log: &mut Log, sequences: std::ops::RangeInclusive<u64>) -> std::io::Result<()> {
    let mut records = Vec::new();
    for sequence in sequences.clone() {
        frame(&mut records, sequence, |out| out.extend(record(sequence)));
    }
    log.append(*sequences.start(), &records)
}

fn record(sequence: u64) -> Vec<u8> {
    format!("record {sequence}").repeat(1 + sequence as usize % 3).into_bytes()
}

fn log(disk: &FaultyDisk, segment_bytes: u64) -> Log {
    let mut log = Log::new(Arc::new(disk.clone()), segment_bytes).unwrap();
    log.set_preface(PREFACE.to_vec());
    log
}

/// A journal of three segments with ten records.
fn small() -> BTreeMap<String, Vec<u8>> {
    let disk = FaultyDisk::new(1);
    let mut log = log(&disk, 140);
    for sequences in [1..=2, 3..=5, 6..=6, 7..=9, 10..=10] {
        append(&mut log, sequences).unwrap();
    }
    let files = disk.files();
    assert_eq!(files.len(), 3, "{:?}", files.keys());
    files
}

#[test]
fn a_whole_journal_is_read_whole() {
    let disk = FaultyDisk::holding(&small());
    let all: Vec<_> = (1..=10).map(|sequence| (sequence, record(sequence))).collect();
    assert_eq!(read(&disk, 0), (all.clone(), 3, 10, Losses::default()));
    for after in 1..=10 {
        let (records, _, last, losses) = read(&disk, after);
        assert_eq!((&records[..], last, losses), (&all[after as usize..], 10, Losses::default()));
    }
}

#[test]
fn every_byte_may_flip() {
    let files = small();
    for (name, whole) in &files {
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = files.clone();
                damaged.get_mut(name).unwrap()[at] ^= flip;
                survives(&damaged, 1, &format!("{name} flipped at {at}"));
            }
        }
    }
}

#[test]
fn every_file_may_end_anywhere_or_in_zeros() {
    let files = small();
    for (name, whole) in &files {
        for length in 0..whole.len() {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap().truncate(length);
            survives(&damaged, 10, &format!("{name} cut at {length}"));
            damaged.get_mut(name).unwrap().resize(whole.len() + 100, 0);
            survives(&damaged, 10, &format!("{name} in zeros from {length}"));
        }
    }
}

/// All that is found is right, in order, at most so many are missing, and that is said; writing goes on behind it.
fn survives(files: &BTreeMap<String, Vec<u8>>, missing_max: usize, what: &str) {
    let disk = FaultyDisk::holding(files);
    let (records, _, last, losses) = read(&disk, 0);
    assert!(records.iter().all(|(sequence, bytes)| *bytes == record(*sequence)), "{what}");
    assert!(records.is_sorted_by_key(|(sequence, _)| *sequence), "{what}");
    let missing = 10 - records.len();
    assert!(missing <= missing_max, "{what}: {missing} records missing");
    assert!(!losses.is_none() || missing == 0 || last < 10, "{what}: nothing is said of {missing} records");
    // Those at the end cannot be told from records that were never written, unless something is left of them.
    let inside = (last as usize).saturating_sub(records.len());
    assert_eq!(losses.records as usize, inside, "{what}: {losses}");

    append(&mut log(&disk, 1000), last + 1..=last + 2).unwrap();
    let (more, _, end, _) = read(&disk, 0);
    assert_eq!((more.len(), end), (records.len() + 2, last + 2), "{what}");
}

#[test]
fn a_snapshot_is_whole_or_not_there() {
    let disk = FaultyDisk::new(1);
    for sequence in [7, 9] {
        let bytes = format!("all up to {sequence}").into_bytes();
        write_snapshot(&disk, &Snapshot { sequence, at_us: 100 * sequence, bytes }).unwrap();
    }
    let files = disk.files();
    let (name, whole) = files.last_key_value().unwrap();
    let newest = |files: &BTreeMap<String, Vec<u8>>| {
        let found: Vec<_> = snapshots(&FaultyDisk::holding(files)).unwrap().map(Result::unwrap).collect();
        assert_eq!(found.len(), 2);
        found.into_iter().flatten().next().unwrap()
    };
    assert_eq!((newest(&files).sequence, newest(&files).at_us), (9, 900));
    for at in 0..whole.len() {
        let mut damaged = files.clone();
        damaged.get_mut(name).unwrap()[at] ^= 1;
        assert_eq!(newest(&damaged).bytes, b"all up to 7", "flipped at {at}");
        damaged.get_mut(name).unwrap().truncate(at);
        assert_eq!(newest(&damaged).bytes, b"all up to 7", "cut at {at}");
    }
}

#[test]
fn what_the_two_newest_snapshots_need_is_kept() {
    let disk = FaultyDisk::new(1);
    let mut log = log(&disk, 1);
    let snapshot = |sequence| {
        let bytes = vec![1; 100];
        write_snapshot(&disk, &Snapshot { sequence, at_us: 100 * sequence, bytes }).unwrap();
    };
    let small = Limits { max_bytes: 1, max_age_us: u64::MAX };
    let firsts = || read(&disk, 0).0.first().map(|(sequence, _)| *sequence);
    for sequence in 1..=12 {
        append(&mut log, sequence..=sequence).unwrap();
        if [3, 6, 10].contains(&sequence) {
            snapshot(sequence);
        }
        if sequence == 5 {
            prune(&disk, small, 0).unwrap();
            assert_eq!(firsts(), Some(1), "the only snapshot may be bad");
        }
    }
    let by_age = Limits { max_bytes: u64::MAX, max_age_us: 500 };
    let left = prune(&disk, by_age, 1_100).unwrap();
    assert_eq!((firsts(), left.segments()), (Some(4), 9), "what the oldest snapshot needs");
    prune(&disk, by_age, 1_101).unwrap();
    assert_eq!(firsts(), Some(7), "the oldest was of use up to the next, which is too old");
    prune(&disk, small, u64::MAX).unwrap();
    assert_eq!(firsts(), Some(7));
    let kept: Vec<_> = snapshots(&disk).unwrap().filter_map(Result::unwrap).map(|snapshot| snapshot.sequence).collect();
    assert_eq!(kept, [10, 6]);
}
