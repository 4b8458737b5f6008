//! What the simulation and reviews found, case by case, so that each is told by its name.

use std::sync::Arc;

use observatory::board::Writable;
use observatory::clock::Clock;
use observatory::event::{Report, Token};
use observatory::outcome::{Ledger, Outcome};
use observatory::pipeline::{Journal, Start, Stepped};
use observatory::store::{Limits, Snapshot, write_snapshot};

use super::faulty::{Faults, FaultyDisk};
use super::node::{Hand, LIMITS, ONE_EDGE, hand_over, replay, system};

/// The same with another node before the others, so that all have other places.
const OTHER: &str = r#"
grace = "500ms"
[[stream]]
name = "mail"
[[stream.edge]]
from = "cron"
to = "post"
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = { within = "1h", ok = 1, fail = 1 }
"#;

fn start(manifest: &str, disk: &FaultyDisk, hand: &Hand, limits: Limits) -> Stepped {
    let journal = Some(Journal { disk: Arc::new(disk.clone()), limits });
    let start = Start { system: system(manifest), clock: Arc::new(hand.clone()), journal };
    let mut stepped = start.stepped().unwrap();
    pass(&mut stepped, hand, 100);
    stepped
}

/// Lets time pass, in which all is written at once.
fn pass(stepped: &mut Stepped, hand: &Hand, ms: u64) {
    for _ in (0..ms).step_by(10) {
        stepped.round();
        stepped.write();
        hand.pass_ms(10);
    }
    stepped.round();
}

fn report(stepped: &Stepped, node: &str, token: &str) {
    let node = stepped.pipeline.observed().nodes.find(node).unwrap();
    let report = Report { node, token: Token::new(token).unwrap(), timestamp_us: None, parent: None, alias: None };
    // Whoever reports waits for no answer here.
    drop(hand_over(&stepped.pipeline, vec![report], None).unwrap());
}

fn orders(stepped: &Stepped) -> Ledger {
    let board = stepped.pipeline.board();
    let stream = board.streams.iter().find(|stream| stream.name == "orders").unwrap();
    stream.edges[0].ledger
}

#[test]
fn what_came_after_a_reload_and_a_snapshot_in_one_segment_is_back_after_a_kill() {
    let (disk, hand) = (FaultyDisk::new(0), Hand::new());
    // So little is kept that a snapshot is taken soon.
    let limits = Limits { max_bytes: 4_000, ..LIMITS };
    let mut stepped = start(ONE_EDGE, &disk, &hand, limits);
    let pipeline = stepped.pipeline.clone();
    let mut reload = Box::pin(async move { pipeline.reload(system(OTHER)).await });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(reload.as_mut().poll(&mut context).is_pending());
    pass(&mut stepped, &hand, 100);
    for number in 0..100 {
        report(&stepped, "web", &format!("before {number}"));
        pass(&mut stepped, &hand, 20);
    }
    let snapshots = || disk.files().keys().filter(|name| name.starts_with("snapshot")).cloned().collect::<Vec<_>>();
    let newest = snapshots().pop().expect("a snapshot was taken");
    report(&stepped, "web", "after");
    pass(&mut stepped, &hand, 20);
    assert_eq!((orders(&stepped).upstream, snapshots().pop()), (101, Some(newest)));
    drop(stepped);
    let stepped = start(OTHER, &disk, &hand, limits);
    assert_eq!(orders(&stepped).upstream, 101);
}

#[test]
fn a_snapshot_that_fails_leaves_nothing_that_fills_the_disk() {
    let disk = FaultyDisk::new(0);
    let snapshot = Snapshot { sequence: 1, at_us: 1, bytes: vec![7; 1_000] };
    for after in 0..2 {
        disk.set(Faults { full_after: Some(after), ..Faults::default() });
        write_snapshot(&disk, &snapshot).unwrap_err();
        assert!(disk.files().is_empty(), "{:?}", disk.files().keys());
    }
    disk.set(Faults { sync_fails_after: Some(0), ..Faults::default() });
    write_snapshot(&disk, &snapshot).unwrap_err();
    assert!(disk.files().is_empty(), "{:?}", disk.files().keys());
    disk.set(Faults::default());
    write_snapshot(&disk, &snapshot).unwrap();
    assert_eq!(disk.files().len(), 1);
}

#[test]
fn what_is_refused_while_the_end_of_an_outage_is_written_accuses_nobody() {
    let (disk, hand) = (FaultyDisk::new(0), Hand::new());
    let mut stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
    disk.set(Faults { full: true, ..Faults::default() });
    report(&stepped, "web", "a");
    pass(&mut stepped, &hand, 100);
    assert!(!stepped.pipeline.is_keeping());
    disk.set(Faults::default());
    while !stepped.is_writing() {
        stepped.round();
        hand.pass_ms(10);
    }
    // What lies in the gap ends with this record; what is refused before it is written does not.
    hand.pass_ms(10);
    stepped.pipeline.refused();
    stepped.write();
    stepped.round();
    assert!(stepped.pipeline.is_keeping());
    hand.pass_ms(50);
    report(&stepped, "web", "b");
    pass(&mut stepped, &hand, 900);
    let ledger = orders(&stepped);
    assert_eq!((ledger.indeterminate, ledger.missing), (1, 0), "{ledger:?}");
    // That is over, too.
    pass(&mut stepped, &hand, 1_000);
    report(&stepped, "web", "c");
    pass(&mut stepped, &hand, 900);
    assert_eq!((orders(&stepped).indeterminate, orders(&stepped).missing), (1, 1));
}

#[test]
fn what_is_read_after_a_kill_outlasts_a_power_cut() {
    let mut all = 0;
    for seed in 0..500 {
        let (disk, hand) = (FaultyDisk::new(seed), Hand::new());
        let mut stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
        // What fails may be written to its end all the same, and is not synced. Then the server is killed.
        disk.set(Faults { full: true, ..Faults::default() });
        report(&stepped, "web", "a");
        pass(&mut stepped, &hand, 10);
        drop(stepped);
        disk.set(Faults::default());
        let stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
        let read = orders(&stepped).upstream;
        drop(stepped);
        disk.restart();
        assert_eq!(orders(&start(ONE_EDGE, &disk, &hand, LIMITS)).upstream, read, "seed {seed}");
        all += read;
    }
    assert!(all > 0, "none was written to its end");
}

#[test]
fn once_the_server_stops_nothing_more_falls_due() {
    let (disk, hand) = (FaultyDisk::new(0), Hand::new());
    let mut stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
    report(&stepped, "web", "a");
    pass(&mut stepped, &hand, 100);
    // Nobody can report any more; the last of those who could take their time.
    stepped.pipeline.closing();
    pass(&mut stepped, &hand, 900);
    stepped.stop();
    pass(&mut stepped, &hand, 100);
    drop(stepped);
    let mut stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
    pass(&mut stepped, &hand, 2_000);
    assert_eq!((orders(&stepped).indeterminate, orders(&stepped).missing), (1, 0));
}

#[test]
fn nor_does_it_where_nothing_is_kept() {
    let hand = Hand::new();
    let start = Start { system: system(ONE_EDGE), clock: Arc::new(hand.clone()), journal: None };
    let mut stepped = start.stepped().unwrap();
    pass(&mut stepped, &hand, 100);
    report(&stepped, "web", "a");
    report(&stepped, "web", "b");
    pass(&mut stepped, &hand, 100);
    stepped.pipeline.closing();
    pass(&mut stepped, &hand, 900);
    assert!(stepped.wake_us() > hand.now_us(), "it does not go in circles");
    // What still comes has come in time.
    report(&stepped, "books", "b");
    stepped.stop();
    pass(&mut stepped, &hand, 100);
    let ledger = orders(&stepped);
    assert_eq!((ledger.in_flight, ledger.pass, ledger.missing), (1, 1, 0), "{ledger:?}");
}

#[test]
fn what_comes_just_before_a_deadline_is_not_moved_behind_it() {
    // Whether what came before is written by then: only then it is known what falls due.
    for written in [true, false] {
        let (disk, hand) = (FaultyDisk::new(0), Hand::new());
        let mut stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
        let step = |stepped: &mut Stepped, ms| {
            hand.pass_ms(ms);
            stepped.round();
            if written {
                stepped.write();
                stepped.round();
            }
        };
        report(&stepped, "web", "a");
        step(&mut stepped, 0);
        step(&mut stepped, 690);
        report(&stepped, "web", "b");
        step(&mut stepped, 4);
        hand.pass_ms(4);
        report(&stepped, "books", "a");
        hand.pass_ms(4);
        report(&stepped, "web", "c");
        pass(&mut stepped, &hand, 100);
        let outcomes = stepped.pipeline.board().streams[0].edges[0].counters.outcomes;
        assert_eq!((outcomes[Outcome::Late as usize], outcomes[Outcome::Missing as usize]), (1, 0), "{written}");

        // Where nothing falls due it happens together.
        let records = replay(&disk).1.sequence;
        report(&stepped, "web", "d");
        hand.pass_ms(4);
        report(&stepped, "web", "e");
        pass(&mut stepped, &hand, 10);
        assert_eq!(replay(&disk).1.sequence, records + 1);
    }
}

#[test]
fn an_owner_that_hangs_is_not_alive_and_a_write_that_does_not_end_is_said() {
    let (disk, hand) = (FaultyDisk::new(0), Hand::new());
    let mut stepped = start(ONE_EDGE, &disk, &hand, LIMITS);
    let pipeline = stepped.pipeline.clone();
    assert!(pipeline.is_alive());
    hand.pass_ms(5_100);
    assert!(!pipeline.is_alive());
    report(&stepped, "web", "a");
    stepped.round();
    assert!(pipeline.is_alive() && stepped.is_writing());
    hand.pass_ms(5_100);
    stepped.round();
    assert!(pipeline.is_alive() && !pipeline.is_keeping());
    assert_eq!(pipeline.journal().unwrap().state, Writable::Stalled);
    pass(&mut stepped, &hand, 100);
    assert_eq!(pipeline.journal().unwrap().state, Writable::Ok);
    assert_eq!(orders(&stepped).upstream, 1);
}
