//! One system that is observed by its logs, its queue and HTTP at once, while we are killed, the log is rotated and the broker
//! restarts: every message has the outcome that it really had, and what fell in our outage is held against nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lapin::BasicProperties;
use observatory::clock::{Clock, MonotonicClock, SECOND_US};
use serde_json::{Value, json};

use crate::amqp::broker::{Broker, Publisher, there};
use crate::harness::{Files, Server, agent, observatory, run, wait_until};

/// A message begins this often.
const STEP_US: u64 = 40_000;
/// How long a report may take until its absence is held against somebody: `within` and `grace`.
const PATIENT_US: u64 = 4 * SECOND_US;
/// The server is away for this long each time.
const AWAY: Duration = Duration::from_secs(2);

fn manifest(files: &Files, broker: &Broker) -> String {
    let (folder, url) = (files.folder().display(), broker.url());
    format!(
        r#"
name = "Shop"
grace = "2s"

[input.http]
nodes = ["database"]

[[input.amqp]]
name = "queue"
nodes = ["processor", "journal"]
url = "{url}"
queue = "events"

[[input.log]]
name = "log"
nodes = ["web"]
path = "{folder}/web.log*"
  [[input.log.rule]]
  node = "web"
  match = '^(?<timestamp>\d+) GET /orders req=(?<token>\S+)$'
  timestamp = "us"

[[stream]]
name = "orders"
  [[stream.edge]]
  from = "web"
  to = "processor"
  check = {{ within = "2s", window = 10_000 }}
  [[stream.edge]]
  from = "processor"
  to = "journal"
  check = {{ within = "2s", window = 10_000 }}
  [[stream.edge]]
  from = "journal"
  to = "database"
  check = {{ within = "2s", window = 10_000 }}
"#
    )
}

/// What really happens to a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    /// The processor has had it for a second too long when the journal has it.
    Late,
    /// The web server has sent it, and nobody else has seen it.
    LostBeforeProcessor,
    LostBeforeJournal,
    LostBeforeDatabase,
}

impl Fate {
    fn of(number: u64) -> Self {
        match number % 20 {
            3 => Self::LostBeforeProcessor,
            8 => Self::LostBeforeJournal,
            13 => Self::LostBeforeDatabase,
            18 => Self::Late,
            _ => Self::Arrives,
        }
    }

    fn reaches_processor(self) -> bool {
        self != Self::LostBeforeProcessor
    }

    fn reaches_journal(self) -> bool {
        self.reaches_processor() && self != Self::LostBeforeJournal
    }

    fn reaches_database(self) -> bool {
        self.reaches_journal() && self != Self::LostBeforeDatabase
    }
}

/// The observed system: it goes on whatever becomes of us.
struct Traffic {
    clock: MonotonicClock,
    begun_us: u64,
    /// There are no more messages from this number on.
    end: AtomicU64,
    /// Where we are now.
    url: Mutex<String>,
    /// Messages whose report by HTTP was acknowledged.
    acknowledged: Mutex<BTreeSet<u64>>,
    files: Files,
}

fn token(number: u64) -> String {
    format!("m{number}")
}

impl Traffic {
    fn new() -> Self {
        let clock = MonotonicClock::start();
        let begun_us = clock.now_us();
        let (end, url, acknowledged) = (AtomicU64::new(u64::MAX), Mutex::default(), Mutex::default());
        Self { clock, begun_us, end, url, acknowledged, files: Files::new() }
    }

    /// When a message is reported.
    fn reported_us(&self, number: u64) -> u64 {
        self.begun_us + number * STEP_US
    }

    /// When it was at the web server.
    fn sent_us(&self, number: u64) -> u64 {
        self.reported_us(number) - if Fate::of(number) == Fate::Late { 3 * SECOND_US } else { 4_000 }
    }

    /// The messages that have begun since.
    fn begun(&self, since: u64) -> Range<u64> {
        let begun = (self.clock.now_us() - self.begun_us) / STEP_US;
        since..begun.min(self.end.load(Ordering::Relaxed)).max(since)
    }

    /// Gives what has begun, until the end; nothing of it may take long.
    fn follow(&self, mut report: impl FnMut(Range<u64>)) {
        let mut next = 0;
        while next < self.end.load(Ordering::Relaxed) {
            let begun = self.begun(next);
            next = begun.end;
            report(begun);
            // Nobody unparks us.
            std::thread::park_timeout(Duration::from_micros(STEP_US / 4));
        }
    }

    fn web_server(&self) {
        self.follow(|begun| {
            let mut log = OpenOptions::new().create(true).append(true).open(self.files.path("web.log")).unwrap();
            for number in begun {
                let line = format!("{} GET /orders req={}\n", self.sent_us(number), token(number));
                log.write_all(line.as_bytes()).unwrap();
            }
        });
    }

    /// What falls due while the broker is away is published together when it is back.
    fn processor_and_journal(&self, broker: &Broker) {
        let system = actix_web::rt::System::new();
        let mut publisher = Publisher::new(broker);
        self.follow(|begun| {
            let mut events = Vec::new();
            for number in begun {
                let (fate, token) = (Fate::of(number), token(number));
                if fate.reaches_processor() {
                    let stamp_us = self.sent_us(number) + 1_000;
                    events.push(json!({"node": "processor", "token": token, "timestamp": stamp_us}));
                }
                if fate.reaches_journal() {
                    let stamp_us = self.reported_us(number) - 1_000;
                    events.push(json!({"node": "journal", "token": token, "timestamp": stamp_us}));
                }
            }
            if !events.is_empty() {
                let body = Value::from(events).to_string();
                system.block_on(publisher.publish("events", body.as_bytes(), BasicProperties::default()));
            }
        });
    }

    /// It does not try again.
    fn database(&self) {
        let agent = agent();
        self.follow(|begun| {
            for number in begun.filter(|number| Fate::of(*number).reaches_database()) {
                let stamp_us = self.reported_us(number);
                let event = json!({"node": "database", "token": token(number), "timestamp": stamp_us}).to_string();
                let url = format!("{}/events", self.url.lock().unwrap());
                let answer = agent.post(url).header("Content-Type", "application/json").send(event);
                if answer.is_ok_and(|answer| answer.status() == 202) {
                    self.acknowledged.lock().unwrap().insert(number);
                }
            }
        });
    }

    fn start(&self) -> Server {
        let manifest = self.files.path("manifest.toml");
        let arguments = ["serve", manifest.to_str().unwrap(), "--listen", "127.0.0.1:0", "--data-dir", &self.data()];
        let server = Server::spawn(observatory().args(arguments));
        self.url.lock().unwrap().clone_from(&server.url);
        server
    }

    fn data(&self) -> String {
        self.files.path("data").to_str().unwrap().to_owned()
    }

    /// Kills the server, and gives the time in which it was away and the one that is started after that.
    fn kill(&self, mut server: Server, meanwhile: impl FnOnce()) -> (Server, Range<u64>) {
        let away_us = self.clock.now_us();
        server.kill();
        meanwhile();
        // Traffic goes on: nobody unparks us.
        std::thread::park_timeout(AWAY);
        let server = self.start();
        (server, away_us..self.clock.now_us())
    }
}

/// Messages come through on all edges.
fn await_passes(server: &Server) {
    let passes = || [0, 1, 2].map(|edge| server.edge(edge)["ledger"]["pass"].as_u64().unwrap());
    let before = passes();
    wait_until("messages pass", || passes().iter().zip(before).all(|(now, before)| *now > before + 10).then_some(()));
}

/// The outcomes in the window of an edge, by their tokens.
fn outcomes(server: &Server, from: &str, to: &str) -> (BTreeMap<String, String>, Value) {
    let edge = server.get(&format!("/api/v1/streams/orders/edges/{from}/{to}")).json();
    let text = |entry: &Value, key| entry[key].as_str().unwrap().to_owned();
    let window = edge["window"].as_array().unwrap();
    let outcomes = window.iter().map(|entry| (text(entry, "token"), text(entry, "outcome"))).collect();
    (outcomes, edge["ledger"].clone())
}

#[test]
fn a_message_that_comes_by_log_queue_and_http_has_its_own_outcome_whatever_becomes_of_us_and_the_broker() {
    if !there() {
        return;
    }
    let (broker, traffic) = (Broker::start(), Traffic::new());
    traffic.files.write("manifest.toml", &manifest(&traffic.files, &broker));
    let server = traffic.start();
    server.await_input("queue", "up");
    server.await_input("log", "up");
    let traffic = Traffic { begun_us: traffic.clock.now_us(), ..traffic };
    let (server, away) = std::thread::scope(|scope| {
        scope.spawn(|| traffic.web_server());
        scope.spawn(|| traffic.processor_and_journal(&broker));
        scope.spawn(|| traffic.database());
        await_passes(&server);
        let rotate = || fs::rename(traffic.files.path("web.log"), traffic.files.path("web.log.1")).unwrap();
        let (server, first) = traffic.kill(server, rotate);
        await_passes(&server);
        broker.ctl(&["stop_app"]);
        server.await_input("queue", "down");
        let (server, second) = traffic.kill(server, || {});
        server.await_input("queue", "down");
        broker.ctl(&["start_app"]);
        await_passes(&server);
        traffic.end.store(traffic.begun(0).end + 10, Ordering::Relaxed);
        (server, [first, second])
    });
    judge(&traffic, server, &away);
}

/// What the server says in the end, against what was.
fn judge(traffic: &Traffic, mut server: Server, away: &[Range<u64>]) {
    let end = traffic.end.load(Ordering::Relaxed);
    let count = |which: &dyn Fn(Fate) -> bool| (0..end).filter(|number| which(Fate::of(*number))).count() as u64;
    let expected = [
        ("web", "processor", end),
        ("processor", "journal", count(&Fate::reaches_processor)),
        ("journal", "database", count(&Fate::reaches_journal)),
    ];
    wait_until("all is judged", || {
        let ledgers = [0, 1, 2].map(|edge| server.edge(edge)["ledger"].clone());
        let judged = |(ledger, (_, _, upstream)): (&Value, &(_, _, u64))| {
            ledger["upstream"] == *upstream && ledger["in_flight"] == 0
        };
        ledgers.iter().zip(&expected).all(judged).then_some(())
    });
    let acknowledged = traffic.acknowledged.lock().unwrap();
    for (from, to, _) in expected {
        let (outcomes, ledger) = outcomes(&server, from, to);
        for number in 0..end {
            let fate = Fate::of(number);
            let begins_us = traffic.reported_us(number);
            let seen = outcomes.get(&token(number)).map(String::as_str);
            let near = away
                .iter()
                .any(|away| begins_us + PATIENT_US + SECOND_US > away.start && begins_us < away.end + SECOND_US);
            let (asked, answered) = match to {
                "processor" => (true, fate.reaches_processor()),
                "journal" => (fate.reaches_processor(), fate.reaches_journal()),
                _ => (fate.reaches_journal(), fate.reaches_database()),
            };
            let truth = match (asked, answered) {
                (false, _) => None,
                (true, false) => Some("missing"),
                (true, true) if to == "journal" && fate == Fate::Late => Some("late"),
                (true, true) => Some("pass"),
            };
            // Nobody kept what we did not take by HTTP: what cannot be known is held against nobody.
            let unknown = to == "database" && asked && near && !acknowledged.contains(&number);
            let right = seen == truth || unknown && seen.is_none();
            assert!(right, "{} on {from} -> {to}: {seen:?} in {ledger}", token(number));
        }
        assert_eq!((&ledger["reversed"], &ledger["orphans"]), (&json!(0), &json!(0)), "{from} -> {to}: {ledger}");
        assert!(to == "database" || ledger["indeterminate"] == 0, "{from} -> {to}: {ledger}");
    }
    let ledgers = [0, 1, 2].map(|edge| server.edge(edge)["ledger"].clone());
    assert!(server.stop().success());
    let replayed = run(&["replay", "--journal", &traffic.data(), "--json"], "");
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    for (edge, ledger) in ledgers.iter().enumerate() {
        assert_eq!(&replayed["streams"][0]["edges"][edge]["ledger"], ledger, "the journal tells the same");
    }
}
