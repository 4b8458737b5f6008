//! A message that changes its token on the way, over HTTP and in a replay.

use serde_json::Value;

use crate::harness::{Files, ORDERS, Server, run, wait_until};

/// The request becomes a job at `worker`; a second one gets lost behind it.
const EVENTS: [(&str, &str, &str, u64); 5] = [
    ("web", "request-1", "", 0),
    ("worker", "job-1", "request-1", 20),
    ("books", "job-1", "", 40),
    ("web", "request-2", "", 50),
    ("worker", "job-2", "request-2", 70),
];

fn lines(stamped: bool) -> String {
    let line = |&(node, token, alias, after_ms): &(&str, &str, &str, u64)| {
        let mut event = serde_json::json!({ "node": node, "token": token });
        if !alias.is_empty() {
            event["alias"] = alias.into();
        }
        if stamped {
            event["timestamp"] = (1_700_000_000_000_000 + after_ms * 1_000).into();
        }
        format!("{event}\n")
    };
    EVENTS.iter().map(line).collect()
}

/// What came of both edges.
fn ledgers(stream: &Value) -> [[u64; 2]; 2] {
    let count = |edge: usize, name: &str| stream["edges"][edge]["ledger"][name].as_u64().unwrap();
    [0, 1].map(|edge| ["upstream", "pass"].map(|name| count(edge, name)))
}

#[test]
fn an_alias_joins_what_two_tokens_say() {
    let expected = [[2, 2], [2, 1]];
    let server = Server::start(ORDERS);
    assert_eq!(server.post_as("application/x-ndjson", &[], lines(false).as_bytes()).status, 202);
    wait_until("both have passed", || {
        (ledgers(&server.get("/api/v1/streams/orders").json()) == expected).then_some(())
    });
    let edge = server.get("/api/v1/streams/orders/edges/worker/books").json();
    assert_eq!(edge["window"][0]["token"], "job-1", "by the token of the event that carried the alias");

    let files = Files::new();
    let (manifest, recorded) = (files.write("m.toml", ORDERS), files.write("events.ndjson", &lines(true)));
    let output = run(&["replay", &manifest, &recorded, "--json"], "");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(ledgers(&answer["streams"][0]), expected);
}
