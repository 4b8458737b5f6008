//! How fast are events taken from a queue, beside a consumer that only acknowledges?
//!
//! `cargo bench --bench amqp [-- EVENTS]`, with RabbitMQ installed. A queue of a real broker is filled; then the server
//! takes all of it, in turns with a bare lapin consumer that acknowledges every 100 messages. What counts is messages a
//! second, without the start: once with one event a message, once with 100. A wrong verdict fails, and so does a ratio
//! below its floor.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark prints, and may panic")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

#[expect(dead_code, reason = "the tests ask more of a broker")]
#[path = "../tests/it/amqp/broker.rs"]
mod broker;
mod common {
    pub(crate) mod arguments;
    pub(crate) mod ledgers;
    pub(crate) mod picture;
    pub(crate) mod random;
    #[expect(dead_code, reason = "the time that passes counts here")]
    pub(crate) mod served;
    #[expect(dead_code, reason = "stamps are of one kind here")]
    pub(crate) mod workload;
}
/// What the broker needs of the tests' harness.
mod harness {
    use std::time::{Duration, Instant};

    pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

    pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

use std::process::{Command, ExitCode};
use std::time::Instant;

use broker::Broker;
use common::arguments::size;
use common::ledgers::{agent, await_truth};
use common::served::Served;
use common::workload::{Stamps, Workload};
use futures_util::StreamExt;
use harness::wait_until;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use observatory::clock::{Clock, MonotonicClock};

/// Messages a second with so many events each, of those of the bare consumer.
const FLOORS: [(usize, f64); 2] = [(1, 0.85), (100, 0.7)];
const ROUNDS: usize = 5;
/// Of the messages one in so many comes before the clock starts.
const START_ONE_IN: usize = 10;
/// As many as the server has on the way to it.
const PREFETCH: u16 = 1_000;
const ACK_EVERY: u64 = 100;
const QUEUE: &str = "events";

fn main() -> ExitCode {
    if !broker::there() {
        println!("no RabbitMQ is installed");
        return ExitCode::FAILURE;
    }
    let broker = Broker::start();
    let events = size(200_000);
    let mut good = true;
    for (at_once, floor) in FLOORS {
        // Of many at once it takes more, for they are read soon.
        good &= measure(&broker, if at_once == 1 { events } else { events * 8 }, at_once, floor);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Times both in turns, and says whether the verdicts are right and the floor is kept.
fn measure(broker: &Broker, events: usize, at_once: usize, floor: f64) -> bool {
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let now_us = MonotonicClock::start().now_us();
        let workload = Workload::new(events, now_us, 7);
        let lines = workload.ndjson(Stamps::Rfc3339);
        let messages: Vec<Vec<u8>> = messages(&lines, at_once);
        let fill = || run(fill(broker.url(), &messages));
        fill();
        let bare = run(acknowledge_only(broker.url(), messages.len()));
        fill();
        let ours = serve(broker, &workload, messages.len());
        println!(
            "{at_once} events a message: bare {bare:>7.0}/s   observatory {ours:>7.0}/s   ratio {:.3}",
            ours / bare
        );
        ratios.push(ours / bare);
        rates.push(ours);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    let kept = median >= floor;
    println!("{}: {at_once} events a message at {median:.3}, floor {floor}", if kept { "ok" } else { "FAILED" });
    kept
}

fn run<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}

/// The lines, so many in each message.
fn messages(lines: &[u8], at_once: usize) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
    lines.chunks(at_once).map(<[&[u8]]>::concat).collect()
}

async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(QUEUE.into(), options, FieldTable::default()).await.unwrap();
    (connection, channel)
}

/// Puts messages into the queue; ready when all are there.
async fn fill(url: String, messages: &[Vec<u8>]) {
    let (connection, channel) = channel(&url).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let properties = BasicProperties::default().with_content_type("application/x-ndjson".into());
    for messages in messages.chunks(1_000) {
        let mut confirms = Vec::new();
        for body in messages {
            let options = BasicPublishOptions::default();
            confirms
                .push(channel.basic_publish("".into(), QUEUE.into(), options, body, properties.clone()).await.unwrap());
        }
        for confirm in confirms {
            assert!(confirm.await.unwrap().is_ack());
        }
    }
    connection.close(200, "".into()).await.unwrap();
}

/// The yardstick: messages a second.
async fn acknowledge_only(url: String, messages: usize) -> f64 {
    let (connection, channel) = channel(&url).await;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await.unwrap();
    let mut begun = None;
    for taken in 1..=messages {
        let delivery = consumer.next().await.unwrap().unwrap();
        if delivery.delivery_tag.is_multiple_of(ACK_EVERY) || taken == messages {
            channel.basic_ack(delivery.delivery_tag, BasicAckOptions { multiple: true }).await.unwrap();
        }
        if taken == messages / START_ONE_IN {
            begun = Some(Instant::now());
        }
    }
    let took_s = begun.unwrap().elapsed().as_secs_f64();
    connection.close(200, "".into()).await.unwrap();
    (messages - messages / START_ONE_IN) as f64 / took_s
}

/// Messages a second that the server takes.
fn serve(broker: &Broker, workload: &Workload, messages: usize) -> f64 {
    let known = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/intro.toml")).unwrap();
    let url = broker.url();
    let nodes = common::picture::NODES;
    let input = format!("\n[[input.amqp]]\nname = \"mq\"\nurl = \"{url}\"\nqueue = \"{QUEUE}\"\nnodes = {nodes:?}\n");
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("mq.toml");
    std::fs::write(&manifest, known + &input).unwrap();
    let mut ours = Command::new(env!("CARGO_BIN_EXE_observatory"));
    let server = Served::start(ours.arg("serve").arg(&manifest).args(["--listen", "127.0.0.1:0"]));
    let (agent, metrics) = (agent(), format!("{}/metrics", server.url));
    let taken = || {
        let text = agent.get(&metrics).call().unwrap().body_mut().read_to_string().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix("observatory_events_total{input=\"mq\"} "));
        value.map_or(0, |value| value.parse::<usize>().unwrap())
    };
    let events = workload.events.len();
    let (begun, before) = wait_until("it has begun", || {
        Some((Instant::now(), taken())).filter(|(_, taken)| *taken >= events / START_ONE_IN)
    });
    let ended = wait_until("all is taken", || (taken() == events).then(Instant::now));
    let share = (events - before) as f64 / events as f64;
    let rate = share * messages as f64 / (ended - begun).as_secs_f64();
    await_truth(&server.url, &workload.truth);
    rate
}
