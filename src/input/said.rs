//! What is wrong is said once, and again when it is something else, or was said long ago.

use crate::clock::SECOND_US;

/// What goes on being wrong is told to the pages, and what is wrong with events is logged, again after this long.
pub(super) const MINUTE_US: u64 = 60 * SECOND_US;
/// What goes on being wrong with an input itself is logged again after this long.
pub(super) const HOUR_US: u64 = 60 * MINUTE_US;

/// What was said last.
#[derive(Debug)]
pub(super) struct Said {
    again_us: u64,
    last: Option<(String, u64)>,
}

impl Said {
    /// Nothing yet; the same is said again after `again_us`.
    pub(super) fn every(again_us: u64) -> Self {
        Self { again_us, last: None }
    }

    /// Whether this is to be said; then it counts as said.
    pub(super) fn is_news(&mut self, text: &str, now_us: u64) -> bool {
        let known = |(last, at_us): &(String, u64)| last == text && now_us < at_us.saturating_add(self.again_us);
        if self.last.as_ref().is_some_and(known) {
            return false;
        }
        self.last = Some((text.to_owned(), now_us));
        true
    }

    /// All is well: whatever goes wrong next is news.
    pub(super) fn mended(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_until_it_changes_was_mended_or_is_long_ago() {
        let mut said = Said::every(100);
        assert!(said.is_news("a", 1));
        assert!(!said.is_news("a", 100), "it was said lately");
        assert!(said.is_news("b", 100), "it is something else");
        assert!(said.is_news("a", 100), "and so is what was said before that");
        assert!(!said.is_news("a", 199));
        assert!(said.is_news("a", 200), "it was said long ago");
        said.mended();
        assert!(said.is_news("a", 201), "it was well meanwhile");
    }
}
