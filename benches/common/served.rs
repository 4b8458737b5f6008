//! Servers as processes of their own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A server that runs; it is killed when this is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    /// Starts a server that prints its address on its first line, as `observatory serve` does.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().trim_start_matches("observatory: ").trim_end_matches('/').to_owned();
        Self { child, url }
    }

    /// Observatory with the known picture's manifest, on one core.
    pub(crate) fn observatory() -> Self {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/intro.toml");
        let ours = [env!("CARGO_BIN_EXE_observatory"), "serve", manifest, "--listen", "127.0.0.1:0"];
        Self::start(on_one_core().args(ours))
    }

    /// CPU time of the server so far, in seconds.
    pub(crate) fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in ticks of 10 ms, which they are on every Linux that we know.
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }
}

/// Runs what follows on one core: so neither waits for the other's memory, nor is anybody woken elsewhere.
pub(crate) fn on_one_core() -> Command {
    let mut taskset = Command::new("taskset");
    taskset.args(["--cpu-list", "0"]);
    taskset
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
