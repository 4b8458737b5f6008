//! The thread of an input of log files: looks, reads, and rests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::cut::Cut;
use super::file::Taken;
use super::folders::Folders;
use super::hints::{Bell, Hints};
use super::tailer::{Limits, Tailer};
use super::tally::Tally;
use crate::clock::SECOND_US;
use crate::event::Report;
use crate::graph::InputState;
use crate::input::rules::{Line, LineReader, LogSettings, Start};
use crate::pipeline::{Harvest, News, Port, Position};

/// Files are looked at this often though nothing hints at a change; and this often while something moves, or
/// no hints come.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(250));
/// Between two looks there is this long at least, however many hints come.
const PAUSE: Duration = Duration::from_millis(10);
/// Looking takes at most this share of the time.
const LOOK_SHARE: u32 = 10;
/// Who has not looked for this long does not know what was written meanwhile.
const LAPSE_US: u64 = 3 * SECOND_US;
/// A glob that finds nothing for this long is spoken of.
const NOTHING_US: u64 = 10 * SECOND_US;
/// Lines that are refused are spoken of this often at most.
const REFUSED_EVERY_US: u64 = 60 * SECOND_US;
/// Where nothing is read that they must be kept with, positions are given this often.
const FLUSH_US: u64 = SECOND_US;

/// What the thread hands over.
pub(super) struct Parcel {
    pub(super) harvest: Option<Harvest>,
    /// The stamp of its first event.
    pub(super) first_us: Option<u64>,
    /// How the input is after it.
    pub(super) news: News,
    /// How often we had not run when the files were looked at.
    pub(super) gaps: u64,
}

/// What is made of a line.
enum Item {
    Report(Report),
    /// The name of a node that no stream knows.
    Unknown(String),
}

/// Reads until it is told to stop.
pub(super) struct Reader {
    pub(super) settings: LogSettings,
    pub(super) port: Port,
    pub(super) tally: Tally,
    pub(super) bell: Arc<Bell>,
    pub(super) hints: Hints,
    pub(super) parcels: mpsc::Sender<Parcel>,
    pub(super) started_us: u64,
    pub(super) refused_us: Option<u64>,
    /// When all positions were given last.
    pub(super) flushed_us: u64,
    pub(super) compressed_told: bool,
    pub(super) gaps: watch::Receiver<u64>,
}

impl Reader {
    /// `positions`: where it stopped.
    pub(super) fn run(mut self, folders: Folders, positions: &[(String, String)]) {
        let base = folders.base();
        let beginning = self.settings.start == Start::Beginning;
        let mut tailer = Tailer::new(folders, Limits::default(), beginning, positions);
        let mut looked_us = self.port.now_us();
        let mut gaps = *self.gaps.borrow();
        loop {
            let now_us = self.port.now_us();
            let before = std::mem::replace(&mut gaps, *self.gaps.borrow());
            if now_us > looked_us + LAPSE_US || gaps != before {
                tailer.lapse();
            }
            looked_us = now_us;
            tailer.look(now_us);
            if let Err(error) = self.hints.follow(&base, tailer.paths()) {
                self.no_hints(&error);
            }
            self.speak_of(&tailer);
            let cost = Duration::from_micros(self.port.now_us() - now_us);
            let Some(moved) = self.read(&mut tailer, gaps, LOOK_EVERY.1.max(cost * LOOK_SHARE)) else { return };
            let quiet = !moved && self.hints.come();
            let longest = if quiet { LOOK_EVERY.0 } else { LOOK_EVERY.1 };
            let least = cost * LOOK_SHARE;
            if !self.bell.wait(PAUSE.max(least), longest.max(least)) {
                return;
            }
        }
    }

    /// That hints do not come is said once.
    pub(super) fn no_hints(&self, error: &notify::Error) {
        let input = self.port.name();
        info!(subsystem = "input.log", input, %error, "changes of files are not told to us: we look every 250 ms");
    }

    fn speak_of(&mut self, tailer: &Tailer<Folders, Item>) {
        self.tally.looked(tailer.found(), tailer.counts());
        if let Some(path) = tailer.compressed().filter(|_| !self.compressed_told) {
            self.compressed_told = true;
            let (input, path) = (self.port.name(), path.display());
            warn!(subsystem = "input.log", input, %path, "compressed files are not read: `observatory replay` reads them");
        }
    }

    /// Reads what there is, for about this long; whether there was anything. `None` where it is time to stop.
    fn read(&mut self, tailer: &mut Tailer<Folders, Item>, gaps: u64, time: Duration) -> Option<bool> {
        let until_us = self.port.now_us() + time.as_micros() as u64;
        let mut moved = false;
        loop {
            let (harvest, first_us, more) = self.gather(tailer);
            moved |= more || !(harvest.reports.is_empty() && harvest.unknown.is_empty());
            let now_us = self.port.now_us();
            let news = self.news(tailer, now_us);
            let empty = harvest.reports.is_empty() && harvest.unknown.is_empty() && harvest.positions.is_empty();
            let harvest = (!empty).then_some(harvest);
            self.parcels.blocking_send(Parcel { harvest, first_us, news, gaps }).ok()?;
            if !more || now_us > until_us {
                return Some(moved);
            }
        }
    }

    fn gather(&mut self, tailer: &mut Tailer<Folders, Item>) -> (Harvest, Option<u64>, bool) {
        let (by, now_us) = (self.port.observed(), self.port.now_us());
        let mut lines = LineReader::new(&self.settings.rules, &by.nodes, by.system.accept_unknown);
        let tally = &mut self.tally;
        let flush = now_us > self.flushed_us + FLUSH_US;
        if flush {
            self.flushed_us = now_us;
        }
        let gathered = tailer.gather(flush, &mut |last_us, cut| {
            let Cut::Line(line) = cut else {
                tally.too_long();
                return None;
            };
            lines.go_on_from(last_us);
            let line = lines.read(line, now_us);
            tally.line(&line);
            match line {
                Line::Event { report, .. } => Some(Taken { stamp_us: report.timestamp_us, item: Item::Report(report) }),
                Line::Unknown { name, timestamp_us, .. } => {
                    Some(Taken { stamp_us: timestamp_us, item: Item::Unknown(name) })
                }
                Line::NoRule | Line::Refused { .. } => None,
            }
        });
        let (mut reports, mut unknown) = (Vec::with_capacity(gathered.items.len()), Vec::new());
        for item in gathered.items {
            match item {
                Item::Report(report) => reports.push(report),
                Item::Unknown(name) => unknown.push(name),
            }
        }
        let positions = gathered.positions.into_iter().map(|(key, value)| Position { key, value }).collect();
        (Harvest { reports, by, unknown, positions }, gathered.first_us, gathered.more)
    }

    fn news(&mut self, tailer: &mut Tailer<Folders, Item>, now_us: u64) -> News {
        let state = tailer.state(now_us);
        let nothing = || {
            let waited = now_us > self.started_us + NOTHING_US && tailer.found() == 0;
            waited.then(|| format!("no file matches {}", self.settings.path))
        };
        let mut error = tailer.problem().or_else(nothing);
        let due = self.refused_us.is_none_or(|told_us| now_us > told_us + REFUSED_EVERY_US);
        if error.is_none()
            && due
            && let Some(refused) = self.tally.refused.take()
        {
            self.refused_us = Some(now_us);
            error = Some(format!("a line was refused: {refused}"));
        }
        let lag_us = if state == InputState::Down { None } else { tailer.lag_us(now_us) };
        News { state, lag_us, error }
    }
}
