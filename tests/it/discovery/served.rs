//! A bare list of components, served.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Files, PATIENCE, Server, run};

const MINIMAL: &str = include_str!("../../../manifests/minimal.toml");

/// Waits until the stream has so many edges.
fn wait_for_edges(server: &Server, edges: usize) -> Value {
    #[expect(clippy::disallowed_methods, reason = "a server on its own clock is waited for")]
    let begun = Instant::now();
    loop {
        let stream = server.get("/api/v1/streams/requests").json();
        if stream["edges"].as_array().unwrap().len() == edges {
            return stream;
        }
        assert!(begun.elapsed() < PATIENCE, "{stream:#}");
        #[expect(clippy::disallowed_methods, reason = "there is nothing to wait on but the answer itself")]
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_bare_list_of_components_becomes_a_graph_and_a_manifest() {
    let server = Server::start(MINIMAL);
    let bare = server.get("/api/v1/streams/requests").json();
    assert_eq!(bare["edges"], Value::Array(Vec::new()));
    for path in ["/", "/streams/requests", "/streams/requests/graph.svg", "/streams/requests/graph.dot"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    for token in 0..20 {
        for node in ["frontend", "backend", "database"] {
            let posted = server.post(&format!("{{\"node\":\"{node}\",\"token\":\"t{token}\"}}"));
            assert_eq!(posted.status, 202, "{posted:?}");
        }
    }
    let stream = wait_for_edges(&server, 2);
    for (edge, ends) in
        stream["edges"].as_array().unwrap().iter().zip([("frontend", "backend"), ("backend", "database")])
    {
        assert_eq!((edge["from"].as_str().unwrap(), edge["to"].as_str().unwrap()), ends);
        assert_eq!(edge["discovered"], true);
        assert_eq!(edge["check"], Value::Null);
        assert_eq!(edge["status"], "OK");
        assert_eq!((edge["ledger"]["upstream"].as_u64(), edge["ledger"]["pass"].as_u64()), (Some(20), Some(20)));
    }
    let detail = server.get("/api/v1/streams/requests/edges/frontend/backend").json();
    assert_eq!(detail["window"].as_array().unwrap().len(), 20);
    assert_eq!(server.get("/api/v1/streams/requests/edges/database/backend").status, 404);
    let svg = server.get("/streams/requests/graph.svg").body;
    assert!(svg.contains("discovered"), "{svg}");
    let metrics = server.get("/metrics").body;
    assert!(
        metrics.contains("observatory_discovery_skipped_total{stream=\"requests\",what=\"parents\"} 0"),
        "{metrics}"
    );
    // And a manifest of it, which runs.
    let made = run(&["init", "--from", &server.url], "");
    assert!(made.status.success(), "{made:?}");
    let text = String::from_utf8(made.stdout).unwrap();
    let checked = run(&["check", "-"], &text);
    assert!(
        checked.status.success() && String::from_utf8_lossy(&checked.stdout).contains("2 edges, 0 warnings"),
        "{checked:?}\n{text}"
    );
}

#[test]
fn an_unknown_parent_is_refused_unless_unknown_nodes_are_accepted() {
    let server = Server::start(MINIMAL);
    let posted = server.post(
        r#"[{"node":"backend","token":"t","parent":"fronted"},{"node":"backend","token":"t","parent":"frontend"}]"#,
    );
    assert_eq!(posted.status, 202);
    assert_eq!(posted.json()["rejected"][0]["error"], r#"no stream has a parent "fronted"; did you mean "frontend"?"#);
    let stream = wait_for_edges(&server, 1);
    assert_eq!(stream["edges"][0]["from"], "frontend");
    let accepting = Server::start(&format!("unknown_nodes = \"accept\"\n{MINIMAL}"));
    let posted = accepting.post(r#"{"node":"backend","token":"t","parent":"somebody"}"#);
    assert_eq!(posted.json()["accepted"], 1);
}

#[test]
fn a_replay_draws_what_it_has_read() {
    let files = Files::new();
    let manifest = files.write("minimal.toml", MINIMAL);
    let mut events = String::new();
    for (node, at_us) in [("frontend", 0), ("backend", 300), ("database", 500)] {
        events +=
            &format!("{{\"node\":\"{node}\",\"token\":\"t\",\"timestamp\":{}}}\n", 1_700_000_000_000_000_u64 + at_us);
    }
    let events = files.write("events.ndjson", &events);
    for arguments in [vec!["replay", &manifest, &events], vec!["replay", &manifest, &events, "--settle"]] {
        let judged = run(&[&arguments[..], &["--json"]].concat(), "");
        let answer: Value = serde_json::from_slice(&judged.stdout).unwrap();
        let edges = answer["streams"][0]["edges"].as_array().unwrap();
        assert_eq!(edges.len(), 2, "{answer:#}");
        assert!(edges.iter().all(|edge| edge["worst"] == "OK" && edge["discovered"] == true), "{answer:#}");
        assert_eq!(judged.status.code(), Some(0));
    }
}
