//! What happens, put in order: makes the one list from which all else follows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{info, warn};

use super::handle::Shared;
use super::observed::{Observed, translate, translate_input};
use crate::clock::SECOND_US;
use crate::engine::Entry;
use crate::event::{Event, Report};
use crate::graph::{InputId, InputState};
use crate::journal::{Happening, News, Position};

/// Where nobody has looked around for longer than this, we did not run: stopped, suspended, or kept from it, by a disk,
/// say. What is shorter is within what `grace` is for, which is as long where the manifest does not say less.
const STALL_US: u64 = SECOND_US;

/// Events that arrive within this time happen together, at the moment of the last: what falls due is not looked at
/// more often.
pub(super) const TOGETHER_US: u64 = 5_000;
/// To so many events no more are added.
const TOGETHER_MAX: usize = 64 * 1024;

/// So many lists of events are under way at once: one is written, the next one is made.
const SPARE_MAX: usize = 2;

/// Whether events are taken by HTTP, which is down where they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taking {
    Taken,
    /// Requests with events were refused of late.
    Refused,
    /// The same, but it is not known whether it happened that this was listed: then it is listed again.
    Doubtful,
    /// Somebody has waited for us for too long.
    Stalled,
}

/// Makes the list. What it lists has not happened yet: it happens when the list has been kept, where it is.
pub(super) struct Front {
    /// What is observed after all that is listed.
    pub(super) observed: Arc<Observed>,
    /// The moment of the last that was listed.
    pub(super) listed_us: u64,
    /// Until when we are known to have run: somebody looked around then, or has come back.
    pub(super) awake_us: u64,
    /// Whether events are taken by HTTP.
    taking: Taking,
    /// What is listed and has not been taken from here.
    list: Vec<Happening>,
    /// What is observed after each reload that is listed and has not happened.
    pub(super) reloads: VecDeque<Arc<Observed>>,
    /// When the first of the events that were listed last arrived.
    together_us: u64,
    /// Later than this something may be judged between events that arrive and those that are listed.
    pub(super) calm_until_us: u64,
    /// Room for the events of the next ones.
    spare: Vec<Vec<Event>>,
    /// Room for what will be listed next.
    spare_list: Vec<Happening>,
}

impl Front {
    pub(super) fn new(observed: Arc<Observed>, now_us: u64) -> Self {
        Self {
            observed,
            listed_us: now_us,
            awake_us: now_us,
            taking: Taking::Taken,
            list: Vec::new(),
            reloads: VecDeque::new(),
            together_us: now_us,
            calm_until_us: now_us,
            spare: Vec::new(),
            spare_list: Vec::new(),
        }
    }

    /// Goes on after we were down since the last that was listed, whatever kept us.
    pub(super) fn come_back(&mut self, now_us: u64) {
        // Whether requests were refused in the end is not known: that is over, in any case.
        self.taking = Taking::Doubtful;
        self.list(Entry::Gap { from_us: self.listed_us, until_us: now_us }, now_us);
        self.awake_us = now_us;
    }

    /// Takes what is listed.
    pub(super) fn take(&mut self) -> Vec<Happening> {
        std::mem::replace(&mut self.list, std::mem::take(&mut self.spare_list))
    }

    /// Gives back the memory of what was listed.
    pub(super) fn recycle_list(&mut self, list: Vec<Happening>) {
        self.spare_list = list;
    }

    /// Gives back what will not happen.
    pub(super) fn forget(&mut self, observed: Arc<Observed>, listed_us: u64) {
        self.list.clear();
        self.reloads.clear();
        (self.observed, self.listed_us) = (observed, listed_us);
        self.taking = Taking::Doubtful;
    }

    /// Whether somebody has waited for us for too long.
    pub(super) fn is_stalled(&self) -> bool {
        self.taking == Taking::Stalled
    }

    /// Whether nothing is listed.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Gives back the memory of what has happened.
    pub(super) fn recycle(&mut self, happening: Happening) {
        if let Entry::Events(mut events) = happening.entry
            && self.spare.len() < SPARE_MAX
        {
            events.clear();
            self.spare.push(events);
        }
    }

    fn list(&mut self, entry: Entry, now_us: u64) -> &mut Happening {
        self.listed_us = now_us;
        self.list.push(Happening::new(entry, now_us));
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Lists what kept us from taking events since anybody looked: it goes before what happens now.
    pub(super) fn look_around(&mut self, shared: &Shared, now_us: u64) {
        let awake_us = self.awake_us;
        self.awake_us = awake_us.max(now_us);
        if now_us > awake_us + STALL_US {
            self.list(Entry::Gap { from_us: awake_us, until_us: now_us }, now_us);
            shared.figures.gaps.fetch_add(1, Ordering::Relaxed);
            shared.gaps.send_modify(|gaps| *gaps += 1);
            let ms = (now_us - awake_us) / 1_000;
            warn!(subsystem = "correlator", ms, "the server did not run for a while: what came then is not judged");
        }
        if let Some(first_us) = shared.refusals.take_first(now_us) {
            self.refuse(shared, first_us.min(now_us).max(self.listed_us));
        } else if matches!(self.taking, Taking::Refused | Taking::Doubtful) && shared.refusals.is_over(now_us) {
            self.taking = Taking::Taken;
            self.list(Entry::Input { input: self.observed.http, state: InputState::Up }, now_us);
            info!(subsystem = "input.http", "events are taken");
        }
    }

    /// Somebody waits for us since a moment, or nobody does. Whoever waits for too long could report nothing meanwhile: HTTP is
    /// down until that is over, and what is kept for us is to be read first. It goes before all that is listed and not taken
    /// from here: that came while they waited.
    pub(super) fn note_wait(&mut self, shared: &Shared, since_us: Option<u64>, now_us: u64) {
        let stalls = since_us.is_some_and(|since_us| now_us > since_us + STALL_US);
        if stalls == self.is_stalled() {
            return;
        }
        let before = std::mem::replace(&mut self.taking, if stalls { Taking::Stalled } else { Taking::Refused });
        if !stalls {
            shared.gaps.send_modify(|gaps| *gaps += 1);
            return;
        }
        shared.figures.gaps.fetch_add(1, Ordering::Relaxed);
        warn!(subsystem = "store", "the journal is slow: what may wait for it meanwhile is not judged");
        // Where a reload is listed, what lies before it has other places.
        let first_us = self.list.first().filter(|_| self.reloads.is_empty()).map(|first| first.now_us);
        let (place, at_us) = first_us.map_or((self.list.len(), self.listed_us), |at_us| (0, at_us));
        let mut entries = vec![Happening::new(Entry::Gap { from_us: at_us, until_us: at_us }, at_us)];
        if before != Taking::Refused {
            entries.push(self.http_down("events had to wait: the journal is slow", at_us));
        }
        self.list.splice(place..place, entries);
    }

    /// That nothing more may come by HTTP.
    fn http_down(&self, why: &str, at_us: u64) -> Happening {
        let input = self.observed.http;
        let name = self.observed.system.inputs.get(usize::from(input.0)).map(|input| input.name.clone());
        let news = News { state: InputState::Down, lag_us: None, error: Some(why.to_owned()) };
        let mut happening = Happening::new(Entry::Input { input, state: InputState::Down }, at_us);
        happening.news = name.map(|name| (name, news));
        happening
    }

    /// Requests with events are refused since a moment.
    fn refuse(&mut self, shared: &Shared, since_us: u64) {
        if matches!(self.taking, Taking::Refused | Taking::Stalled) {
            return;
        }
        self.taking = Taking::Refused;
        let waiting = shared.room.taken().events;
        warn!(subsystem = "input.http", waiting, "events are refused: more come than can be judged");
        let down = self.http_down("events were refused: more came than could be judged", since_us);
        self.listed_us = since_us;
        self.list.push(down);
    }

    /// Lists events that arrived now, with what came with them. `stretches`: what so many of them, one after the other,
    /// were parsed with. `ahead_us`: what our clock is ahead of the wall clock. Gives the places of those that are not taken, because their nodes are gone.
    pub(super) fn list_events<'a>(
        &mut self,
        reports: Vec<Report>,
        stretches: impl IntoIterator<Item = (usize, InputId, &'a Arc<Observed>)>,
        unknown: Vec<String>,
        positions: Option<(String, Vec<Position>)>,
        (now_us, ahead_us): (u64, u64),
    ) -> Vec<usize> {
        let mut together = self.together(reports.len(), now_us);
        together.unknown.extend(unknown);
        together.positions.extend(positions);
        let gone = self.arrive(reports, stretches, (now_us, ahead_us), &mut together);
        together.now_us = now_us;
        self.listed_us = now_us;
        self.list.push(together);
        gone
    }

    /// What events that arrive now happen with: those that arrived just before them, if they are not too many, and nothing
    /// is to be judged in between: it would be judged before the first of them.
    fn together(&mut self, more: usize, now_us: u64) -> Happening {
        if let Some(Happening { entry: Entry::Events(events), .. }) = self.list.last()
            && now_us <= self.calm_until_us.min(self.together_us + TOGETHER_US)
            && events.len() + more <= TOGETHER_MAX
            && let Some(last) = self.list.pop()
        {
            return last;
        }
        self.together_us = now_us;
        Happening::new(Entry::Events(self.spare.pop().unwrap_or_default()), now_us)
    }

    fn arrive<'a>(
        &self,
        reports: Vec<Report>,
        stretches: impl IntoIterator<Item = (usize, InputId, &'a Arc<Observed>)>,
        (now_us, ahead_us): (u64, u64),
        Happening { entry, unknown, .. }: &mut Happening,
    ) -> Vec<usize> {
        let mut gone = Vec::new();
        let Entry::Events(events) = entry else { return gone };
        let mut reports = reports.into_iter().enumerate();
        for (count, input, by) in stretches {
            let now = Arc::ptr_eq(by, &self.observed);
            let input = if now { input } else { translate_input(input, by, &self.observed) };
            for (place, mut report) in reports.by_ref().take(count) {
                if !now && let Err(name) = translate(&mut report, by, &self.observed) {
                    if self.observed.system.accept_unknown {
                        unknown.push(name.to_owned());
                    } else {
                        gone.push(place);
                    }
                    continue;
                }
                events.push(report.arrive(input, now_us, now_us.saturating_sub(ahead_us)));
            }
        }
        gone
    }

    /// Lists that time has passed.
    pub(super) fn list_beat(&mut self, now_us: u64) {
        self.list(Entry::Beat, now_us);
    }

    /// Lists what an input tells. Where we have not run since it found that out (`gaps`: how often we had not run by
    /// then), it has not caught up, whatever it says. HTTP tells what went wrong; how it is, is known here.
    pub(super) fn list_news(&mut self, shared: &Shared, name: &str, mut news: News, gaps: u64, now_us: u64) {
        let input = self.observed.system.input(name);
        if input == self.observed.http {
            news.state = if self.taking == Taking::Taken { InputState::Up } else { InputState::Down };
        } else if news.state == InputState::Up && (self.is_stalled() || gaps != *shared.gaps.borrow()) {
            news.state = InputState::CatchingUp;
        }
        self.forget_between(input, &mut news);
        let entry = Entry::Input { input, state: news.state };
        self.list(entry, now_us).news = Some((name.to_owned(), news));
    }

    /// However long nothing is taken from here, of what an input says again and again only the first counts, and the last:
    /// whether it testifies, and how it is now.
    fn forget_between(&mut self, input: InputId, news: &mut News) {
        // Before a reload its place was another.
        let since = self.list.iter().rposition(|listed| matches!(listed.entry, Entry::Reload(_)));
        let told = |at: usize| match self.list[at].entry {
            Entry::Input { input: other, state } if other == input => Some((at, state == InputState::Up)),
            _ => None,
        };
        let mut told = (since.unwrap_or(0)..self.list.len()).rev().filter_map(told);
        let testifies = news.state == InputState::Up;
        if let (Some((last, is)), Some((_, was))) = (told.next(), told.next())
            && is == testifies
            && was == testifies
            && let Some((_, before)) = self.list.remove(last).news
        {
            news.follow(before);
        }
    }

    /// Lists that another manifest is in force.
    pub(super) fn list_reload(&mut self, observed: Arc<Observed>, now_us: u64) {
        self.list(Entry::Reload(Arc::clone(&observed.system)), now_us);
        self.reloads.push_back(Arc::clone(&observed));
        self.observed = observed;
    }
}
