//! The server's log, on standard error: text for people on a terminal, JSON lines elsewhere, and the
//! journal's own fields where systemd has connected us to it.
//!
//! Every line has a `subsystem`. No token, key or password above debug.

use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Starts the log. `colour`: whether a terminal may be shown colours.
pub fn start(level: LevelFilter, colour: bool) -> Result<(), TryInitError> {
    let registry = tracing_subscriber::registry().with(filter(level));
    if let Some(journal) = journal() {
        registry.with(journal).try_init()?;
    } else if io::stderr().is_terminal() {
        let text = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colour).with_target(false);
        registry.with(text).try_init()?;
    } else {
        let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
        registry.with(json.with_span_list(false).with_target(false).with_writer(io::stderr)).try_init()?;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(subsystem = "server", place, message, "a thread panicked");
    }));
    Ok(())
}

/// Our own lines by the level asked for; of others' only what went wrong. What ends a broker's connection the input
/// says, once and in our words: the client's own lines are for whoever asks for details.
fn filter(level: LevelFilter) -> Targets {
    let others = level.min(LevelFilter::WARN);
    let client = if level >= LevelFilter::DEBUG { others } else { LevelFilter::OFF };
    Targets::new().with_target("observatory", level).with_target("lapin", client).with_default(others)
}

/// The journal's native protocol, where our standard error is the journal's stream.
fn journal<S>() -> Option<impl Layer<S>>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let announced = std::env::var("JOURNAL_STREAM").ok()?;
    let (device, inode) = announced.split_once(':')?;
    let stream = std::fs::metadata("/proc/self/fd/2").ok()?;
    let same = stream.dev() == device.parse::<u64>().ok()? && stream.ino() == inode.parse::<u64>().ok()?;
    let layer = same.then(tracing_journald::layer)?.ok()?;
    Some(layer.with_field_prefix(None).with_syslog_identifier("observatory".to_owned()))
}

/// The levels by name, for the command line.
pub fn level(name: &str) -> Result<LevelFilter, String> {
    match name.to_ascii_lowercase().as_str() {
        "off" => Ok(LevelFilter::OFF),
        "error" => Ok(Level::ERROR.into()),
        "warn" => Ok(Level::WARN.into()),
        "info" => Ok(Level::INFO.into()),
        "debug" => Ok(Level::DEBUG.into()),
        "trace" => Ok(Level::TRACE.into()),
        _ => Err("it is one of off, error, warn, info, debug, trace".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_log_is_for_whoever_asks() {
        let shown = |level: LevelFilter, target: &str, of: Level| filter(level).would_enable(target, &of);
        assert!(shown(LevelFilter::INFO, "observatory::input", Level::INFO));
        assert!(shown(LevelFilter::INFO, "actix_server", Level::WARN));
        assert!(!shown(LevelFilter::INFO, "lapin::io_loop", Level::ERROR));
        assert!(shown(LevelFilter::DEBUG, "lapin::io_loop", Level::ERROR));
        assert!(!shown(LevelFilter::ERROR, "actix_server", Level::WARN));
    }
}
