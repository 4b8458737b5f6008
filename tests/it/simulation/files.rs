//! An input like a log file: it keeps its lines, has its place in them kept, and says when it has read them all.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use observatory::event::Report;
use observatory::graph::InputState;
use observatory::pipeline::{Harvest, News, Pipeline, Port, Position, Refused};
use tokio::sync::watch;

use super::plan::{FILES, S};

/// Lines that are handed over at once.
const LINES_MAX: usize = 4;

type Doing<T> = Pin<Box<dyn Future<Output = Result<T, Refused>>>>;

/// Whether it is done by now, and well: nobody waits here.
fn done<T>(doing: &mut Doing<T>) -> Option<bool> {
    match doing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => None,
        Poll::Ready(done) => Some(done.is_ok()),
    }
}

/// Whoever reads the file, for one life of the server.
pub(super) struct Reader {
    port: Port,
    gaps: watch::Receiver<u64>,
    /// How often the server had not run when `goal` was looked at.
    seen: u64,
    /// It has caught up when it has read so many lines.
    goal: usize,
    /// Lines that were acknowledged.
    pub(super) at: usize,
    /// Lines that are handed over, and since when.
    pub(super) pushing: Option<(Doing<usize>, usize, u64)>,
    telling: Option<Doing<()>>,
    said: Option<(InputState, u64)>,
    /// The file cannot be read.
    pub(super) unreadable: bool,
}

impl Reader {
    /// Goes on where the server's journal says; `lines` stand in the file.
    pub(super) fn new(pipeline: &Pipeline, lines: usize) -> Self {
        let port = Port::new(pipeline.clone(), FILES);
        let kept = port.positions().pop().and_then(|position| position.value);
        let gaps = port.gaps();
        let seen = *gaps.borrow();
        Self {
            at: kept.map_or(0, |value| value.parse().unwrap()),
            port,
            gaps,
            seen,
            goal: lines,
            pushing: None,
            telling: None,
            said: None,
            unreadable: false,
        }
    }

    /// How much is on its way.
    pub(super) fn busy(&self) -> usize {
        usize::from(self.pushing.is_some()) + usize::from(self.telling.is_some())
    }

    /// Looks at the file. Answers the lines that have been acknowledged since the last look.
    pub(super) fn look(&mut self, lines: usize, report: impl Fn(usize) -> Report) -> Range<usize> {
        let now_us = self.port.now_us();
        let mut taken = self.at..self.at;
        if let Some((doing, until, since_us)) = &mut self.pushing {
            if let Some(well) = done(doing) {
                if well {
                    taken = self.at..*until;
                    self.at = *until;
                }
                self.pushing = None;
            } else if now_us > *since_us + S / 2 {
                // Nobody takes what it has read.
                self.tell(InputState::CatchingUp);
            }
        }
        if self.telling.as_mut().is_some_and(|doing| done(doing).is_some()) {
            self.telling = None;
        }
        if self.pushing.is_some() || self.telling.is_some() {
            return taken;
        }
        let gaps = *self.gaps.borrow();
        if gaps != self.seen || self.said.is_some_and(|(state, _)| state == InputState::Down && !self.unreadable) {
            (self.seen, self.goal, self.said) = (gaps, lines, None);
        }
        if self.unreadable {
            self.tell(InputState::Down);
        } else if self.at < lines {
            let until = lines.min(self.at + LINES_MAX);
            self.push(until, &report, now_us);
        } else if self.at >= self.goal {
            self.tell(InputState::Up);
        }
        taken
    }

    fn push(&mut self, until: usize, report: &impl Fn(usize) -> Report, now_us: u64) {
        let harvest = Harvest {
            reports: (self.at..until).map(report).collect(),
            by: self.port.observed(),
            unknown: Vec::new(),
            positions: vec![Position { key: "file".to_owned(), value: Some(until.to_string()) }],
        };
        let port = self.port.clone();
        let mut doing: Doing<usize> = Box::pin(async move { port.push(harvest).await });
        // It is handed over now, where there is room, and not acknowledged at once; a server that stops takes nothing.
        if done(&mut doing).is_none() {
            self.pushing = Some((doing, until, now_us));
        }
    }

    fn tell(&mut self, state: InputState) {
        if self.telling.is_some() || self.said == Some((state, self.seen)) {
            return;
        }
        self.said = Some((state, self.seen));
        let (port, gaps) = (self.port.clone(), self.seen);
        let news = News { state, lag_us: None, error: None };
        let mut doing: Doing<()> = Box::pin(async move { port.tell(news, gaps).await });
        if done(&mut doing).is_none() {
            self.telling = Some(doing);
        }
    }
}
