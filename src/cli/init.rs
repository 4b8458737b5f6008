//! `observatory init`: a manifest from what was observed.

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use ureq::Agent;

use super::output;
use crate::init::{EdgeObject, Observed, StreamObject, StreamsObject, manifest, of_events};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read of an answer at most, in bytes.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

/// Print a manifest made from what was observed
///
/// From recorded events (one JSON object a line), or from a server that has seen traffic. Streams, nodes and edges are
/// those that were seen; each deadline is the 99.9th percentile of the latencies, rounded up to a human number.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory init --from events.ndjson > shop.toml
  observatory init --from http://127.0.0.1:8700 > shop.toml
  zcat events.ndjson.gz | observatory init --from -")]
pub(super) struct Init {
    /// A server, or files with recorded events; - is standard input
    #[arg(long, value_name = "URL|FILE", env = "OBSERVATORY_FROM", required = true, num_args = 1..)]
    from: Vec<String>,
}

impl Init {
    pub(super) fn run(self) -> ExitCode {
        let is_url = |from: &String| from.starts_with("http://") || from.starts_with("https://");
        let observed = match self.from.as_slice() {
            [url] if is_url(url) => of_server(url.trim_end_matches('/')),
            from if from.iter().any(is_url) => return output::wrong(&"name one server, or files: not both"),
            files => of_files(files),
        };
        match observed {
            Ok(observed) => output::answer(&manifest(&observed)).err().unwrap_or(ExitCode::SUCCESS),
            Err(error) => output::fail(&error),
        }
    }
}

fn of_files(files: &[String]) -> Result<Observed, String> {
    let read = |file: &String| {
        let read = if file == "-" {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(file)
        };
        read.map_err(|error| format!("failed to read {file}: {error}"))
    };
    let bytes = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let stem = files.first().and_then(|file| Path::new(file).file_stem()).map(|stem| stem.to_string_lossy());
    let name = stem.filter(|stem| stem != "-").map_or_else(|| "stream".to_owned(), std::borrow::Cow::into_owned);
    of_events(&name, &files.join(" "), &bytes).map_err(|error| format!("{}: {error}", files.join(" ")))
}

fn of_server(url: &str) -> Result<Observed, String> {
    let config = Agent::config_builder().timeout_global(Some(PATIENCE));
    let agent: Agent = config.build().into();
    let list: StreamsObject = get(&agent, &format!("{url}/api/v1/streams"))?;
    let mut observed = Observed { name: "Observatory".to_owned(), source: url.to_owned(), ..Observed::default() };
    observed.notes.push("Latencies are known by the bounds of the server's histogram.".to_owned());
    for line in list.streams {
        let path = format!("{url}/api/v1/streams/{}", segment(&line.name));
        let stream: StreamObject = get(&agent, &path)?;
        let edge = |(from, to): (&str, &str)| -> Result<EdgeObject, String> {
            get(&agent, &format!("{path}/edges/{}/{}", segment(from), segment(to)))
        };
        let details = stream.edges().map(edge).collect::<Result<Vec<_>, _>>()?;
        observed.streams.push(stream.observed(&details));
    }
    Ok(observed)
}

fn get<T: DeserializeOwned>(agent: &Agent, url: &str) -> Result<T, String> {
    let failed = |error: &dyn std::fmt::Display| format!("failed to read {url}: {error}");
    let mut answer = agent.get(url).call().map_err(|error| failed(&error))?;
    let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string().map_err(|error| failed(&error))?;
    serde_json::from_str(&body).map_err(|error| failed(&error))
}

/// A name as a segment of a path.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
