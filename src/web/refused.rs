//! What the HTTP input says of events that it refused: in the log, on the pages and in `/status`; not of each of them.

use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use crate::clock::SECOND_US;
use crate::graph::InputState;
use crate::pipeline::{News, Pipeline, Port};

/// What is wrong with events is said again after this long.
const EVERY_US: u64 = 60 * SECOND_US;
/// In this time so many different things are said at most; the rest is counted.
const SAID_MAX: usize = 10;

/// What was said in the last minute.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    began_us: u64,
    said: Vec<String>,
    /// Events that nothing was said of.
    unsaid: u64,
}

impl Refused {
    /// Events were refused for this reason.
    pub(super) fn note(&self, pipeline: &Pipeline, events: usize, error: &str) {
        let input = Port::of_http(pipeline);
        let Some(port) = input.filter(|port| self.is_news(port.name(), events, error, pipeline.now_us())) else {
            return;
        };
        warn!(subsystem = "input.http", input = port.name(), error, "events are refused");
        let error = Some(format!("an event was refused: {error}"));
        let gaps = *port.gaps().borrow();
        let told = async move {
            // Where the server stops there is nobody to tell.
            port.tell(News { state: InputState::Up, lag_us: None, error }, gaps).await.unwrap_or_default();
        };
        drop(actix_web::rt::spawn(told));
    }

    fn is_news(&self, input: &str, events: usize, error: &str, now_us: u64) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now_us >= minute.began_us + EVERY_US {
            let before = std::mem::replace(&mut *minute, Minute { began_us: now_us, ..Minute::default() });
            if before.unsaid > 0 {
                info!(subsystem = "input.http", input, events = before.unsaid, "more events were refused meanwhile");
            }
        }
        if minute.said.len() < SAID_MAX && minute.said.iter().all(|said| said != error) {
            minute.said.push(error.to_owned());
            minute.unsaid += events.saturating_sub(1) as u64;
            return true;
        }
        minute.unsaid += events as u64;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_and_a_flood_in_few_words() {
        let refused = Refused::default();
        let news = |error: &str, seconds: u64| refused.is_news("http", 1, error, (100 + seconds) * SECOND_US);
        assert_eq!([news("a", 0), news("a", 1), news("b", 2), news("a", 59)], [true, false, true, false]);
        assert!(news("a", 60), "it goes on");
        let flood = (0..1_000).filter(|number| news(&format!("no {number}"), 61)).count();
        assert_eq!(flood, SAID_MAX - 1);
    }
}
