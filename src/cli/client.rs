//! A small HTTP client: reports events to a server, and reads what it shows.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read of an answer at most, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// Talks to one server.
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

/// What came of asking for lines without an end.
pub(super) enum Lines {
    /// Here they come.
    Open(Box<dyn BufRead + Send>),
    /// The server answered something else.
    Refused(Answer),
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
        Self { agent: config.build().into(), url: to.trim_end_matches('/').to_owned(), key }
    }

    /// What is at this path.
    pub(super) fn get(&self, path: &str) -> Result<Answer, ureq::Error> {
        Answer::read(self.request(&self.agent, path).call()?)
    }

    /// The lines at this path, as they come, for as long as they come.
    pub(super) fn lines(&self, path: &str) -> Result<Lines, ureq::Error> {
        let config = Agent::config_builder().http_status_as_error(false);
        let config = config.timeout_connect(Some(PATIENCE)).timeout_recv_response(Some(PATIENCE)).build();
        let answer = self.request(&config.into(), path).call()?;
        if answer.status() != 200 {
            return Ok(Lines::Refused(Answer::read(answer)?));
        }
        Ok(Lines::Open(Box::new(BufReader::new(answer.into_body().into_reader()))))
    }

    fn request(&self, agent: &Agent, path: &str) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        let request = agent.get(format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header("Authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    /// Sends events, one a line.
    pub(super) fn send(&self, lines: &str) -> Result<Answer, ureq::Error> {
        let mut request =
            self.agent.post(format!("{}/events", self.url)).header("Content-Type", "application/x-ndjson");
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        Answer::read(request.send(lines)?)
    }
}

impl Answer {
    fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let retry_after = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string()?;
        Ok(Self { status: answer.status().as_u16(), retry_after_s: retry_after, body })
    }

    /// Why the server did not do what it was asked to.
    pub(super) fn refusal(&self) -> String {
        let told = self.told();
        format!("the server answered {} {}: {}", self.status, told.title, told.detail)
    }

    /// What it says; nothing where another kind of server answered.
    pub(super) fn told(&self) -> Told {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}
