//! A small HTTP client: reports events to a server, and reads what it shows.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;

use crate::access::Secret;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read of an answer at most, in bytes.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

/// What a command shows a server, and what it asks of it in turn.
#[derive(Debug, Default, Args)]
pub(super) struct Credentials {
    /// A file with a key, where the server asks for one
    #[arg(long, value_name = "FILE", env = "OBSERVATORY_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// A file with the certificates (PEM) that vouch for the server's, instead of the well-known authorities
    #[arg(long, value_name = "FILE", env = "OBSERVATORY_CA_FILE")]
    ca_file: Option<PathBuf>,
}

impl Credentials {
    /// A client of the server at `to`, `http://host:port` or `https://host:port`, with or without a slash at the end. `flag`:
    /// what that was said by.
    pub(super) fn client(&self, to: &str, flag: &'static str) -> Result<Client, String> {
        let url = base(to)?;
        let key = self.key_file.as_deref().map(read_key).transpose()?;
        let roots = self.ca_file.as_deref().map(read_certificates).transpose()?;
        let tls = TlsConfig::builder().root_certs(roots.unwrap_or(RootCerts::WebPki)).build();
        let agent = settings(&tls).timeout_global(Some(PATIENCE)).build().into();
        Ok(Client { agent, tls, url, flag, key })
    }
}

/// What all agents have in common.
fn settings(tls: &TlsConfig) -> ConfigBuilder<AgentScope> {
    Agent::config_builder().http_status_as_error(false).tls_config(tls.clone())
}

/// The server's address without a slash at its end.
fn base(to: &str) -> Result<String, String> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| to.strip_prefix(scheme));
    // Not a word of what was written: it may hold a password.
    let rest = rest.ok_or("a server's address begins with http:// or https://, like http://127.0.0.1:8700")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Err("no password belongs into a server's address: put a key into a file, and say --key-file".to_owned());
    }
    Ok(to.trim_end_matches('/').to_owned())
}

/// The key in a file.
fn read_key(file: &Path) -> Result<Secret, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("failed to read {shown}: {error}"))?;
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{shown} must hold one key, as `observatory key new` prints it, and nothing else"));
    }
    Ok(Secret::new(key))
}

/// The certificates in a file.
fn read_certificates(file: &Path) -> Result<RootCerts, String> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| format!("failed to read {shown}: {error}"))?;
    let certificates: Vec<_> = parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("{shown} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----"));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

/// Talks to one server.
pub(super) struct Client {
    agent: Agent,
    tls: TlsConfig,
    url: String,
    flag: &'static str,
    key: Option<Secret>,
}

/// Why a server did not answer.
#[derive(Debug)]
pub(super) struct Unreached {
    url: String,
    flag: &'static str,
    error: ureq::Error,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, flag, error } = self;
        let nobody = match error {
            ureq::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
            error => matches!(error, ureq::Error::ConnectionFailed | ureq::Error::HostNotFound),
        };
        write!(f, "failed to reach the server at {url}: {error}")?;
        if nobody {
            write!(f, "; start one with `observatory serve MANIFEST`, or say with {flag} where it is")?;
        }
        Ok(())
    }
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
    /// The server's address, without a slash at its end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What is at this path.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Unreached> {
        let answer = self.signed(self.agent.get(format!("{}{path}", self.url))).call();
        answer.and_then(Answer::read).map_err(|error| self.unreached(error))
    }

    /// The lines at this path, as they come, for as long as they come.
    pub(super) fn lines(&self, path: &str) -> Result<Lines, Unreached> {
        let config = settings(&self.tls).timeout_connect(Some(PATIENCE)).timeout_recv_response(Some(PATIENCE));
        let agent: Agent = config.build().into();
        let answer = self.signed(agent.get(format!("{}{path}", self.url))).call();
        let answer = answer.map_err(|error| self.unreached(error))?;
        if answer.status() != 200 {
            return Answer::read(answer).map(Lines::Refused).map_err(|error| self.unreached(error));
        }
        Ok(Lines::Open(Box::new(BufReader::new(answer.into_body().into_reader()))))
    }

    /// Sends events, one a line.
    pub(super) fn send(&self, lines: &str) -> Result<Answer, Unreached> {
        let request = self.agent.post(format!("{}/events", self.url)).header("Content-Type", "application/x-ndjson");
        self.signed(request).send(lines).and_then(Answer::read).map_err(|error| self.unreached(error))
    }

    fn unreached(&self, error: ureq::Error) -> Unreached {
        Unreached { url: self.url.clone(), flag: self.flag, error }
    }

    /// The request with the key, where there is one.
    fn signed<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.key {
            Some(key) => request.header("Authorization", format!("Bearer {}", key.expose())),
            None => request,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_no_password() {
        assert_eq!(base("http://127.0.0.1:8700/").as_deref(), Ok("http://127.0.0.1:8700"));
        assert_eq!(base("https://[::1]:8700/at@home").as_deref(), Ok("https://[::1]:8700/at@home"));
        for wrong in ["https://ada:hunter2@host", "http://hunter2@host/", "ada:hunter2@host", "hunter2", ""] {
            let error = base(wrong).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
