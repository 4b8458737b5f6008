//! `observatory status -w`: kept live over server-sent events.
//!
//! A connection is a thread that reads lines; what it reads goes through one bounded channel to the
//! loop that draws. A connection that says nothing for too long is given up, and its thread with it.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until};

use super::model::{Change, Stream};
use super::screen::Screen;
use super::{path, read};
use crate::cli::client::{Client, Lines};

/// The server sends a comment after 15 s without an event: silence of this length is a lost connection.
const SILENCE: Duration = Duration::from_secs(40);
/// Between two tries to connect.
const RETRY: Duration = Duration::from_secs(2);
/// Ages are drawn anew this often.
const REDRAW: Duration = Duration::from_secs(1);
/// Events that wait to be drawn.
const WAITING_MAX: usize = 256;

/// What a connection tells, and which one: the stream's index, and how many it had before.
struct News {
    stream: usize,
    attempt: u64,
    what: What,
}

enum What {
    Event { kind: String, data: String },
    StillHere,
    Lost(String),
}

/// One stream and its connection.
pub(super) struct Watched {
    pub(super) name: String,
    pub(super) shown: Option<Stream>,
    /// When that was.
    told: Instant,
    /// Why there is no connection.
    pub(super) lost: Option<String>,
    attempt: u64,
    /// When the connection is given up, or tried again.
    until: Instant,
}

/// Draws until Ctrl-C.
pub(super) fn watch(client: Client, names: &[String], json: bool) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("failed to start: {error}"))?;
    let end = runtime.block_on(run(Arc::new(client), names, json));
    match end {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Who watched has gone.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

async fn run(client: Arc<Client>, names: &[String], json: bool) -> io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (sender, mut news) = channel(WAITING_MAX);
    let mut watched: Vec<_> = names.iter().map(|name| Watched::new(name)).collect();
    for (index, stream) in watched.iter_mut().enumerate() {
        stream.connect(index, &client, &sender)?;
    }
    let mut screen = Screen::open(io::stdout().is_terminal() && !json)?;
    let ended = loop {
        tokio::select! {
            _ = interrupt.recv() => break Ok(()),
            _ = terminate.recv() => break Ok(()),
            taken = next(&mut watched, &mut news, json) => if taken.is_err() {
                break taken;
            },
            () = sleep_until(Instant::now() + REDRAW) => {}
        }
        for (index, stream) in watched.iter_mut().enumerate().filter(|(_, stream)| stream.until <= Instant::now()) {
            stream.give_up(index, &client, &sender)?;
        }
        if !json && let Err(error) = screen.draw(&watched) {
            break Err(error);
        }
    };
    screen.close()?;
    ended
}

/// Takes the news that come next, and those that are there with them.
async fn next(watched: &mut [Watched], news: &mut Receiver<News>, json: bool) -> io::Result<()> {
    let Some(first) = news.recv().await else { return Ok(()) };
    watched[first.stream].take(first, json)?;
    while let Ok(more) = news.try_recv() {
        watched[more.stream].take(more, json)?;
    }
    Ok(())
}

impl Watched {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), shown: None, told: Instant::now(), lost: None, attempt: 0, until: Instant::now() }
    }

    /// Starts a connection, in a thread of its own.
    fn connect(&mut self, stream: usize, client: &Arc<Client>, sender: &Sender<News>) -> io::Result<()> {
        self.attempt += 1;
        self.until = Instant::now() + SILENCE;
        let (client, sender, attempt, path) =
            (Arc::clone(client), sender.clone(), self.attempt, path(&self.name) + "/live");
        let run = move || {
            let tell = |what| sender.blocking_send(News { stream, attempt, what }).is_ok();
            let why = match client.lines(&path) {
                Ok(Lines::Open(lines)) => listen(lines, &tell),
                Ok(Lines::Refused(answer)) => answer.refusal(),
                Err(error) => error.to_string(),
            };
            // Where nobody listens any more there is nobody to tell.
            tell(What::Lost(why));
        };
        std::thread::Builder::new().name("live".to_owned()).spawn(run).map(drop)
    }

    /// The time is over: a silent connection is lost, a lost one is tried again.
    fn give_up(&mut self, index: usize, client: &Arc<Client>, sender: &Sender<News>) -> io::Result<()> {
        if self.lost.is_none() {
            self.lost = Some("the server has not said anything for a while".to_owned());
        }
        self.connect(index, client, sender)
    }

    fn take(&mut self, news: News, json: bool) -> io::Result<()> {
        if news.attempt != self.attempt {
            return Ok(());
        }
        self.until = Instant::now() + SILENCE;
        match news.what {
            What::StillHere => {}
            What::Lost(why) => {
                self.lost = Some(why);
                self.until = Instant::now() + RETRY;
            }
            What::Event { kind, data } => {
                self.lost = self.event(&kind, &data).err();
                if json {
                    let name = &self.name;
                    writeln!(io::stdout(), "{{\"stream\":\"{name}\",\"event\":\"{kind}\",\"data\":{data}}}")?;
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, kind: &str, data: &str) -> Result<(), String> {
        match kind {
            "stream" => self.shown = Some(read(data)?),
            "change" => {
                let change = read::<Change>(data)?;
                if let Some(stream) = &mut self.shown {
                    stream.apply(change);
                }
            }
            _ => return Ok(()),
        }
        self.told = Instant::now();
        Ok(())
    }

    /// The stream as it was told last, its time moved on to now: ages grow though nothing changes.
    pub(super) fn now(&self) -> Option<Stream> {
        let mut stream = self.shown.clone()?;
        stream.at.0 += self.told.elapsed().as_micros() as u64;
        Some(stream)
    }
}

/// Tells what a connection brings, until it ends; gives why.
fn listen(lines: Box<dyn BufRead + Send>, tell: &impl Fn(What) -> bool) -> String {
    let (mut kind, mut data) = (String::new(), String::new());
    for line in lines.lines() {
        let line = match line {
            Ok(line) => line,
            Err(error) => return format!("the connection broke: {error}"),
        };
        let heard = match line.split_once(':') {
            Some(("event", name)) => {
                name.trim_start().clone_into(&mut kind);
                true
            }
            Some(("data", json)) => {
                data += json.trim_start();
                true
            }
            Some(("", _comment)) => tell(What::StillHere),
            _ if line.is_empty() && !data.is_empty() => {
                tell(What::Event { kind: std::mem::take(&mut kind), data: std::mem::take(&mut data) })
            }
            _ => true,
        };
        if !heard {
            break;
        }
    }
    "the server has ended the stream".to_owned()
}
