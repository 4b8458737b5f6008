//! `observatory status`: the graph and its edges in the terminal.

mod graph;
mod model;
mod own;
mod paint;
mod plugin;
mod screen;
mod table;
mod watch;

use std::process::ExitCode;

use clap::Args;
use clap::builder::FalseyValueParser;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::model::Stream;
use self::own::Own;
use super::client::{Answer, Client, Credentials};
use super::text::printable;
use super::{Format, output};
use crate::board::Tone;
use crate::outcome::Status as Verdict;

/// So wide is a picture where nobody says how wide the terminal is.
const COLUMNS: usize = 200;

/// Show the graph and its edges in the terminal
///
/// Ends with the worst that the edges hold: 0 OK, 3 WARN, 4 NOK; with 5 where no edge has an outcome.
/// With --plugin: 0 OK, 1 WARN, 2 NOK, 3 UNKNOWN, as Nagios and others read it; UNKNOWN also where all is OK as far as
/// can be seen, but an input is not up or the journal cannot be written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory status
  observatory status orders -w
  observatory status orders --plugin --to http://observatory.example:8700")]
pub(super) struct Status {
    /// The stream [default: all]
    stream: Option<String>,
    /// Keep it live, until Ctrl-C
    #[arg(short, long, env = "OBSERVATORY_WATCH", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    watch: bool,
    /// Answer in one line with the exit codes of Nagios plugins
    #[arg(long, env = "OBSERVATORY_PLUGIN", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue, conflicts_with_all = ["watch", "json"])]
    plugin: bool,
    /// The server
    #[arg(long, value_name = "URL", env = "OBSERVATORY_TO", default_value = "http://127.0.0.1:8700")]
    to: String,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    format: Format,
}

/// `GET /api/v1/streams`, as far as it is needed.
#[derive(Deserialize)]
struct List {
    streams: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// What `--json` answers: the stream objects as they came.
#[derive(Serialize)]
struct Json {
    streams: Vec<Box<RawValue>>,
}

impl Status {
    pub(super) fn run(self) -> ExitCode {
        let client = match self.credentials.client(&self.to, "--to") {
            Ok(client) => client,
            Err(error) if self.plugin => return say(&plugin::unknown(&error)),
            Err(error) => return output::wrong(&error),
        };
        match self.answer(client) {
            Ok(exit) => exit,
            Err(error) if self.plugin => say(&plugin::unknown(&error)),
            Err(error) => output::fail(&printable(&error)),
        }
    }

    fn answer(&self, client: Client) -> Result<ExitCode, String> {
        let names = match &self.stream {
            Some(name) => vec![name.clone()],
            None => {
                read::<List>(&get(&client, "/api/v1/streams")?)?.streams.into_iter().map(|named| named.name).collect()
            }
        };
        if self.watch {
            return watch::watch(client, &names, self.format.json);
        }
        let bodies = names.iter().map(|name| get(&client, &path(name))).collect::<Result<Vec<_>, _>>()?;
        let streams = bodies.iter().map(|body| read::<Stream>(body)).collect::<Result<Vec<_>, _>>()?;
        let own = read::<Own>(&get(&client, "/status")?)?;
        let troubles = own.troubles();
        if self.plugin {
            return Ok(say(&plugin::verdict(&streams, &troubles)));
        }
        let printed = if self.format.json {
            let raw = bodies.into_iter().map(RawValue::from_string).collect::<Result<Vec<_>, _>>();
            output::answer_json(&Json { streams: raw.map_err(|error| error.to_string())? })
        } else {
            let troubles = troubles.iter().map(|trouble| format!("NOT ALL IS SEEN: {}\n", printable(trouble)));
            let colour = output::stdout_colour();
            let picture = picture(&streams, columns(), colour);
            output::answer(&(troubles.collect::<String>() + &picture + &own.errors(colour)))
        };
        Ok(printed.err().unwrap_or(exit(&streams)))
    }
}

fn say(verdict: &plugin::Verdict) -> ExitCode {
    output::answer(&verdict.line).err().unwrap_or(verdict.exit)
}

/// Where the API has a stream.
fn path(name: &str) -> String {
    format!("/api/v1/streams/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// The body of a good answer.
fn get(client: &Client, path: &str) -> Result<String, String> {
    match client.get(path) {
        Ok(Answer { status: 200, body, .. }) => Ok(body),
        Ok(answer) => Err(answer.refusal()),
        Err(error) => Err(error.to_string()),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("failed to understand the server's answer: {error}"))
}

/// How wide the terminal is.
fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

/// Everything about some streams.
fn picture(streams: &[Stream], columns: usize, colour: bool) -> String {
    let parts: Vec<_> = streams.iter().map(|stream| one(stream, columns, colour)).collect();
    parts.join("\n")
}

fn one(stream: &Stream, columns: usize, colour: bool) -> String {
    let mut text = table::head(stream, colour);
    let parts = [
        graph::draw(stream, columns, colour).unwrap_or_default(),
        if stream.edges.is_empty() { String::new() } else { table::edges(stream, columns, colour) },
        table::nodes(stream, colour),
        table::fails(stream, colour),
    ];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        text += "\n";
        text += &part;
    }
    text
}

/// How the command ends.
fn exit(streams: &[Stream]) -> ExitCode {
    let worst = streams.iter().map(|stream| stream.status).max().unwrap_or_default();
    ExitCode::from(match worst {
        Verdict::Nok => 4,
        Verdict::Warn => 3,
        Verdict::Ok => 0,
        Verdict::Unknown if streams.iter().any(Stream::is_judged) => 0,
        Verdict::Unknown => 5,
    })
}

/// The symbol of a tone, so that colour is not needed.
fn mark(tone: Tone) -> char {
    match tone {
        Tone::Ok | Tone::OkIdle => '✓',
        Tone::Warn => '!',
        Tone::Nok => '✗',
        Tone::Grey => '?',
    }
}

/// The tone in which a stream's status is shown.
fn status_tone(status: Verdict) -> Tone {
    match status {
        Verdict::Ok => Tone::Ok,
        Verdict::Warn => Tone::Warn,
        Verdict::Nok => Tone::Nok,
        Verdict::Unknown => Tone::Grey,
    }
}
