//! The owner with a journal: faults of every kind, and what becomes of what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use observatory::board::Writable;
use observatory::clock::{Clock, MonotonicClock};
use observatory::graph::{InputState, System};
use observatory::manifest::{Source, load};
use observatory::metrics::Metrics;
use observatory::pipeline::{Journal, Pipeline, Position, Refused, Running, Start};
use observatory::sources::Sources;
use observatory::store::Limits;

use super::faulty::{Faults, FaultyDisk};
use super::node::{LIMITS, Node, replay, seen, system};
use crate::harness::{Files, await_board, wait_until};
use crate::schedules::Rng;
use crate::tailing::server::{append, manifest, web};

/// Deadlines that do not pass while a test runs.
const SLOW: &str = r#"
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = { within = "1h", ok = 1, fail = 9 }
"#;

/// Deadlines that do.
const QUICK: &str = r#"
grace = "100ms"
hold = "200ms"
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = { within = "200ms", ok = 1, fail = 2 }
"#;

const CRASHES: u64 = 60;

fn faults(rng: &mut Rng) -> Faults {
    let after = rng.below(8);
    match rng.below(6) {
        0 => Faults { full: true, ..Faults::default() },
        1 => Faults { full_after: Some(after), ..Faults::default() },
        2 => Faults { sync_fails_after: Some(after), ..Faults::default() },
        3 | 4 => Faults { power_fails_after: Some(after), ..Faults::default() },
        _ => Faults::default(),
    }
}

/// What is acknowledged counts exactly once, whatever the disk does; ledgers balance; a fresh event flows.
#[test]
fn what_was_acknowledged_counts_once_after_any_fault() {
    let (mut acknowledged_all, mut refused) = (0, 0);
    for seed in 0..CRASHES {
        let mut rng = Rng::new(seed);
        let disk = FaultyDisk::new(seed);
        // Small, so that snapshots are taken, too.
        let limits = Limits { max_bytes: 4_000, max_age_us: u64::MAX };
        let mut acknowledged: Vec<(&str, String)> = Vec::new();
        for life in 0..4 {
            let node = Node::start_with(SLOW, &disk, limits);
            let before = node.ledger(0);
            assert!(before.balances(), "seed {seed}: {before:?}");
            let upstream = acknowledged.iter().filter(|(node, _)| *node == "web").count() as u64;
            assert!(before.upstream >= upstream, "seed {seed}, life {life}: {upstream} were acknowledged: {before:?}");
            // All of it is known: it comes again as duplicates, and changes nothing else.
            if !acknowledged.is_empty() {
                node.push(&acknowledged, None).unwrap();
                let again = node.wait_for("it came again", 0, |ledger| {
                    ledger.duplicates == before.duplicates + acknowledged.len() as u64
                });
                assert_eq!(again.upstream, before.upstream, "seed {seed}, life {life}");
                assert_eq!(again.pass, before.pass, "seed {seed}, life {life}");
            }
            for step in 0..rng.between(1, 12) {
                if rng.percent(30) {
                    disk.set(faults(&mut rng));
                }
                let names = ["web", "books"];
                let event = |at| (rng.pick(&names), format!("t{seed}-{life}-{step}-{at}"));
                let batch: Vec<_> = (0..3).map(event).collect();
                match node.push(&batch, None) {
                    Ok(()) => acknowledged.extend(batch),
                    Err(_) => refused += 1,
                }
            }
            if rng.percent(50) {
                disk.set(Faults { power_fails_after: Some(0), ..Faults::default() });
            }
            node.stop();
            disk.restart();
        }
        let node = Node::start(SLOW, &disk);
        node.push(&[("web", "fresh".to_owned()), ("books", "fresh".to_owned())], None).unwrap();
        acknowledged_all += acknowledged.len();
        drop(node.stop());
    }
    assert!(acknowledged_all > 500 && refused > 100, "{acknowledged_all} acknowledged, {refused} refused");
}

#[test]
fn a_full_disk_refuses_what_comes_and_heals_by_itself() {
    let disk = FaultyDisk::new(1);
    let node = Node::start(QUICK, &disk);
    node.push(&[("web", "a".to_owned())], None).unwrap();
    disk.set(Faults { full: true, ..Faults::default() });
    // The first learns it from the disk, the next from the first.
    for token in ["b", "c"] {
        assert_eq!(node.push(&[("web", token.to_owned())], None), Err(Refused::Unwritable), "{token}");
    }
    let journal = node.pipeline().journal().unwrap();
    assert_eq!(journal.state, Writable::Failing);
    assert!(journal.error.is_some_and(|error| error.contains("space")));
    assert!(!node.pipeline().is_keeping() && node.pipeline().is_alive());
    // What was taken goes on being judged; but nobody took what might have come.
    let ledger = node.wait_for("it is judged", 0, |ledger| ledger.upstream == 1 && ledger.in_flight == 0);
    assert_eq!((ledger.indeterminate, ledger.missing), (1, 0));

    disk.set(Faults::default());
    wait_until("it heals", || node.pipeline().is_keeping().then_some(()));
    assert_eq!(node.pipeline().journal().unwrap().state, Writable::Ok);
    node.push(&[("web", "d".to_owned())], None).unwrap();
    let ledger = node.wait_for("it is judged", 0, |ledger| ledger.upstream == 2 && ledger.in_flight == 0);
    assert_eq!((ledger.missing, ledger.indeterminate), (1, 1));
    let (lines, shown) = node.stop();
    let (again, played) = replay(&disk);
    assert_eq!(again, lines);
    assert_eq!(seen(&played.kept.unwrap().board()), shown);
}

#[test]
fn a_sync_that_fails_once_costs_nobody_anything() {
    let disk = FaultyDisk::new(2);
    let node = Node::start(SLOW, &disk);
    disk.set(Faults { sync_fails_after: Some(0), ..Faults::default() });
    node.push(&[("web", "a".to_owned())], None).unwrap();
    assert_eq!(node.pipeline().journal().unwrap().state, Writable::Ok);
    disk.set(Faults { power_fails_after: Some(0), ..Faults::default() });
    node.stop();
    disk.restart();
    assert_eq!(Node::start(SLOW, &disk).ledger(0).upstream, 1);
}

/// An input that keeps what it has read waits where others are refused; its positions come back with its events.
#[test]
fn positions_are_kept_with_the_events_that_they_belong_to() {
    let disk = FaultyDisk::new(3);
    let at = |value: &str| vec![Position { key: "file".to_owned(), value: Some(value.to_owned()) }];
    let node = Node::start(SLOW, &disk);
    assert_eq!(node.pipeline().positions("log"), []);
    node.push(&[("web", "a".to_owned())], Some(("log", at("10")))).unwrap();
    disk.set(Faults { full: true, ..Faults::default() });
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| node.push(&[("web", "b".to_owned())], Some(("log", at("20")))));
        wait_until("nothing is taken", || (!node.pipeline().is_keeping()).then_some(()));
        assert!(!waits.is_finished());
        assert_eq!(node.pipeline().positions("log"), at("10"));
        disk.set(Faults::default());
        assert_eq!(waits.join().unwrap(), Ok(()));
    });
    assert_eq!(node.pipeline().positions("log"), at("20"));
    node.wait_for("both are taken", 0, |ledger| ledger.upstream == 2);
    disk.set(Faults { power_fails_after: Some(0), ..Faults::default() });
    node.stop();
    disk.restart();
    let node = Node::start(SLOW, &disk);
    assert_eq!((node.pipeline().positions("log"), node.ledger(0).upstream), (at("20"), 2));
}

/// A clock that makes the owner panic.
struct Trap {
    clock: MonotonicClock,
    panics: Arc<AtomicU32>,
}

impl Clock for Trap {
    fn now_us(&self) -> u64 {
        let owner = std::thread::current().name() == Some("owner");
        let left = |left: u32| left.checked_sub(1);
        let trapped = owner && self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok();
        assert!(!trapped, "a trap");
        self.clock.now_us()
    }
}

/// A pipeline whose owner panics as often as is asked for.
fn trapped(system: Arc<System>) -> (Running, Arc<AtomicU32>) {
    let panics = Arc::new(AtomicU32::new(0));
    let clock = Arc::new(Trap { clock: MonotonicClock::start(), panics: Arc::clone(&panics) });
    let journal = Some(Journal { disk: Arc::new(FaultyDisk::new(4)), limits: LIMITS });
    (Start { system, clock, journal }.run().unwrap(), panics)
}

#[test]
fn an_owner_that_panics_starts_again_from_the_journal() {
    let (running, panics) = trapped(system(SLOW));
    let pipeline = running.pipeline.clone();
    let node = Node::of(running);
    node.push(&[("web", "a".to_owned())], None).unwrap();
    panics.store(1, Ordering::SeqCst);
    wait_until("it has panicked", || (panics.load(Ordering::SeqCst) == 0).then_some(()));
    wait_until("it goes on", || node.push(&[("books", "a".to_owned())], None).ok());
    node.wait_for("it is known what came before", 0, |ledger| ledger.pass == 1);
    assert!(pipeline.is_alive());
    assert_eq!(pipeline.figures().restarts.load(Ordering::Relaxed), 1);

    // Where that does not help, it ends.
    panics.store(u32::MAX, Ordering::SeqCst);
    wait_until("it is given up", || (!pipeline.is_alive()).then_some(()));
    panics.store(0, Ordering::SeqCst);
    assert!(node.push(&[("web", "b".to_owned())], None).is_err());
}

/// Nothing of a file is read twice, or not at all, because the owner began again; and the input says how it is anew.
#[test]
fn a_log_input_goes_on_where_it_was_when_the_owner_begins_again() {
    let files = Files::new();
    let manifest = load(&Source::Text("shop.toml".to_owned(), manifest(files.folder()))).unwrap();
    let (running, panics) = trapped(Arc::new(manifest.system.clone()));
    let pipeline = running.pipeline.clone();
    let has_read = |events| {
        move |pipeline: &Pipeline| {
            let board = pipeline.board();
            board.streams[0].nodes[0].events == events && board.inputs[1].state == InputState::Up
        }
    };
    actix_web::rt::System::new().block_on(async {
        let sources = Sources::new(pipeline.clone(), Metrics::new(pipeline.clone()).unwrap());
        sources.follow(&manifest.settings.inputs).await;
        await_board(&pipeline, has_read(0)).await;
        for round in 1..=3 {
            append(&files, "web.log", &web(&format!("{round}")));
            await_board(&pipeline, has_read(round)).await;
            panics.store(1, Ordering::SeqCst);
            await_board(&pipeline, |pipeline| pipeline.figures().restarts.load(Ordering::Relaxed) == round).await;
        }
        append(&files, "web.log", &web("last"));
        await_board(&pipeline, has_read(4)).await;
        sources.stop().await;
    });
    let ledger = pipeline.board().streams[0].edges[0].ledger;
    assert_eq!((ledger.upstream, ledger.duplicates), (4, 0), "{ledger:?}");
    running.stop();
}
