//! `observatory init`: the manifest says what was seen, and `check` accepts it.

use std::fmt::Write;

use observatory::init::{Groups, Latencies, NothingSeen, Observed, ObservedEdge, ObservedStream, manifest, of_events};
use observatory::manifest::{Manifest, Source, load, render};

use crate::harness::{Files, run};

/// Reads a manifest that must be good, without a word.
fn good(text: &str) -> Manifest {
    let read = load(&Source::Text("made.toml".to_owned(), text.to_owned()));
    let manifest = read.unwrap_or_else(|problems| panic!("{}\n{text}", render(&problems, false)));
    assert_eq!(render(&manifest.warnings, false), "", "{text}");
    manifest
}

/// Its edges, as `from -> to within`.
fn edges(manifest: &Manifest) -> Vec<String> {
    let stream = &manifest.system.streams[0];
    let name = |place: usize| manifest.system.nodes[stream.nodes[place].id.0 as usize].as_str();
    let edge = |edge: &observatory::graph::Edge| {
        let within = edge.check.as_ref().map(|check| {
            let optional = if check.optional { " optional" } else { "" };
            format!(" {}{optional}", check.within_text)
        });
        format!("{} -> {}{}", name(edge.from), name(edge.to), within.unwrap_or_default())
    };
    stream.edges.iter().map(edge).collect()
}

fn event(node: &str, token: u64, at_us: u64) -> String {
    format!("{{\"node\":\"{node}\",\"token\":\"t{token}\",\"timestamp\":{}}}\n", 1_700_000_000_000_000 + at_us)
}

/// From web to worker in up to 87 ms; two of three go on to the mailer in 3 s, each to the database in 1 ms.
fn recording(messages: u64) -> String {
    let mut events = Vec::new();
    for token in 0..messages {
        let start_us = token * 10_000_000;
        let worker_us = start_us + 1_000 + (token % 100) * 868;
        events.extend([(start_us, "web", token), (worker_us, "worker", token), (worker_us + 1_000, "database", token)]);
        if token % 3 > 0 {
            events.push((worker_us + if token % 7 == 0 { 500 } else { 3_000_000 }, "mailer", token));
        }
    }
    events.sort_unstable();
    events.into_iter().map(|(at_us, node, token)| event(node, token, at_us)).collect()
}

#[test]
fn a_recording_becomes_a_manifest_that_check_accepts() {
    let text = manifest(&of_events("orders", "orders.ndjson", &[recording(300).into_bytes()]).unwrap());
    let made = good(&text);
    assert_eq!(edges(&made), ["web -> worker 100ms", "worker -> database 1ms", "worker -> mailer 5s optional"]);
    assert_eq!(made.system.streams[0].name, "orders");
    assert!(
        text.contains("# 300 of 300 messages (100.0 %) came: half took at most 44 ms, 999 of 1,000 at most 87 ms."),
        "{text}"
    );
    assert!(text.contains("# 200 of 300 messages (66.6 %) came"), "{text}");
    assert!(text.contains("# 300 messages seen."), "{text}");
}

#[test]
fn busy_edges_are_judged_by_shares() {
    let text = manifest(&of_events("orders", "orders.ndjson", &[recording(2_000).into_bytes()]).unwrap());
    good(&text);
    assert!(text.contains("within = \"100ms\", ok = 20, warn = \"1%\", fail = \"5%\", window = \"5m\""), "{text}");
}

#[test]
fn what_a_recording_names_is_kept_out_of_the_grammar() {
    let mut recorded = String::new();
    for (node, token) in [("a\\\"b", 1), ("\\u202e # x", 1), ("${HOME}", 1), ("ünï", 2)] {
        recorded += &event(node, token, token);
    }
    writeln!(recorded, "no json at all\n{{\"node\":\"web\",\"token\":\"t\"}}\n{{\"node\":5}}").unwrap();
    let text = manifest(&of_events("a b/\n..", "odd\nname # x", &[recorded.into_bytes()]).unwrap());
    let made = good(&text);
    assert_eq!(made.system.nodes, ["a\"b", "\u{202e} # x", "ünï", "web"]);
    assert_eq!(made.system.streams[0].name, "a-b--..");
    for note in
        ["could not be used", "1 event had no timestamp", "Left out, since a manifest cannot name them: ${HOME}"]
    {
        assert!(text.contains(note), "{note} is not in {text}");
    }
}

#[test]
fn a_recording_without_events_says_so() {
    assert_eq!(of_events("a", "a", &[Vec::new()]), Err(NothingSeen::NoEvents(None)));
    let bad = of_events("a", "a", &[b"{\"node\":\"a\",\"token\":\"\",\"timestamp\":1}\n".to_vec()]).unwrap_err();
    assert!(bad.to_string().contains("that can be used"), "{bad}");
}

#[test]
fn aliases_and_parents_are_understood() {
    let base = 1_700_000_000_000_000_u64;
    let mut text = String::new();
    for token in 0..10 {
        let at = base + token * 1_000_000;
        writeln!(text, "{{\"node\":\"front\",\"token\":\"r{token}\",\"timestamp\":{at}}}").unwrap();
        writeln!(text, "{{\"node\":\"queue\",\"token\":\"j{token}\",\"timestamp\":{},\"alias\":\"r{token}\"}}", at + 7)
            .unwrap();
        writeln!(text, "{{\"node\":\"log\",\"token\":\"j{token}\",\"timestamp\":{},\"parent\":\"front\"}}", at + 9)
            .unwrap();
    }
    let made = good(&manifest(&of_events("jobs", "jobs", &[text.into_bytes()]).unwrap()));
    assert_eq!(edges(&made), ["front -> log 1ms", "front -> queue 1ms"]);
}

#[test]
fn what_a_server_has_seen_is_kept() {
    let edge = ObservedEdge { from: "a".to_owned(), to: "b".to_owned(), ..ObservedEdge::default() };
    let groups = Groups { every: 5, expect: 2, same_token: true, within_us: 250_000 };
    let latencies = Some(Latencies { p50_us: 1_000, p999_us: 2_500_000 });
    let counted = ObservedEdge { to: "c".to_owned(), groups: Some(groups), latencies, ..edge.clone() };
    let lossy =
        ObservedEdge { to: "d".to_owned(), upstream: 10_000, matches: 9_700, exact: true, latencies, ..edge.clone() };
    let named = ObservedEdge {
        to: "e".to_owned(),
        name: Some("\"odd\" name".to_owned()),
        upstream: 9,
        matches: 8,
        latencies,
        ..edge.clone()
    };
    let stream = ObservedStream {
        name: "s".to_owned(),
        description: "\\ what\tflows \"here\"".to_owned(),
        nodes: ["a", "b", "c", "d", "e"].map(str::to_owned).into(),
        edges: vec![edge, counted, lossy, named],
        messages: None,
    };
    let nodes_only = ObservedStream { name: "t".to_owned(), nodes: vec!["a".to_owned()], ..ObservedStream::default() };
    let observed = Observed { name: "x".to_owned(), streams: vec![stream, nodes_only], ..Observed::default() };
    let text = manifest(&observed);
    let made = good(&text);
    assert_eq!(edges(&made), ["a -> b", "a -> c 250ms", "a -> d 5s", "a -> e 5s"]);
    assert_eq!(made.system.streams[0].edges[1].count().unwrap().every, 5);
    assert!(text.contains("warn = \"4%\", fail = \"8%\""), "{text}");
    assert!(made.system.streams[1].discover.is_some());
}

#[test]
fn the_command_reads_files_and_says_what_is_wrong() {
    let files = Files::new();
    let path = files.write("orders.ndjson", &recording(50));
    let made = run(&["init", "--from", &path], "");
    assert!(made.status.success(), "{made:?}");
    let text = String::from_utf8(made.stdout).unwrap();
    good(&text);
    let checked = run(&["check", "-"], &text);
    assert!(checked.status.success(), "{checked:?}");
    let piped = run(&["init", "--from", "-"], &recording(50));
    assert!(String::from_utf8(piped.stdout).unwrap().contains("name = \"stream\""));
    assert_eq!(run(&["init", "--from", "/nowhere/to/be/found"], "").status.code(), Some(1));
    assert_eq!(run(&["init", "--from", "http://127.0.0.1:9", &path], "").status.code(), Some(2));
    assert_eq!(run(&["init"], "").status.code(), Some(2));
    assert_eq!(run(&["init", "--from", "-"], "{}\n").status.code(), Some(1));
    // The manifest is one by which the same events can be judged.
    let manifest = files.write("made.toml", &text);
    let judged = run(&["replay", &manifest, &path, "--settle", "--json"], "");
    assert_eq!(judged.status.code(), Some(0), "{judged:?}");
}
