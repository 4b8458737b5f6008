//! The real binary with a data directory: killed, started again, asked what it knows.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::place::Place;
use crate::harness::{ORDERS, Server, agent, event, run, wait_until};

/// How often the server is killed.
const KILLS: u64 = 25;

/// Nothing falls due while the test runs; traffic shows what is not declared.
const SLOW: &str = r#"
name = "Shop"

[[stream]]
name = "orders"
discover = true
nodes = ["web", "books", "mail"]

  [[stream.edge]]
  from = "web"
  to = "books"
  check = { within = "1h", ok = 2, warn = 0, fail = 0 }
"#;

fn edge(server: &Server, from: &str, to: &str) -> Value {
    server.get(&format!("/api/v1/streams/orders/edges/{from}/{to}")).json()
}

#[test]
fn all_that_was_known_is_back_after_a_kill() {
    let place = Place::new(SLOW);
    let mut server = place.start();
    for token in ["a", "b", "c"] {
        assert_eq!(server.post(&event("web", token)).status, 202);
        assert_eq!(server.post(&event("books", token)).status, 202);
        assert_eq!(server.post(&json!({"node": "mail", "token": token, "parent": "web"}).to_string()).status, 202);
    }
    assert_eq!(server.post(&event("web", "open")).status, 202);
    let before = (edge(&server, "web", "books"), edge(&server, "web", "mail"));
    assert_eq!(
        (&before.0["status"], &before.0["in_flight"], &before.1["discovered"]),
        (&json!("OK"), &json!(1), &json!(true))
    );
    let own = server.get("/status").json()["journal"].clone();
    assert_eq!((&own["state"], &own["error"]), (&json!("ok"), &json!(null)), "{own}");
    assert!(own["bytes"].as_u64().unwrap() > 0 && own["last_sync"].is_string(), "{own}");
    server.kill();

    // From the records alone, then from the snapshot of a clean stop.
    for duplicates in 0..2 {
        let mut server = place.start();
        assert_eq!(server.get("/health/ready").status, 200);
        let after = (edge(&server, "web", "books"), edge(&server, "web", "mail"));
        for (before, after) in [(&before.0, &after.0), (&before.1, &after.1)] {
            for key in ["window", "status", "status_since", "held", "pass", "total", "discovered", "latency_histogram"]
            {
                assert_eq!(after[key], before[key], "{key}");
            }
        }
        let mut ledger = before.0["ledger"].clone();
        ledger["duplicates"] = duplicates.into();
        assert_eq!(after.0["ledger"], ledger);
        // It is remembered by what was reported before.
        assert_eq!(server.post(&event("web", "a")).status, 202);
        assert!(server.stop().success());
    }
    let (code, answer) = place.replay(&["--json"]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["streams"][0]["edges"][0]["ledger"]["pass"]), (0, &json!(3)), "{answer}");
}

#[test]
fn what_was_in_flight_while_the_server_was_down_is_nobodys_fault() {
    let place = Place::new(ORDERS);
    let mut server = place.start();
    for token in ["lost-1", "lost-2"] {
        assert_eq!(server.post(&event("web", token)).status, 202);
    }
    wait_until("they are missing", || (server.edge(0)["ledger"]["missing"] == 2).then_some(()));
    assert_eq!(server.post(&event("web", "open")).status, 202);
    server.kill();
    // Its deadline passes while nobody is there.
    std::thread::park_timeout(Duration::from_millis(500));
    let mut server = place.start();
    let ledger = wait_until("it is judged", || {
        Some(server.edge(0)["ledger"].clone()).filter(|ledger| ledger["upstream"] == 3 && ledger["in_flight"] == 0)
    });
    assert_eq!((&ledger["missing"], &ledger["indeterminate"]), (&json!(2), &json!(1)), "{ledger}");
    assert!(server.stop().success());

    let (_, changes) = place.replay(&["--transitions"]);
    let lines: Vec<Value> = changes.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let held = |line: &&Value| line["change"] == "held" && line["from"] == "web";
    assert!(lines.iter().any(|line| held(&line) && line["sequence"].as_u64() > Some(0)), "{changes}");
    assert_eq!(place.replay(&["--transitions"]).1, changes, "the same every time");
    // By a manifest that asks for less, nothing was ever wrong.
    let lenient = place.files.write("lenient.toml", &ORDERS.replace("200ms", "1h"));
    let (code, answer) = place.replay(&[&lenient, "--json"]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["streams"][0]["edges"][0]["ledger"]["missing"]), (5, &json!(0)), "{answer}");
}

/// The sender's side: what was acknowledged, and what may have been.
#[derive(Default)]
struct Sender {
    url: Mutex<String>,
    acknowledged: Mutex<Vec<String>>,
    sent: AtomicU64,
    stop: AtomicBool,
}

impl Sender {
    fn run(&self) {
        let agent = agent();
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            let token = format!("t{number}");
            let url = self.url.lock().unwrap().clone();
            let request = agent.post(format!("{url}/events")).header("Content-Type", "application/json");
            match request.send(event("web", &token)) {
                Ok(answer) if answer.status() == 202 => self.acknowledged.lock().unwrap().push(token),
                // It is not known whether it was taken.
                _ => std::thread::park_timeout(Duration::from_millis(2)),
            }
        }
    }
}

#[test]
fn killed_at_any_instant_nothing_acknowledged_is_lost_or_counted_twice() {
    let place = Place::new(SLOW);
    let sender = Sender::default();
    std::thread::scope(|scope| {
        let mut server = place.start();
        sender.url.lock().unwrap().clone_from(&server.url);
        for _ in 0..4 {
            scope.spawn(|| sender.run());
        }
        for round in 0..KILLS {
            let before = sender.acknowledged.lock().unwrap().len();
            wait_until("some is acknowledged", || {
                (sender.acknowledged.lock().unwrap().len() > before + 5).then_some(())
            });
            // At another instant each time.
            std::thread::park_timeout(Duration::from_millis(round * 7 % 40));
            server.kill();
            server = place.start();
            sender.url.lock().unwrap().clone_from(&server.url);
        }
        sender.stop.store(true, Ordering::Relaxed);
        drop(server);
    });
    let server = place.start();
    let acknowledged = sender.acknowledged.lock().unwrap();
    let sent = sender.sent.load(Ordering::Relaxed);
    let ledger = edge(&server, "web", "books")["ledger"].clone();
    let upstream = ledger["upstream"].as_u64().unwrap();
    assert!((acknowledged.len() as u64..=sent).contains(&upstream), "{} of {sent}: {ledger}", acknowledged.len());
    assert_eq!(ledger["in_flight"], ledger["upstream"], "every one of them is in flight");
    // All that was acknowledged is known: it comes again as duplicates.
    for tokens in acknowledged.chunks(1000) {
        let body: Vec<Value> = tokens.iter().map(|token| json!({"node": "web", "token": token})).collect();
        let answer = server.post(&Value::from(body).to_string());
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let again = edge(&server, "web", "books")["ledger"].clone();
    assert_eq!(again["upstream"], ledger["upstream"]);
    let before = ledger["duplicates"].as_u64().unwrap();
    assert_eq!(again["duplicates"].as_u64().unwrap() - before, acknowledged.len() as u64);
    // And a fresh event flows.
    assert_eq!(server.post(&event("web", "fresh")).status, 202);
    assert_eq!(server.post(&event("books", "fresh")).status, 202);
    assert_eq!(edge(&server, "web", "books")["ledger"]["pass"], 1);
}

#[test]
fn two_servers_do_not_share_a_data_directory() {
    let place = Place::new(SLOW);
    let mut server = place.start();
    let second = place.command().stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another server writes to it") && said.contains(&place.data()), "{said}");
    // Whoever only reads may.
    assert_eq!(server.post(&event("web", "a")).status, 202);
    assert_eq!(place.replay(&[]).0, 5);
    assert!(server.stop().success());
}

#[test]
fn a_manifest_that_changed_while_the_server_was_down_is_a_reload() {
    let place = Place::new(SLOW);
    let mut server = place.start();
    for node in ["web", "books"] {
        assert_eq!(server.post(&event(node, "a")).status, 202);
    }
    server.kill();
    let turned = SLOW.replace("[\"web\", \"books\", \"mail\"]", "[\"mail\", \"shop\", \"books\", \"web\"]");
    place.files.write("manifest.toml", &turned.replace("ok = 2", "ok = 1"));
    let mut server = place.start();
    let edge = edge(&server, "web", "books");
    assert_eq!((&edge["ledger"]["pass"], &edge["status"], &edge["check"]["ok"]), (&json!(1), &json!("OK"), &json!(1)));
    assert_eq!(server.post(&event("books", "a")).status, 202);
    server.kill();
    let server = place.start();
    assert_eq!(server.get("/api/v1/streams/orders/edges/web/books").json()["ledger"]["duplicates"], 1);
}

/// What the server goes on with is newer than the beginning of the segment that it was writing.
#[test]
fn what_a_reload_brought_is_back_after_a_stop() {
    let place = Place::new(SLOW);
    let mut server = place.start();
    assert_eq!(server.post(&event("web", "a")).status, 202);
    let more = format!("{SLOW}\n[[stream.edge]]\nfrom = \"books\"\nto = \"mail\"\n");
    place.files.write("manifest.toml", &more);
    server.signal("HUP");
    let reached = || server.get("/api/v1/streams/orders/edges/books/mail").status == 200;
    wait_until("it is in force", || reached().then_some(()));
    for node in ["books", "mail"] {
        assert_eq!(server.post(&event(node, "a")).status, 202);
    }
    assert!(server.stop().success());
    for _ in 0..2 {
        let mut server = place.start();
        assert_eq!(edge(&server, "books", "mail")["ledger"]["pass"], 1);
        assert_eq!(edge(&server, "web", "books")["ledger"]["pass"], 1);
        assert!(!server.log().contains("lost"), "{}", server.log());
        assert!(server.stop().success());
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_said_at_the_start() {
    let place = Place::new(SLOW);
    std::fs::write(place.files.path("data"), "a file").unwrap();
    let output = place.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("data directory"), "{output:?}");
    let (code, said) = (run(&["replay", "--journal", &place.data()], ""), "failed to read the journal");
    assert_eq!(code.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&code.stderr).contains(said), "{code:?}");
}
