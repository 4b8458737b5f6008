//! A flood of unique tokens at twice the limit.
//!
//! `cargo test --test it flood -- --nocapture` prints what it takes of the memory.

use observatory::engine::Engine;
use observatory::event::{Event, Token};
use observatory::graph::{InputId, NodeId, System};
use serde_json::{Value, json};

use crate::harness::{Server, wait_until};
use crate::journal::node::system;
use crate::memory::high_water_kib;

const LIMIT: u64 = 100_000;
/// Events of one body.
const AT_ONCE: u64 = 5_000;

fn manifest(max_tokens: u64) -> String {
    format!(
        r#"
max_tokens = {max_tokens}
grace = "100ms"
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = {{ within = "5s", ok = 2, warn = 1, fail = 2 }}
[[stream]]
name = "flooded"
[[stream.edge]]
from = "in"
to = "out"
check = {{ within = "1h", ok = 1 }}
"#
    )
}

const START_US: u64 = 1_790_000_000_000_000;
const MESSAGES: u64 = 500;

fn event(system: &System, node: &str, token: &str, now_us: u64) -> Event {
    let node = NodeId(system.nodes.iter().position(|name| name == node).unwrap() as u32);
    let (token, input) = (Token::new(token).unwrap(), InputId::default());
    Event { node, input, clock_flagged: false, token, timestamp_us: now_us, parent: None, alias: None }
}

/// What the orders come to while so many strangers flood the other stream: their changes and their edge.
fn orders(flood: u64) -> (Vec<String>, String) {
    let system = system(&manifest(LIMIT / 10));
    let mut engine = Engine::new(std::sync::Arc::clone(&system), START_US, (flood, 7));
    let mut changes = Vec::new();
    for step in 0..MESSAGES {
        let now_us = START_US + step * 20_000;
        engine.accept(&event(&system, "web", &format!("order {step}"), now_us), now_us);
        for number in step * flood / MESSAGES..(step + 1) * flood / MESSAGES {
            engine.accept(&event(&system, "in", &format!("stranger {number}"), now_us), now_us);
            assert!(engine.tokens() as u64 <= LIMIT / 10);
        }
        // One of seven is lost, one of five is late.
        if step % 7 != 0 {
            let late_us = if step % 5 == 0 { 0 } else { 6_000_000 };
            let mut books = event(&system, "books", &format!("order {step}"), now_us);
            books.timestamp_us = now_us + 6_000_000 - late_us;
            engine.accept(&books, now_us + 1_000);
        }
        changes.extend(engine.take_transitions().into_iter().filter(|change| change.stream == 0));
    }
    engine.advance(START_US + 60_000_000);
    changes.extend(engine.take_transitions().into_iter().filter(|change| change.stream == 0));
    let detail = engine.edge_detail(0, 0).unwrap();
    (changes.iter().map(|change| format!("{change:?}")).collect(), format!("{:?} {:?}", detail.edge, detail.window))
}

#[test]
fn a_flood_of_twice_the_limit_changes_nothing_in_other_streams() {
    let quiet = orders(0);
    assert!(quiet.0.len() > 10, "so few changes prove little: {:?}", quiet.0);
    assert_eq!(orders(LIMIT / 10 * 2), quiet);
}

fn post(server: &Server, events: impl Iterator<Item = Value>) {
    let body = Value::Array(events.collect()).to_string();
    let answer = server.post(&body);
    assert_eq!(answer.status, 202, "{answer:?}");
}

#[test]
fn a_flood_of_twice_the_limit_keeps_the_memory_within_its_bound() {
    let server = Server::start(&manifest(LIMIT));
    let flood = |from: u64, until: u64| {
        for begin in (from..until).step_by(AT_ONCE as usize) {
            post(
                &server,
                (begin..begin + AT_ONCE).map(|number| json!({ "node": "in", "token": format!("{number:032x}") })),
            );
        }
    };
    post(&server, std::iter::once(json!({ "node": "web", "token": "order" })));
    flood(0, LIMIT);
    let full_kib = high_water_kib(server.pid());
    flood(LIMIT, 3 * LIMIT);
    let flooded_kib = high_water_kib(server.pid());
    post(&server, std::iter::once(json!({ "node": "books", "token": "order" })));
    println!("{LIMIT} tokens: {full_kib} KiB at the most; after a flood of twice as many: {flooded_kib} KiB");
    let tokens = || server.get("/status").json()["tokens"].as_u64().unwrap();
    wait_until("the tokens are bounded", || (tokens() <= LIMIT).then_some(()));
    let pass = || server.edge(0)["ledger"]["pass"] == 1;
    wait_until("the order has passed", || pass().then_some(()));
    // What the lists of lost messages and of fails take is bounded, too.
    assert!(flooded_kib < full_kib + 16 * 1024, "{full_kib} KiB before, {flooded_kib} KiB after");
    assert!(flooded_kib < 128 * 1024, "{flooded_kib} KiB");
}
