//! What the readers of one stream share: the last events, and the whole.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use tokio::sync::watch;

use super::difference::{Difference, difference, show};
use super::events::{COMMENT, Kind, event};
use crate::board::StreamBoard;
use crate::clock::SECOND_US;

/// Between two events that tell of states there is this long at least.
const STATE_PAUSE_US: u64 = 40_000;
/// Between two events that tell of mere numbers.
const NUMBERS_PAUSE_US: u64 = SECOND_US;
/// So long after the last event a comment is sent.
const COMMENT_US: u64 = 15 * SECOND_US;
/// A reader may be this many events behind, or this many bytes: then the whole is shorter.
const EVENTS_MAX: usize = 64;
const BYTES_MAX: usize = 512 * 1024;

/// The live events of one stream.
pub(super) struct Channel {
    /// The stream's name.
    pub(super) name: String,
    inside: Mutex<Inside>,
    /// Readers wait for a change of this: the number of the next event.
    pub(super) next: watch::Sender<u64>,
}

struct Inside {
    /// What a reader who has read everything has been shown.
    shown: StreamBoard,
    /// `shown` as an event; made when a reader needs it.
    whole: Option<Bytes>,
    /// The last events. The number of the one after the last is `next`.
    events: VecDeque<Bytes>,
    bytes: usize,
    next: u64,
    /// When states, numbers and anything at all were last sent.
    state_us: u64,
    numbers_us: u64,
    sent_us: u64,
    ended: bool,
}

/// What a reader gets next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next event.
    Event(Bytes),
    /// The whole: the reader is new, or too far behind.
    Whole(Bytes),
    /// There is nothing yet.
    Nothing,
    /// There will be nothing more.
    End,
}

impl Channel {
    /// A channel whose readers are shown this first.
    pub(super) fn new(stream: &StreamBoard, now_us: u64) -> Self {
        let inside = Inside {
            shown: stream.clone(),
            whole: None,
            events: VecDeque::new(),
            bytes: 0,
            // A reader who has seen nothing is at 0, and so behind.
            next: 1,
            state_us: 0,
            numbers_us: now_us,
            sent_us: now_us,
            ended: false,
        };
        Self { name: stream.name.clone(), inside: Mutex::new(inside), next: watch::channel(1).0 }
    }

    /// What a reader gets who has had everything before event `at`; moves `at` on.
    pub(super) fn after(&self, at: &mut u64) -> Next {
        let mut inside = self.lock();
        if inside.ended {
            return Next::End;
        }
        if *at == inside.next {
            return Next::Nothing;
        }
        let behind = usize::try_from(inside.next - *at).unwrap_or(usize::MAX);
        if let Some(place) = inside.events.len().checked_sub(behind) {
            *at += 1;
            return Next::Event(inside.events[place].clone());
        }
        *at = inside.next;
        match inside.whole() {
            Ok(whole) => Next::Whole(whole),
            Err(error) => {
                complain(&error);
                Next::End
            }
        }
    }

    /// Compares a board with what was shown, and tells the readers what is due. Gives how long it
    /// is, in microseconds, until something is due where no other board comes.
    pub(super) fn look(&self, new: &StreamBoard, now_us: u64) -> u64 {
        let mut inside = self.lock();
        let told = inside.look(new, now_us);
        let until_us = told.unwrap_or_else(|error| {
            complain(&error);
            inside.ended = true;
            u64::MAX
        });
        let (next, ended) = (inside.next, inside.ended);
        drop(inside);
        self.next.send_if_modified(|seen| std::mem::replace(seen, next) != next || ended);
        until_us
    }

    /// Ends all readers' streams.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.next.send_modify(|_| ());
    }

    /// Whether it has ended.
    pub(super) fn is_ended(&self) -> bool {
        self.lock().ended
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn look(&mut self, new: &StreamBoard, now_us: u64) -> serde_json::Result<u64> {
        let state_due_us = self.state_us + STATE_PAUSE_US;
        let numbers_due_us = self.numbers_us + NUMBERS_PAUSE_US;
        let due_us = match difference(&self.shown, new) {
            Difference::None => u64::MAX,
            Difference::Numbers => numbers_due_us,
            Difference::State if now_us < numbers_due_us => state_due_us,
            Difference::State => state_due_us.min(numbers_due_us),
            Difference::Graph => {
                self.restart(new, now_us);
                u64::MAX
            }
        };
        if now_us >= due_us {
            let least = if now_us >= numbers_due_us { Difference::Numbers } else { Difference::State };
            let change = show(&mut self.shown, new, least)?;
            self.state_us = now_us;
            if least == Difference::Numbers {
                self.numbers_us = now_us;
            }
            self.whole = None;
            self.push(event(Kind::Change, new.at, &change), now_us);
            // What was left out, if anything.
            return Ok(numbers_due_us.max(now_us + STATE_PAUSE_US) - now_us);
        }
        let comment_us = self.sent_us + COMMENT_US;
        if now_us >= comment_us {
            self.push(COMMENT, now_us);
        }
        Ok(due_us.min(self.sent_us + COMMENT_US).saturating_sub(now_us))
    }

    /// Shows another graph: everybody gets the whole.
    fn restart(&mut self, new: &StreamBoard, now_us: u64) {
        self.shown.clone_from(new);
        self.whole = None;
        self.events.clear();
        self.bytes = 0;
        self.next += 1;
        (self.state_us, self.numbers_us, self.sent_us) = (now_us, now_us, now_us);
    }

    fn push(&mut self, event: Bytes, now_us: u64) {
        self.bytes += event.len();
        self.events.push_back(event);
        self.next += 1;
        self.sent_us = now_us;
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            self.bytes -= self.events.pop_front().map_or(0, |event| event.len());
        }
    }

    fn whole(&mut self) -> serde_json::Result<Bytes> {
        if let Some(whole) = &self.whole {
            return Ok(whole.clone());
        }
        let whole = event(Kind::Stream, self.shown.at, &serde_json::to_string(&self.shown)?);
        self.whole = Some(whole.clone());
        Ok(whole)
    }
}

fn complain(error: &serde_json::Error) {
    tracing::error!(subsystem = "page", %error, "failed to write a live event");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::Status;

    fn stream(unobserved: usize) -> StreamBoard {
        let (name, description) = ("orders".to_owned(), String::new());
        let (status, at, nodes, edges) = (Status::Ok, Moment(unobserved as u64), Vec::new(), Vec::new());
        StreamBoard { name, description, status, unobserved, alias_conflicts: 0, at, nodes, edges }
    }

    fn text(next: Next) -> String {
        let (Next::Event(bytes) | Next::Whole(bytes)) = next else { panic!("there is no event: {next:?}") };
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_reader_gets_the_whole_first_and_then_each_change() {
        let channel = Channel::new(&stream(0), 0);
        let mut at = 0;
        assert!(text(channel.after(&mut at)).starts_with("event: stream\nid: 0\ndata: {\"name\":\"orders\""));
        assert_eq!(channel.after(&mut at), Next::Nothing);
        channel.look(&stream(1), 50_000);
        channel.look(&stream(2), 100_000);
        assert!(text(channel.after(&mut at)).starts_with("event: change\nid: 1\ndata: {\"at\":"));
        assert!(text(channel.after(&mut at)).contains("\"unobserved\":2"));
        assert_eq!(channel.after(&mut at), Next::Nothing);
    }

    #[test]
    fn who_is_too_far_behind_gets_the_whole_which_is_made_once() {
        let channel = Channel::new(&stream(0), 0);
        let (mut slow, mut slower, mut keen) = (0, 0, 0);
        for reader in [&mut slow, &mut slower, &mut keen] {
            text(channel.after(reader));
        }
        for change in 1..=2 * EVENTS_MAX {
            channel.look(&stream(change), change as u64 * STATE_PAUSE_US);
            assert!(text(channel.after(&mut keen)).contains(&format!("\"unobserved\":{change},")));
        }
        let (Next::Whole(one), Next::Whole(other)) = (channel.after(&mut slow), channel.after(&mut slower)) else {
            panic!("they are too far behind");
        };
        assert_eq!(one.as_ptr(), other.as_ptr());
        assert!(text(Next::Whole(one)).contains(&format!("\"unobserved\":{},", 2 * EVENTS_MAX)));
        assert_eq!((channel.after(&mut slow), channel.after(&mut keen)), (Next::Nothing, Next::Nothing));
    }

    #[test]
    fn changes_that_come_together_are_told_together_and_silence_is_broken() {
        let channel = Channel::new(&stream(0), 0);
        let mut at = 0;
        text(channel.after(&mut at));
        channel.look(&stream(1), 1_000_000);
        text(channel.after(&mut at));
        assert_eq!(channel.look(&stream(2), 1_010_000), STATE_PAUSE_US - 10_000);
        assert_eq!(channel.after(&mut at), Next::Nothing);
        channel.look(&stream(3), 1_000_000 + STATE_PAUSE_US);
        assert!(text(channel.after(&mut at)).contains("\"unobserved\":3,"));
        let sent_us = 1_000_000 + STATE_PAUSE_US;
        assert_eq!(channel.look(&stream(3), sent_us + 5), COMMENT_US - 5);
        channel.look(&stream(3), sent_us + COMMENT_US);
        assert_eq!(channel.after(&mut at), Next::Event(COMMENT));
        channel.end();
        assert_eq!(channel.after(&mut at), Next::End);
    }
}
