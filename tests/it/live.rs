//! Live streams: what changes is told, at once or once a second, to as many as may read.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use observatory::web::Limits;
use serde_json::Value;
use ureq::Agent;

use crate::harness::{Files, ORDERS, PATIENCE, Server, agent, event, observatory, read, wait_until};
use crate::pushback::Inside;

/// One server-sent event, and when it came.
struct Told {
    kind: String,
    id: u64,
    data: Value,
    at: Instant,
}

/// An open live stream, read by a thread of its own.
struct Feed {
    told: Receiver<Told>,
    headers: ureq::http::HeaderMap,
}

impl Feed {
    fn open(url: &str, stream: &str) -> Self {
        let patient: Agent = Agent::config_builder().build().into();
        let answer = patient.get(format!("{url}/api/v1/streams/{stream}/live")).call().unwrap();
        let headers = answer.headers().clone();
        let (told_in, told) = sync_channel(10_000);
        std::thread::spawn(move || {
            let (mut kind, mut id) = (String::new(), 0);
            for line in BufReader::new(answer.into_body().into_reader()).lines() {
                let Ok(line) = line else { return };
                match line.split_once(": ") {
                    Some(("event", name)) => name.clone_into(&mut kind),
                    Some(("id", number)) => id = number.parse().unwrap(),
                    Some(("data", json)) => {
                        let data = serde_json::from_str(json).unwrap();
                        if told_in.send(Told { kind: kind.clone(), id, data, at: now() }).is_err() {
                            return;
                        }
                    }
                    _ => {}
                }
            }
        });
        Self { told, headers }
    }

    fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("something is told")
    }

    /// What is told until a change satisfies this, that change last.
    fn until(&self, good: impl Fn(&Value) -> bool) -> Vec<Told> {
        let mut all = Vec::new();
        loop {
            let told = self.next();
            assert_eq!(told.kind, "change");
            let found = good(&told.data);
            all.push(told);
            if found {
                return all;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the test measures")]
fn now() -> Instant {
    Instant::now()
}

/// The edge into this node, where a change has it.
fn edge_to<'a>(data: &'a Value, to: &str) -> Option<&'a Value> {
    data["edges"].as_array().unwrap().iter().find(|edge| edge["to"] == to)
}

/// Posts a token that passes both nodes.
fn pass(server: &Server, token: &str) {
    assert_eq!(server.post(&format!("[{},{}]", event("web", token), event("worker", token))).status, 202);
}

#[test]
fn the_whole_comes_first_and_is_what_the_api_says() {
    let server = Server::start(ORDERS);
    pass(&server, "a");
    wait_until("it is on the board", || (server.edge(0)["pass"] == 1).then_some(()));
    let feed = Feed::open(&server.url, "orders");
    let header = |name: &str| feed.headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("cache-control"), "no-cache, no-transform");
    assert_eq!((header("x-accel-buffering"), header("content-encoding")), ("no", ""));
    let whole = feed.next();
    assert_eq!(whole.kind, "stream");
    assert!(whole.id > 1_700_000_000_000_000, "{}", whole.id);
    let mut api = server.get("/api/v1/streams/orders").json();
    let edge = &whole.data["edges"][0];
    assert_eq!(edge["label"][0], "UNKNOWN(pass=1/1 100%)");
    assert_eq!(edge["label"][1], "Check(within=200ms,ok=3,warn=1,fail=2)");
    assert_eq!((&edge["tone"], &edge["fails"]), (&"grey".into(), &Value::Array(vec![])));
    assert_eq!(whole.data["edges"][1]["label"].as_array().unwrap().len(), 1, "no check, one line");
    // Rates run with the time.
    let mut told = whole.data;
    for object in [&mut api, &mut told] {
        object["at"].take();
        for list in ["nodes", "edges"] {
            object[list].as_array_mut().unwrap().iter_mut().for_each(|item| drop(item["rate"].take()));
        }
    }
    assert_eq!(told, api);
}

#[test]
fn a_status_is_told_within_a_tenth_of_a_second_and_with_it_only_what_changed() {
    let server = Server::start(ORDERS);
    let feed = Feed::open(&server.url, "orders");
    assert_eq!(feed.next().kind, "stream");
    for token in ["a", "b"] {
        pass(&server, token);
    }
    feed.until(|data| edge_to(data, "worker").is_some_and(|edge| edge["pass"] == 2));
    // Past the second in which numbers are due anyway.
    let sent = now();
    pass(&server, "c");
    let told = feed.until(|data| edge_to(data, "worker").is_some_and(|edge| edge["status"] == "OK"));
    let change = told.last().unwrap();
    let delay = change.at - sent;
    assert!(delay < Duration::from_millis(500), "on a machine with little to do it is a tenth of that: {delay:?}");
    assert!(edge_to(&change.data, "books").is_none() || edge_to(&change.data, "books").unwrap()["in_flight"] == 3);
    assert_eq!(change.data["status"], "OK");
    assert_eq!(edge_to(&change.data, "worker").unwrap()["tone"], "ok");
    let fields: Vec<_> = change.data.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["alias_conflicts", "at", "edges", "nodes", "status", "unobserved"]);
    // A lost one turns it WARN, and its token is told along.
    server.post(&event("web", "lost"));
    let told = feed.until(|data| edge_to(data, "worker").is_some_and(|edge| edge["held"] == "WARN"));
    let edge = edge_to(&told.last().unwrap().data, "worker").unwrap().clone();
    assert_eq!((&edge["fails"][0]["token"], &edge["fails"][0]["outcome"]), (&"lost".into(), &"missing".into()));
}

#[test]
fn mere_numbers_are_told_once_a_second_however_much_happens() {
    let server = Server::start(ORDERS);
    for token in ["a", "b", "c"] {
        pass(&server, token);
    }
    wait_until("it is settled", || (server.edge(0)["status"] == "OK").then_some(()));
    let feed = Feed::open(&server.url, "orders");
    feed.next();
    let begun = now();
    let mut number = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        pass(&server, &format!("t{number}"));
        number += 1;
    }
    let last = number + 3;
    let told = feed.until(|data| edge_to(data, "worker").is_some_and(|edge| edge["ledger"]["pass"] == last));
    let seconds = begun.elapsed().as_secs() as usize + 1;
    assert!(told.len() >= 2 && told.len() <= seconds + 1, "{} changes in {seconds} s", told.len());
    assert!(number > 2 * told.len() as i32, "there was much to tell: {number}");
}

#[test]
fn nothing_is_told_where_nothing_changes() {
    let server = Server::start(ORDERS);
    let feed = Feed::open(&server.url, "orders");
    feed.next();
    let quiet = feed.told.recv_timeout(Duration::from_secs(3)).map(|told| told.data.to_string());
    assert_eq!(quiet, Err(RecvTimeoutError::Timeout));
}

#[test]
fn who_comes_back_gets_the_whole_again() {
    let server = Server::start(ORDERS);
    let first = Feed::open(&server.url, "orders");
    first.next();
    drop(first);
    pass(&server, "a");
    wait_until("it is on the board", || (server.edge(0)["pass"] == 1).then_some(()));
    let whole = Feed::open(&server.url, "orders").next();
    assert_eq!((&*whole.kind, &whole.data["edges"][0]["pass"]), ("stream", &1.into()));
}

#[test]
fn no_more_readers_than_may_be_and_a_place_is_free_when_one_goes() {
    let inside = Inside::start(Limits { live_readers: 2, ..Limits::default() });
    let url = format!("{}/api/v1/streams/orders/live", inside.url);
    let open = || {
        let mut stream = TcpStream::connect(inside.url.trim_start_matches("http://")).unwrap();
        let request = b"GET /api/v1/streams/orders/live HTTP/1.1\r\nHost: x\r\n\r\n";
        std::io::Write::write_all(&mut stream, request).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "HTTP/1.1 200 OK");
        stream
    };
    let (first, _second) = (open(), open());
    let refused = read(agent().get(&url).call());
    assert_eq!((refused.status, refused.header("content-type")), (503, "application/problem+json"));
    assert!((1..=5).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    let metrics = || read(agent().get(format!("{}/metrics", inside.url)).call()).body;
    let scraped = metrics();
    assert!(scraped.contains("observatory_live_readers{stream=\"orders\"} 2\n"), "{scraped}");
    assert!(scraped.contains("observatory_live_refused_total{stream=\"orders\"} 1\n"), "{scraped}");
    drop(first);
    wait_until("its place is free", || {
        metrics().contains("observatory_live_readers{stream=\"orders\"} 1\n").then_some(())
    });
    open();
}

#[test]
fn open_readers_do_not_delay_the_stop_and_their_streams_end() {
    let mut server = Server::start(ORDERS);
    let feeds: Vec<_> = (0..20).map(|_| Feed::open(&server.url, "orders")).collect();
    for feed in &feeds {
        assert_eq!(feed.next().kind, "stream");
    }
    let told_to = now();
    assert_eq!(server.stop().code(), Some(0));
    assert!(told_to.elapsed() < Duration::from_millis(1_900), "{:?}", told_to.elapsed());
    for feed in &feeds {
        // The thread that reads has come to the end of the body.
        assert_eq!(feed.told.recv_timeout(PATIENCE).map(|told| told.kind), Err(RecvTimeoutError::Disconnected));
    }
}

#[test]
fn an_unknown_stream_and_a_head_are_answered_at_once() {
    let server = Server::start(ORDERS);
    let unknown = server.get("/api/v1/streams/order/live");
    assert_eq!((unknown.status, unknown.header("content-type")), (404, "application/problem+json"));
    assert!(unknown.body.contains("orders"), "{}", unknown.body);
    let head = read(agent().head(format!("{}/api/v1/streams/orders/live", server.url)).call());
    assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));
}

#[test]
fn hostile_names_and_tokens_stay_data() {
    let name = "</script>\u{202e}\"'&";
    let toml = name.replace('"', "\\\"");
    let manifest = format!(
        "unknown_nodes = \"accept\"\n[[stream]]\nname = \"s\"\nnodes = [\"{toml}\", \"b\"]\n[[stream.edge]]\nfrom = \"{toml}\"\nto = \"b\"\ncheck = {{ within = \"1ms\" }}\ngrace = \"1ms\"\n"
    );
    let files = Files::new();
    let path = files.write("manifest.toml", &manifest);
    let server = Server::spawn(observatory().args(["serve", &path, "--listen", "127.0.0.1:0"]));
    let feed = Feed::open(&server.url, "s");
    assert_eq!(feed.next().data["nodes"][0]["name"], name);
    let token = "data: x\u{2028}\"}\\";
    server.post(&serde_json::json!({ "node": name, "token": token }).to_string());
    let told = feed.until(|data| edge_to(data, "b").is_some_and(|edge| edge["fails"][0]["token"] == token));
    assert_eq!(edge_to(&told.last().unwrap().data, "b").unwrap()["from"], name);
}

#[test]
fn a_manifest_that_changes_the_graph_is_told_whole_and_a_stream_that_is_gone_ends() {
    let files = Files::new();
    let other = "\n[[stream]]\nname = \"other\"\n[[stream.edge]]\nfrom = \"one\"\nto = \"two\"\n";
    let path = files.write("manifest.toml", &format!("{ORDERS}{other}"));
    let server = Server::spawn(observatory().args(["serve", &path, "--listen", "127.0.0.1:0"]));
    let [feed, gone] = ["orders", "other"].map(|stream| Feed::open(&server.url, stream));
    assert_eq!((&*feed.next().kind, &*gone.next().kind), ("stream", "stream"));
    files.write("manifest.toml", &format!("{ORDERS}\n[[stream.edge]]\nfrom = \"worker\"\nto = \"mail\"\n"));
    let whole = std::iter::repeat_with(|| feed.next()).find(|told| told.kind == "stream").unwrap();
    assert!(edge_to(&whole.data, "mail").is_some(), "{}", whole.data);
    let end = std::iter::repeat_with(|| gone.told.recv_timeout(PATIENCE)).find_map(Result::err);
    assert_eq!(end, Some(RecvTimeoutError::Disconnected));
    assert_eq!(server.get("/api/v1/streams/other/live").status, 404);
    // Who stays is told on.
    pass(&server, "a");
    feed.until(|data| edge_to(data, "worker").is_some_and(|edge| edge["pass"] == 1));
}
