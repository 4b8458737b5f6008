//! The real binary, killed again and again under made-up traffic whose truth is known.
//!
//! `OBSERVATORY_KILLS=2000 cargo test --test it killed_under_load -- --nocapture` kills so often.

use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::place::Place;
use crate::harness::{Server, observatory, wait_until};
use crate::schedules::Rng;

/// How often the server is killed by the ordinary test command.
const KILLS: u64 = 25;
/// So many kills follow one another; then the server runs long enough to see again.
const BURST: u64 = 5;
const CALM: Duration = Duration::from_secs(3);

/// Soon judged, soon forgotten, soon shown: so that kills hit every state, and few requests.
const MANIFEST: &str = r#"
grace = "200ms"
hold = "300ms"
horizon = "300ms"

[[stream]]
name = "orders"

  [[stream.edge]]
  from = "web"
  to = "worker"
  check = { within = "200ms", ok = 3, warn = 1, fail = 2 }

  [[stream.edge]]
  from = "worker"
  to = "books"
  check = { within = "200ms", ok = 2, warn = 0, fail = 1 }
"#;

const FAULTS: [&str; 8] = ["--loss", "3%", "--late", "2%", "--duplicate", "3%", "--disorder", "50ms"];
const RATE: u64 = 150;
/// Messages of one sender: it sends for as long as a few bursts take.
const MESSAGES: u64 = 4_500;

/// A server that comes back to its address each time, and whoever sends to it.
struct Target {
    place: Place,
    address: String,
}

impl Target {
    fn new() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Self { place: Place::listening(MANIFEST, &address), address }
    }

    /// While it is down another may have its address, for a connection that ends soon.
    fn start(&self) -> Server {
        wait_until("the address is free", || match Server::try_spawn(&mut self.place.command()) {
            Ok(server) => Some(server),
            Err(log) if log.contains("in use") => None,
            Err(log) => panic!("{log}"),
        })
    }

    /// Traffic, with all that goes wrong in it.
    fn send(&self, round: u64) -> Child {
        let (to, seed) = (format!("http://{}", self.address), round.to_string());
        let (rate, messages) = (RATE.to_string(), MESSAGES.to_string());
        let mut command = observatory();
        command.args(["load", &self.place.manifest, "--to", &to, "--seed", &seed, "--json", "--patience", "60s"]);
        command.args(["--rate", &rate, "--requests", &messages, "--record", &self.record()]).args(FAULTS);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn record(&self) -> String {
        self.place.files.path("record.ndjson").to_str().unwrap().to_owned()
    }

    fn acknowledged(&self) -> u64 {
        std::fs::read_to_string(self.record()).unwrap_or_default().lines().count() as u64
    }
}

/// The changes of held statuses that a list of JSON lines tells, in order.
fn changes(lines: &str, is_one: impl Fn(&Value) -> bool) -> Vec<String> {
    // What was being written when the server was killed may be no line.
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(is_one);
    lines.map(|line| format!("{} {} {} {}", line["from"], line["to"], line["was"], line["is"])).collect()
}

/// What one life of the server has logged.
fn logged(log: &str) -> Vec<String> {
    changes(log, |line| line["message"] == "the edge's held status changed")
}

/// Ends a life; answers what it has logged.
fn kill(mut server: Server) -> Vec<String> {
    server.kill();
    logged(&server.whole_log())
}

/// Each life's changes stand in the journal's, one after the other, with none between: only those of records whose
/// writer was killed before it could tell of them were not told. Answers how many these are.
fn untold(lives: &[Vec<String>], all: &[String]) -> usize {
    let mut at = 0;
    for (life, told) in lives.iter().enumerate().filter(|(_, told)| !told.is_empty()) {
        let found = all[at..].windows(told.len()).position(|some| some == &told[..]);
        let skipped = found.unwrap_or_else(|| panic!("life {life} told {told:#?}\nnot among {:#?}", &all[at..]));
        at += skipped + told.len();
    }
    all.len() - lives.iter().map(Vec::len).sum::<usize>()
}

#[test]
fn killed_under_load_it_says_what_its_journal_says_and_the_truth() {
    let wanted = std::env::var("OBSERVATORY_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let target = Target::new();
    let mut rng = Rng::new(1);
    let (mut kills, mut messages, mut lives) = (0, 0, Vec::new());
    let mut server = target.start();
    let mut round = 0;
    while kills < wanted {
        round += 1;
        drop(std::fs::remove_file(target.record()));
        let mut load = target.send(round);
        // Its last messages are judged in peace: when they are missed is not known to it.
        let most = MESSAGES * 22 / 10;
        while kills < wanted && target.acknowledged() < most {
            for _ in 0..BURST {
                let before = target.acknowledged();
                let some = wait_until("some is acknowledged, or nothing comes any more", || {
                    let more = target.acknowledged() > before + 5;
                    if more { Some(true) } else { load.try_wait().unwrap().map(|_ended| false) }
                });
                assert!(some, "round {round}: the load has ended, and the server has logged {}", server.log());
                std::thread::park_timeout(Duration::from_millis(rng.below(120)));
                lives.push(kill(server));
                kills += 1;
                server = target.start();
            }
            std::thread::park_timeout(CALM);
        }
        let output = load.wait_with_output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("round {round}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(answer["equal"], true, "round {round}: {answer:#}");
        assert_eq!(answer["acknowledged"], answer["events"], "round {round}");
        messages += MESSAGES;
        println!("{kills} kills, {messages} messages");
    }
    let ledgers = |value: &Value| -> Vec<Value> {
        value["streams"][0]["edges"].as_array().unwrap().iter().map(|edge| edge["ledger"].clone()).collect()
    };
    assert!(server.stop().success());
    lives.push(logged(&server.whole_log()));
    let all = changes(&target.place.replay(&["--transitions"]).1, |line| line["change"] == "held");
    let untold = untold(&lives, &all);
    println!("{kills} kills: {} changes of held statuses, of which {untold} were written and not told", all.len());
    assert!(all.len() as u64 > kills / 2, "so few changes prove little: {}", all.len());
    assert!((untold as u64) < kills, "{untold} changes were not told");
    // And what it comes to is the same again.
    let replayed = ledgers(&serde_json::from_str(&target.place.replay(&["--json"]).1).unwrap());
    let server = target.start();
    let shown = wait_until("it is back", || Some(server.get("/api/v1/streams/orders")).filter(|got| got.status == 200));
    let shown: Vec<Value> =
        shown.json()["edges"].as_array().unwrap().iter().map(|edge| edge["ledger"].clone()).collect();
    assert_eq!(shown, replayed);
}
