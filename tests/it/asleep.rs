//! A server that is stopped for a while accuses nobody of what it has not seen.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use observatory::clock::{Clock, MonotonicClock, SECOND_US};
use observatory::graph::InputState;
use observatory::pipeline::{News, Port, Start};
use serde_json::Value;

use crate::harness::{PATIENCE, Server, event, wait_until};
use crate::rules::system;

const MANIFEST: &str = r#"
grace = "1s"

[[stream]]
name = "orders"
  [[stream.edge]]
  from = "web"
  to = "worker"
  check = { within = "2s", ok = 1, warn = 0, fail = 0 }
"#;

fn ledger(edge: &Value, outcome: &str) -> u64 {
    edge["ledger"][outcome].as_u64().unwrap()
}

/// The value of a metric without labels, or of the only edge.
fn metric(server: &Server, name: &str) -> f64 {
    let metrics = server.get("/metrics").body;
    let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until all threads of a process have stopped.
fn wait_until_stopped(pid: u32) {
    wait_until("the process has stopped", || {
        let states = Command::new("ps").args(["-L", "-o", "state=", "-p", &pid.to_string()]).output().unwrap();
        let states = String::from_utf8(states.stdout).unwrap();
        states.split_whitespace().all(|state| state == "T").then_some(())
    });
}

#[test]
fn what_falls_due_while_the_server_is_stopped_is_indeterminate() {
    let server = Server::start(MANIFEST);
    assert_eq!(server.post(&event("web", "before")).status, 202);
    assert_eq!(server.post(&event("worker", "before")).status, 202);
    assert_eq!(server.post(&event("web", "t1")).status, 202);
    server.signal("STOP");
    wait_until_stopped(server.pid());
    // Past the deadline of t1, and long enough to be told from a slow machine.
    let clock = MonotonicClock::start();
    let begun_us = clock.now_us();
    wait_until("it has been stopped for a while", || (clock.now_us() > begun_us + 4 * SECOND_US).then_some(()));
    server.signal("CONT");

    // What was published last before it stopped may not know t1 yet.
    let judged = |edge: &Value| ledger(edge, "upstream") == 2 && ledger(edge, "in_flight") == 0;
    let edge = wait_until("t1 is judged", || Some(server.edge(0)).filter(judged));
    assert_eq!((ledger(&edge, "indeterminate"), ledger(&edge, "missing")), (1, 0), "{edge}");
    assert_eq!((edge["status"].as_str(), edge["held"].as_str()), (Some("OK"), Some("OK")), "{edge}");
    assert!(metric(&server, "observatory_gaps_total") >= 1.0);
    let blind_s = metric(&server, "observatory_edge_blind_seconds_total{");
    assert!((3.0..PATIENCE.as_secs_f64()).contains(&blind_s), "{blind_s}");
    assert!(server.log().contains("did not run for a while"), "{}", server.log());

    // It goes on: what comes now is judged.
    assert_eq!(server.post(&event("web", "t2")).status, 202);
    let edge = wait_until("t2 is judged", || Some(server.edge(0)).filter(|edge| ledger(edge, "missing") > 0));
    assert_eq!((ledger(&edge, "indeterminate"), ledger(&edge, "missing")), (1, 1), "{edge}");
    assert_eq!(edge["status"].as_str(), Some("NOK"));
}

/// A clock that moves when it is told to.
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now_us(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn what_an_input_found_out_before_a_gap_is_worth_nothing_after_it() {
    let clock = Arc::new(Hands(AtomicU64::new(1_700_000_000 * SECOND_US)));
    let system = Arc::new(system(&["a -> b: within=1s", "input http: nodes=a", "input log: keeps nodes=b"]));
    let running = Start { system, clock: Arc::clone(&clock) as Arc<dyn Clock>, journal: None }.run().unwrap();
    let port = Port::new(running.pipeline.clone(), "log");
    let state = || running.pipeline.board().inputs[1].state;
    actix_web::rt::System::new().block_on(async {
        let news = News { state: InputState::Up, lag_us: None, error: None };
        let mut gaps = port.gaps();
        let before = *gaps.borrow_and_update();
        port.tell(news.clone(), before).await.unwrap();
        clock.0.fetch_add(SECOND_US / 2, Ordering::SeqCst);
        wait_until("it is up", || (state() == InputState::Up).then_some(()));

        clock.0.fetch_add(3600 * SECOND_US, Ordering::SeqCst);
        port.tell(news.clone(), before).await.unwrap();
        let told = tokio::time::timeout(PATIENCE, gaps.changed()).await;
        told.expect("it is told that we did not run").unwrap();
        clock.0.fetch_add(SECOND_US / 2, Ordering::SeqCst);
        wait_until("it has to catch up", || (state() == InputState::CatchingUp).then_some(()));

        port.tell(news, *gaps.borrow_and_update()).await.unwrap();
        clock.0.fetch_add(SECOND_US / 2, Ordering::SeqCst);
        wait_until("it is up again", || (state() == InputState::Up).then_some(()));
    });
    running.stop();
}
