//! An input of a broker: one session after the other, until it is stopped.

use std::hash::{BuildHasher, RandomState};
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
use crate::metrics::Metrics;
use crate::pipeline::Port;

/// The first pause before we try again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Takes events from a queue.
pub struct AmqpInput {
    pub(super) settings: AmqpSettings,
    pub(super) port: Port,
    pub(super) lane: Lane,
    pub(super) tally: Tally,
    /// From when the last event is that was read.
    pub(super) stamp_us: Option<u64>,
    /// Changes when we did not run for a while.
    pub(super) gaps: watch::Receiver<u64>,
    /// How often we had not when the session began.
    pub(super) gaps_seen: u64,
    /// What was wrong with the last message from which nothing could be taken, until it has been told.
    pub(super) poison: Option<String>,
    /// What was wrong with the last event that was refused, while others of its message were taken, until it has been told.
    pub(super) refused: Option<String>,
    /// Why it is down, where it is.
    down: Option<String>,
}

impl AmqpInput {
    /// An input that waits to be run.
    pub fn new(settings: AmqpSettings, port: Port, lane: Lane, metrics: Arc<Metrics>) -> Self {
        let (tally, gaps) = (Tally::new(metrics, port.name()), port.gaps());
        Self {
            settings,
            port,
            lane,
            tally,
            stamp_us: None,
            gaps,
            gaps_seen: 0,
            poison: None,
            refused: None,
            down: None,
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
            let begun_us = self.port.now_us();
            let Ok((unnoticed, flowed)) = self.session(wary).await else { return };
            // One that lasted was good: what ended it need not be there still.
            if self.port.now_us().saturating_sub(begun_us) > PAUSES.1.as_micros() as u64 {
                pause = PAUSES.0;
            }
            if flowed {
                wary = unnoticed;
            }
            sleep(pause.mul_f64(0.5 + chance() / 2.0)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// One session, to its end. Answers whether the broker may not know of that, and whether messages flowed. An error means
    /// that nothing is taken any more.
    async fn session(&mut self, wary: bool) -> Result<(bool, bool), Trouble> {
        let (name, place) = (self.port.name().to_owned(), self.settings.url.place());
        // What the queue holds is counted after this.
        self.gaps_seen = *self.gaps.borrow_and_update();
        let mut session = match Session::open(&self.settings, &name, wary).await {
            Ok(session) => session,
            Err(trouble) => {
                let error = format!("{place}: {}", trouble.error);
                return Ok((self.is_down(Trouble { error, ..trouble }).await?, false));
            }
        };
        self.down = None;
        info!(subsystem = "input.amqp", input = name, broker = place, "the input is connected");
        let trouble = session.run(self).await;
        // Told before we take leave of the broker, which takes a while: from now on nobody reads.
        let told = self.is_down(trouble).await;
        session.close().await;
        Ok((told?, true))
    }

    async fn is_down(&mut self, Trouble { error, unnoticed }: Trouble) -> Result<bool, Trouble> {
        self.lane.leave();
        // It is tried again every few seconds: what is no news is not said again.
        if self.down.as_ref() != Some(&error) {
            warn!(subsystem = "input.amqp", input = self.port.name(), error, "the input is down: it is tried again");
            self.down = Some(error.clone());
        }
        self.tell(InputState::Down, None, Some(error)).await?;
        Ok(unnoticed)
    }

    /// Counts the refused events of a message whose others were taken.
    pub(super) fn count_rejected(&mut self, parsed: &Parsed) {
        if let Some(rejected) = parsed.rejected.first() {
            let error = format!("an event of a message was refused: {}", rejected.error);
            if self.refused.is_none() {
                warn!(subsystem = "input.amqp", input = self.port.name(), error, "events are refused");
            }
            self.refused = Some(error);
        }
        for reason in Reason::ALL {
            let named = parsed.rejected.iter().filter(|event| event.reason == reason).count();
            let count = named + parsed.rejected_unnamed[reason as usize];
            if count > 0 {
                self.tally.rejected(reason, count);
            }
        }
    }

    /// A message was kept aside: the first since it was last told is a line in the log.
    pub(super) fn poisoned(&mut self, error: String) {
        if self.poison.is_none() {
            warn!(subsystem = "input.amqp", input = self.port.name(), error, "a message is kept aside");
        }
        self.poison = Some(error);
    }
}

/// A number from 0 to 1, so that not all come back at once.
fn chance() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}
