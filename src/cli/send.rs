//! `observatory send`: reports events.

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::client::{Answer, Client, Credentials};
use super::text::printable;
use super::{Exit, Format, output};

/// The most lines that are sent at once.
const LINES_MAX: usize = 1000;
/// The most bytes that are sent at once, but for a single longer line.
const BYTES_MAX: usize = 1024 * 1024;
/// How often a batch is sent again to a server that pushes back.
const TRIES: usize = 10;

/// Report one event, or those on standard input
///
/// Ends with 0 where every event was accepted, with 1 where one was refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory send web-server 4bf92f3577b34da6a3ce929d0e0e4736
  observatory send journal order-17 --timestamp 2026-11-20T12:00:00.123456Z
  tail -f events.ndjson | observatory send - --to https://observatory.example:8700 --key-file shop.key")]
pub(super) struct Send {
    /// The node that saw the message; - reads events from standard input, one JSON object a line
    node: String,
    /// The message's token
    token: Option<String>,
    /// When the node saw it: RFC 3339, or microseconds since the Unix epoch [default: now, by the server's clock]
    #[arg(long, value_name = "T", env = "OBSERVATORY_TIMESTAMP", allow_hyphen_values = true)]
    timestamp: Option<String>,
    /// The server
    #[arg(long, value_name = "URL", env = "OBSERVATORY_TO", default_value = "http://127.0.0.1:8700")]
    to: String,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    format: Format,
}

/// What became of all that was sent.
#[derive(Debug, Default, Serialize)]
struct Total {
    accepted: u64,
    rejected: Vec<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How many were refused.
    #[serde(skip)]
    refused: u64,
    /// Refusals are said as they come, and not collected.
    #[serde(skip)]
    aloud: bool,
}

#[derive(Debug, Serialize)]
struct Refused {
    index: usize,
    error: String,
}

impl Total {
    fn refuse(&mut self, refused: Refused) {
        self.refused += 1;
        if self.aloud {
            output::say(&format!("refused: event {}: {}\n", refused.index, printable(&refused.error)));
        } else {
            self.rejected.push(refused);
        }
    }
}

impl Send {
    pub(super) fn run(self) -> ExitCode {
        let client = match self.credentials.client(&self.to, "--to") {
            Ok(client) => client,
            Err(error) => return output::wrong(&error),
        };
        let mut total = Total { aloud: !self.format.json, ..Total::default() };
        let sent = match (&*self.node, &self.token) {
            ("-", None) => send_all(&client, &mut total),
            ("-", Some(_)) => return output::wrong(&"with - the events come from standard input: leave the token out"),
            (_, None) => return output::wrong(&"say the token, too: observatory send NODE TOKEN"),
            (node, Some(token)) => send(&client, &line(node, token, self.timestamp.as_deref()), 0, &mut total),
        };
        total.error = sent.err();
        let good = total.error.is_none() && total.refused == 0;
        let printed = if self.format.json { output::answer_json(&total) } else { print(&total) };
        printed.err().unwrap_or(if good { ExitCode::SUCCESS } else { Exit::Failed.into() })
    }
}

fn print(total: &Total) -> Result<(), ExitCode> {
    if let Some(error) = &total.error {
        output::say(&format!("observatory: {}\n", printable(error)));
    }
    output::answer(&format!("accepted {}, refused {}\n", total.accepted, total.refused))
}

/// One event as a line of JSON.
fn line(node: &str, token: &str, timestamp: Option<&str>) -> String {
    let mut event = serde_json::json!({ "node": node, "token": token });
    if let Some(timestamp) = timestamp {
        event["timestamp"] = timestamp.parse::<u64>().map_or_else(|_| timestamp.into(), Into::into);
    }
    format!("{event}\n")
}

/// Sends standard input as it comes: what is there goes at once, together.
fn send_all(client: &Client, total: &mut Total) -> Result<(), String> {
    let (lines_in, lines) = sync_channel(LINES_MAX);
    let reader = std::thread::spawn(move || -> io::Result<()> {
        for line in io::stdin().lock().lines() {
            let line = line?;
            if !line.trim().is_empty() && lines_in.send(line).is_err() {
                break;
            }
        }
        Ok(())
    });
    let mut index = 0;
    while let Some((batch, count)) = next_batch(&lines) {
        send(client, &batch, index, total)?;
        index += count;
    }
    match reader.join() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("failed to read standard input: {error}")),
        Err(_) => Err("failed to read standard input".to_owned()),
    }
}

/// Waits for a line, and takes those that are there with it.
fn next_batch(lines: &Receiver<String>) -> Option<(String, usize)> {
    let mut batch = lines.recv().ok()? + "\n";
    let mut count = 1;
    while count < LINES_MAX && batch.len() < BYTES_MAX {
        let Ok(line) = lines.try_recv() else { break };
        batch += &line;
        batch.push('\n');
        count += 1;
    }
    Some((batch, count))
}

/// Sends a batch whose first event has this index; waits and tries again where the server pushes back.
fn send(client: &Client, batch: &str, first: usize, total: &mut Total) -> Result<(), String> {
    for _ in 0..TRIES {
        let answer = client.send(batch).map_err(|error| error.to_string())?;
        if answer.status == 503 {
            let wait = Duration::from_secs(answer.retry_after_s.unwrap_or(1).min(60));
            std::thread::park_timeout(wait);
            continue;
        }
        return note(&answer, first, batch.lines().count(), total);
    }
    Err("the server pushes back for too long".to_owned())
}

/// Notes what became of `count` events.
fn note(answer: &Answer, first: usize, count: usize, total: &mut Total) -> Result<(), String> {
    let told = answer.told();
    total.accepted += told.accepted;
    for event in told.rejected {
        total.refuse(Refused { index: first + event.index, error: event.error });
    }
    match answer.status {
        202 if told.rejected_more == 0 => Ok(()),
        202 => Err(format!("{} more events were refused", told.rejected_more)),
        // Then every event is in `rejected`, each with its reason.
        422 => Ok(()),
        // Not one line is JSON; those that come behind may be.
        400 => {
            for index in 0..count {
                total.refuse(Refused { index: first + index, error: told.detail.clone() });
            }
            Ok(())
        }
        status => Err(format!("the server answered {status} {}: {}", told.title, told.detail)),
    }
}
