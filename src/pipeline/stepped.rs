//! A pipeline without threads: the same rounds, one at a time, by whoever holds it. The same steps at the same moments
//! come to the same, so a test can be at every instant of a server's life, and end it there.

use std::time::Duration;

use super::handle::Pipeline;
use super::keeper::Keeper;
use super::owner;

/// A pipeline that does nothing by itself. When it is dropped it has crashed: what was not written never happened.
pub struct Stepped {
    /// The door.
    pub pipeline: Pipeline,
    keeper: Option<Keeper>,
}

impl Stepped {
    pub(super) fn new(pipeline: Pipeline, keeper: Option<Keeper>) -> Self {
        Self { pipeline, keeper }
    }

    /// When the next round is due though nobody sends anything.
    pub fn wake_us(&self) -> u64 {
        // A panic is the test's own end.
        owner::wake_us(&self.pipeline.shared, self.keeper.as_ref()).unwrap_or(u64::MAX)
    }

    /// One round of the owner: takes what has come, has what is written happen, lists what is to be written next. Answers
    /// whether it was the last.
    pub fn round(&mut self) -> bool {
        let work = self.pipeline.shared.mailbox.take(Duration::ZERO, false);
        owner::round(&self.pipeline.shared, self.keeper.as_mut(), work).unwrap_or(true)
    }

    /// Whether something waits to be written, or is written and has not happened.
    pub fn is_writing(&self) -> bool {
        self.keeper.as_ref().is_some_and(Keeper::is_writing)
    }

    /// Writes and syncs what waits for that.
    pub fn write(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.step();
        }
    }

    /// Has the owner end when all that came has happened.
    pub fn stop(&self) {
        self.pipeline.shared.mailbox.stop();
    }
}

impl Drop for Stepped {
    fn drop(&mut self) {
        // Whoever waits for an answer learns that there is none.
        self.keeper = None;
        self.pipeline.shared.mailbox.close();
        self.pipeline.shared.ended.send_replace(true);
    }
}
