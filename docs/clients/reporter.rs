//! Reports events to Observatory: copy this file and own it. Rust 1.72 or later, standard library only,
//! and so without TLS: where Observatory is behind https, let `post` use an HTTP client of yours.
//!
//! A service must never wait for its monitor. So `report` only puts the event into a bounded buffer; a
//! thread sends what has gathered. Where Observatory is slow or away, events are dropped and counted,
//! and the service goes on as if nothing had happened. A key, where Observatory asks for one, is read once
//! from the file that the variable `OBSERVATORY_KEY_FILE` names.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Events that may wait; the next one is dropped.
const BUFFER: usize = 10_000;
/// Events in one request, at most.
const BATCH: usize = 500;
/// How long an event waits for others.
const INTERVAL: Duration = Duration::from_millis(100);
/// For each request, and for `close`.
const TIMEOUT: Duration = Duration::from_secs(1);
/// A longer `Retry-After` is cut to this many seconds.
const RETRY_MAX_S: u64 = 10;

/// One for the whole process, in a `static` or an `Arc`; any thread may call it.
pub struct Reporter {
    lines: SyncSender<String>,
    shared: Arc<Shared>,
    worker: Option<Thread>,
    done: Mutex<Receiver<()>>,
}

struct Shared {
    dropped: AtomicU64,
    /// When `close` gives up; empty until it is called.
    end: OnceLock<Instant>,
}

struct Worker {
    host: String,
    /// The header with the key; empty where there is none.
    key: String,
    lines: Receiver<String>,
    shared: Arc<Shared>,
    /// Goes with the worker: so `close` knows that it has ended.
    _alive: SyncSender<()>,
}

impl Reporter {
    /// Reports to the Observatory at `url`, with its port: `http://127.0.0.1:8700`.
    pub fn new(url: &str) -> Self {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (lines, queue) = sync_channel(BUFFER);
        let (alive, done) = sync_channel(0);
        let shared = Arc::new(Shared { dropped: AtomicU64::new(0), end: OnceLock::new() });
        // Without one Observatory refuses what it must, and the events are counted as dropped.
        let key = std::env::var_os("OBSERVATORY_KEY_FILE").and_then(|file| std::fs::read_to_string(file).ok());
        let key = key.map_or_else(String::new, |key| format!("Authorization: Bearer {}\r\n", key.trim()));
        let worker = Worker { host, key, lines: queue, shared: Arc::clone(&shared), _alive: alive };
        let worker = thread::Builder::new().name("observatory".to_owned()).spawn(move || worker.run());
        let worker = worker.ok().map(|handle| handle.thread().clone());
        Self { lines, shared, worker, done: Mutex::new(done) }
    }

    /// Says that `node` saw the message `token` now. Never blocks, never panics.
    pub fn report(&self, node: &str, token: &str) {
        let now_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let line = format!("{{\"node\":{},\"token\":{},\"timestamp\":{now_us}}}\n", quoted(node), quoted(token));
        if self.shared.end.get().is_some() || self.lines.try_send(line).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many events were not delivered.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Sends what is left, for at most a second.
    pub fn close(&self) {
        self.shared.end.get_or_init(|| Instant::now() + TIMEOUT);
        if let Some(worker) = &self.worker {
            worker.unpark();
        }
        // Nothing is ever sent here: it ends when the worker does, which is sooner, unless the machine hangs.
        let _ = self.done.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(2 * TIMEOUT);
    }
}

impl Worker {
    fn run(self) {
        loop {
            let closing = self.shared.end.get().is_some();
            let batch = self.gather(if closing { Duration::ZERO } else { INTERVAL });
            if batch.is_empty() && closing {
                return;
            }
            if !batch.is_empty() && !self.send(&batch.concat()) {
                self.shared.dropped.fetch_add(batch.len() as u64, Ordering::Relaxed);
            }
        }
    }

    fn gather(&self, interval: Duration) -> Vec<String> {
        let (mut batch, end) = (Vec::new(), Instant::now() + interval);
        while batch.len() < BATCH {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => batch.push(line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    // The reporter was dropped without being closed: this is its close.
                    self.shared.end.get_or_init(|| Instant::now() + TIMEOUT);
                    break;
                }
            }
        }
        batch
    }

    fn send(&self, body: &str) -> bool {
        let mut answer = self.post(body);
        if let Ok((503, seconds)) = answer {
            // Pushed back, once: nothing was taken, so the whole batch goes again. A wait that ends
            // early does no harm.
            let until = Instant::now() + Duration::from_secs(seconds.min(RETRY_MAX_S));
            while self.shared.end.get().is_none() && Instant::now() < until {
                thread::park_timeout(until.saturating_duration_since(Instant::now()));
            }
            answer = self.post(body);
        }
        matches!(answer, Ok((200..=299, _)))
    }

    /// The answer's status and `Retry-After`.
    fn post(&self, body: &str) -> Result<(u16, u64)> {
        let end = self.shared.end.get();
        let left = end.map_or(TIMEOUT, |end| end.saturating_duration_since(Instant::now()).min(TIMEOUT));
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        let address = self.host.to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, left)?;
        stream.set_read_timeout(Some(left))?;
        stream.set_write_timeout(Some(left))?;
        let (host, key, length) = (&self.host, &self.key, body.len());
        let head = format!(
            "POST /events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-ndjson\r\n\
             {key}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes())?;
        let mut lines = BufReader::new(stream.take(16 * 1024)).lines().map_while(Result::ok);
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
        let retry = lines.take_while(|line| !line.is_empty()).find_map(|line| {
            let (name, seconds) = line.split_once(':')?;
            name.eq_ignore_ascii_case("retry-after").then(|| seconds.trim().parse().ok())?
        });
        Ok((status, retry.unwrap_or(1)))
    }
}

/// As a JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            // Writing to a string cannot fail.
            '\0'..='\u{1f}' => write!(json, "\\u{:04x}", char as u32).unwrap_or_default(),
            _ => json.push(char),
        }
    }
    json.push('"');
    json
}
