//! When events come faster than they can be judged: 503, and nothing of the request is taken.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use observatory::clock::MonotonicClock;
use observatory::event::{Report, Token};
use observatory::graph::{InputState, NodeId};
use observatory::manifest::{Source, load};
use observatory::metrics::Metrics;
use observatory::outcome::Freshness;
use observatory::pipeline::{Load, LocalIntake, Pipeline, Refused, Running, Start, WAITING_EVENTS_MAX};
use observatory::web::{Bound, Limits, State};

use crate::harness::{Answer, ORDERS, PATIENCE, agent, event, read, wait_until};

/// A server in this process, whose inside can be reached.
pub(crate) struct Inside {
    pub(crate) url: String,
    running: Running,
}

impl Inside {
    pub(crate) fn start(limits: Limits) -> Self {
        Self::serve(ORDERS, limits)
    }

    pub(crate) fn serve(manifest: &str, limits: Limits) -> Self {
        let manifest = load(&Source::Text("orders.toml".to_owned(), manifest.to_owned())).unwrap();
        let system = Arc::new(manifest.system.clone());
        let clock = Arc::new(MonotonicClock::start());
        let running = Start { system, clock, journal: None }.run().unwrap();
        let pipeline = running.pipeline.clone();
        let metrics = Metrics::new(pipeline.clone()).unwrap();
        let mut state = State::new(pipeline, metrics, true, 1_000_000);
        state.limits = limits;
        let state = Arc::new(state);
        state.set_ready(true);
        let (address_in, address) = sync_channel(1);
        // It ends with the test's process.
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let bound = Bound::bind(&state, "127.0.0.1:0".parse().unwrap(), None).unwrap();
                address_in.send(bound.address).unwrap();
                bound.run().await.unwrap();
            });
        });
        let url = format!("http://{}", address.recv_timeout(PATIENCE).unwrap());
        Self { url, running }
    }

    fn pipeline(&self) -> &Pipeline {
        &self.running.pipeline
    }

    fn post(&self, body: &str) -> Answer {
        read(agent().post(format!("{}/events", self.url)).header("Content-Type", "application/json").send(body))
    }

    fn upstream(&self) -> u64 {
        self.pipeline().board().streams[0].edges[0].ledger.upstream
    }
}

#[test]
fn a_full_queue_answers_503_with_retry_after_and_takes_nothing() {
    let inside = Inside::start(Limits::default());
    assert_eq!(inside.post(&event("web", "before")).status, 202);
    let http = || inside.pipeline().board().inputs[0].clone();
    assert_eq!(http().state, InputState::Up);
    let full = inside.pipeline().reserve(Load { events: WAITING_EVENTS_MAX, bytes: 0 }).unwrap();
    let mut waits = Vec::new();
    for _ in 0..20 {
        let answer = inside.post(&event("web", "refused"));
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        waits.push(answer.header("retry-after").parse::<u64>().unwrap());
    }
    assert!(waits.iter().all(|wait| (1..=5).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| wait != &waits[0]), "all come back at once: {waits:?}");
    let blind = || inside.pipeline().board().streams[0].edges[0].freshness == Freshness::Blind;
    wait_until("what is refused is seen by nobody", || (http().state == InputState::Down && blind()).then_some(()));
    assert!(http().last_error.is_some(), "{:?}", http());
    drop(full);
    assert_eq!(inside.post(&event("web", "after")).status, 202);
    wait_until("it sees again", || (http().state == InputState::Up && !blind()).then_some(()));
    assert!(inside.pipeline().board().streams[0].edges[0].counters.blind_us > 0);
    wait_until("what was accepted is on the board", || (inside.upstream() == 2).then_some(()));
    assert_eq!(read(agent().get(format!("{}/health/ready", inside.url)).call()).status, 200);
}

#[test]
fn when_the_owner_has_stopped_the_server_is_not_live_and_takes_nothing() {
    let inside = Inside::start(Limits::default());
    let (pipeline, url) = (inside.pipeline().clone(), inside.url.clone());
    inside.running.stop();
    let answer =
        read(agent().post(format!("{url}/events")).header("Content-Type", "application/json").send(event("web", "a")));
    assert_eq!(answer.status, 503);
    assert!(pipeline.board().streams[0].edges[0].ledger.balances());
}

#[test]
fn when_the_owner_panics_the_server_says_that_it_is_not_live() {
    let inside = Inside::start(Limits::default());
    let get = |path| read(agent().get(format!("{}{path}", inside.url)).call()).status;
    assert_eq!((get("/health/live"), get("/health/ready"), get("/status")), (200, 200, 200));
    // A node that there is not: no input finds it.
    let report =
        Report { node: NodeId(99), token: Token::new("t").unwrap(), timestamp_us: None, parent: None, alias: None };
    let (intake, by) = (LocalIntake::new(inside.pipeline().clone()), inside.pipeline().observed());
    // With so many others it goes to the owner, and is not correlated here.
    let others = vec!["somebody".to_owned(); 5_000];
    let pushed = actix_web::rt::System::new().block_on(intake.push(vec![report], &by, others));
    assert_eq!(pushed, Err(Refused::Stopped));
    assert!(actix_web::rt::System::new().block_on(inside.pipeline().ended()), "it panicked");
    assert_eq!((get("/health/live"), get("/health/ready"), get("/status")), (503, 503, 503));
    assert_eq!(inside.post(&event("web", "a")).status, 503);
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let limits = Limits { body_time: Duration::from_millis(100), ..Limits::default() };
    let inside = Inside::start(limits);
    let answer = crate::harness::raw(
        inside.url.trim_start_matches("http://"),
        b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    );
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[test]
fn all_bodies_together_are_bounded() {
    let limits = Limits { bodies_bytes: 100_000, ..Limits::default() };
    let inside = Inside::start(limits);
    let body = format!("{}{}", event("web", "a"), " ".repeat(1_000_000));
    let answer = inside.post(&body);
    assert_eq!(answer.status, 503);
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(inside.post(&event("web", "a")).status, 202);
}
