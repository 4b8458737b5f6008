//! `check --sample` and `replay` on logs.

use std::io::Write;
use std::process::Output;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::STREAM;
use crate::harness::{Files, run};

const INPUTS: &str = r#"
[[input.log]]
name = "fronts"
path = "/var/log/front*.log"
  [[input.log.rule]]
  node = "front"
  match = '^(?<timestamp>\S+) .* req=(?<token>[0-9a-f]{4})'
[[input.log]]
name = "backs"
path = "/var/log/back*.log"
  [[input.log.rule]]
  node = "back"
  json = { token = "/id", timestamp = "/at" }
  timestamp = "ms"
"#;

const FRONT: &str = "\
2026-11-20T12:00:00.000Z GET / req=0001
2026-11-20T12:00:01.000Z GET / req=000x
2026-11-20T12:00:02.000Z GET /
2026-11-20T12:00:03.000Z GET /ö req=0002
yesterday GET / req=0003
";

/// The back, 200 ms later each.
const BACK: &str = "{\"id\":\"0001\",\"at\":1795176000200}\n{\"id\":\"0002\",\"at\":1795176003200}\n";

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A folder with the manifest and these files; compressed where the name says so.
fn files(logs: &[(&str, &str)]) -> (Files, String) {
    let files = Files::new();
    let manifest = files.write("m.toml", &format!("{INPUTS}{STREAM}"));
    for (name, text) in logs {
        let bytes = if name.ends_with("gz") { gz(text) } else { text.as_bytes().to_vec() };
        std::fs::write(files.path(name), bytes).unwrap();
    }
    (files, manifest)
}

fn path(files: &Files, name: &str) -> String {
    files.path(name).to_str().unwrap().to_owned()
}

#[test]
fn a_sample_shows_which_rule_took_each_line() {
    for name in ["front.log", "front.log.2.gz"] {
        let (files, manifest) = files(&[(name, FRONT)]);
        let output = run(&["check", &manifest, "--sample", &path(&files, name), "--json"], "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = json(&output);
        let first = &said["sample"][0];
        assert_eq!((&first["line"], &first["rule"]), (&1.into(), &1.into()));
        assert_eq!((&first["node"], &first["token"]), (&"front".into(), &"0001".into()));
        assert_eq!(first["timestamp"], "2026-11-20T12:00:00.000000Z");
        let near = |line: usize| said["sample"][line]["near"].as_str().unwrap().to_owned();
        assert!(near(1).contains("misses `(?<token>[0-9a-f]{4})`"), "{said}");
        assert!(near(2).contains("misses ` req=`"), "{said}");
        assert!(said["sample"][4]["error"].as_str().unwrap().contains("\"yesterday\""), "{said}");
        let counts = ["lines", "taken", "untaken", "refused"].map(|what| said[what].as_u64().unwrap());
        assert_eq!(counts, [5, 2, 2, 1]);

        let text = stdout(&run(&["check", &manifest, "--sample", &path(&files, name)], ""));
        for part in
            ["rule 1  2026-11-20T12:00:00.000000Z  front  0001", "no rule: ", "rule 1, refused: ", "2 of 5 lines taken"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn a_sample_of_which_nothing_is_taken_ends_with_1() {
    let (_files, manifest) = files(&[]);
    let output = run(&["check", &manifest, "--sample", "-", "--input", "fronts"], "nothing of ours\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("0 of 1 lines taken, 1 by no rule"), "{output:?}");
    // Which input it is must be known.
    let output = run(&["check", &manifest, "--sample", "-"], "x\n");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--input fronts or --input backs"), "{said}");
    let output = run(&["check", &manifest, "--sample", "-", "--input", "front"], "x\n");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn logs_and_events_are_replayed_together() {
    let events = "{\"node\":\"back\",\"token\":\"0001\",\"timestamp\":1795176000200000}\n\
                  {\"node\":\"back\",\"token\":\"0002\",\"timestamp\":1795176003200000}\n";
    for (front, back, text) in [
        ("front.log", "back.log", BACK),
        ("front.log.1.gz", "back-20261120.log.gz", BACK),
        ("front.log", "events.ndjson", events),
        ("front.log.gz", "events.jsonl.gz", events),
    ] {
        let (files, manifest) = files(&[(front, FRONT), (back, text)]);
        let arguments = ["replay", &manifest, &path(&files, back), &path(&files, front), "--json"];
        let output = run(&arguments, "");
        assert_eq!(output.status.code(), Some(0), "{front} {back}: {output:?}");
        let ledger = &json(&output)["streams"][0]["edges"][0]["ledger"];
        assert_eq!((&ledger["upstream"], &ledger["pass"]), (&2.into(), &2.into()), "{front} {back}");
        assert_eq!((&json(&output)["accepted"], &json(&output)["rejected"]), (&4.into(), &1.into()), "{front} {back}");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.contains(":5: the timestamp is \"yesterday\""), "{complaint}");
    }
}

#[test]
fn a_file_that_no_input_fits_needs_the_name_of_one() {
    let (files, manifest) = files(&[("other.txt", FRONT)]);
    let other = path(&files, "other.txt");
    let output = run(&["replay", &manifest, &other], "");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let output = run(&["replay", &manifest, &other, "--input", "fronts", "--json"], "");
    assert_eq!(json(&output)["accepted"], 2, "{output:?}");
    // Without any input of logs everything is NDJSON.
    let plain = files.write("plain.toml", STREAM);
    let output = run(&["replay", &plain, &other, "--json"], "");
    assert_eq!((&json(&output)["accepted"], &json(&output)["rejected"]), (&0.into(), &5.into()));
}
