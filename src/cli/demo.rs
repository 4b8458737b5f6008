//! `observatory demo`: the known picture, live.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use clap::Args;

use super::client::Credentials;
use super::{Listening, Logging, output, serve};
use crate::app::{Failure, Flags, Reached};
use crate::clock::{Clock, Moment, MonotonicClock};
use crate::manifest::{self, LISTEN_DEFAULT, Source};

/// The manifest of the known picture.
const INTRO: &str = include_str!("../../manifests/intro.toml");
/// Between two requests.
const PERIOD_US: u64 = 250_000;

/// Show a small system with made-up traffic: one edge is OK, one WARN, one NOK
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory demo
  observatory demo --listen 127.0.0.1:0")]
pub(super) struct Demo {
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    logging: Logging,
}

impl Demo {
    pub(super) fn run(self) -> ExitCode {
        let mut manifest = match manifest::load(&Source::Text("manifests/intro.toml".to_owned(), INTRO.to_owned())) {
            Ok(manifest) => manifest,
            Err(problems) => return output::fail(&manifest::render(&problems, output::stderr_colour())),
        };
        // The picture is shown as it is known: nobody who looks at it can mend its manifest.
        manifest.warnings.clear();
        let listen = self.listening.listen.unwrap_or(LISTEN_DEFAULT);
        // Dropped when the server has stopped: that ends the traffic.
        let (_running, stop) = sync_channel::<()>(0);
        let traffic = move |reached: Reached| {
            let run = move || traffic(reached.address, &stop);
            let started = std::thread::Builder::new().name("demo".to_owned()).spawn(run);
            started.map(drop).map_err(|error| Failure::Failed(format!("failed to start the traffic: {error}")))
        };
        serve::run(&manifest, None, Flags { listen: Some(listen), data_dir: None }, &self.logging, traffic)
    }
}

/// When a request reaches each node, from its start.
///
/// The windows hold 3, 6 and 4 outcomes. Every request reaches the processor in time; every sixth
/// is late at the database, so that of any six one is; every fourth is in time at the journal.
/// Outcomes are decided in the order of these moments, so that this order is the same for ever.
fn stops(request: u64) -> [(&'static str, u64); 4] {
    let jitter_us = request * 7919 % 9_000;
    let database_us = if request % 6 == 3 { 700_000 } else { 30_000 + jitter_us };
    let journal_us = if request % 4 == 3 { 50_000 + jitter_us } else { 1_610_000 };
    [("web-server", 0), ("event-processor", 12_000 + jitter_us), ("database", database_us), ("journal", journal_us)]
}

/// Reports made-up requests to the server, each event when it takes place, until told to stop.
fn traffic(address: SocketAddr, stop: &Receiver<()>) {
    let client = match Credentials::default().client(&format!("http://{address}"), "--listen") {
        Ok(client) => client,
        Err(error) => return tracing::error!(subsystem = "server", error, "failed to start the made-up traffic"),
    };
    let clock = MonotonicClock::start();
    let tokens = RandomState::new();
    // What is still to be reported, soonest first.
    let mut ahead = BinaryHeap::new();
    let (mut request, mut next_us) = (0, clock.now_us());
    loop {
        let now_us = clock.now_us();
        while next_us <= now_us {
            ahead.extend(stops(request).map(|(node, after_us)| Reverse((next_us + after_us, request, node))));
            (request, next_us) = (request + 1, next_us + PERIOD_US);
        }
        let mut lines = String::new();
        while let Some(&Reverse((at_us, request, node))) = ahead.peek().filter(|next| next.0.0 <= now_us) {
            let token = format!("{:016x}{request:016x}", tokens.hash_one(request));
            lines += &serde_json::json!({ "node": node, "token": token, "timestamp": Moment(at_us) }).to_string();
            lines.push('\n');
            ahead.pop();
        }
        if !lines.is_empty()
            && let Err(error) = client.send(&lines)
        {
            tracing::debug!(subsystem = "server", %error, "failed to report made-up traffic");
        }
        let wake_us = ahead.peek().map_or(next_us, |next| next.0.0.min(next_us));
        let pause = Duration::from_micros(wake_us.saturating_sub(clock.now_us()));
        if stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The edge's outcomes in the order in which they are decided, by the time of their end.
    fn decided(node: usize, within_us: u64) -> Vec<bool> {
        let mut ends: Vec<_> = (0..600_u64)
            .map(|request| {
                let stops = stops(request);
                (request * PERIOD_US + stops[node].1, stops[node].1 - stops[1].1 <= within_us)
            })
            .collect();
        ends.sort_unstable();
        ends.into_iter().map(|(_, pass)| pass).collect()
    }

    #[test]
    fn the_windows_always_show_the_known_picture() {
        let of_six = decided(2, 500_000);
        assert!(of_six[..580].windows(6).all(|window| window.iter().filter(|pass| !**pass).count() == 1));
        let of_four = decided(3, 1_000_000);
        assert!(of_four[8..580].windows(4).all(|window| window.iter().filter(|pass| **pass).count() == 1));
    }
}
