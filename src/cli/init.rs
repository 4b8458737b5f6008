//! `observatory init`: a manifest from what was observed.

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::client::{Answer, Client, Credentials};
use super::output;
use crate::init::{EdgeObject, Observed, StreamObject, StreamsObject, manifest, of_events};

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
    #[command(flatten)]
    credentials: Credentials,
}

impl Init {
    pub(super) fn run(self) -> ExitCode {
        let is_url = |from: &String| from.starts_with("http://") || from.starts_with("https://");
        let observed = match self.from.as_slice() {
            [url] if is_url(url) => match self.credentials.client(url, "--from") {
                Ok(client) => of_server(&client),
                Err(error) => return output::wrong(&error),
            },
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

fn of_server(client: &Client) -> Result<Observed, String> {
    let list: StreamsObject =
        get(client, "/api/v1/streams")?.ok_or("the server knows no streams: it is another kind")?;
    let source = client.url().to_owned();
    let mut observed = Observed { name: "Observatory".to_owned(), source, ..Observed::default() };
    observed.notes.push("Latencies are known by the bounds of the server's histogram.".to_owned());
    for line in list.streams {
        let path = format!("/api/v1/streams/{}", segment(&line.name));
        // The manifest may change, and what was drawn be taken back, while we ask.
        let Some(stream) = get::<StreamObject>(client, &path)? else { continue };
        let edge = |(from, to): (&str, &str)| -> Result<EdgeObject, String> {
            let found = get(client, &format!("{path}/edges/{}/{}", segment(from), segment(to)))?;
            Ok(found.unwrap_or_default())
        };
        let details = stream.edges().map(edge).collect::<Result<Vec<_>, _>>()?;
        observed.streams.push(stream.observed(&details));
    }
    Ok(observed)
}

/// What is at this path; none where nothing is.
fn get<T: DeserializeOwned>(client: &Client, path: &str) -> Result<Option<T>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("failed to read {}{path}: {error}", client.url());
    match client.get(path) {
        Ok(Answer { status: 200, body, .. }) => serde_json::from_str(&body).map(Some).map_err(|error| failed(&error)),
        Ok(Answer { status: 404, .. }) => Ok(None),
        Ok(answer) => Err(failed(&answer.refusal())),
        Err(error) => Err(error.to_string()),
    }
}

/// A name as a segment of a path.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
