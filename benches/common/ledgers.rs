//! What a server says of the known picture.

use std::time::{Duration, Instant};

use observatory::outcome::Ledger;
use serde::Deserialize;
use ureq::Agent;

/// The longest deadline of the known picture, its grace, and some.
const SETTLED: Duration = Duration::from_secs(25);

/// Somebody who asks; an answer that is an error is an answer.
pub(crate) fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

/// Waits until all is settled and as it is in truth.
pub(crate) fn await_truth(url: &str, truth: &[Ledger]) {
    let (agent, asked) = (agent(), Instant::now());
    loop {
        let ledgers = ledgers(&agent, url);
        if ledgers.iter().zip(truth).all(|(ledger, truth)| Ledger { revisions: 0, ..*ledger } == *truth) {
            return;
        }
        assert!(asked.elapsed() < SETTLED, "WRONG: {ledgers:?}, but in truth {truth:?}");
        std::thread::park_timeout(Duration::from_millis(500));
    }
}

fn ledgers(agent: &Agent, url: &str) -> Vec<Ledger> {
    #[derive(Deserialize)]
    struct Stream {
        edges: Vec<Edge>,
    }
    #[derive(Deserialize)]
    struct Edge {
        ledger: Ledger,
    }
    let mut answer = agent.get(format!("{url}/api/v1/streams/intro")).call().unwrap();
    let stream: Stream = serde_json::from_reader(answer.body_mut().as_reader()).unwrap();
    stream.edges.into_iter().map(|edge| edge.ledger).collect()
}
