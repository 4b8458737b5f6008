//! What do live readers cost, beside a bare actix broadcast of the same bytes?
//!
//! `cargo bench --bench live [-- READERS]`. A stream of 300 nodes is read live over loopback by 1,000
//! plain readers. First nobody reports anything: what do idle readers cost? Then a status changes
//! every [`PAUSE`]. A bare broadcast gets the same bytes at the same moments. Server CPU, and the
//! time until all readers have a change, may be at most [`CEILING`] times those of the broadcast;
//! readers who do not read may not slow the others down either. At last statuses change at odd moments, many of
//! them while another change has just been told: how long does it take from the report to the bytes at a reader?
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may panic")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]

mod common {
    pub(crate) mod random;
}

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use common::random::Random;
use futures_util::stream::unfold;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::broadcast;
use tokio::time::sleep;

const CEILING: f64 = 2.0;
const NODES: usize = 300;
/// Changes in each part, and the time between two.
const ROUNDS: usize = 20;
const PAUSE: Duration = Duration::from_millis(200);
/// Long enough for a comment line.
const IDLE: Duration = Duration::from_secs(16);
/// Readers who stop reading.
const STALLED: usize = 50;
/// Changes at odd moments, and the longest time between two.
const ODD: usize = 240;
const ODD_PAUSE_US: u64 = 120_000;
/// A status is to be told within this.
const PROMISED_MS: f64 = 100.0;

fn main() -> ExitCode {
    let first = std::env::args().skip(1).find(|argument| argument != "--bench");
    if first.as_deref() == Some("bare") {
        return bare();
    }
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let readers = first.and_then(|number| number.parse().ok()).unwrap_or(1_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, compare(readers))
}

async fn compare(readers: usize) -> ExitCode {
    let manifest = manifest();
    let mut command = Command::new(env!("CARGO_BIN_EXE_observatory"));
    let server = Served::start(command.args(["serve", manifest.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]));
    let logs = open(&server, readers).await;
    let (cpu, got) = (server.cpu_ms(), logs[0].borrow().got);
    sleep(IDLE).await;
    let idle = (server.cpu_ms() - cpu) / IDLE.as_secs_f64();
    println!("idle: {idle:.2} ms CPU a second with {readers} readers, {} bytes each", logs[0].borrow().got - got);

    let ours = rounds(&server, &logs, 0).await;
    let stalled: Vec<_> = std::iter::repeat_with(|| stall(server.address())).take(STALLED).collect();
    let stalled = futures_util::future::join_all(stalled).await;
    sleep(Duration::from_secs(1)).await;
    let beside_stalled = rounds(&server, &logs, ROUNDS).await;
    drop(stalled);

    let (one, all) = at_odd_moments(&server, &logs, 2 * ROUNDS).await;
    let told = |name: &str, delays: &[f64]| {
        let of = |share: f64| delays[((delays.len() as f64 * share).ceil() as usize).clamp(1, delays.len()) - 1];
        println!(
            "a status, from the report to {name}: p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
            of(0.5),
            of(0.99),
            of(1.0)
        );
        of(0.99)
    };
    let promised = told("one reader", &one) <= PROMISED_MS;
    told("all readers", &all);

    let server = Served::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let logs = open(&server, readers).await;
    let bare = replay(&server, &logs, &ours.events).await;

    let (cpu, delay) = (ours.cpu_ms / bare.cpu_ms, ours.delay_ms / bare.delay_ms);
    let slowed = beside_stalled.delay_ms / ours.delay_ms;
    println!(
        "observatory {ours}\nbare        {bare}\nratio: CPU {cpu:.2}, delay {delay:.2}; at most {CEILING} is asked"
    );
    println!("beside {STALLED} readers who do not read: {beside_stalled}, delay {slowed:.2} of that without");
    if cpu <= CEILING && delay <= CEILING && slowed <= CEILING && promised {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A chain of nodes.
fn manifest() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    writeln!(file, "[[stream]]\nname = \"s\"").unwrap();
    for node in 1..NODES {
        let from = node - 1;
        writeln!(file, "[[stream.edge]]\nfrom = \"n{from}\"\nto = \"n{node}\"\ncheck = {{ within = \"1h\", ok = 1 }}")
            .unwrap();
    }
    file
}

/// The yardstick: whatever is posted goes to all readers.
fn bare() -> ExitCode {
    let all = broadcast::channel::<Bytes>(64).0;
    let app = move || {
        let live = |all: Data<broadcast::Sender<Bytes>>| async move {
            let events = unfold(all.subscribe(), |mut events| async {
                events.recv().await.ok().map(|event| (Ok::<_, actix_web::Error>(event), events))
            });
            HttpResponse::Ok().content_type("text/event-stream").streaming(events)
        };
        let post = |body: Bytes, all: Data<broadcast::Sender<Bytes>>| async move {
            all.send(body).unwrap();
            HttpResponse::Accepted().finish()
        };
        let app = App::new().app_data(Data::new(all.clone()));
        app.route("/api/v1/streams/s/live", web::get().to(live)).route("/events", web::post().to(post))
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let served = actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(workers).tcp_nodelay(true).bind("127.0.0.1:0")?;
        println!("observatory: http://{}/", server.addrs()[0]);
        server.run().await
    });
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("observatory: http://").trim_end_matches('/').to_owned();
        Self { child, address }
    }

    fn address(&self) -> &str {
        &self.address
    }

    /// CPU time of all threads so far, as the scheduler counts it.
    fn cpu_ms(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of = |task: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
        };
        tasks.map(of).sum()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a reader got, and when. All readers get the same bytes.
#[derive(Default)]
struct Log {
    got: usize,
    times: Vec<(usize, Instant)>,
    /// The bytes themselves, of the first reader alone.
    bytes: Option<Vec<u8>>,
}

const REQUEST: &str = "GET /api/v1/streams/s/live HTTP/1.1\r\nHost: bench\r\n\r\n";

async fn write(stream: &TcpStream, text: &str) {
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(text.as_bytes()).unwrap(), text.len());
}

/// Opens readers, and waits until they have what there is.
async fn open(server: &Served, readers: usize) -> Vec<Rc<RefCell<Log>>> {
    let mut logs = Vec::new();
    for number in 0..readers {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        write(&stream, REQUEST).await;
        let log = Rc::new(RefCell::new(Log { bytes: (number == 0).then(Vec::new), ..Log::default() }));
        logs.push(Rc::clone(&log));
        drop(tokio::task::spawn_local(read(stream, log)));
    }
    let sum = || logs.iter().map(|log| log.borrow().got).sum::<usize>();
    let mut before = usize::MAX;
    while before != sum() || logs.iter().any(|log| log.borrow().got == 0) {
        before = sum();
        sleep(Duration::from_secs(1)).await;
    }
    let got = logs[0].borrow().got;
    assert!(logs.iter().all(|log| log.borrow().got == got), "not all got the same");
    logs
}

async fn read(stream: TcpStream, log: Rc<RefCell<Log>>) {
    let mut chunk = vec![0; 64 * 1024];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut chunk) {
            Ok(0) => return,
            Ok(read) => {
                let mut log = log.borrow_mut();
                log.got += read;
                let at = (log.got, Instant::now());
                log.times.push(at);
                if let Some(bytes) = &mut log.bytes {
                    bytes.extend_from_slice(&chunk[..read]);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Opens a stream and never reads it.
async fn stall(address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address.parse().unwrap()).await.unwrap();
    write(&stream, REQUEST).await;
    stream
}

/// One event as the first reader got it.
struct Event {
    /// After the start.
    at: Duration,
    text: String,
    /// Which change it is, where it is one of those that were made.
    round: Option<usize>,
}

struct Run {
    cpu_ms: f64,
    /// Median over the changes of the time until the last reader had it.
    delay_ms: f64,
    events: Vec<Event>,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.events.iter().map(|event| event.text.len()).sum();
        let (cpu, delay, events) = (self.cpu_ms, self.delay_ms, self.events.len());
        write!(f, "{cpu:>7.1} ms CPU, {delay:>6.1} ms until all have a change; {events} events, {bytes} bytes")
    }
}

async fn post(stream: &TcpStream, content_type: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    write(stream, &(head + body)).await;
}

/// Makes changes, one after the other.
async fn rounds(server: &Served, logs: &[Rc<RefCell<Log>>], first: usize) -> Run {
    let poster = TcpStream::connect(server.address()).await.unwrap();
    let (begun, base, cpu_ms) = (Instant::now(), logs[0].borrow().got, server.cpu_ms());
    let mut posted = Vec::new();
    for round in first..first + ROUNDS {
        posted.push(Instant::now());
        let event = |node: usize| format!("{{\"node\":\"n{node}\",\"token\":\"t{round}\"}}");
        post(&poster, "application/json", &format!("[{},{}]", event(round), event(round + 1))).await;
        sleep(PAUSE).await;
    }
    sleep(PAUSE).await;
    let cpu_ms = server.cpu_ms() - cpu_ms;
    let (mut events, mut delays) = (Vec::new(), Vec::new());
    for (end, text) in chunks(&logs[0].borrow(), base) {
        let at = arrival(&logs[0].borrow(), end) - begun;
        let next = first + delays.len();
        let made = format!("\"to\":\"n{}\",\"name\":null,\"status\":\"OK\"", next + 1);
        let round = (delays.len() < ROUNDS && text.contains(&made)).then_some(next);
        if round.is_some() {
            delays.push(all_have(logs, end) - posted[delays.len()]);
        }
        events.push(Event { at, text, round });
    }
    assert_eq!(delays.len(), ROUNDS, "not every change was told");
    Run { cpu_ms, delay_ms: median_ms(delays), events }
}

/// Changes a status at odd moments. Gives how long each took until the first reader had it, and until all had it, in
/// milliseconds and in order.
async fn at_odd_moments(server: &Served, logs: &[Rc<RefCell<Log>>], first: usize) -> (Vec<f64>, Vec<f64>) {
    let poster = TcpStream::connect(server.address()).await.unwrap();
    let (base, mut random) = (logs[0].borrow().got, Random(7));
    let mut posted = Vec::new();
    for round in first..first + ODD {
        posted.push(Instant::now());
        let event = |node: usize| format!("{{\"node\":\"n{node}\",\"token\":\"t{round}\"}}");
        post(&poster, "application/json", &format!("[{},{}]", event(round), event(round + 1))).await;
        sleep(Duration::from_micros(random.next() % ODD_PAUSE_US)).await;
    }
    sleep(PAUSE).await;
    let told = chunks(&logs[0].borrow(), base);
    let (mut one, mut all) = (Vec::new(), Vec::new());
    for (round, posted) in (first..).zip(posted) {
        let made = format!("\"to\":\"n{}\",\"name\":null,\"status\":\"OK\"", round + 1);
        let (end, _) = told.iter().find(|(_, text)| text.contains(&made)).expect("every change is told");
        one.push((arrival(&logs[0].borrow(), *end) - posted).as_secs_f64() * 1e3);
        all.push((all_have(logs, *end) - posted).as_secs_f64() * 1e3);
    }
    one.sort_by(f64::total_cmp);
    all.sort_by(f64::total_cmp);
    (one, all)
}

/// Has the bare server broadcast the same bytes at the same moments.
async fn replay(server: &Served, logs: &[Rc<RefCell<Log>>], events: &[Event]) -> Run {
    let poster = TcpStream::connect(server.address()).await.unwrap();
    let (begun, base, cpu_ms) = (Instant::now(), logs[0].borrow().got, server.cpu_ms());
    let mut posted = Vec::new();
    for event in events {
        sleep(event.at.saturating_sub(begun.elapsed())).await;
        posted.push(Instant::now());
        post(&poster, "text/plain", &event.text).await;
    }
    sleep((PAUSE * (ROUNDS as u32 + 1)).saturating_sub(begun.elapsed()).max(PAUSE)).await;
    let cpu_ms = server.cpu_ms() - cpu_ms;
    let told = chunks(&logs[0].borrow(), base);
    assert_eq!(told.len(), events.len(), "not every event was broadcast");
    let made = told.iter().zip(events).zip(posted).filter(|((_, event), _)| event.round.is_some());
    let delays = made.map(|(((end, _), _), posted)| all_have(logs, *end) - posted).collect();
    Run { cpu_ms, delay_ms: median_ms(delays), events: Vec::new() }
}

/// The chunks that came after the first `base` bytes, each with where it ends. Pieces of one event are put together.
fn chunks(log: &Log, base: usize) -> Vec<(usize, String)> {
    let bytes = log.bytes.as_ref().unwrap();
    let (mut at, mut chunks, mut text) = (base, Vec::new(), String::new());
    while at < bytes.len() {
        let line = bytes[at..].windows(2).position(|pair| pair == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).unwrap(), 16).unwrap();
        text += std::str::from_utf8(&bytes[at + line + 2..at + line + 2 + size]).unwrap();
        at += line + 2 + size + 2;
        if text.ends_with("\n\n") {
            chunks.push((at, std::mem::take(&mut text)));
        }
    }
    chunks
}

/// When a reader had so many bytes.
fn arrival(log: &Log, bytes: usize) -> Instant {
    log.times[log.times.partition_point(|&(got, _)| got < bytes)].1
}

/// When the last reader had so many bytes.
fn all_have(logs: &[Rc<RefCell<Log>>], bytes: usize) -> Instant {
    logs.iter().map(|log| arrival(&log.borrow(), bytes)).max().unwrap()
}

fn median_ms(mut delays: Vec<Duration>) -> f64 {
    delays.sort();
    delays[delays.len() / 2].as_secs_f64() * 1e3
}
