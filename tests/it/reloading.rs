//! A manifest that changes while the server runs.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use observatory::clock::MonotonicClock;
use observatory::event::{Report, Token};
use observatory::manifest::{Source, load};
use observatory::pipeline::{LocalIntake, Observed, Start};
use serde_json::{Value, json};

use crate::harness::{Files, ORDERS, Server, agent, event, observatory, read, wait_until};

/// A further edge of the stream `orders`.
const MAIL: &str = "\n[[stream.edge]]\nfrom = \"worker\"\nto = \"mail\"\n";
/// A stream of its own, before all others: every node has another number than before.
const FIRST: &str = "[[stream]]\nname = \"first\"\n[[stream.edge]]\nfrom = \"one\"\nto = \"two\"\n\n";

fn with_mail() -> String {
    format!("{ORDERS}{MAIL}")
}

fn with_first() -> String {
    ORDERS.replace("[[stream]]", &format!("{FIRST}[[stream]]"))
}

/// Serves a file that can be changed.
fn serve(manifest: &str) -> (Files, Server) {
    let files = Files::new();
    let path = files.write("manifest.toml", manifest);
    let server = Server::spawn(observatory().args(["serve", &path, "--listen", "127.0.0.1:0"]));
    (files, server)
}

/// Puts another file in the place of the manifest: whoever reads it reads the old one or the new one.
fn put(files: &Files, manifest: &str) {
    std::fs::rename(files.write(".new", manifest), files.path("manifest.toml")).unwrap();
}

impl Server {
    fn manifest(&self) -> Value {
        self.get("/status").json()["manifest"].clone()
    }

    fn edges(&self) -> usize {
        self.get("/api/v1/streams/orders").json()["edges"].as_array().map_or(0, Vec::len)
    }

    fn reloads(&self, result: &str) -> u64 {
        let name = format!("observatory_manifest_reloads_total{{result=\"{result}\"}} ");
        let metrics = self.get("/metrics").body;
        metrics.lines().find_map(|line| line.strip_prefix(&*name)).unwrap().parse().unwrap()
    }

    /// The lines of the log that speak of the manifest.
    fn said(&self) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["subsystem"] == "manifest").collect()
    }

    fn pages(&self) -> [String; 2] {
        ["/", "/streams/orders"].map(|path| self.get(path).body)
    }
}

/// What an edge must have counted after three messages from `web` to `worker`.
fn three_passed(server: &Server) {
    for token in ["a", "b", "c"] {
        server.post(&format!("[{},{}]", event("web", token), event("worker", token)));
    }
    wait_until("three have passed", || (server.edge(0)["ledger"]["pass"] == 3).then_some(()));
}

#[test]
fn what_is_added_appears_and_what_stays_keeps_its_window_and_ledger() {
    let (files, server) = serve(ORDERS);
    three_passed(&server);
    let page = server.get("/streams/orders").body;
    assert!(!page.contains(">mail<"), "{page}");
    files.write("manifest.toml", &format!("{}{FIRST}", with_mail()));
    wait_until("the edge is there", || (server.edges() == 3).then_some(()));
    let edge = server.edge(0);
    assert_eq!((&edge["ledger"]["pass"], &edge["pass"], &edge["total"]), (&json!(3), &json!(3), &json!(3)));
    assert_eq!(edge["status"], "OK");
    assert!(server.get("/streams/orders").body.contains("mail"));
    assert!(server.get("/streams/orders/graph.svg").body.contains("mail"));
    assert!(server.get("/").body.contains("/streams/first"));
    let detail = server.get("/api/v1/streams/first/edges/one/two").json();
    assert_eq!((&detail["from"], &detail["to"]), (&json!("one"), &json!("two")));
    assert_eq!(server.post(&format!("[{},{}]", event("worker", "d"), event("mail", "d"))).status, 202);
    wait_until("the match is counted", || (server.edge(2)["ledger"]["pass"] == 1).then_some(()));
    wait_until("it is counted", || (server.reloads("ok") == 1).then_some(()));
    assert_eq!((server.reloads("bad"), &server.manifest()["state"]), (0, &json!("in force")));
}

#[test]
fn a_bad_manifest_changes_nothing_and_is_named_everywhere_until_it_is_mended() {
    let (files, server) = serve(ORDERS);
    three_passed(&server);
    let bad = with_mail().replace("\nto = \"mail\"", "\nto = \"mail\"\ncolour = \"<red>\"\nnaem = \"x\"");
    files.write("manifest.toml", &bad);
    let said = wait_until("it is named", || Some(server.manifest()).filter(|said| said["state"] == "bad"));
    let problems = said["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{said}");
    assert!(problems[0]["message"].as_str().unwrap().contains("colour"), "{said}");
    assert!(problems[0]["line"].as_u64().unwrap() > 10, "{said}");
    for page in server.pages() {
        assert!(page.contains("The manifest is bad") && page.contains("colour"), "{page}");
        assert!(page.contains("(and 1 more problem)") && !page.contains("<red>"), "{page}");
    }
    let nowhere = agent().get(format!("{}/streams/ordres", server.url)).header("Accept", "text/html").call();
    let nowhere = read(nowhere);
    assert!(nowhere.status == 404 && nowhere.body.contains("The manifest is bad"), "{nowhere:?}");
    wait_until("it is counted", || (server.reloads("bad") == 1).then_some(()));
    let lines = server.said();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1]["message"].as_str().unwrap().contains("colour"), "{lines:?}");
    assert_eq!((server.edges(), &server.edge(0)["ledger"]["pass"]), (2, &json!(3)));
    assert_eq!(server.post(&event("web", "d")).status, 202);

    // Bad in another way: since when it is bad stays.
    files.write("manifest.toml", &format!("{ORDERS}\n[server]\nacces = \"open\"\n"));
    let other = wait_until("the other problem is named", || {
        Some(server.manifest()).filter(|other| other["problems"].as_array().unwrap().len() == 1)
    });
    assert!(other["problems"][0]["message"].as_str().unwrap().contains("acces"), "{other}");
    assert_eq!(other["since"], said["since"]);

    files.write("manifest.toml", ORDERS);
    wait_until("it is mended", || (server.manifest()["state"] == "in force").then_some(()));
    assert_eq!(server.manifest()["problems"], json!([]));
    for page in server.pages() {
        assert!(!page.contains("The manifest is bad"), "{page}");
    }
    assert_eq!(server.edge(0)["ledger"]["pass"], 3);
}

#[test]
fn a_manifest_that_is_gone_is_bad_until_it_is_back() {
    let (files, server) = serve(ORDERS);
    std::fs::remove_file(files.path("manifest.toml")).unwrap();
    wait_until("it is missed", || (server.manifest()["state"] == "bad").then_some(()));
    assert_eq!(server.edges(), 2);
    files.write("manifest.toml", &with_mail());
    wait_until("it is back", || (server.edges() == 3).then_some(()));
}

#[test]
fn what_takes_effect_at_a_restart_is_said_and_the_rest_applied() {
    let files = Files::new();
    let server = |address: &str| format!("\n[server]\nlisten = \"{address}:0\"\n");
    let path = files.write("manifest.toml", &format!("{ORDERS}{}", server("127.0.0.1")));
    let running = Server::spawn(observatory().args(["serve", &path]));
    files.write("manifest.toml", &format!("{}{}", with_mail(), server("127.0.0.2")));
    wait_until("the edge is there", || (running.edges() == 3).then_some(()));
    let said = wait_until("it is said", || {
        Some(running.manifest()).filter(|said| said["needs_restart"] == json!(["server.listen"]))
    });
    assert_eq!(said["state"], "in force");
    assert!(running.pages().iter().all(|page| page.contains("takes effect at a restart: server.listen")));
    // The log comes through a pipe of its own.
    wait_until("the log says it", || running.said().iter().any(|line| line["key"] == "server.listen").then_some(()));
    files.write("manifest.toml", &format!("{ORDERS}{}", server("127.0.0.1")));
    wait_until("all is as it was", || (running.manifest()["needs_restart"] == json!([])).then_some(()));
}

#[test]
fn sighup_does_not_wait_until_changes_settle_and_an_unchanged_manifest_is_no_news() {
    let (files, server) = serve(ORDERS);
    server.signal("HUP");
    put(&files, &with_mail());
    let file = std::fs::File::options().append(true).open(files.path("manifest.toml")).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // It never settles.
        scope.spawn(|| {
            let mut second = 0;
            while !done.load(Ordering::Relaxed) {
                second += 1;
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        wait_until("the edge is there", || {
            server.signal("HUP");
            (server.edges() == 3).then_some(())
        });
        done.store(true, Ordering::Relaxed);
    });
    // What follows proves that what came before has been dealt with.
    server.signal("HUP");
    put(&files, ORDERS);
    wait_until("the edge is gone", || (server.edges() == 2).then_some(()));
    wait_until("it is counted", || (server.reloads("ok") == 2).then_some(()));
    assert_eq!(server.said().len(), 2, "{:?}", server.said());
}

#[test]
fn a_folder_is_read_again_when_a_file_comes_or_goes() {
    let files = Files::new();
    files.write("orders.toml", ORDERS);
    let folder = files.folder().to_str().unwrap();
    let server = Server::spawn(observatory().args(["serve", folder, "--listen", "127.0.0.1:0"]));
    three_passed(&server);
    let names = || {
        let streams = server.get("/api/v1/streams").json()["streams"].clone();
        streams.as_array().unwrap().iter().map(|stream| stream["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    files.write("first.toml", FIRST);
    wait_until("the stream is there", || (names() == ["first", "orders"]).then_some(()));
    assert_eq!(server.post(&event("one", "t")).status, 202);
    std::fs::remove_file(files.path("first.toml")).unwrap();
    wait_until("the stream is gone", || (names() == ["orders"]).then_some(()));
    assert_eq!(server.get("/streams/first").status, 404);
    assert_eq!(server.get("/api/v1/streams/first/edges/one/two").status, 404);
    assert_eq!(server.post(&event("one", "t")).status, 422);
    assert_eq!(server.edge(0)["ledger"]["pass"], 3);
}

#[test]
fn a_file_that_is_replaced_is_found_again_and_again() {
    let (files, server) = serve(ORDERS);
    for _ in 0..2 {
        put(&files, &with_mail());
        wait_until("the edge is there", || (server.edges() == 3).then_some(()));
        put(&files, ORDERS);
        wait_until("the edge is gone", || (server.edges() == 2).then_some(()));
    }
}

#[test]
fn symbolic_links_that_lead_elsewhere_are_followed() {
    let files = Files::new();
    // As a ConfigMap is mounted.
    for (folder, manifest) in [("..1", ORDERS), ("..2", &with_mail())] {
        std::fs::create_dir(files.path(folder)).unwrap();
        files.write(&format!("{folder}/manifest.toml"), manifest);
    }
    symlink("..1", files.path("..data")).unwrap();
    symlink("..data/manifest.toml", files.path("manifest.toml")).unwrap();
    let path = files.path("manifest.toml");
    let server = Server::spawn(observatory().args(["serve", path.to_str().unwrap(), "--listen", "127.0.0.1:0"]));
    assert_eq!(server.edges(), 2);
    symlink("..2", files.path("..new")).unwrap();
    std::fs::rename(files.path("..new"), files.path("..data")).unwrap();
    wait_until("the edge is there", || (server.edges() == 3).then_some(()));
}

#[test]
fn many_changes_in_a_row_end_in_the_last_one() {
    let (files, server) = serve(ORDERS);
    for number in 0..20 {
        let whole = [with_mail(), with_first()][number % 2].clone();
        files.write("manifest.toml", &whole[..whole.len() * (number % 3 + 1) / 3]);
    }
    files.write("manifest.toml", &with_mail());
    wait_until("the last one is in force", || {
        (server.edges() == 3 && server.manifest()["state"] == "in force").then_some(())
    });
    assert_eq!(server.get("/api/v1/streams/first").status, 404);
}

#[test]
fn events_that_come_while_the_manifest_changes_are_counted_once_and_where_they_belong() {
    const RELOADS: usize = 8;
    const POSTERS: usize = 3;
    let (files, server) = serve(ORDERS);
    let (done, url) = (AtomicBool::new(false), format!("{}/events", server.url));
    let post = |poster: usize| {
        let mut posted = 0;
        while !done.load(Ordering::Relaxed) {
            let token = format!("{poster}-{posted}");
            let body = format!("[{},{}]", event("web", &token), event("worker", &token));
            let answer = read(agent().post(&url).header("Content-Type", "application/json").send(&body));
            assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(2)), "{answer:?}");
            posted += 1;
        }
        posted
    };
    let posted: usize = std::thread::scope(|scope| {
        let posters: Vec<_> = (0..POSTERS)
            .map(|poster| {
                scope.spawn({
                    let post = &post;
                    move || post(poster)
                })
            })
            .collect();
        for reload in 0..RELOADS {
            put(&files, &[with_first(), with_mail()][reload % 2]);
            let edges = 2 + reload % 2;
            wait_until("the next one is in force", || {
                server.signal("HUP");
                (server.edges() == edges).then_some(())
            });
        }
        done.store(true, Ordering::Relaxed);
        posters.into_iter().map(|poster| poster.join().unwrap()).sum()
    });
    let stream = wait_until("all are on the board", || {
        let stream = server.get("/api/v1/streams/orders").json();
        (stream["edges"][0]["ledger"]["upstream"] == posted && stream["nodes"][1]["events"] == posted).then_some(stream)
    });
    let ledger = &stream["edges"][0]["ledger"];
    assert_eq!((&ledger["pass"], &ledger["duplicates"], &ledger["orphans"]), (&json!(posted), &json!(0), &json!(0)));
    assert_eq!(stream["nodes"][0]["events"], posted);
    for node in &stream["nodes"].as_array().unwrap()[2..] {
        assert_eq!(node["events"], 0, "{node}");
    }
}

#[test]
fn reports_that_were_parsed_before_a_reload_count_for_the_nodes_that_they_name() {
    // Few are correlated on the thread that brings them; with so many more all go to the owner, in one batch.
    for others in [0, 100] {
        push_across_a_reload(&vec!["somebody".to_owned(); others]);
    }
}

fn push_across_a_reload(others: &[String]) {
    let system = |manifest: &str| {
        let manifest = load(&Source::Text("orders.toml".to_owned(), manifest.to_owned())).unwrap();
        Arc::new(manifest.system.clone())
    };
    let report = |by: &Observed, node: &str, token: &str| {
        let (node, token) = (by.nodes.find(node).unwrap(), Token::new(token).unwrap());
        Report { node, token, timestamp_us: None, parent: None, alias: None }
    };
    let running = Start { system: system(ORDERS), clock: Arc::new(MonotonicClock::start()), journal: None };
    let running = running.run().unwrap();
    let pipeline = running.pipeline.clone();
    actix_web::rt::System::new().block_on(async {
        let old = pipeline.observed();
        pipeline.reload(system(&with_first().replace("\"books\"", "\"mail\""))).await.unwrap();
        let new = pipeline.observed();
        let intake = LocalIntake::new(pipeline.clone());
        let before = ["web", "books", "worker", "books"].map(|node| report(&old, node, "a")).into();
        let after = ["web", "worker", "mail"].map(|node| report(&new, node, "b")).into();
        let more = ["worker", "web"].map(|node| report(&old, node, "c")).into();
        let taken = tokio::join!(
            intake.push(before, &old, others.to_vec()),
            intake.push(after, &new, Vec::new()),
            intake.push(more, &old, Vec::new()),
        );
        assert_eq!(taken, (Ok(2), Ok(0), Ok(0)));
        let edge = pipeline.edge("orders", "web", "worker").await.unwrap().unwrap().edge;
        assert_eq!((edge.ledger.upstream, edge.ledger.duplicates), (3, 0));
        let edge = pipeline.edge("orders", "worker", "mail").await.unwrap().unwrap().edge;
        assert_eq!((edge.ledger.upstream, edge.ledger.pass), (3, 1));
        let edge = pipeline.edge("first", "one", "two").await.unwrap().unwrap().edge;
        assert_eq!(edge.ledger.upstream, 0);
        assert!(pipeline.edge("orders", "worker", "books").await.unwrap().is_none());
    });
    running.stop();
}
