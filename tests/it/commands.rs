//! The commands that do not serve: their answers and exit codes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::harness::{Files, ORDERS, Server, event, observatory, run, wait_until};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
}

/// Events of one token at `web` and, after so many milliseconds, at `worker`.
fn recorded(requests: &[Option<u64>]) -> String {
    let start_ms = 1_700_000_000_000_u64;
    let line = |node: &str, token: usize, ms: u64| {
        serde_json::json!({ "node": node, "token": format!("t{token}"), "timestamp": ms * 1000 }).to_string() + "\n"
    };
    let mut lines: Vec<(u64, String)> = Vec::new();
    for (number, latency_ms) in requests.iter().enumerate() {
        let at_ms = start_ms + number as u64 * 1000;
        lines.push((at_ms, line("web", number, at_ms)));
        lines.extend(latency_ms.map(|ms| (at_ms + ms, line("worker", number, at_ms + ms))));
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn check_ends_with_0_or_2_and_names_everything() {
    let files = Files::new();
    let good = files.write("good.toml", ORDERS);
    let output = run(&["check", &good], "");
    assert_eq!((output.status.code(), stdout(&output).contains("1 stream")), (Some(0), true), "{output:?}");
    assert_eq!(run(&["check", "-"], ORDERS).status.code(), Some(0));
    let output = run(&["check", &good, "--json"], "");
    assert_eq!((&json(&output)["ok"], &json(&output)["edges"]), (&true.into(), &2.into()));

    let bad = files.write("bad.toml", "nam = \"x\"\n[[stream]]\nname = \"s\"\n[[stream.edge]]\nfrom = \"a\"\n");
    let output = run(&["check", &bad], "");
    assert_eq!(output.status.code(), Some(2));
    for part in ["bad.toml:1:1", "nam = \"x\"", "^^^", "`name`", "`to`"] {
        assert!(stdout(&output).contains(part), "{part}: {}", stdout(&output));
    }
    let output = run(&["check", &bad, "--json"], "");
    assert_eq!(output.status.code(), Some(2));
    let problems = json(&output)["problems"].as_array().unwrap().clone();
    assert!(problems.len() >= 2 && problems.iter().all(|problem| problem["severity"] == "error"), "{problems:?}");

    let warned = files.write("warned.toml", &ORDERS.replace("fail = 2", "fail = 0"));
    assert_eq!(run(&["check", &warned], "").status.code(), Some(0));
    assert_eq!(json(&run(&["check", &warned, "--json"], ""))["problems"][0]["severity"], "warning");
}

#[test]
fn replay_ends_with_the_worst_that_it_saw() {
    let files = Files::new();
    let manifest = files.write("m.toml", ORDERS);
    let code = |requests: &[Option<u64>], more: &[&str]| {
        let events = files.write("events.ndjson", &recorded(requests));
        run(&[&["replay", &*manifest, &*events], more].concat(), "").status.code().unwrap()
    };
    let (good, late) = (Some(10), Some(250));
    assert_eq!(code(&[good, good, good], &[]), 0);
    assert_eq!(code(&[good, good, good, late, good], &[]), 3);
    // It was NOK for a while, and is OK at the end.
    assert_eq!(code(&[late, late, good, good, good, good, good, good, good], &[]), 4);
    assert_eq!(code(&[], &[]), 5);
    // In flight at the end: no outcome, but with --settle it is missing.
    assert_eq!(code(&[None], &[]), 5);
    assert_eq!(code(&[None], &["--settle"]), 3);
    assert_eq!(run(&["replay", &manifest, "/nonexistent.ndjson"], "").status.code(), Some(1));
    assert_eq!(run(&["replay", "/nonexistent.toml", "-"], "").status.code(), Some(2));
    assert_eq!(run(&["replay", &manifest], "").status.code(), Some(2));
}

#[test]
fn replay_answers_as_a_table_or_as_the_api() {
    let files = Files::new();
    let manifest = files.write("m.toml", ORDERS);
    let events = recorded(&[Some(10), Some(10), Some(10), Some(250)]);
    let output = run(&["replay", &manifest, "-"], &events);
    let table = stdout(&output);
    assert!(table.contains("web -> worker") && table.contains("WARN(pass=3/4 75%)"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
    let output = run(&["replay", &manifest, "-", "--json"], &events);
    assert_eq!(output.status.code(), Some(3));
    let edge = &json(&output)["streams"][0]["edges"][0];
    assert_eq!((&edge["status"], &edge["worst"], &edge["ledger"]["late"]), (&"WARN".into(), &"WARN".into(), &1.into()));
    // Bad lines are named; the others count.
    let output = run(&["replay", &manifest, "-", "--json"], &format!("no JSON\n{events}"));
    assert_eq!((&json(&output)["accepted"], &json(&output)["rejected"]), (&8.into(), &1.into()));
    assert!(String::from_utf8(output.stderr).unwrap().contains("-:1:"));
}

#[test]
fn send_reports_one_event_or_many() {
    let server = Server::start(ORDERS);
    let send = |arguments: &[&str], input: &str| run(&[&["send"], arguments, &["--to", &server.url]].concat(), input);
    assert_eq!(send(&["web", "a"], "").status.code(), Some(0));
    assert_eq!(send(&["worker", "a", "--timestamp", "2026-11-20T12:00:00.123456Z"], "").status.code(), Some(0));
    let refused = send(&["wbe", "a"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("web"));
    assert_eq!(send(&["web", "a", "--timestamp", "7"], "").status.code(), Some(1));

    let lines: Vec<_> = (0..2500).map(|token| event("web", &format!("t{token}"))).collect();
    let lines = lines.join("\n") + "\n";
    let output = send(&["-", "--json"], &lines);
    assert_eq!((output.status.code(), &json(&output)["accepted"]), (Some(0), &2500.into()));
    let output = send(&["-", "--json"], &format!("{lines}nonsense\n\n{{\"node\":\"web\",\"token\":\"last\"}}\n"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((&json(&output)["accepted"], &json(&output)["rejected"][0]["index"]), (&2501.into(), &2500.into()));
    wait_until("all are on the board", || (server.edge(0)["ledger"]["upstream"] == 2502).then_some(()));
}

#[test]
fn send_says_what_is_refused_as_it_comes() {
    let server = Server::start(ORDERS);
    let mut command = observatory();
    command.args(["send", "-", "--to", &server.url]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", event("wbe", "a")).unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("refused: event 0: ") && said.contains("web"), "{said}");
    // Only now does its input end.
    writeln!(stdin, "{}", event("web", "a")).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), "accepted 1, refused 1\n"));
}

#[test]
fn send_says_that_nobody_is_there() {
    let output = run(&["send", "web", "a", "--to", "http://127.0.0.1:1"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("failed to reach the server at http://127.0.0.1:1: "), "{said}");
    assert!(said.contains("start one with `observatory serve MANIFEST`, or say with --to where it is"), "{said}");
    assert_eq!(run(&["send", "web"], "").status.code(), Some(2));
}

#[test]
fn help_completions_and_the_manual_are_there() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["help", "replay"], &["--version"], &["man"]] {
        let output = run(arguments, "");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}");
        assert!(stdout(&output).contains("observatory"), "{arguments:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run(&["completions", shell], "")).contains("observatory"), "{shell}");
    }
    assert_eq!(run(&[], "").status.code(), Some(2));
    assert!(stdout(&run(&["man"], "")).contains("OBSERVATORY_LISTEN"));
}

#[test]
fn an_answer_that_nobody_reads_to_its_end_is_no_failure() {
    let mut command = observatory();
    let mut child = command.arg("man").stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
