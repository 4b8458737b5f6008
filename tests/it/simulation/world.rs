//! The simulated world: time goes from one thing that happens to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::Ordering;

use observatory::pipeline::{Pipeline, Reservation};

use super::files::Reader;
use super::host::Host;
use super::plan::{BEGIN_US, Feed, MS, Plan, S};
use super::senders::{Waiting, report_of};
use crate::journal::faulty::Faults;
use crate::schedules::Rng;

/// How often the file is looked at.
const LOOK_US: u64 = 200 * MS;
/// After the last report, before the end.
const AFTER_US: u64 = 15 * S;
/// The last record's moment may be so long before the write began.
const TOGETHER_US: u64 = 5 * MS;
/// A server that is asked to do something more often than this in a microsecond goes in circles.
const ROUNDS_MAX: u32 = 1_000;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// A node reports what it saw: message, place, try.
    Report(usize, usize, u64),
    Look,
    Write,
    Round,
    Flood(u64),
    Fault(usize),
    Over(usize),
    Start,
    Calm,
}

/// What became of a report, on the server's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    /// When it was sent, or written, first.
    pub(super) first_us: Option<u64>,
    /// It was acknowledged: when it arrived, at the earliest and at the latest.
    pub(super) taken_us: Option<(u64, u64)>,
    /// It may have been taken, and only the answer was lost: when.
    pub(super) maybe_us: Option<(u64, u64)>,
    /// The server's clock was behind the world's when it arrived.
    pub(super) behind: bool,
}

impl Fate {
    /// It is acknowledged.
    pub(super) fn take(&mut self, from_us: u64, until_us: u64, behind: bool) {
        if self.taken_us.is_none() {
            (self.taken_us, self.behind) = (Some((from_us, until_us)), self.behind || behind);
        }
    }
}

pub(super) struct World<'p> {
    pub(super) plan: &'p Plan,
    pub(super) host: Host,
    pub(super) fates: Vec<Vec<Fate>>,
    /// When something was wrong with the server or its machine, on the server's clock.
    pub(super) troubles_us: Vec<(u64, u64)>,
    /// What happened, where somebody wants to know.
    pub(super) story: Option<Vec<String>>,
    pub(super) flood: u64,
    pub(super) rng: Rng,
    pub(super) agenda: BinaryHeap<Reverse<(u64, u64, Act)>>,
    pub(super) scheduled: u64,
    pub(super) now_us: u64,
    pub(super) waiting: Vec<Waiting>,
    /// The lines of the file, and whoever reads it.
    pub(super) lines: Vec<(usize, usize)>,
    pub(super) reader: Option<Reader>,
    pub(super) faults: Faults,
    /// For how long the server is down after the power has gone.
    pub(super) dark_us: u64,
    /// Since when the process stands still.
    pub(super) frozen_us: Option<u64>,
    /// What waits for a process that stands still.
    pub(super) backlog: Vec<Act>,
    pub(super) write_us: Option<u64>,
    /// Since when something is to be written.
    writing_us: Option<u64>,
    /// The same of what has been written and has not happened.
    written_us: Option<u64>,
    /// The last moment that is known to be kept.
    kept_us: u64,
    pub(super) stopping: Option<u64>,
    /// Since when it stops.
    pub(super) stopped_us: Option<u64>,
    pub(super) crowd: Option<Reservation>,
    pub(super) unreadable: bool,
    /// Since when lines were handed over when the server ended.
    pushed_us: u64,
    pub(super) system: usize,
}

impl<'p> World<'p> {
    pub(super) fn new(plan: &'p Plan, told: bool) -> Self {
        let mut world = Self {
            plan,
            host: Host::new(plan.seed, BEGIN_US - S),
            fates: plan.messages.iter().map(|message| vec![Fate::default(); message.seen.len()]).collect(),
            troubles_us: vec![(0, BEGIN_US)],
            story: told.then(Vec::new),
            flood: 0,
            rng: Rng::new(plan.seed),
            agenda: BinaryHeap::new(),
            scheduled: 0,
            now_us: BEGIN_US - S,
            waiting: Vec::new(),
            lines: Vec::new(),
            reader: None,
            faults: Faults::default(),
            dark_us: 0,
            frozen_us: None,
            backlog: Vec::new(),
            write_us: None,
            writing_us: None,
            written_us: None,
            kept_us: 0,
            stopping: None,
            stopped_us: None,
            crowd: None,
            unreadable: false,
            pushed_us: 0,
            system: 0,
        };
        world.at(BEGIN_US - S, Act::Start);
        world.at(BEGIN_US, Act::Look);
        world.at(plan.calm_us, Act::Calm);
        for (message, sent) in plan.messages.iter().enumerate() {
            for (place, seen) in sent.seen.iter().enumerate() {
                if let Some(report_us) = seen.report_us {
                    world.at(report_us, Act::Report(message, place, 0));
                }
            }
        }
        for (index, (at_us, _)) in plan.faults.iter().enumerate() {
            world.at(*at_us, Act::Fault(index));
        }
        world
    }

    pub(super) fn at(&mut self, at_us: u64, act: Act) {
        self.scheduled += 1;
        self.agenda.push(Reverse((at_us, self.scheduled, act)));
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let at_us = self.now_us.cast_signed() - BEGIN_US.cast_signed();
            story.push(format!("{at_us:>10} {}", what()));
        }
    }

    /// The world's time in the server's, or what it would be if it ran.
    pub(super) fn server_us(&self) -> u64 {
        let machine_us = self.now_us.saturating_add_signed(self.host.ahead_us);
        self.host.pipeline().map_or(machine_us, Pipeline::now_us)
    }

    pub(super) fn trouble(&mut self, from_us: u64, until_us: u64) {
        match self.troubles_us.last_mut() {
            Some(last) if last.1 >= from_us && last.0 <= from_us => last.1 = last.1.max(until_us),
            _ => self.troubles_us.push((from_us, until_us)),
        }
    }

    /// Lets time pass until nothing is to come any more. Answers how much has passed.
    pub(super) fn run(&mut self) -> u64 {
        let last_us = self.plan.messages.iter().flat_map(|message| &message.seen).map(|seen| seen.at_us).max();
        let end_us = self.plan.calm_us.max(last_us.unwrap_or(0)) + AFTER_US;
        let (mut rounds, mut rounded_us) = (0, 0);
        loop {
            let act_us = self.agenda.peek().map_or(u64::MAX, |Reverse((at_us, _, _))| *at_us);
            let wake_us = self.wake_us();
            if act_us.min(wake_us) > end_us {
                break;
            }
            self.now_us = act_us.min(wake_us).max(self.now_us);
            self.host.world_us.store(self.now_us, Ordering::Relaxed);
            if act_us <= self.now_us {
                if let Some(Reverse((_, _, act))) = self.agenda.pop() {
                    self.act(act);
                }
            } else {
                self.round();
            }
            rounds = if rounded_us == self.now_us { rounds + 1 } else { 0 };
            rounded_us = self.now_us;
            assert!(rounds < ROUNDS_MAX, "the server goes in circles");
        }
        self.now_us - (BEGIN_US - S)
    }

    /// When the owner wakes by itself, in the world's time.
    fn wake_us(&self) -> u64 {
        match &self.host.life {
            Some(life) if self.frozen_us.is_none() => {
                let wait_us = life.stepped.wake_us().saturating_sub(life.stepped.pipeline.now_us());
                self.now_us.saturating_add(wait_us)
            }
            _ => u64::MAX,
        }
    }

    fn act(&mut self, act: Act) {
        let of_server = matches!(act, Act::Look | Act::Write | Act::Round);
        let arrives = matches!(act, Act::Report(message, place, _) if self.feed(message, place) == Feed::Http)
            || matches!(act, Act::Flood(_));
        if self.frozen_us.is_some() && (of_server || arrives) {
            self.note_first(act);
            return self.backlog.push(act);
        }
        match act {
            Act::Report(message, place, tries) => self.report(message, place, tries),
            Act::Look => {
                self.look();
                let pause_us = LOOK_US / 2 + self.rng.below(LOOK_US / 2);
                self.at(self.now_us + pause_us, Act::Look);
            }
            Act::Write => self.write(),
            Act::Round => self.round(),
            Act::Flood(left) => self.pour(left),
            Act::Fault(index) => self.begin(index),
            Act::Over(index) => self.over(self.plan.faults[index].1),
            Act::Start => self.start(),
            Act::Calm => self.calm(),
        }
    }

    fn round(&mut self) {
        if self.frozen_us.is_some() {
            return;
        }
        self.note_who_waits();
        let Some(life) = &mut self.host.life else { return };
        let over = life.stepped.round();
        let (writes, keeps) = (life.stepped.is_writing(), life.stepped.pipeline.is_keeping());
        let now_us = self.server_us();
        if let Some(written_us) = self.written_us.take()
            && keeps
        {
            self.kept_us = written_us.saturating_sub(TOGETHER_US);
        }
        if writes && self.writing_us.is_none() {
            self.writing_us = Some(now_us);
            let write_us = self.write_us.unwrap_or_else(|| 200 + self.rng.below(1_000));
            self.at(self.now_us + write_us, Act::Write);
        }
        if !keeps {
            self.trouble(self.kept_us, now_us);
        }
        self.answers();
        self.look();
        if over {
            let down_us = self.stopping.take().unwrap_or(0);
            self.end(down_us, "it has stopped");
        }
    }

    /// Where somebody waits for the server for long, nobody is known to be heard.
    fn note_who_waits(&mut self) {
        let now_us = self.server_us();
        let handed_us = self.reader.as_ref().and_then(|reader| Some(reader.pushing.as_ref()?.2));
        let since_us = self.waiting.iter().map(|one| one.sent_us).chain(handed_us).min();
        if let Some(since_us) = since_us.filter(|since_us| now_us > since_us + S) {
            let since_us = self.writing_us.map_or(since_us, |writing_us| since_us.min(writing_us));
            self.trouble(since_us.saturating_sub(TOGETHER_US), now_us + TOGETHER_US);
        }
    }

    fn write(&mut self) {
        let Some(life) = &mut self.host.life else { return };
        self.written_us = self.writing_us.take();
        life.stepped.write();
        if self.host.disk.is_dark() {
            self.power_fails();
        } else {
            self.nudge();
        }
    }

    /// The power goes, and comes back.
    fn power_fails(&mut self) {
        self.end(self.dark_us, "the power has gone");
        self.faults = Faults::default();
        self.host.disk.restart();
    }

    fn look(&mut self) {
        let (plan, lines) = (self.plan, &self.lines);
        let now_us = self.server_us();
        // Inputs end before the rest of a server that stops.
        let Some(reader) = self.reader.as_mut().filter(|_| self.stopping.is_none()) else { return };
        let since_us = reader.pushing.as_ref().map_or(now_us, |(_, _, since_us)| *since_us);
        let busy = reader.busy();
        let taken = reader.look(lines.len(), |line| report_of(plan, lines[line].0, lines[line].1));
        let begun = reader.busy() > busy || (!taken.is_empty() && reader.busy() == busy);
        for line in taken {
            let (message, place) = self.lines[line];
            self.fates[message][place].take(since_us, now_us, now_us < self.now_us);
        }
        if begun {
            self.nudge();
        }
    }

    pub(super) fn start(&mut self) {
        if self.host.life.is_some() {
            return;
        }
        self.host.start(&self.plan.systems[self.system]);
        let now_us = self.server_us();
        if let Some(down) = self.troubles_us.last_mut() {
            down.1 = down.1.max(now_us);
        }
        self.tell(|| format!("the server starts at {now_us}"));
        if self.plan.feeds.contains(&Feed::File)
            && let Some(pipeline) = self.host.pipeline()
        {
            let mut reader = Reader::new(pipeline, self.lines.len());
            reader.unreadable = self.unreadable;
            // What was taken while nobody could say so any more.
            for &(message, place) in &self.lines[..reader.at] {
                self.fates[message][place].take(self.pushed_us, now_us, now_us < self.now_us);
            }
            self.reader = Some(reader);
        }
        self.nudge();
    }

    /// The server is no more.
    pub(super) fn end(&mut self, down_us: u64, why: &'static str) {
        let now_us = self.server_us();
        // What came behind the last record is not known to the next life.
        // Nor is what came when it had begun to stop.
        let since_us = self.stopped_us.take().map_or(self.kept_us, |stopped_us| stopped_us.min(self.kept_us));
        self.troubles_us.push((since_us, now_us));
        let pushed_us = self.reader.as_ref().and_then(|reader| reader.pushing.as_ref()).map_or(now_us, |push| push.2);
        self.pushed_us = pushed_us;
        self.reader = None;
        self.crowd = None;
        self.host.end();
        self.tell(|| why.to_owned());
        self.answers();
        (self.writing_us, self.written_us, self.stopping) = (None, None, None);
        self.frozen_us = None;
        for act in std::mem::take(&mut self.backlog) {
            if let Act::Report(message, place, tries) = act {
                self.again(message, place, tries);
            } else if act == Act::Look {
                self.at(self.now_us, Act::Look);
            }
        }
        self.agenda.retain(|Reverse((_, _, act))| !matches!(act, Act::Write | Act::Round));
        self.at(self.now_us + down_us, Act::Start);
    }
}
