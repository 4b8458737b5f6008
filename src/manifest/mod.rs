//! The manifest: TOML in, a checked [`System`] and [`Settings`] out, or every problem at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::graph::System;

/// Where a manifest comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a folder whose `*.toml` are merged.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// A text that is built in, and the name by which problems call it.
    Text(String, String),
}

/// A manifest that is good to run.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What the core needs.
    pub system: System,
    /// What the shells need.
    pub settings: Settings,
    /// Keys that this version understands but has not built: `check` warns, `serve` refuses.
    pub not_built: Vec<Problem>,
    /// What is legal, but hardly meant.
    pub warnings: Vec<Problem>,
}

/// `[server]` and the inputs. `None` where the manifest says nothing.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Who may read and report; must be said where `listen` is not loopback.
    pub access: Option<Access>,
    /// Where to keep the journal.
    pub data_dir: Option<PathBuf>,
    /// How often the page asks to be loaded again where the browser runs no script.
    pub refresh_us: u64,
    /// Whether `POST /events` is served.
    pub http_enabled: bool,
}

/// Who may read and report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who can reach us.
    Open,
    /// Readers log in, reporters show a key.
    Login,
}

/// One thing to say about a manifest, rendered with file, line, the line itself, a caret and what
/// to write instead.
#[derive(Clone, Debug)]
pub struct Problem {
    /// One line: what is wrong.
    pub message: String,
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The whole report, without colour.
    pub rendered: String,
}

/// Reads and checks a manifest; every problem at once.
#[expect(clippy::todo, reason = "being written")]
pub fn load(_source: &Source) -> Result<Manifest, Vec<Problem>> {
    todo!()
}
