//! Whether a node or an edge has been heard lately.

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
    pub(super) silent: bool,
    /// Whether it was silent at any time.
    pub(super) ever: bool,
}

impl Silence {
    /// Counts from the start of the server, too.
    pub(super) fn new(silence_us: Option<u64>, start_us: u64) -> Self {
        Self { after_us: silence_us, heard_us: start_us, silent: false, ever: false }
    }

    /// Watches for another silence from now on.
    pub(super) fn set_after(&mut self, after_us: Option<u64>, now_us: u64) -> Option<Hush> {
        self.after_us = after_us;
        let still = after_us.is_some_and(|after_us| self.heard_us + after_us < now_us);
        if still {
            return None;
        }
        std::mem::take(&mut self.silent).then_some(Hush { silent: false, at_us: now_us })
    }

    /// The first moment at which it is silent, if nothing is heard.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        self.after_us.filter(|_| !self.silent).map(|after_us| self.heard_us + after_us + 1)
    }

    /// Brings it up to a moment.
    pub(super) fn advance(&mut self, now_us: u64) -> Option<Hush> {
        let at_us = self.next_due_us().filter(|&due_us| due_us <= now_us)?;
        (self.silent, self.ever) = (true, true);
        Some(Hush { silent: true, at_us })
    }

    /// Something was heard, at a moment to which this has been brought up.
    pub(super) fn hear(&mut self, at_us: u64) -> Option<Hush> {
        self.heard_us = at_us;
        std::mem::take(&mut self.silent).then_some(Hush { silent: false, at_us })
    }
}
