//! An input of a broker: one session after the other, until it is stopped.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use super::session::{Session, Trouble};
use super::settings::AmqpSettings;
use super::tally::Tally;
use crate::graph::InputState;
use crate::input::body::{Parsed, Reason};
use crate::input::pace::Lane;
use crate::input::said::{HOUR_US, MINUTE_US, Said};
use crate::metrics::Metrics;
use crate::pipeline::{News, Port};

/// The first pause before we try again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How a session ended.
struct Ended {
    /// The broker may not know of it.
    unnoticed: bool,
    /// For how long messages flowed, where they did.
    flowed: Option<Duration>,
}

/// Takes events from a queue.
pub struct AmqpInput {
    pub(super) settings: AmqpSettings,
    pub(super) port: Port,
    pub(super) lane: Rc<Lane>,
    pub(super) tally: Tally,
    /// From when the last event is that was read.
    pub(super) stamp_us: Option<u64>,
    /// Changes when we did not run for a while.
    pub(super) gaps: watch::Receiver<u64>,
    /// How often we had not when the session began.
    pub(super) gaps_seen: u64,
    /// What was wrong with messages from which nothing could be taken.
    poison: Wrong,
    /// What was wrong with events that were refused, while others of their messages were taken.
    refused: Wrong,
    /// Why it was down.
    down: Said,
    /// Where it was connected.
    connected: Said,
}

/// What is wrong with what a queue brings.
struct Wrong {
    said: Said,
    /// What is news, until the pages are told: of what comes meanwhile nothing is said.
    untold: Option<String>,
}

impl Wrong {
    fn new() -> Self {
        Self { said: Said::every(MINUTE_US), untold: None }
    }

    /// Whether this is to be logged; then the pages will be told as well.
    fn is_news(&mut self, error: &str, now_us: u64) -> bool {
        let news = self.untold.is_none() && self.said.is_news(error, now_us);
        if news {
            self.untold = Some(error.to_owned());
        }
        news
    }
}

impl AmqpInput {
    /// An input that waits to be run.
    pub fn new(settings: AmqpSettings, port: Port, lane: Lane, metrics: Arc<Metrics>) -> Self {
        let (tally, gaps) = (Tally::new(metrics, port.name()), port.gaps());
        Self {
            settings,
            port,
            lane: Rc::new(lane),
            tally,
            stamp_us: None,
            gaps,
            gaps_seen: 0,
            poison: Wrong::new(),
            refused: Wrong::new(),
            down: Said::every(HOUR_US),
            connected: Said::every(HOUR_US),
        }
    }

    /// Takes events until `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.try_again_and_again() => {}
            // Whoever would tell us is gone: then we stop, too.
            _ = stop.wait_for(|&stop| stop) => {}
        }
    }

    /// Ready when nothing is taken any more.
    async fn try_again_and_again(&mut self) {
        let (mut pause, mut wary) = (PAUSES.0, false);
        loop {
            let Ok(Ended { unnoticed, flowed }) = self.session(wary).await else { return };
            // One that lasted was good: what ended it need not be there still.
            if flowed.is_some_and(|flowed| flowed > PAUSES.1) {
                pause = PAUSES.0;
            }
            if flowed.is_some() {
                wary = unnoticed;
            }
            sleep(pause.mul_f64(0.5 + chance() / 2.0)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// One session, to its end. An error means that nothing is taken any more.
    async fn session(&mut self, wary: bool) -> Result<Ended, Trouble> {
        let (name, place) = (self.port.name().to_owned(), self.settings.url.place());
        // What the queue holds is counted after this.
        self.gaps_seen = *self.gaps.borrow_and_update();
        let mut session = match Session::open(&self.settings, &name, wary).await {
            Ok(session) => session,
            Err(trouble) => {
                self.connected.mended();
                let error = format!("{place}: {}", trouble.error);
                let unnoticed = self.is_down(Trouble { error, ..trouble }).await?;
                return Ok(Ended { unnoticed, flowed: None });
            }
        };
        let begun_us = self.port.now_us();
        if self.connected.is_news(&place, begun_us) {
            info!(subsystem = "input.amqp", input = name, broker = place, "the input is connected");
        }
        let trouble = session.run(self).await;
        let flowed = Duration::from_micros(self.port.now_us().saturating_sub(begun_us));
        if flowed > PAUSES.1 {
            // One that ends as soon as it has begun is like those before it: of these nothing is said but why.
            self.connected.mended();
            self.down.mended();
        }
        // Told before we take leave of the broker, which takes a while: from now on nobody reads.
        let told = self.is_down(trouble).await;
        session.close().await;
        Ok(Ended { unnoticed: told?, flowed: Some(flowed) })
    }

    async fn is_down(&mut self, Trouble { error, unnoticed }: Trouble) -> Result<bool, Trouble> {
        self.lane.leave();
        // It is tried again every few seconds: what is no news is not said again.
        if self.down.is_news(&error, self.port.now_us()) {
            warn!(subsystem = "input.amqp", input = self.port.name(), error, "the input is down: it is tried again");
        }
        self.tell(InputState::Down, None, Some(error)).await?;
        Ok(unnoticed)
    }

    /// Tells how the input is.
    pub(super) async fn tell(
        &self,
        state: InputState,
        lag_us: Option<u64>,
        error: Option<String>,
    ) -> Result<(), Trouble> {
        Ok(self.port.tell(News { state, lag_us, error }, self.gaps_seen).await?)
    }

    /// Counts the refused events of a message whose others were taken.
    pub(super) fn count_rejected(&mut self, parsed: &Parsed) {
        if let Some(rejected) = parsed.rejected.first() {
            let error = format!("an event of a message was refused: {}", rejected.error);
            if self.refused.is_news(&error, self.port.now_us()) {
                warn!(subsystem = "input.amqp", input = self.port.name(), error, "events are refused");
            }
        }
        for reason in Reason::ALL {
            let named = parsed.rejected.iter().filter(|event| event.reason == reason).count();
            let count = named + parsed.rejected_unnamed[reason as usize];
            if count > 0 {
                self.tally.rejected(reason, count);
            }
        }
    }

    /// A message was kept aside.
    pub(super) fn poisoned(&mut self, error: &str) {
        if self.poison.is_news(error, self.port.now_us()) {
            warn!(subsystem = "input.amqp", input = self.port.name(), error, "a message is kept aside");
        }
    }

    /// What the pages are to be told of what the queue has brought.
    pub(super) fn wrong(&mut self) -> Option<String> {
        let untold = [self.poison.untold.take(), self.refused.untold.take()];
        let untold: Vec<_> = untold.into_iter().flatten().collect();
        (!untold.is_empty()).then(|| untold.join("; "))
    }
}

/// A number from 0 to 1, so that not all come back at once.
fn chance() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}
