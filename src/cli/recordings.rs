//! Which input of the manifest reads a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::clock::{Clock, MonotonicClock};
use crate::input::recording::Recording;
use crate::input::rules::{LogSettings, RuleSet};
use crate::manifest::{InputSettings, Settings};

/// An input of log files.
type Log<'m> = (&'m InputSettings, &'m LogSettings);

/// The recordings of files. By rules is read what the inputs of log files say; all else is NDJSON. The error says what to
/// do.
pub(super) fn recordings(
    settings: &Settings,
    files: &[PathBuf],
    named: Option<&str>,
) -> Result<Vec<Recording>, String> {
    let logs = logs(settings);
    let named = named.map(|name| by_name(&logs, name)).transpose()?;
    let recording = |file: &PathBuf| {
        if logs.is_empty() || is_events(file) {
            return Ok(Recording::events(file));
        }
        choose(&logs, file, named).map(|log| recording(file, &log.1.rules))
    };
    files.iter().map(recording).collect()
}

/// The recording of a log, and the name of the input whose rules read it.
pub(super) fn sample<'m>(
    settings: &'m Settings,
    file: &Path,
    named: Option<&str>,
) -> Result<(Recording, &'m RuleSet), String> {
    let logs = logs(settings);
    if logs.is_empty() {
        return Err("the manifest has no [[input.log]], so it has no rules that could read a sample".to_owned());
    }
    let named = named.map(|name| by_name(&logs, name)).transpose()?;
    let (_, log) = choose(&logs, file, named)?;
    Ok((recording(file, &log.rules), &log.rules))
}

fn logs(settings: &Settings) -> Vec<Log<'_>> {
    settings.inputs.iter().filter_map(|input| Some((input, input.log.as_ref()?))).collect()
}

fn recording(file: &Path, rules: &Arc<RuleSet>) -> Recording {
    Recording { path: file.to_owned(), rules: Some(Arc::clone(rules)), written_us: written_us(file) }
}

/// When a file was last changed; now, where that is not known.
fn written_us(file: &Path) -> u64 {
    let changed = file.metadata().and_then(|file| file.modified()).ok();
    let since_epoch = changed.and_then(|changed| changed.duration_since(UNIX_EPOCH).ok());
    // Standard input and pipes are being written.
    let is_file = file.is_file();
    since_epoch.filter(|_| is_file).map_or_else(|| MonotonicClock::start().now_us(), |since| since.as_micros() as u64)
}

/// Whether a file holds events by its name.
fn is_events(file: &Path) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".ndjson", ".jsonl"].iter().any(|ending| name.ends_with(ending))
}

/// The input whose glob matches a file's path, else its name, else the only one, else the named one.
fn choose<'m>(logs: &[Log<'m>], file: &Path, named: Option<Log<'m>>) -> Result<Log<'m>, String> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let by_path = logs.iter().find(|(_, log)| matches(&log.path, &file.to_string_lossy()));
    let by_name = || {
        logs.iter().find(|(_, log)| {
            let pattern = log.path.rsplit('/').next().unwrap_or_default();
            unrotated(&name).iter().any(|name| matches(pattern, name))
        })
    };
    let only = || if let [only] = logs { Some(only) } else { None };
    by_path.or_else(by_name).or_else(only).copied().or(named).ok_or_else(|| {
        let names: Vec<_> = logs.iter().map(|(input, _)| input.name.as_str()).collect();
        let file = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
        format!(
            "no [[input.log]] has a path that fits {file}: say which one reads it, --input {}",
            names.join(" or --input ")
        )
    })
}

fn matches(pattern: &str, name: &str) -> bool {
    glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(name))
}

/// A file's name, and what it was before it was rotated: `access.log` of `access.log.2.gz`.
fn unrotated(name: &str) -> Vec<&str> {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    let rotated = |c: char| c.is_ascii_digit() || c == '-';
    let before = plain.trim_end_matches(rotated).trim_end_matches('.');
    vec![name, plain, before]
}

fn by_name<'m>(logs: &[Log<'m>], name: &str) -> Result<Log<'m>, String> {
    logs.iter().find(|(input, _)| input.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = logs.iter().map(|(input, _)| input.name.as_str()).collect();
        match names.as_slice() {
            [] => format!("--input {name}: the manifest has no [[input.log]]"),
            names => format!("--input {name}: no [[input.log]] has this name; there are {}", names.join(", ")),
        }
    })
}
