//! A tiny HTTP server that takes events and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use observatory::clock::{Clock, MonotonicClock};
use serde::Deserialize;

/// How long a test waits for what must come, on a machine however busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 202.
    Accept,
    /// 503 with a `Retry-After` of one second.
    PushBack,
    /// 400.
    Refuse,
    /// Nothing: the connection is closed.
    Cut,
    /// Nothing: the connection stays open.
    Hang,
}

/// An event as it came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) node: String,
    pub(super) token: String,
    pub(super) timestamp: u64,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) at_us: u64,
    pub(super) head: String,
    pub(super) events: Vec<Sent>,
    answer: Answer,
}

/// The server; its threads end with the tests.
pub(super) struct Server {
    pub(super) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    clock: MonotonicClock,
    answers: Vec<Answer>,
    requests: Mutex<Vec<Request>>,
    came: Condvar,
}

impl Server {
    /// Answers the first request with the first of `answers` and so on; the last one is for all others.
    pub(super) fn start<const N: usize>(answers: [Answer; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answers, requests, came) = (answers.to_vec(), Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { clock: MonotonicClock::start(), answers, requests, came });
        let server = Self { url, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(&stream.unwrap()));
            }
        });
        server
    }

    /// Waits until this many events have come in requests that were not pushed back.
    pub(super) fn wait_for(&self, count: usize) {
        let came = |requests: &[Request]| -> usize {
            let taken = requests.iter().filter(|request| request.answer != Answer::PushBack);
            taken.map(|request| request.events.len()).sum()
        };
        let requests = self.shared.requests.lock().unwrap();
        let (requests, _) =
            self.shared.came.wait_timeout_while(requests, PATIENCE, |requests| came(requests) < count).unwrap();
        let came = came(&requests);
        assert!(came >= count, "{came} of {count} events came");
    }

    /// How many events have come so far, whatever the answer.
    pub(super) fn sent(&self) -> usize {
        self.requests().iter().map(|request| request.events.len()).sum()
    }

    /// All requests so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((head, body)) = read(&mut reader) {
            let events = body.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
            let answer = {
                let mut requests = self.requests.lock().unwrap();
                let answer = self.answers[requests.len().min(self.answers.len() - 1)];
                requests.push(Request { at_us: self.clock.now_us(), head, events, answer });
                answer
            };
            let (status, more) = match answer {
                Answer::Accept => ("202 Accepted", ""),
                Answer::PushBack => ("503 Service Unavailable", "Retry-After: 1\r\n"),
                Answer::Refuse => ("400 Bad Request", ""),
                Answer::Cut => ("", ""),
                // Until the client gives up; what else it sends is not looked at.
                Answer::Hang => return drop(reader.read_to_end(&mut Vec::new())),
            };
            if !status.is_empty() {
                let answer = format!("HTTP/1.1 {status}\r\n{more}Content-Length: 2\r\n\r\n{{}}");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
            self.came.notify_all();
            if status.is_empty() {
                return;
            }
        }
    }
}

/// The head and body of the next request, if there is one.
fn read(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let mut length =
        headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.trim());
    let length = length.next().and_then(|value| value.parse().ok()).expect("a body has a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

/// An address at which nobody listens, as long as this lives.
pub(super) struct Down {
    pub(super) url: String,
    _taken: (TcpListener, TcpStream),
}

/// Makes one: the near end of a connection keeps its port from being given to anybody else.
pub(super) fn dead_url() -> Down {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    Down { url: format!("http://{}", near.local_addr().unwrap()), _taken: (listener, near) }
}
