//! The server reads log files, and its verdicts show it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::Timestamp;

use crate::harness::{Files, ORDERS, Server, event, observatory, wait_until};

/// `web` and `worker` by their logs, the rest by HTTP.
pub(crate) fn manifest(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"{ORDERS}
[[input.log]]
name = "front"
nodes = ["web"]
path = "{folder}/web*.log"
  [[input.log.rule]]
  node = "web"
  match = '^(?<timestamp>\S+) GET \S+ req=(?<token>\S+)'

[[input.log]]
name = "back"
nodes = ["worker"]
path = "{folder}/worker.log"
  [[input.log.rule]]
  node = "worker"
  match = '^(?<timestamp>\S+) did (?<token>\S+)'
"#
    )
}

fn serve(files: &Files) -> Server {
    let path = files.write("manifest.toml", &manifest(files.folder()));
    Server::spawn(observatory().args(["serve", &path, "--listen", "127.0.0.1:0"]))
}

pub(crate) fn append(files: &Files, name: &str, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(files.path(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

pub(crate) fn web(token: &str) -> String {
    format!("{} GET /orders req={token}\n", Timestamp::now())
}

fn worker(token: &str) -> String {
    format!("{} did {token}\n", Timestamp::now())
}

impl Server {
    fn await_passes(&self, passes: u64) {
        wait_until("they have passed", || (self.edge(0)["ledger"]["pass"] == passes).then_some(()));
    }

    fn metric(&self, name: &str) -> u64 {
        let metrics = self.get("/metrics").body;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }
}

#[test]
fn lines_that_are_written_become_verdicts() {
    let files = Files::new();
    append(&files, "web.log", &web("before-we-came"));
    let server = serve(&files);
    server.await_input("front", "up");
    // A file that comes late is read from its beginning.
    append(&files, "worker.log", &worker("a"));
    append(&files, "web.log", &web("a"));
    append(&files, "web.log", "something else\n\u{0}torn\n");
    append(&files, "web-2.log", &(web("b") + &web("c")));
    append(&files, "worker.log", &(worker("b") + &worker("c")));
    server.await_passes(3);
    assert_eq!(server.edge(0)["ledger"]["upstream"], 3, "what was there before is not read");
    assert_eq!(
        (server.edge(0)["status"].clone(), server.edge(0)["ledger"]["missing"].clone()),
        ("OK".into(), 0.into())
    );
    for (result, lines) in [("event", 3), ("no_rule", 1), ("refused", 1)] {
        let name = format!("observatory_log_lines_total{{input=\"front\",result=\"{result}\"}}");
        assert_eq!(server.metric(&name), lines, "{name}");
    }
    assert_eq!(server.metric("observatory_log_files{input=\"front\"}"), 2);
    assert_eq!(server.metric("observatory_events_total{input=\"back\"}"), 3);
}

#[test]
fn a_message_that_the_log_of_the_downstream_node_does_not_show_is_missing() {
    let files = Files::new();
    append(&files, "worker.log", "");
    let server = serve(&files);
    server.await_input("back", "up");
    server.await_input("front", "up");
    append(&files, "web.log", &web("lost"));
    wait_until("it is missing", || (server.edge(0)["ledger"]["missing"] == 1).then_some(()));
}

#[test]
fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let files = Files::new();
    append(&files, "web.log", "");
    append(&files, "worker.log", "");
    let server = serve(&files);
    server.await_input("front", "up");
    server.await_input("back", "up");
    for round in 0..5 {
        append(&files, "web.log", &web(&format!("{round}-last")));
        append(&files, "worker.log", &worker(&format!("{round}-last")));
        fs::rename(files.path("web.log"), files.path(&format!("web-{round}.log"))).unwrap();
        fs::rename(files.path("worker.log"), files.path("worker.log.1")).unwrap();
        append(&files, "web.log", &web(&format!("{round}-first")));
        append(&files, "worker.log", &worker(&format!("{round}-first")));
        server.await_passes(2 * (round + 1));
    }
    let ledger = &server.edge(0)["ledger"];
    assert_eq!((ledger["upstream"].clone(), ledger["duplicates"].clone()), (10.into(), 0.into()));
}

#[test]
fn an_input_whose_rules_change_goes_on_where_it_was() {
    let files = Files::new();
    let server = serve(&files);
    server.await_input("front", "up");
    append(&files, "web.log", &web("a"));
    append(&files, "worker.log", &worker("a"));
    server.await_passes(1);
    let changed = manifest(files.folder()).replace("GET", "(?:GET|POST)");
    fs::rename(files.write(".new", &changed), files.path("manifest.toml")).unwrap();
    append(&files, "web.log", &web("b").replace("GET", "POST"));
    append(&files, "worker.log", &worker("b"));
    server.signal("HUP");
    wait_until("the manifest is in force", || {
        (server.metric("observatory_manifest_reloads_total{result=\"ok\"}") == 1).then_some(())
    });
    append(&files, "web.log", &web("c").replace("GET", "POST"));
    append(&files, "worker.log", &worker("c"));
    wait_until("the new rule reads", || {
        let ledger = &server.edge(0)["ledger"];
        (ledger["pass"].as_u64() >= Some(2) && ledger["upstream"] == ledger["pass"]).then_some(())
    });
    assert_eq!(server.edge(0)["ledger"]["duplicates"], 0, "nothing is read again");
    let removed = manifest(files.folder()).split("[[input.log]]").next().unwrap().to_owned();
    fs::rename(files.write(".new", &removed), files.path("manifest.toml")).unwrap();
    wait_until("the inputs are gone", || {
        (server.get("/status").json()["inputs"].as_array().unwrap().len() == 1).then_some(())
    });
}

#[test]
fn a_file_that_cannot_be_read_is_said_and_read_on_when_it_can() {
    let files = Files::new();
    append(&files, "worker.log", "");
    append(&files, "web.log", "");
    let permit = |mode| fs::set_permissions(files.path("worker.log"), fs::Permissions::from_mode(mode)).unwrap();
    permit(0);
    if fs::read(files.path("worker.log")).is_ok() {
        // Permissions do not bind the superuser: a folder in the way does as well.
        permit(0o644);
        return;
    }
    let server = serve(&files);
    server.await_input("back", "down");
    let error = server.input("back")["last_error"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("worker.log") && error.contains("ermission"), "{error}");
    append(&files, "web.log", &web("a"));
    permit(0o644);
    append(&files, "worker.log", &worker("a"));
    server.await_input("back", "up");
    server.await_passes(1);
    assert_eq!(server.edge(0)["ledger"]["missing"], 0);
}

#[test]
fn events_by_http_and_lines_meet() {
    let files = Files::new();
    let server = serve(&files);
    server.await_input("front", "up");
    append(&files, "web.log", &web("a"));
    append(&files, "worker.log", &worker("a"));
    server.await_passes(1);
    server.post(&event("books", "a"));
    wait_until("it is booked", || (server.edge(1)["ledger"]["pass"] == 1).then_some(()));
}
