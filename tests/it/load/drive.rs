//! `observatory load` against servers that are well, slow, away or of another mind.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Output, Stdio};

use serde_json::Value;

use crate::harness::{Files, ORDERS, Server, observatory, run, wait_until};

/// `ORDERS`, soon forgotten.
fn orders() -> String {
    format!("horizon = \"500ms\"\n{ORDERS}")
}

/// Runs it against a server with this manifest.
fn load(server: &Server, manifest: &str, more: &[&str]) -> Output {
    let path = Files::new();
    let manifest = path.write("manifest.toml", manifest);
    run(&[&["load", &*manifest, "--to", &server.url], more].concat(), "")
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

const FAULTS: [&str; 12] = [
    "--loss",
    "3%",
    "--late",
    "3%",
    "--unreported",
    "worker=2%",
    "--duplicate",
    "4%",
    "--disorder",
    "20ms",
    "--skew",
    "20ms",
];

#[test]
fn ledgers_are_equal_to_the_truth_again_and_again() {
    let manifest = orders();
    let server = Server::start(&manifest);
    for seed in ["1", "2"] {
        let sending = ["--rate", "2000", "--requests", "2000", "--seed", seed, "--json"];
        let output = load(&server, &manifest, &[&sending[..], &FAULTS].concat());
        let answer = json(&output);
        assert_eq!((output.status.code(), &answer["equal"]), (Some(0), &Value::Bool(true)), "{answer:#}");
        let edge = &answer["streams"][0]["edges"][0];
        for outcome in ["pass", "late", "missing", "unreported", "duplicates"] {
            assert!(edge["expected"][outcome].as_u64().unwrap() > 0, "no {outcome}: {edge:#}");
        }
        assert_eq!(answer["acknowledged"], answer["events"]);
        assert!(answer["latency_ms"]["p99"].as_f64().unwrap() >= answer["latency_ms"]["p50"].as_f64().unwrap());
    }
}

#[test]
fn count_checks_are_equal_as_well() {
    let manifest = format!(
        "{}
  [[stream.edge]]
  from = \"books\"
  to = \"digest\"
  check = {{ kind = \"count\", every = 10, expect = 1, within = \"300ms\" }}
",
        orders()
    );
    let server = Server::start(&manifest);
    let sending = ["--rate", "300", "--requests", "605", "--seed", "3", "--loss", "books/digest=10%", "--json"];
    let output = load(&server, &manifest, &sending);
    let answer = json(&output);
    assert_eq!(output.status.code(), Some(0), "{answer:#}");
    let groups = &answer["streams"][0]["edges"][2]["actual"];
    assert_eq!((&groups["upstream"], &groups["in_flight"]), (&61.into(), &1.into()), "{answer:#}");
    assert!(groups["missing"].as_u64().unwrap() > 0, "{groups}");
}

#[test]
fn a_server_of_another_mind_is_found_out() {
    let server = Server::start(&orders().replace("200ms", "1s"));
    let output =
        load(&server, &orders(), &["--rate", "500", "--requests", "200", "--seed", "1", "--late", "web/worker=30%"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("late: 0, not ") && text.contains("NOT equal"), "{text}");
    let other = orders().replace("\"books\"", "\"ledger\"");
    let output = load(&server, &other, &["--requests", "1"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no edge worker -> ledger in stream orders"), "{said}");
}

#[test]
fn flags_that_do_not_fit_are_wrong() {
    let files = Files::new();
    let manifest = files.write("manifest.toml", &orders());
    for wrong in [["--loss", "web/nobody=1%"], ["--loss", "1"], ["--rate", "0"], ["--disorder", "5s"], ["--batch", "0"]]
    {
        let output = run(&[&["load", &*manifest, "--to", "http://127.0.0.1:1"], &wrong[..]].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let output = run(&["load", &manifest, "--to", "http://127.0.0.1:1", "--patience", "200ms"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("http://127.0.0.1:1") && said.contains("say with --to where it is"), "{said}");
}

/// A server at an address that it can come back to.
fn serve(manifest: &str, address: &str) -> Server {
    Server::spawn(observatory().args(["serve", manifest, "--listen", address]))
}

fn lines(path: &std::path::Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn a_server_that_is_killed_and_comes_back_is_waited_for_and_what_it_acknowledged_is_on_record() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let files = Files::new();
    let (manifest, record) = (files.write("manifest.toml", &orders()), files.path("record.ndjson"));
    let mut command = observatory();
    let to = format!("http://{address}");
    command.args(["load", &manifest, "--to", &to, "--rate", "200", "--requests", "400", "--seed", "1", "--json"]);
    command.args(["--patience", "30s", "--record", record.to_str().unwrap()]);
    // It is there before its server is.
    let load: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let first = serve(&manifest, &address);
    wait_until("some events are acknowledged", || (lines(&record).len() > 100).then_some(()));
    first.signal("KILL");
    drop(first);
    let before = lines(&record).len();
    let second = serve(&manifest, &address);
    let output = load.wait_with_output().unwrap();
    let answer = json(&output);
    // This server keeps nothing, so something is lost: that is found out, and not taken for an outage's doing.
    assert_eq!((output.status.code(), &answer["equal"]), (Some(1), &Value::Bool(false)), "{answer:#}");
    assert!(!answer["outages_ms"].as_array().unwrap().is_empty(), "{answer:#}");
    let recorded = lines(&record);
    assert_eq!(answer["acknowledged"], recorded.len(), "{answer:#}");
    assert!(before < recorded.len());
    assert_eq!(recorded.iter().collect::<BTreeSet<_>>().len(), recorded.len(), "each event is on record once");
    // It is a recording like any other.
    let replayed = run(&["replay", &manifest, record.to_str().unwrap(), "--settle", "--json"], "");
    let replayed = json(&replayed);
    assert_eq!(replayed["streams"][0]["edges"][0]["ledger"]["pass"], 400, "{replayed:#}");
    drop(second);
}
