//! `POST /events`: every form of a body and every status of the answer.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{ORDERS, Server, event, wait_until};

const LIMIT: usize = 8 * 1024 * 1024;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_of_a_body_has_its_answer() {
    let server = Server::start(ORDERS);
    let (json, ndjson) = ("application/json", "application/x-ndjson");
    let good = event("web", "a");
    let long = format!("[{}]", vec![event("web", "b"); 3].join(","));
    let cases: &[(&str, &str, u16, &str)] = &[
        (json, &good, 202, r#"{"accepted":1,"rejected":[]}"#),
        ("application/json; charset=utf-8", &good, 202, r#"{"accepted":1,"rejected":[]}"#),
        (json, &long, 202, r#"{"accepted":3,"rejected":[]}"#),
        (json, "[]", 202, r#"{"accepted":0,"rejected":[]}"#),
        (ndjson, &format!("{good}\n\n{good}\n"), 202, r#"{"accepted":2,"rejected":[]}"#),
        (json, r#"{"service":"web","trace_id":"c","more":[1]}"#, 202, r#"{"accepted":1,"rejected":[]}"#),
        (json, "no JSON", 400, ""),
        (json, &good[1..], 400, ""),
        ("text/plain", &good, 415, ""),
        ("application/json; charset=latin1", &good, 415, ""),
        (json, r#"{"node":"webb","token":"a"}"#, 422, ""),
        (json, r#"[{"node":"webb","token":"a"},{}]"#, 422, ""),
    ];
    for (content_type, body, status, answered) in cases {
        let answer = server.post_as(content_type, &[], body.as_bytes());
        assert_eq!(answer.status, *status, "{content_type} {body}: {answer:?}");
        if *status == 202 {
            assert_eq!((&*answer.body, answer.header("content-type")), (*answered, json));
        } else {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{body}");
        }
    }
}

#[test]
fn one_bad_event_is_named_and_the_others_are_taken() {
    let server = Server::start(ORDERS);
    let body = format!("[{},{{\"node\":\"wbe\",\"token\":\"b\"}},{}]", event("web", "a"), event("worker", "a"));
    for _ in 0..2 {
        let answer = server.post(&body).json();
        assert_eq!(answer["accepted"], 2);
        assert_eq!(answer["rejected"][0]["index"], 1);
        assert!(answer["rejected"][0]["error"].as_str().unwrap().contains("web"), "{answer}");
    }
    let ledger = wait_until("both bodies are on the board", || {
        Some(server.edge(0)["ledger"].clone()).filter(|ledger| ledger["duplicates"] == 2)
    });
    assert_eq!((&ledger["upstream"], &ledger["pass"]), (&1.into(), &1.into()));

    let refused = server.post(r#"[{"node":"wbe","token":"b"},7]"#);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["rejected"].as_array().unwrap().len(), 2);
}

#[test]
fn gzipped_bodies_are_inflated_up_to_the_limit() {
    let server = Server::start(ORDERS);
    let coded =
        |coding: &str, body: &[u8]| server.post_as("application/json", &[("Content-Encoding", coding)], body).status;
    assert_eq!(coded("gzip", &gzip(event("web", "a").as_bytes())), 202);
    assert_eq!(coded("identity", event("web", "a").as_bytes()), 202);
    assert_eq!(coded("br", event("web", "a").as_bytes()), 415);
    assert_eq!(coded("gzip", event("web", "a").as_bytes()), 400);
    assert_eq!(coded("gzip", &gzip(event("web", "a").as_bytes())[..20]), 400);
    let bomb = gzip(&vec![b' '; 10 * LIMIT]);
    assert!(bomb.len() < LIMIT / 10);
    assert_eq!(coded("gzip", &bomb), 413);
}

#[test]
fn a_body_past_the_limit_is_refused_before_it_is_read() {
    let server = Server::start(ORDERS);
    let mut body = event("web", "a").into_bytes();
    body.resize(LIMIT, b' ');
    assert_eq!(server.post_as("application/json", &[], &body).status, 202);
    let declared = crate::harness::raw(
        server.address(),
        b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8388609\r\n\r\n",
    );
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    assert!(declared.contains("application/problem+json"), "{declared}");
}

#[test]
fn an_endless_body_is_refused_at_the_limit() {
    let server = Server::start(ORDERS);
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    let head =
        "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    // The server answers at its limit, and closes the connection on us soon after.
    wait_until("the server reads no more", || stream.write_all(&chunk).err());
    assert_eq!(server.post(&event("web", "a")).status, 202);
}

#[test]
fn events_become_verdicts() {
    let server = Server::start(ORDERS);
    for token in ["a", "b", "c"] {
        assert_eq!(server.post(&format!("[{},{}]", event("web", token), event("worker", token))).status, 202);
    }
    let edge = wait_until("the edge is OK", || Some(server.edge(0)).filter(|edge| edge["status"] == "OK"));
    assert_eq!((&edge["pass"], &edge["total"]), (&3.into(), &3.into()));
    server.post(&event("web", "lost"));
    let edge = wait_until("the edge is WARN", || Some(server.edge(0)).filter(|edge| edge["status"] == "WARN"));
    assert_eq!(edge["ledger"]["missing"], 1);
    let detail = server.get("/api/v1/streams/orders/edges/web/worker").json();
    assert_eq!(detail["fails"][0]["token"], "lost");
    assert_eq!(detail["window"].as_array().unwrap().len(), 4);
}
