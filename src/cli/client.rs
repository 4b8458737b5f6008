//! A small HTTP client: reports events to a server.

use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read of an answer at most, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// Reports events to one server.
pub(super) struct Client {
    agent: Agent,
    url: String,
    key: Option<String>,
}

/// What the server answered.
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// In how many seconds to come back, where the server said so.
    pub(super) retry_after_s: Option<u64>,
    /// The body, as it came.
    pub(super) body: String,
}

/// The part of an answer that we read, whether it is good or a problem.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub(super) accepted: u64,
    pub(super) rejected: Vec<ToldRejected>,
    pub(super) rejected_more: u64,
    pub(super) title: String,
    pub(super) detail: String,
}

/// A refused event.
#[derive(Debug, Deserialize)]
pub(super) struct ToldRejected {
    pub(super) index: usize,
    pub(super) error: String,
}

impl Client {
    /// A client of the server at `to`, `http://host:port` with or without a slash at the end.
    pub(super) fn new(to: &str, key: Option<String>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { agent: config.build().into(), url: format!("{}/events", to.trim_end_matches('/')), key }
    }

    /// Sends events, one a line.
    pub(super) fn send(&self, lines: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(&self.url).header("Content-Type", "application/x-ndjson");
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut answer = request.send(lines)?;
        let retry_after = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string()?;
        Ok(Answer { status: answer.status().as_u16(), retry_after_s: retry_after, body })
    }
}

impl Answer {
    /// What it says; nothing where another kind of server answered.
    pub(super) fn told(&self) -> Told {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}
