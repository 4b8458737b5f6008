//! Recorded events: judged by their own timestamps, the same every time.

use std::fs;
use std::sync::Arc;

use observatory::graph::System;
use observatory::input::recording::Recording;
use observatory::input::replay::{ReplayReport, run};
use observatory::manifest::{Source, load};
use observatory::outcome::{Ledger, Status};

const MANIFEST: &str = r#"
name = "Intro"
[[stream]]
name = "intro"
  [[stream.edge]]
  from = "web-server"
  to = "event-processor"
  check = { within = "500ms", ok = 3, warn = 0, fail = 0 }
"#;
const START_US: u64 = 1_700_000_000_000_000;

fn system(manifest: &str) -> Arc<System> {
    Arc::new(load(&Source::Text("test.toml".to_owned(), manifest.to_owned())).unwrap().system)
}

/// An event so many milliseconds after the start.
fn event(node: &str, token: &str, after_ms: u64) -> String {
    format!("{{\"node\":\"{node}\",\"token\":\"{token}\",\"timestamp\":{}}}\n", START_US + after_ms * 1_000)
}

fn sent(token: &str, after_ms: u64) -> String {
    event("web-server", token, after_ms)
}

fn seen(token: &str, after_ms: u64) -> String {
    event("event-processor", token, after_ms)
}

fn replay_with(manifest: &str, files: &[String], settle: bool) -> ReplayReport {
    let folder = tempfile::tempdir().unwrap();
    let write = |(place, text): (usize, &String)| {
        let path = folder.path().join(format!("{place}.ndjson"));
        fs::write(&path, text).unwrap();
        Recording::events(path)
    };
    let paths: Vec<_> = files.iter().enumerate().map(write).collect();
    let mut read = 0;
    let report = run(&system(manifest), &paths, settle, &mut |bytes| read = bytes).unwrap();
    assert_eq!(read, files.iter().map(|file| file.len() as u64).sum::<u64>());
    report
}

fn replay(files: &[String], settle: bool) -> ReplayReport {
    replay_with(MANIFEST, files, settle)
}

fn ledger(report: &ReplayReport) -> Ledger {
    report.board.streams[0].edges[0].ledger
}

#[test]
fn what_is_in_flight_at_the_end_stays_so_unless_it_is_settled() {
    let file = [sent("a", 0), seen("a", 100), sent("b", 200), seen("b", 900), sent("c", 1_000)].concat();
    let report = replay(std::slice::from_ref(&file), false);
    assert_eq!(ledger(&report), Ledger { upstream: 3, pass: 1, late: 1, in_flight: 1, ..Ledger::default() });
    assert_eq!((report.counts.accepted, report.counts.rejected), (5, 0));
    let report = replay(&[file], true);
    assert_eq!(ledger(&report), Ledger { upstream: 3, pass: 1, late: 1, missing: 1, ..Ledger::default() });
}

#[test]
fn worst_is_remembered_when_the_end_is_good() {
    let mut file = sent("lost", 0);
    for request in 0..10 {
        file += &sent(&format!("good{request}"), 3_000 + request * 10_000);
        file += &seen(&format!("good{request}"), 3_100 + request * 10_000);
    }
    let report = replay(&[file], false);
    assert_eq!(report.board.streams[0].edges[0].held, Status::Ok);
    assert_eq!(report.worst, [[Status::Nok]]);
}

#[test]
fn several_files_are_read_as_one() {
    let sent: Vec<_> = (0..100).map(|n| (n * 70, sent(&n.to_string(), n * 70))).collect();
    let seen: Vec<_> = (0..100).map(|n| (n * 77 + 20, seen(&n.to_string(), n * 77 + 20))).collect();
    let file = |events: &[(u64, String)]| events.iter().map(|(_, event)| event.as_str()).collect::<String>();
    let mut all = [sent.clone(), seen.clone()].concat();
    all.sort();
    let one = replay(&[file(&all)], true);
    assert!(ledger(&one).late > 0 && ledger(&one).pass > 0);
    for files in [[file(&sent), file(&seen)], [file(&seen), file(&sent)]] {
        let merged = replay(&files, true);
        assert_eq!(ledger(&merged), ledger(&one));
        assert_eq!(merged.worst, one.worst);
        assert_eq!(merged.board.at, one.board.at);
    }
}

#[test]
fn a_refused_event_does_not_move_the_clock_and_a_duplicate_does() {
    let refused = [sent("a", 0), event("nobody", "x", 60_000), seen("a", 400)].concat();
    let report = replay(&[refused], false);
    assert_eq!(ledger(&report), Ledger { upstream: 1, pass: 1, ..Ledger::default() });
    let line = report.counts.first_rejected[0].to_string();
    assert!(line.contains("0.ndjson:2: no stream has a node \"nobody\""), "{line}");

    let again = [sent("a", 0), sent("a", 2_000), seen("a", 400)].concat();
    let report = replay(&[again], false);
    let expected = Ledger { upstream: 1, pass: 1, duplicates: 1, revisions: 1, ..Ledger::default() };
    assert_eq!(ledger(&report), expected);
}

#[test]
fn what_cannot_be_read_is_counted_and_the_file_goes_on() {
    let bad = "{\"node\":\"web-server\",\"token\":\"a\"}\n\nwhat?\n\u{0}\n";
    let report = replay(&[format!("\u{feff}{}{bad}{}", sent("a", 0), seen("a", 5))], false);
    assert_eq!(ledger(&report).pass, 1);
    assert_eq!((report.counts.accepted, report.counts.rejected), (2, 3));
    let lines: Vec<_> = report.counts.first_rejected.iter().map(|rejected| rejected.line).collect();
    assert_eq!(lines, [2, 4, 5]);
}

#[test]
fn unknown_senders_are_counted_where_the_manifest_accepts_them() {
    let manifest = format!("unknown_nodes = \"accept\"\n{MANIFEST}");
    let file = [event("y", "a", 0), event("x", "a", 1), event("x", "b", 2), sent("a", 3)].concat();
    let report = replay_with(&manifest, &[file], false);
    let senders: Vec<_> = report.board.unknown_senders.iter().map(|s| (s.name.as_str(), s.events)).collect();
    assert_eq!(senders, [("x", 2), ("y", 1)]);
    assert_eq!(report.counts.accepted, 4);
}

#[test]
fn no_events_give_no_verdict() {
    let report = replay(&[String::new()], true);
    assert_eq!(report.worst, [[Status::Unknown]]);
    assert_eq!(ledger(&report), Ledger::default());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = run(&system(MANIFEST), &[Recording::events("/no/such/file")], false, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("failed to read /no/such/file"), "{error}");
    let stdin = Recording::events("-");
    let error = run(&system(MANIFEST), &[stdin.clone(), stdin], false, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("only once"), "{error}");
}
