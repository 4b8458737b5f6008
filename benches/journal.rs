//! What does the journal cost, and how soon is a server back?
//!
//! `cargo bench --bench journal [-- SECONDS]`, with `wrk` on the path. Four questions, each with its floor:
//!
//! - Requests a second with a data directory, of those without, at the same load: batches of 100 events from 256
//!   connections, and single events from 512.
//! - The 99th percentile of a 202's latency at half the load that the server takes, against the commit interval and
//!   three times that of a bare write and sync in the same folder at the same time.
//! - How long a start takes for a million tokens in flight: as a kill leaves them, and after a clean stop.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark prints, and may panic")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use observatory::clock::MonotonicClock;
use observatory::event::{Report, Token};
use observatory::manifest::{Source, load};
use observatory::pipeline::{Batch, Journal, Load, Start, Stretch};
use observatory::store::{Folder, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Requests a second with the journal, of those without.
const RATIO: f64 = 0.7;
/// The journal's syncs begin at least this long after one another.
const COMMIT_MS: f64 = 2.0;
/// A start for a million tokens in flight.
const START_S: f64 = 2.0;
const TOKENS: u64 = 1_000_000;
const ROUNDS: usize = 3;
/// So many connections report at fixed times: enough that none still waits for an answer when its next report is due.
const SENDERS: u32 = 256;

const MANIFEST: &str = r#"
max_tokens = 4_000_000
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = { within = "5s", ok = 1 }
"#;

fn requests(events: usize) -> String {
    format!(
        r#"
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("id", threads * 1000000007 + os.time())
end
local n = 0
local headers = {{ ["Content-Type"] = "application/json" }}
request = function()
  local events = {{}}
  for at = 1, {events} do
    n = n + 1
    events[at] = string.format('{{"node":"web","token":"%016x%016x"}}', id, n)
  end
  return wrk.format("POST", "/events", headers, "[" .. table.concat(events, ",") .. "]")
end
"#
    )
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let seconds = arguments.next().unwrap_or_else(|| "5".to_owned());
    let mut good = true;
    let mut single = 0.0;
    for (events, connections) in [(100, "256"), (1, "512")] {
        let mut ratios: Vec<f64> = Vec::new();
        for _ in 0..ROUNDS {
            let without = Served::start(None).load(&seconds, connections, events);
            let data = tempfile::tempdir().unwrap();
            let with = Served::start(Some(data.path())).load(&seconds, connections, events);
            let ratio = with / without;
            println!(
                "{events:>3} events, {connections} connections: {without:>7.0}/s without, {with:>7.0}/s with: {ratio:.3}"
            );
            ratios.push(ratio);
            single = with;
        }
        ratios.sort_by(f64::total_cmp);
        let median = ratios[ROUNDS / 2];
        println!("median ratio {median:.3}, at least {RATIO} is asked");
        good &= median >= RATIO;
    }
    // What the runs before have left to be written is not theirs who come now.
    assert!(Command::new("sync").status().unwrap().success());
    good &= latency(single / 2.0, seconds.parse().unwrap());
    good &= recovery();
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(data: Option<&Path>) -> Self {
        let manifest = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(manifest.path(), MANIFEST).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_observatory"));
        command.arg("serve").arg(manifest.path()).args(["--listen", "127.0.0.1:0", "--log-level", "error"]);
        if let Some(data) = data {
            command.arg("--data-dir").arg(data);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().trim_start_matches("observatory: ").trim_end_matches('/').to_owned();
        Self { child, url }
    }

    /// Requests a second.
    fn load(self, seconds: &str, connections: &str, events: usize) -> f64 {
        let script = tempfile::NamedTempFile::with_suffix(".lua").unwrap();
        std::fs::write(script.path(), requests(events)).unwrap();
        let wrk = |seconds: &str| {
            let mut command = Command::new("wrk");
            command.args([
                "-t",
                "1",
                "-c",
                connections,
                "-d",
                seconds,
                "-s",
                script.path().to_str().unwrap(),
                &self.url,
            ]);
            let output = command.output().unwrap_or_else(|error| panic!("wrk: {error}"));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("Non-2xx"), "{text}");
            text.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse::<f64>().ok()).unwrap()
        };
        wrk("1");
        wrk(seconds)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn percentile_ms(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() as f64 * share) as usize).min(times.len() - 1)].as_secs_f64() * 1e3
}

/// The latency of a 202 at a rate, beside a bare write and sync.
fn latency(rate: f64, seconds: f64) -> bool {
    let data = tempfile::tempdir().unwrap();
    let server = Served::start(Some(data.path()));
    let address = server.url.trim_start_matches("http://").to_owned();
    let pause = Duration::from_secs_f64(f64::from(SENDERS) / rate);
    let stop = AtomicBool::new(false);
    let (mut latencies, mut bare) = std::thread::scope(|scope| {
        let bare = scope.spawn(|| sync(&data.path().join("bare"), &stop));
        let latencies = send_all(&address, pause, seconds);
        stop.store(true, Ordering::Relaxed);
        (latencies, bare.join().unwrap())
    });
    let (median, ours) = (percentile_ms(&mut latencies, 0.5), percentile_ms(&mut latencies, 0.99));
    let bare = percentile_ms(&mut bare, 0.99);
    let most = COMMIT_MS + 3.0 * bare;
    let rate = latencies.len() as f64 / seconds;
    println!(
        "202 at {rate:.0}/s: median {median:.1} ms, p99 {ours:.1} ms; a bare write and sync: p99 {bare:.1} ms; at most {most:.1} ms is asked"
    );
    ours <= most
}

/// All senders on one thread, so that little of the machine is theirs.
fn send_all(address: &str, pause: Duration, seconds: f64) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let begun = Instant::now();
        let send = |id| tokio::task::spawn_local(send(address.to_owned(), id, begun, pause, seconds));
        let senders: Vec<_> = (0..SENDERS).map(send).collect();
        let mut latencies = Vec::new();
        for sender in senders {
            latencies.extend(sender.await.unwrap());
        }
        latencies
    })
}

/// Sends one event every so often, at fixed times, however long the answer takes. Where the one before was answered only
/// after the next was due, that has waited since it was due.
async fn send(address: String, id: u32, begun: Instant, pause: Duration, seconds: f64) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut latencies = Vec::new();
    let mut answer = [0; 4096];
    for at in 0_u32.. {
        let due = begun + pause * at + pause * id / SENDERS;
        let late = Instant::now() > due;
        tokio::time::sleep_until(due.into()).await;
        let sent = if late { due } else { Instant::now() };
        if begun.elapsed().as_secs_f64() > seconds {
            break;
        }
        let body = format!("{{\"node\":\"web\",\"token\":\"{id:08x}{at:024x}\"}}");
        let head = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length:";
        stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer[..read]));
        latencies.push(sent.elapsed());
    }
    latencies
}

fn sync(path: &Path, stop: &AtomicBool) -> Vec<Duration> {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        file.write_all(&[1; 512]).unwrap();
        file.sync_data().unwrap();
        times.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
    times
}

/// How long a start takes with a million tokens in flight.
fn recovery() -> bool {
    let data = tempfile::tempdir().unwrap();
    let start = |path: &Path| {
        let system = load(&Source::Text("bench.toml".to_owned(), MANIFEST.replace("5s", "1h"))).unwrap().system;
        let limits = Limits { max_bytes: 1 << 30, max_age_us: u64::MAX };
        let journal = Some(Journal { disk: Arc::new(Folder::lock(path).unwrap()), limits });
        Start { system: Arc::new(system), clock: Arc::new(MonotonicClock::start()), journal }.run().unwrap()
    };
    let running = start(data.path());
    let pipeline = running.pipeline.clone();
    let by = pipeline.observed();
    let node = by.nodes.find("web").unwrap();
    let mut waiting = Vec::new();
    for round in 0..TOKENS / 1000 {
        let token = |at| Token::new(&format!("{:032x}", (round * 1000 + at) * 0x9e37_79b9)).unwrap();
        let report = |at| Report { node, token: token(at), timestamp_us: None, parent: None, alias: None };
        let reports: Vec<_> = (0..1000).map(report).collect();
        let room = pipeline.reserve(Load::of(&reports, &[])).unwrap();
        let stretches = vec![Stretch { events: 1000, input: by.http, by: Arc::clone(&by) }];
        let (done, acknowledged) = oneshot::channel();
        let (unknown, positions) = (Vec::new(), None);
        pipeline.send(Batch { reports, stretches, unknown, positions, room, done }).unwrap();
        waiting.push(acknowledged);
        if waiting.len() == 100 {
            waiting.drain(..).for_each(|acknowledged| drop(acknowledged.blocking_recv().unwrap().unwrap()));
        }
    }
    waiting.drain(..).for_each(|acknowledged| drop(acknowledged.blocking_recv().unwrap().unwrap()));
    // As a kill would leave it.
    let killed = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(data.path()).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), killed.path().join(file.file_name())).unwrap();
    }
    running.stop();
    // Whoever holds a door of it holds the folder.
    drop(pipeline);
    let mut good = true;
    for (what, path) in [("as a kill leaves them", killed.path()), ("after a clean stop", data.path())] {
        let begun = Instant::now();
        let running = start(path);
        let seconds = begun.elapsed().as_secs_f64();
        let tokens = running.pipeline.board().tokens;
        let bytes: u64 = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert_eq!(tokens as u64, TOKENS);
        println!(
            "{tokens} tokens in flight {what}: back in {seconds:.2} s, {} MB read at most; at most {START_S} s is asked",
            bytes >> 20
        );
        good &= seconds <= START_S;
        running.stop();
    }
    good
}
