//! What we tell the service manager that started us, where it asks for it (systemd, `Type=notify`).
//!
//! Nothing is said where `NOTIFY_SOCKET` is not set; a manager that does not listen is no failure of ours.

use std::ffi::OsStr;
use std::fmt::Write;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::board::Board;
use crate::outcome::Status;
use crate::pipeline::Pipeline;

/// The variable that names the manager's socket.
const SOCKET: &str = "NOTIFY_SOCKET";
/// How often the manager's line about us is brought up to date.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// We show a sign of life so often in the time in which the manager waits for one.
const SIGNS: u32 = 3;

/// Says that events are taken: after the start, and after each reload.
pub fn ready() {
    tell("READY=1");
}

/// Says that the manifest is read again; [`ready`] says that this is over.
pub fn reloading() {
    // The manager takes the word only with the time at which it was said, by the kernel's clock that both can read.
    let now = clock_gettime(ClockId::Monotonic);
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1_000));
}

/// Says that the server stops.
pub fn stopping() {
    tell("STOPPING=1");
}

/// Shows signs of life as often as the manager wants them, as long as the pipeline lives, and says how
/// the streams are; does not end.
pub async fn watch(pipeline: Pipeline) {
    if std::env::var_os(SOCKET).is_none() {
        return;
    }
    let watchdog = watchdog();
    let period = watchdog.map_or(STATUS_EVERY, |patience| (patience / SIGNS).min(STATUS_EVERY));
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = String::new();
    loop {
        ticks.tick().await;
        let (status, alive) = look(&pipeline);
        if status != told {
            tell(&format!("STATUS={status}"));
            told = status;
        }
        if alive && watchdog.is_some() {
            tell("WATCHDOG=1");
        }
    }
}

/// How we are, and whether that is a sign of life.
fn look(pipeline: &Pipeline) -> (String, bool) {
    if pipeline.is_alive() {
        (summary(&pipeline.board()), true)
    } else {
        ("the correlator does not work any more".to_owned(), false)
    }
}

/// How long the manager waits for a sign of life, where it waits for ours.
fn watchdog() -> Option<Duration> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|_| ours).map(Duration::from_micros)
}

/// Tells the manager, where there is one.
fn tell(state: &str) {
    let Some(address) = std::env::var_os(SOCKET) else { return };
    if let Err(error) = send(&address, state) {
        warn!(subsystem = "server", %error, "failed to tell the service manager how we are");
    }
}

/// Sends one message to the socket at a path, or of an abstract name, which is written with an `@`.
fn send(address: &OsStr, state: &str) -> io::Result<()> {
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    // Better no word to a manager that does not read than to stand still.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

/// One line: `3 streams: 1 NOK, 2 OK; 120 messages remembered`.
fn summary(board: &Board) -> String {
    let count = board.streams.len();
    let mut line = format!("{count} stream{}:", if count == 1 { "" } else { "s" });
    let mut comma = "";
    for status in Status::ALL.into_iter().rev() {
        let so_many = board.streams.iter().filter(|stream| stream.status == status).count();
        if so_many > 0 {
            // Writing to a String cannot fail.
            write!(line, "{comma} {so_many} {status}").unwrap_or_default();
            comma = ",";
        }
    }
    line + &format!("; {} messages remembered", board.tokens)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::clock::{Clock, SECOND_US};
    use crate::graph::{Stream, System};
    use crate::pipeline::Start;

    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now_us(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_pipeline_that_does_not_move_gives_no_sign_of_life() {
        let clock = Arc::new(Hand(AtomicU64::new(SECOND_US)));
        let system = Arc::new(System { streams: vec![Stream::default()], ..System::default() });
        let running = Start { system, clock: Arc::clone(&clock) as Arc<dyn Clock>, journal: None }.run().unwrap();
        let pipeline = running.pipeline.clone();
        assert_eq!(look(&pipeline), ("1 stream: 1 UNKNOWN; 0 messages remembered".to_owned(), true));
        running.stop();
        clock.0.store(60 * SECOND_US, Ordering::Relaxed);
        assert_eq!(look(&pipeline), ("the correlator does not work any more".to_owned(), false));
    }
}
