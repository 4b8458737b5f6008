//! The demo shows the known picture, and keeps showing it.

use std::time::{Duration, Instant};

use crate::harness::{Server, observatory, wait_until};

#[test]
fn one_edge_is_ok_one_warn_one_nok_and_stays_so() {
    let begun = now();
    let mut server = Server::spawn(observatory().args(["demo", "--listen", "127.0.0.1:0"]));
    assert!(begun.elapsed() < Duration::from_secs(20), "the address is printed at once");
    let labels = |server: &Server| -> Vec<String> {
        let stream = server.get("/api/v1/streams/intro").json();
        let label = |edge: &serde_json::Value| {
            let text = |name: &str| edge[name].as_str().unwrap().to_owned();
            format!("{} {} {}/{}", text("held"), text("status"), edge["pass"], edge["total"])
        };
        stream["edges"].as_array().unwrap().iter().map(label).collect()
    };
    let known = ["OK OK 3/3", "WARN WARN 5/6", "NOK NOK 1/4"];
    wait_until("the demo shows the known picture", || (labels(&server) == known).then_some(()));
    let settled = now();
    while settled.elapsed() < Duration::from_secs(3) {
        assert_eq!(labels(&server), known);
    }
    let picture = server.get("/streams/intro/graph.svg").body;
    assert!(picture.contains("OK(pass=3/3 100%)"), "{picture}");
    assert_eq!(server.stop().code(), Some(0));
}

#[expect(clippy::disallowed_methods, reason = "the test watches for a while")]
fn now() -> Instant {
    Instant::now()
}
