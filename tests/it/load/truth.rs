//! The truth of a plan, which reads the rules by itself, against the core.

use std::sync::Arc;

use observatory::engine::Engine;
use observatory::event::{Event, Token};
use observatory::graph::{InputId, System};
use observatory::load::{Faults, Options, Plan, Rate, Rates, Sent, Share, counts, token_text};
use observatory::manifest::{self, Source};

use crate::harness::ORDERS;

const START_US: u64 = 1_800_000_000_000_000;
/// The core runs for so long before the first event: it is a witness of what clocks that are behind stamp, too.
const HOUR_US: u64 = 3_600_000_000;

/// Ways that meet again, a shortcut, nodes in several streams, streams that close a circle together, count
/// checks of both kinds with ways behind them, an optional and an unchecked edge, and a stream that discovers.
const TANGLE: &str = r#"
grace = "400ms"

[[stream]]
name = "main"
  [[stream.edge]]
  from = "in"
  to = "left"
  check = { within = "2s", ok = 3 }
  [[stream.edge]]
  from = "in"
  to = "right"
  check = { within = "300ms", ok = 3 }
  [[stream.edge]]
  from = "left"
  to = "out"
  check = { within = "1s", ok = 3 }
  [[stream.edge]]
  from = "right"
  to = "out"
  check = { within = "1s", ok = 3 }
  [[stream.edge]]
  from = "in"
  to = "out"
  check = { within = "3s", ok = 3 }
  [[stream.edge]]
  from = "out"
  to = "archive"
  [[stream.edge]]
  from = "out"
  to = "audit"
  check = { within = "500ms" }
  optional = true

[[stream]]
name = "batches"
  [[stream.edge]]
  from = "left"
  to = "bundle"
  check = { kind = "count", every = 5, expect = 2, within = "1s" }
  [[stream.edge]]
  from = "bundle"
  to = "shelf"
  check = { within = "1s" }
  [[stream.edge]]
  from = "right"
  to = "sample"
  check = { kind = "count", every = 4, expect = 1, same_token = true, within = "1s" }
  [[stream.edge]]
  from = "sample"
  to = "report"
  check = { within = "200ms" }

[[stream]]
name = "back"
  [[stream.edge]]
  from = "out"
  to = "in"
  check = { within = "1s" }

[[stream]]
name = "drawn"
nodes = ["first", "second", "third"]
"#;

fn system(text: &str) -> System {
    let source = Source::Text("manifest.toml".to_owned(), text.to_owned());
    manifest::load(&source).unwrap_or_else(|problems| panic!("{}", manifest::render(&problems, false))).live_system()
}

fn rates(rates: &[&str]) -> Rates {
    Rates(rates.iter().map(|rate| Rate::parse(rate).unwrap()).collect())
}

/// Judges a plan by the core, and compares every ledger with the plan's truth.
fn compare(name: &str, text: &str, options: &Options) {
    let system = system(text);
    let seed = options.seed;
    let mut plan = Plan::new(&system, options.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut engine = Engine::new(Arc::new(system.clone()), START_US - HOUR_US, (1, 2));
    let (mut last_us, mut events) = (0, 0_u64);
    for event in plan.by_ref() {
        assert!(event.send_us >= last_us, "{name}: events come in the order of their sending");
        (last_us, events) = (event.send_us, events + 1);
        let token = Token::new(&token_text(seed, event.message)).unwrap();
        let timestamp_us = START_US.saturating_add_signed(event.stamp_us);
        let event = Event {
            node: event.node,
            input: InputId::default(),
            clock_flagged: false,
            token,
            timestamp_us,
            parent: None,
            alias: None,
        };
        engine.accept(&event, START_US + last_us);
    }
    let settle_us = plan.settle_us();
    engine.advance(START_US + last_us + settle_us + 1);
    assert_eq!(engine.tokens(), 0, "{name}: after `settle_us` all is forgotten");
    let (truth, board) = (plan.into_truth(), engine.board());
    let expected = truth.expected(&system, &Sent::default());
    for (stream, (expected, board)) in expected.iter().zip(&board.streams).enumerate() {
        for (edge, (expected, board)) in expected.iter().zip(&board.edges).enumerate() {
            let place =
                format!("{name}, {options:?}: {} -> {} of {}", board.from, board.to, system.streams[stream].name);
            assert_eq!(counts(&board.ledger), expected.truth, "{place}");
            assert_eq!(counts(truth.ledger(stream, edge)), expected.truth, "{place}");
        }
    }
    assert!(events > options.requests / 2, "{name}: {events} events");
}

fn all_faults(seed: u64) -> Faults {
    Faults {
        loss: rates(&["3%"]),
        late: rates(&["4%"]),
        unreported: rates(&["2%"]),
        duplicate: rates(&["5%"]),
        optional: Share(300_000),
        disorder_us: [0, 20_000, 50_000][(seed % 3) as usize],
        skew_us: [0, 10_000, 200_000][(seed / 3 % 3) as usize],
    }
}

#[test]
fn the_truth_is_what_the_core_says() {
    let manifests = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/");
    let read = |name: &str| std::fs::read_to_string(format!("{manifests}{name}.toml")).unwrap();
    let reference = read("reference");
    let texts =
        [("intro", read("intro")), ("shop", read("shop")), ("reference", reference), ("minimal", read("minimal"))];
    let ours = [("orders", ORDERS.to_owned()), ("tangle", TANGLE.to_owned())];
    for (name, text) in texts.into_iter().chain(ours) {
        for seed in 0..18 {
            let rate = [5.0, 100.0, 3_000.0][(seed % 3) as usize];
            let faults = all_faults(seed);
            compare(name, &text, &Options { seed, requests: 400, rate, faults });
        }
    }
}

#[test]
fn without_faults_every_check_holds() {
    for text in [ORDERS, TANGLE] {
        let system = system(text);
        let options = Options { seed: 1, requests: 1_000, rate: 500.0, faults: Faults::default() };
        let mut plan = Plan::new(&system, options).unwrap();
        plan.by_ref().for_each(drop);
        let truth = plan.into_truth();
        for (place, stream) in system.streams.iter().enumerate().filter(|(_, stream)| stream.name != "back") {
            for edge in 0..stream.edges.len() {
                let ledger = truth.ledger(place, edge);
                let fine = ledger.pass + ledger.unmatched + ledger.in_flight;
                assert_eq!((fine, ledger.orphans), (ledger.upstream, 0), "{} {edge}: {ledger:?}", stream.name);
                assert!(ledger.pass > 0 && ledger.in_flight <= 1, "{ledger:?}");
            }
        }
    }
}

#[test]
fn a_seed_is_a_plan() {
    let system = system(TANGLE);
    let plan = |seed| {
        let options = Options { seed, requests: 200, rate: 100.0, faults: all_faults(1) };
        Plan::new(&system, options).unwrap().map(|event| (event, token_text(seed, event.message))).collect::<Vec<_>>()
    };
    assert_eq!(plan(1), plan(1));
    assert_ne!(plan(1), plan(2));
}

#[test]
fn a_fault_can_be_put_on_one_edge() {
    let system = system(ORDERS);
    let faults = Faults { loss: rates(&["worker/books=100%"]), ..Faults::default() };
    let mut plan = Plan::new(&system, Options { seed: 1, requests: 50, rate: 100.0, faults }).unwrap();
    plan.by_ref().for_each(drop);
    let truth = plan.into_truth();
    assert_eq!((truth.ledger(0, 0).pass, truth.ledger(0, 1).unmatched), (50, 50));
}

#[test]
fn what_does_not_fit_the_manifest_is_said() {
    let system = system(ORDERS);
    let error = |faults| Plan::new(&system, Options { seed: 1, requests: 1, rate: 1.0, faults }).err().unwrap();
    let none = Faults::default;
    assert_eq!(
        error(Faults { loss: rates(&["web/worked=1%"]), ..none() }),
        "--loss web/worked: the manifest has no such edge; did you mean web/worker?"
    );
    assert!(error(Faults { duplicate: rates(&["wep=1%"]), ..none() }).contains("did you mean web?"));
    assert!(error(Faults { disorder_us: 60_000, ..none() }).contains("at most 50ms"));
    assert!(error(Faults { skew_us: 1 << 40, ..none() }).contains("--skew can be at most 2m"));
}
