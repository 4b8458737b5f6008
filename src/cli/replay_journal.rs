//! `observatory replay --journal`: judges again what a server kept.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::output;
use crate::graph::System;
use crate::input::replay::{ReplayCounts, ReplayReport};
use crate::journal::{self, Begin, Line, Lost};
use crate::store::Folder;

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) folder: &'a Path,
    /// What it is judged by instead of the manifests of the time.
    pub(super) instead: Option<System>,
    pub(super) settle: bool,
    /// Whether every change is printed.
    pub(super) transitions: bool,
}

/// Judges the journal, from the oldest snapshot that is kept.
pub(super) fn run(asked: Asked<'_>) -> Result<ReplayReport, ExitCode> {
    let path = asked.folder.display();
    let fail = |error: &dyn std::fmt::Display| output::fail(&format!("failed to read the journal in {path}: {error}"));
    let disk = Folder::to_read(asked.folder).map_err(|error| fail(&error))?;
    let instead = asked.instead.map(Arc::new);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut broken = None;
    // The keys of the hash change no verdict.
    let played = journal::play(&disk, Begin::Oldest, instead.as_ref(), (0, 0), |sequence, before, now, changes| {
        if !asked.transitions || broken.is_some() {
            return;
        }
        let lines =
            changes.before.iter().map(|change| (before, change)).chain(changes.now.iter().map(|change| (now, change)));
        for (system, change) in lines {
            let written = serde_json::to_writer(&mut out, &Line::new(sequence, system, change)).map_err(Into::into);
            if let Err(error) = written.and_then(|()| out.write_all(b"\n")) {
                broken = Some(error);
                return;
            }
        }
    });
    let flushed = out.flush();
    drop(out);
    let played = played.map_err(|error| fail(&error))?;
    if let Some(error) = broken.or(flushed.err()) {
        return Err(output::fail(&format!("failed to print the changes: {error}")));
    }
    complain(&played.lost);
    let Some(mut kept) = played.kept else {
        return Err(output::fail(&format!("there is no journal in {path}")));
    };
    if asked.settle {
        kept.engine.settle();
    }
    let board = kept.board();
    let worst = board.streams.iter().enumerate();
    let worst =
        worst.map(|(stream, shown)| (0..shown.edges.len()).map(|edge| kept.engine.worst(stream, edge)).collect());
    let counts = ReplayCounts { accepted: played.events, rejected: played.lost.unreadable, ..ReplayCounts::default() };
    Ok(ReplayReport { worst: worst.collect(), counts, board })
}

/// Says what could not be read.
fn complain(lost: &Lost) {
    let Lost { files, unreadable, snapshots } = *lost;
    if !files.is_none() {
        output::say(&format!("lost: {files}\n"));
    }
    if unreadable + snapshots > 0 {
        output::say(&format!("lost: {unreadable} records and {snapshots} snapshots cannot be read by this version\n"));
    }
}
