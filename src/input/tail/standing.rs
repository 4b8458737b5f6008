//! How an input of files stands: whether all that was in them a moment ago has been handed on.

use super::disk::{Disk, Opened};
use super::file::Tracked;
use super::tailer::Tailer;
use crate::graph::InputState;

/// What was in the files this long ago must have been handed on, or we are catching up.
const LATE_US: u64 = 1_000_000;

/// Where reading stands against the lengths that the files had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// When the lengths were noted that are to be reached.
    mark_us: Option<u64>,
    /// We have not caught up.
    behind: bool,
    /// Something could not be read.
    down: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self { mark_us: None, behind: true, down: false }
    }
}

impl Standing {
    /// Notes the lengths that the files have now, where the last ones have been reached.
    pub(super) fn mark<'f, F: 'f, T: 'f>(&mut self, files: impl Iterator<Item = &'f mut Tracked<F, T>>, now_us: u64) {
        if self.mark_us.is_none() {
            self.mark_us = Some(now_us);
            files.for_each(|file| file.target = file.file.is_some().then_some(file.look.size));
        }
    }
}

impl<D: Disk, T> Tailer<D, T> {
    /// Nobody looked for a while: what was written meanwhile is a backlog.
    pub fn lapse(&mut self) {
        (self.standing.behind, self.standing.mark_us) = (true, None);
    }

    /// How we stand after what was handed on so far.
    pub fn state(&mut self, now_us: u64) -> InputState {
        let standing = &mut self.standing;
        if !self.problems.is_empty() || self.files.values().any(|file| file.problem.is_some()) {
            *standing = Standing { mark_us: None, behind: true, down: true };
            return InputState::Down;
        }
        if std::mem::take(&mut standing.down) {
            // To be read to the lengths that the files have now that all can be read again.
            standing.mark(self.files.values_mut(), now_us);
        }
        if let Some(mark_us) = standing.mark_us {
            let late = now_us > mark_us + LATE_US;
            if self.files.values().all(Tracked::reached) {
                standing.behind &= late;
                standing.mark_us = None;
            } else {
                standing.behind |= late;
            }
        }
        if standing.behind { InputState::CatchingUp } else { InputState::Up }
    }

    /// What keeps us from reading, for people.
    pub fn problem(&self) -> Option<String> {
        let files = self.files.values().filter_map(|file| file.problem.as_ref());
        let mut all = self.problems.iter().chain(files);
        let first = all.next()?;
        Some(match all.count() {
            0 => first.clone(),
            more => format!("{first}, and {more} more like this"),
        })
    }

    /// How long ago that was written which is read next, as far as its lines say; 0 where all has been read.
    pub fn lag_us(&self, now_us: u64) -> Option<u64> {
        let waits = |file: &&Tracked<D::File, T>| !file.heads.is_empty() || file.unread();
        let stamp = |file: &Tracked<D::File, T>| file.heads.front().map(|head| head.stamp_us).or(file.last_us);
        let mut waiting = self.files.values().filter(waits).map(stamp).peekable();
        if waiting.peek().is_none() {
            return Some(0);
        }
        waiting.flatten().min().map(|oldest_us| now_us.saturating_sub(oldest_us))
    }
}

impl<F: Opened, T> Tracked<F, T> {
    /// It has been read to its target.
    fn reached(&self) -> bool {
        let Some(target) = self.target else { return true };
        self.offset >= target || self.copy_of.is_some() || (self.heads.is_empty() && self.cutter.seen_to() >= target)
    }
}
