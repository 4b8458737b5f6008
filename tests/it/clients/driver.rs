//! A service that uses a reporter: a program that reports each line of its standard input as a token.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

/// How long a driver may take to end, on a machine however busy.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the driver says at its end.
#[derive(Debug, Deserialize)]
pub(super) struct Facts {
    /// How many times it called `report`.
    pub(super) calls: usize,
    /// How many events the reporter dropped.
    pub(super) dropped: usize,
    /// How long the longest call took: good to know, not asserted.
    pub(super) longest_us: u64,
}

/// A driver that runs.
pub(super) struct Driver {
    name: String,
    id: u32,
    /// While it is held, the driver's input stays open, and so its reporter.
    hold: SyncSender<()>,
    output: Receiver<Output>,
}

impl Driver {
    /// Lets the driver report these tokens to this URL.
    pub(super) fn start(mut command: Command, url: &str, tokens: &[String]) -> Self {
        if command.get_envs().all(|(name, _)| name != "OBSERVATORY_KEY_FILE") {
            command.env_remove("OBSERVATORY_KEY_FILE");
        }
        command.arg(url).env("NO_PROXY", "*").env("no_proxy", "*");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (name, id, mut stdin) = (format!("{command:?}"), child.id(), child.stdin.take().unwrap());
        let (hold, held) = sync_channel::<()>(0);
        let (sender, output) = sync_channel(1);
        let lines: String = tokens.iter().flat_map(|token| [token.as_str(), "\n"]).collect();
        thread::spawn(move || {
            // Where the driver has ended before, its status tells.
            if stdin.write_all(lines.as_bytes()).is_ok() {
                held.recv().unwrap_or_default();
            }
        });
        thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
        Self { name, id, hold, output }
    }

    /// Lets the driver come to its end, which it must reach without an error.
    #[expect(clippy::print_stderr, reason = "shown where a test fails")]
    pub(super) fn finish(self) -> Facts {
        drop(self.hold);
        let Ok(output) = self.output.recv_timeout(PATIENCE) else {
            let killed = Command::new("kill").args(["-9", &self.id.to_string()]).status();
            unreachable!("{} does not end; killed: {killed:?}", self.name);
        };
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && stderr.is_empty(), "{}: {}\n{stdout}{stderr}", self.name, output.status);
        let facts: Facts = serde_json::from_str(&stdout).expect(&stdout);
        eprintln!(
            "{}: {} calls, {} dropped, the longest took {} us",
            self.name, facts.calls, facts.dropped, facts.longest_us
        );
        facts
    }
}
