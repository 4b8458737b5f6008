//! What has become of the manifest, as the pages and `/status` tell it.

use serde::Serialize;

use crate::clock::Moment;

/// What has become of the manifest.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestState {
    /// Whether what the manifest says now is in force.
    pub state: InForce,
    /// Since when.
    pub since: Moment,
    /// What is wrong with it; empty where it is in force.
    pub problems: Vec<ManifestProblem>,
    /// Keys that have changed and take effect at a restart.
    pub needs_restart: Vec<&'static str>,
}

/// Whether the manifest is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum InForce {
    /// It is.
    #[serde(rename = "in force")]
    Yes,
    /// It is bad: the one before it goes on.
    #[serde(rename = "bad")]
    No,
}

/// One thing that is wrong with the manifest.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestProblem {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where it is about the file itself.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl ManifestState {
    /// A manifest that is in force.
    pub fn in_force(since: Moment, needs_restart: Vec<&'static str>) -> Self {
        Self { state: InForce::Yes, since, problems: Vec::new(), needs_restart }
    }

    /// The same, but the manifest has become bad. A manifest that was bad before has been so all the time.
    #[must_use]
    pub fn turned_bad(&self, now: Moment, problems: Vec<ManifestProblem>) -> Self {
        let since = if self.state == InForce::No { self.since } else { now };
        Self { state: InForce::No, since, problems, needs_restart: self.needs_restart.clone() }
    }

    /// What every page says of it.
    pub(super) fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if let Some(ManifestProblem { file, line, message }) = self.problems.first() {
            let place = if *line > 0 { format!("{file}:{line}") } else { file.clone() };
            let more = match self.problems.len() - 1 {
                0 => String::new(),
                1 => " (and 1 more problem)".to_owned(),
                more => format!(" (and {more} more problems)"),
            };
            notices.push(format!("The manifest is bad, and the one before it goes on: {place}: {message}{more}."));
        }
        if !self.needs_restart.is_empty() {
            let keys = self.needs_restart.join(", ");
            notices.push(format!("The manifest has changed in what takes effect at a restart: {keys}."));
        }
        notices
    }
}
