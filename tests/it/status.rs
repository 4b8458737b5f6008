//! `observatory status`: what it draws, and how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::sync::mpsc::sync_channel;

use serde_json::Value;

use crate::harness::{ORDERS, PATIENCE, Server, event, observatory, run, wait_until};

fn status(server: &Server, more: &[&str]) -> Output {
    run(&[&["status", "--to", &server.url], more].concat(), "")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn pass(server: &Server, tokens: &[&str]) {
    for token in tokens {
        assert_eq!(server.post(&format!("[{},{}]", event("web", token), event("worker", token))).status, 202);
    }
}

/// Waits until the first edge holds this status.
fn until_held(server: &Server, held: &str) {
    wait_until("the edge holds it", || (server.edge(0)["held"] == held).then_some(()));
}

#[test]
fn exit_codes_follow_the_worst_that_is_held() {
    let server = Server::start(ORDERS);
    let ends = || (code(&status(&server, &[])), code(&status(&server, &["--plugin"])));
    assert_eq!(ends(), (5, 3));
    pass(&server, &["a", "b", "c"]);
    until_held(&server, "OK");
    assert_eq!(ends(), (0, 0));
    server.post(&event("web", "lost"));
    until_held(&server, "WARN");
    assert_eq!(ends(), (3, 1));
    server.post(&event("web", "lost again"));
    until_held(&server, "NOK");
    assert_eq!(ends(), (4, 2));
    assert_eq!(code(&status(&server, &["orders"])), 4);
}

#[test]
fn of_several_streams_the_worst_counts() {
    let other = ORDERS.split_once("[[stream]]").unwrap().1.replace("orders", "returns").replace("worker", "clerk");
    let server = Server::start(&format!("{ORDERS}\n[[stream]]{other}"));
    pass(&server, &["a", "b", "c"]);
    until_held(&server, "OK");
    // Nothing of the other stream arrives in time.
    wait_until("it is late", || (code(&status(&server, &["returns"])) == 4).then_some(()));
    assert_eq!((code(&status(&server, &["orders"])), code(&status(&server, &[]))), (0, 4));
    let plugin = stdout(&status(&server, &["--plugin"]));
    assert!(plugin.starts_with("OBSERVATORY NOK - orders: "), "{plugin}");
    assert!(plugin.contains("; returns: 1 edge NOK (web -> clerk NOK("), "{plugin}");
}

#[test]
fn an_input_that_is_down_is_said_before_all_else() {
    let broker = "[[input.amqp]]\nname = \"queue\"\nurl = \"amqp://127.0.0.1:1/%2f\"\nqueue = \"events\"\n";
    let server = Server::start(&format!("{ORDERS}\n{broker}"));
    let plugin = wait_until("it is down", || {
        let plugin = stdout(&status(&server, &["--plugin"]));
        plugin.starts_with("OBSERVATORY UNKNOWN - input queue is down: ").then_some(plugin)
    });
    assert!(plugin.contains("; orders: "), "{plugin}");
    assert_eq!(code(&status(&server, &["--plugin"])), 3);
    assert!(stdout(&status(&server, &[])).starts_with("NOT ALL IS SEEN: input queue is down: "));
}

#[test]
fn what_went_wrong_with_an_input_that_is_up_is_shown_and_makes_nothing_unknown() {
    let server = Server::start(ORDERS);
    pass(&server, &["a", "b", "c"]);
    until_held(&server, "OK");
    assert!(!stdout(&status(&server, &[])).contains("LAST ERRORS"));
    server.post(&event("nobody\u{202e}", "a"));
    let shown = wait_until("it is shown", || {
        let shown = stdout(&status(&server, &[]));
        shown.split_once("\nLAST ERRORS\n").map(|(_, errors)| errors.to_owned())
    });
    assert!(shown.contains("  input http  an event was refused: ") && shown.contains("nobody"), "{shown:?}");
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
    assert!(stdout(&status(&server, &["--plugin"])).starts_with("OBSERVATORY OK - orders: "));
    assert_eq!(code(&status(&server, &[])), 0);
}

#[test]
fn it_draws_the_graph_the_edges_and_the_lost_tokens() {
    let server = Server::start(ORDERS);
    pass(&server, &["a", "b", "c"]);
    server.post(&event("web", "lost-one"));
    until_held(&server, "WARN");
    let shown = stdout(&status(&server, &[]));
    for part in ["! WARN orders", "[web]── 1 ! WARN 3/4 ─→[… worker]", "WARN(pass=3/4 75%)", "lost-one", "missing"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("Check(within=200ms,ok=3,warn=1,fail=2)") && shown.contains("no check"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let json: Value = serde_json::from_str(&stdout(&status(&server, &["--json"]))).unwrap();
    assert_eq!(json["streams"][0]["edges"][0]["held"], "WARN");
    let plugin = stdout(&status(&server, &["--plugin"]));
    assert!(
        plugin.starts_with("OBSERVATORY WARN - orders: 1 edge WARN (web -> worker WARN(pass=3/4 75%))"),
        "{plugin}"
    );
    assert_eq!((plugin.lines().count(), plugin.matches('|').count()), (1, 1), "{plugin}");
    assert!(plugin.contains(" 'orders missing'=1c;;;0;"), "{plugin}");
}

#[test]
fn who_cannot_be_asked_is_named() {
    let nobody = ["--to", "http://127.0.0.1:1"];
    let output = run(&[&["status"], &nobody[..]].concat(), "");
    assert_eq!(code(&output), 1);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("http://127.0.0.1:1") && said.contains("`observatory serve MANIFEST`"), "{said}");
    let output = run(&[&["status", "--plugin"], &nobody[..]].concat(), "");
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).starts_with("OBSERVATORY UNKNOWN - failed to reach the server"), "{output:?}");
    let server = Server::start(ORDERS);
    assert_eq!(code(&status(&server, &["order"])), 1);
    let output = status(&server, &["order", "--plugin"]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("orders"), "it says what is meant: {output:?}");
    assert_eq!(run(&["status", "--nonsense"], "").status.code(), Some(2));
    assert_eq!(run(&["status", "--plugin", "--nonsense"], "").status.code(), Some(3));
}

#[test]
fn hostile_names_do_not_command_the_terminal() {
    let server = Server::start(
        "[[stream]]\nname = \"s\"\n[[stream.edge]]\nfrom = \"a\u{202e}|\\\\\"\nto = \"漢字\"\ncheck = { within = \"1ms\" }\ngrace = \"1ms\"\n",
    );
    server.post(&serde_json::json!({ "node": "a\u{202e}|\\", "token": "x\u{2028}\u{202e}" }).to_string());
    wait_until("it is lost", || (code(&status(&server, &[])) == 4).then_some(()));
    let shown = stdout(&status(&server, &[]));
    assert!(shown.contains("a\\u{202e}|\\\\ -> 漢字") && shown.contains("x\\u{2028}\\u{202e}"), "{shown}");
    assert!(!shown.contains(['\u{202e}', '\u{2028}', '\u{1b}']), "{shown:?}");
    assert_eq!(stdout(&status(&server, &["--plugin"])).matches('|').count(), 1);
}

#[test]
fn watching_shows_changes_and_a_lost_connection_and_ends_with_an_interrupt() {
    let server = Server::start(ORDERS);
    let mut command = observatory();
    command.args(["status", "-w", "--to", &server.url]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (line_in, lines) = sync_channel(10_000);
    let pipe = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || pipe.lines().map_while(Result::ok).all(|line| line_in.send(line).is_ok()));
    let until = |part: &str| loop {
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error} before {part:?}"));
        if line.contains(part) {
            break;
        }
    };
    until("UNKNOWN(pass=0/0)");
    pass(&server, &["a", "b", "c"]);
    until("OK(pass=3/3 100%)");
    drop(server);
    until("NOT LIVE: orders: ");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
