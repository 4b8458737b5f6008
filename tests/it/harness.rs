//! Runs the real binary: a server on a port of its own, or a command to its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use observatory::pipeline::Pipeline;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

/// However slow the machine is, what is waited for comes within this time, or never.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One stream `orders`: `web -> worker -> books`, with short deadlines.
pub(crate) const ORDERS: &str = r#"
name = "Shop"
grace = "100ms"

[[stream]]
name = "orders"
description = "From the shop's front to its books"

  [[stream.edge]]
  from = "web"
  to = "worker"
  check = { within = "200ms", ok = 3, warn = 1, fail = 2 }

  [[stream.edge]]
  from = "worker"
  to = "books"
"#;

/// The binary under test, with nothing in its environment that could change what it does.
pub(crate) fn observatory() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_observatory"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OBSERVATORY_") {
            command.env_remove(name);
        }
    }
    command.env_remove("JOURNAL_STREAM").stdin(Stdio::null());
    command
}

/// Runs a command to its end, with this on its standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = observatory();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command may not read it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// Files of one test.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A server that runs; stopped when dropped.
pub(crate) struct Server {
    child: Child,
    stdout: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    /// Reads that until its end.
    follows: Option<JoinHandle<()>>,
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    /// Kept as long as the server runs.
    files: Option<Files>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Server {
    /// Serves a manifest on a free port, and waits for the address that it prints.
    pub(crate) fn start(manifest: &str) -> Self {
        let files = Files::new();
        let path = files.write("manifest.toml", manifest);
        let mut server = Self::spawn(observatory().args(["serve", &path, "--listen", "127.0.0.1:0"]));
        server.files = Some(files);
        server
    }

    /// Starts any command that serves.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::try_spawn(command).unwrap_or_else(|log| panic!("no address: {log}"))
    }

    /// Starts a command that serves, unless it fails: then what it logged says why.
    pub(crate) fn try_spawn(command: &mut Command) -> Result<Self, String> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (lines_in, stdout) = sync_channel(1000);
        let pipe = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || pipe.lines().map_while(Result::ok).all(|line| lines_in.send(line).is_ok()));
        let stderr = Arc::default();
        let follows = Some(follow(child.stderr.take().unwrap(), Arc::clone(&stderr)));
        let mut server = Self { child, stdout, stderr, follows, url: String::new(), files: None };
        let Ok(line) = server.stdout.recv_timeout(PATIENCE) else { return Err(server.log()) };
        let url = line.strip_prefix("observatory: ").unwrap_or_else(|| panic!("no address in {line:?}"));
        url.trim_end_matches('/').clone_into(&mut server.url);
        Ok(server)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// All that it has logged, when it has ended.
    pub(crate) fn whole_log(&mut self) -> String {
        self.follows.take().unwrap().join().unwrap();
        self.log()
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        read(agent().get(format!("{}{path}", self.url)).call())
    }

    /// Sends a body as `application/json`.
    pub(crate) fn post(&self, body: &str) -> Answer {
        self.post_as("application/json", &[], body.as_bytes())
    }

    pub(crate) fn post_as(&self, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = agent().post(format!("{}/events", self.url));
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send(body))
    }

    /// An edge of the stream `orders`, by its number.
    pub(crate) fn edge(&self, number: usize) -> Value {
        self.get("/api/v1/streams/orders").json()["edges"][number].clone()
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.wait();
    }

    /// One of its inputs, as `/status` has it.
    pub(crate) fn input(&self, name: &str) -> Value {
        let inputs = self.get("/status").json()["inputs"].as_array().unwrap().clone();
        inputs.into_iter().find(|input| input["name"] == name).unwrap()
    }

    pub(crate) fn await_input(&self, name: &str, state: &str) {
        wait_until(&format!("{name} is {state}"), || (self.input(name)["state"] == state).then_some(()));
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_until("the server has ended", || self.child.try_wait().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn follow(mut pipe: ChildStderr, log: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = pipe.read(&mut chunk) {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
    })
}

/// A client that takes every status for an answer.
pub(crate) fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
    config.timeout_global(Some(PATIENCE)).build().into()
}

pub(crate) fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut answer = answer.unwrap();
    let body = answer.body_mut().with_config().limit(u64::MAX).read_to_string().unwrap();
    Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
}

/// Waits until a pipeline of this process shows what is waited for.
pub(crate) async fn await_board(pipeline: &Pipeline, seen: impl Fn(&Pipeline) -> bool) {
    let mut shown = pipeline.shown();
    let waits = async {
        while !seen(pipeline) {
            shown.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("waited in vain");
}

/// Looks until there is something to see.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let pause = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(waited < PATIENCE, "waited in vain until {what}");
        // Nobody unparks us: this is a pause.
        std::thread::park_timeout(pause);
        waited += pause;
    }
}

/// One event as JSON.
pub(crate) fn event(node: &str, token: &str) -> String {
    serde_json::json!({ "node": node, "token": token }).to_string()
}

/// Sends bytes over a connection of their own and reads until the other side closes.
pub(crate) fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is an end as well.
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}
