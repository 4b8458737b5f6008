//! Whether a node or an edge has been heard lately. The time in which nobody could hear it does not count.

use super::blind::Blind;

/// A change of it: silent (`true`) or heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hush {
    pub(super) silent: bool,
    pub(super) at_us: u64,
}

/// Watches for silence, where the manifest asks for it.
#[derive(Debug)]
pub(super) struct Silence {
    after_us: Option<u64>,
    heard_us: u64,
    /// How long it had been blind by then.
    heard_blind_us: u64,
    pub(super) blind: Blind,
    pub(super) silent: bool,
    /// Whether it was silent at any time.
    pub(super) ever: bool,
}

impl Silence {
    /// Counts from the start of the server, too.
    pub(super) fn new(silence_us: Option<u64>, start_us: u64) -> Self {
        Self {
            after_us: silence_us,
            heard_us: start_us,
            heard_blind_us: 0,
            blind: Blind::default(),
            silent: false,
            ever: false,
        }
    }

    /// Watches for another silence from now on.
    pub(super) fn set_after(&mut self, after_us: Option<u64>, now_us: u64) -> Option<Hush> {
        self.after_us = after_us;
        let blind_us = self.blind.total_us(now_us) - self.heard_blind_us;
        let still = after_us.is_some_and(|after_us| self.heard_us + blind_us + after_us < now_us);
        if still {
            return None;
        }
        std::mem::take(&mut self.silent).then_some(Hush { silent: false, at_us: now_us })
    }

    /// The first moment at which it is silent, if nothing is heard.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        if self.silent { None } else { self.due_us() }
    }

    #[inline]
    fn due_us(&self) -> Option<u64> {
        let blind_us = self.blind.expected_us()?.saturating_sub(self.heard_blind_us);
        self.after_us.map(|after_us| self.heard_us + after_us + blind_us + 1)
    }

    /// Brings it up to a moment.
    pub(super) fn advance(&mut self, now_us: u64) -> Option<Hush> {
        let at_us = self.next_due_us().filter(|&due_us| due_us <= now_us)?;
        (self.silent, self.ever) = (true, true);
        Some(Hush { silent: true, at_us })
    }

    /// Something was heard, at a moment to which this has been brought up.
    pub(super) fn hear(&mut self, at_us: u64) -> Option<Hush> {
        (self.heard_us, self.heard_blind_us) = (at_us, self.blind.total_us(at_us));
        std::mem::take(&mut self.silent).then_some(Hush { silent: false, at_us })
    }
}
