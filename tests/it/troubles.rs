//! What goes wrong at an input that is up is said where people look: on the pages, in `/status`, and once in the log.

use crate::harness::{Files, ORDERS, Server, event, observatory, wait_until};

/// What the strip of inputs says on a stream's page.
fn strip(server: &Server) -> String {
    let page =
        crate::harness::read(ureq::get(format!("{}/streams/orders", server.url)).header("Accept", "text/html").call());
    page.body.split("class=\"inputs\"").nth(1).unwrap().split("</ul>").next().unwrap().to_owned()
}

fn last_error(server: &Server, input: &str) -> String {
    server.input(input)["last_error"]["error"].as_str().unwrap_or("").to_owned()
}

/// The lines of the log that hold all of this.
fn lines(server: &Server, texts: &[&str]) -> usize {
    let log = server.log();
    log.lines().filter(|line| texts.iter().all(|text| line.contains(text))).count()
}

#[test]
fn an_unknown_node_is_said_once() {
    let server = Server::start(ORDERS);
    assert!(!strip(&server).contains("<li"), "all is well");
    for number in 0..20 {
        assert_eq!(server.post(&event("wbe", &format!("t-{number}"))).status, 422);
    }
    // What is refused beside what is taken counts as well.
    assert_eq!(server.post(&format!("[{}, {}]", event("web", "a"), event("bokos", "a"))).status, 202);
    let error =
        wait_until("/status says it", || Some(last_error(&server, "http")).filter(|said| said.contains("bokos")));
    assert_eq!(error, "an event was refused: no stream has a node \"bokos\"; did you mean \"books\"?");
    let strip = wait_until("the page says it", || Some(strip(&server)).filter(|strip| strip.contains("bokos")));
    assert!(strip.contains("class=\"troubled\"") && strip.contains("<bdi>http</bdi> had trouble"), "{strip}");
    assert_eq!(server.input("http")["state"], "up");
    let said = |node: &str| lines(&server, &["events are refused", "input.http", node]);
    assert_eq!([said("wbe"), said("bokos")], [1, 1], "{}", server.log());
}

#[test]
fn a_body_that_is_no_json_is_said_once() {
    let server = Server::start(ORDERS);
    let answer = server.post("{\"node\": \"web\"");
    assert_eq!(answer.status, 400);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail.matches("no JSON").count(), 1, "{detail}");
    assert!(detail.contains("line 1 column"), "{detail}");
    let error = wait_until("/status says it", || Some(last_error(&server, "http")).filter(|said| !said.is_empty()));
    assert!(error.contains(&detail), "{error}");
}

#[test]
fn a_log_that_is_not_there_is_said() {
    let files = Files::new();
    let nowhere = files.path("nowhere*.log");
    let server = Server::start(&format!(
        "{ORDERS}\n[[input.log]]\npath = \"{}\"\n[[input.log.rule]]\nnode = \"web\"\nmatch = 'req=(?<token>\\S+)'\n",
        nowhere.display()
    ));
    let error = wait_until("/status says it", || Some(last_error(&server, "log")).filter(|said| !said.is_empty()));
    assert_eq!(error, format!("no file matches {}", nowhere.display()));
    let strip =
        wait_until("the page says it", || Some(strip(&server)).filter(|strip| strip.contains("no file matches")));
    assert!(strip.contains("<bdi>log</bdi> had trouble"), "{strip}");
    assert_eq!(lines(&server, &["input.log", "no file matches"]), 1, "{}", server.log());
    // What was well meanwhile is said again.
    let at = || server.input("log")["last_error"]["at"].clone();
    let first = at();
    let file = files.write("nowhere-else.log", "");
    let found = || server.get("/metrics").body.contains("observatory_log_files{input=\"log\"} 1\n");
    wait_until("the file is found", || found().then_some(()));
    std::fs::remove_file(file).unwrap();
    wait_until("/status says it again", || (at() != first).then_some(()));
    assert_eq!(lines(&server, &["input.log", "no file matches"]), 2, "{}", server.log());
}

#[test]
fn a_broker_that_is_not_there_is_named_once() {
    let server = Server::start(&format!("{ORDERS}\n[[input.amqp]]\nurl = \"amqp://127.0.0.1:1\"\nqueue = \"q\"\n"));
    let tried = || server.input("amqp")["last_error"]["at"].as_str().map(str::to_owned);
    let first = wait_until("it was tried", tried);
    let second = wait_until("it was tried again", || tried().filter(|at| *at != first));
    wait_until("and again", || tried().filter(|at| *at != second));
    assert!(last_error(&server, "amqp").starts_with("127.0.0.1:1: "), "{}", last_error(&server, "amqp"));
    assert_eq!(lines(&server, &["the input is down"]), 1, "{}", server.log());
    assert_eq!(lines(&server, &["ERROR"]), 0, "the client's own lines are noise: {}", server.log());
}

/// The same folder, whatever the working directory is.
#[test]
fn paths_begin_at_the_manifest() {
    let (files, elsewhere) = (Files::new(), Files::new());
    let manifest = files.write(
        "m.toml",
        &format!(
            "{ORDERS}\n[server]\ndata_dir = \"data\"\n[[input.log]]\npath = \"logs/*.log\"\nfrom = \"beginning\"\n\
             [[input.log.rule]]\nnode = \"web\"\nmatch = 'req=(?<token>\\S+)'\n"
        ),
    );
    std::fs::create_dir(files.path("logs")).unwrap();
    files.write("logs/web.log", "req=a\n");
    let mut serve = observatory();
    let server =
        Server::spawn(serve.args(["serve", &manifest, "--listen", "127.0.0.1:0"]).current_dir(elsewhere.folder()));
    wait_until("the line is read", || (server.input("log")["events"] == 1).then_some(()));
    assert!(files.path("data").is_dir());
    assert_eq!(std::fs::read_dir(elsewhere.folder()).unwrap().count(), 0);
}
