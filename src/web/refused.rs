//! What the HTTP input says of events that it refused: in the log, on the pages and in `/status`; not of each of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use crate::graph::InputState;
use crate::pipeline::{News, Pipeline, Port};

/// What is wrong with events is said again after this long.
const EVERY: Duration = Duration::from_mins(1);
/// In this time so many different things are said at most; the rest is counted.
const SAID_MAX: usize = 10;

/// What was said in the last minute.
#[derive(Debug, Default)]
pub(super) struct Refused(Arc<Mutex<Minute>>);

#[derive(Debug, Default)]
struct Minute {
    began_us: u64,
    said: Vec<String>,
    /// Events that nothing was said of.
    unsaid: u64,
    /// Somebody will say how many they are.
    counted: bool,
}

/// What is to be said now.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    /// What is wrong.
    error: bool,
    /// A minute later, how many events nothing was said of.
    count: bool,
}

impl Refused {
    /// Events were refused for this reason; of `unsaid` more that came with them nothing is said but their number.
    pub(super) fn note(&self, pipeline: &Pipeline, events: usize, error: &str, unsaid: usize) {
        let Some(port) = Port::of_http(pipeline) else { return };
        let due = self.lock().note(events, error, unsaid, pipeline.now_us());
        if due.count {
            drop(actix_web::rt::spawn(say_count(Arc::clone(&self.0), port.name().to_owned())));
        }
        if !due.error {
            return;
        }
        warn!(subsystem = "input.http", input = port.name(), error, "events are refused");
        let error = Some(format!("an event was refused: {error}"));
        let gaps = *port.gaps().borrow();
        let told = async move {
            // Where the server stops there is nobody to tell.
            port.tell(News { state: InputState::Up, lag_us: None, error }, gaps).await.unwrap_or_default();
        };
        drop(actix_web::rt::spawn(told));
    }

    fn lock(&self) -> MutexGuard<'_, Minute> {
        lock(&self.0)
    }
}

fn lock(minute: &Mutex<Minute>) -> MutexGuard<'_, Minute> {
    minute.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says a minute later how many events nothing was said of.
async fn say_count(minute: Arc<Mutex<Minute>>, input: String) {
    tokio::time::sleep(EVERY).await;
    let events = lock(&minute).take_unsaid();
    info!(subsystem = "input.http", input, events, "more events were refused meanwhile");
}

impl Minute {
    fn note(&mut self, events: usize, error: &str, unsaid: usize, now_us: u64) -> Due {
        if now_us >= self.began_us + EVERY.as_micros() as u64 {
            (self.began_us, self.said) = (now_us, Vec::new());
        }
        let news = self.said.len() < SAID_MAX && self.said.iter().all(|said| said != error);
        if news {
            self.said.push(error.to_owned());
        }
        self.unsaid += (events + unsaid).saturating_sub(usize::from(news)) as u64;
        let count = self.unsaid > 0 && !self.counted;
        self.counted |= count;
        Due { error: news, count }
    }

    fn take_unsaid(&mut self) -> u64 {
        self.counted = false;
        std::mem::take(&mut self.unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND_US;

    fn note(minute: &mut Minute, error: &str, seconds: u64) -> bool {
        minute.note(1, error, 0, (100 + seconds) * SECOND_US).error
    }

    #[test]
    fn the_same_is_said_once_a_minute_and_a_flood_in_few_words() {
        let mut minute = Minute::default();
        let news = [("a", 0), ("a", 1), ("b", 2), ("a", 59)].map(|(error, at)| note(&mut minute, error, at));
        assert_eq!(news, [true, false, true, false]);
        assert!(note(&mut minute, "a", 60), "it goes on");
        let flood = (0..1_000).filter(|number| note(&mut minute, &format!("no {number}"), 61)).count();
        assert_eq!(flood, SAID_MAX - 1);
    }

    #[test]
    fn every_event_is_said_or_counted_and_the_count_is_said_however_the_minutes_end() {
        let mut minute = Minute::default();
        let due = |error, count| Due { error, count };
        assert_eq!(minute.note(1, "a", 0, SECOND_US), due(true, false), "all is said");
        assert_eq!(minute.note(3, "b", 7, SECOND_US), due(true, true), "nine are to be counted");
        assert_eq!(minute.note(2, "a", 0, SECOND_US), due(false, false), "somebody will count them");
        assert_eq!(minute.note(1, "a", 0, 62 * SECOND_US), due(true, false), "another minute loses none");
        assert_eq!(minute.take_unsaid(), 11);
        assert_eq!(minute.note(1, "a", 0, 63 * SECOND_US), due(false, true), "and then it begins again");
        assert_eq!(minute.take_unsaid(), 1);
    }
}
