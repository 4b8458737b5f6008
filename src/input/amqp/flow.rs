//! Messages flow: they are gathered, handed over, and acknowledged, in order, when their events are durable. While the events of
//! some are judged or written, the next are read.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use lapin::options::BasicAckOptions;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::gather::{Deliveries, Gathered, gather};
use super::run::AmqpInput;
use super::session::{Session, Trouble, waiting};
use crate::event::AHEAD_MAX_US;
use crate::graph::InputState;
use crate::pipeline::{HandedOver, Refused};

/// How often we look how much the queue holds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So often may be handed over what is not acknowledged yet: together no more than may be on the way to us.
const HANDED_MAX: usize = 4;

/// What was gathered and waits for others that catch up, then for room.
struct Waiting {
    /// `None` comes of it where no event was to be handed over.
    handed: Pin<Box<dyn Future<Output = Result<Option<HandedOver>, Refused>>>>,
    deliveries: Deliveries,
}

/// What was handed over, and what is acknowledged when it is durable.
struct Handed {
    over: Option<HandedOver>,
    deliveries: Deliveries,
}

impl Session {
    /// Takes messages until something goes wrong.
    pub(super) async fn run(&mut self, input: &mut AmqpInput) -> Trouble {
        match self.flow(input).await {
            Ok(never) => match never {},
            // What has gone wrong first is why.
            Err(trouble) => self.over.take().unwrap_or(trouble),
        }
    }

    async fn flow(&mut self, input: &mut AmqpInput) -> Result<Infallible, Trouble> {
        let mut looking = interval(LOOK_EVERY);
        looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looking.reset();
        let (mut waits, mut handed) = (None, VecDeque::new());
        let mut gaps = input.gaps.clone();
        input.lane.begin();
        input.tell(InputState::CatchingUp, Some(0), None).await?;
        loop {
            self.look_whether_caught_up(input).await?;
            let nothing_under_way = waits.is_none() && handed.is_empty();
            // What is handed over is acknowledged first, or it would come again.
            if nothing_under_way && let Some(trouble) = self.over.take() {
                return Err(trouble);
            }
            let wary_until = self.wary_until.unwrap_or_else(|| Instant::now() + LOOK_EVERY);
            let takes = waits.is_none() && handed.len() < HANDED_MAX && self.over.is_none();
            tokio::select! {
                biased;
                _ = looking.tick() => self.look_how_far_behind(input, nothing_under_way).await?,
                () = sleep_until(wary_until), if self.wary_until.is_some() => self.wary_until = None,
                Some((durable, taken)) = durable(&mut handed), if !handed.is_empty() => {
                    self.acknowledge(input, durable, taken).await?;
                }
                Some(next) = handed_over(&mut waits), if waits.is_some() => handed.push_back(next?),
                // A new session counts what the queue holds with what was on the way to us.
                Ok(()) = gaps.changed(), if self.over.is_none() => {
                    self.over = Some(Trouble::new("we did not run for a while"));
                }
                gathered = gather(&mut self.consumer, input), if takes => {
                    match gathered {
                        Ok(gathered) => waits = Some(self.hand_over(input, gathered)),
                        Err(trouble) => self.over = Some(trouble),
                    }
                    // Where the broker is faster than we are, this is always ready: others want to run as well.
                    yield_now().await;
                }
            }
        }
    }

    fn hand_over(&self, input: &AmqpInput, gathered: Gathered) -> Waiting {
        let Gathered { harvest, deliveries, stamp_us } = gathered;
        let now_us = input.port.now_us();
        let reach_us = self.behind.map(|_| stamp_us.unwrap_or(now_us).min(now_us + AHEAD_MAX_US));
        let (port, lane, nothing) = (input.port.clone(), Rc::clone(&input.lane), deliveries.events == 0);
        let handed = async move {
            if let Some(reach_us) = reach_us {
                lane.reach(reach_us).await;
            }
            if nothing { Ok(None) } else { port.hand_over(harvest).await.map(Some) }
        };
        Waiting { handed: Box::pin(handed), deliveries }
    }

    /// The events are durable: what carried them may go. What nothing could be taken from is kept aside first.
    async fn acknowledge(
        &mut self,
        input: &mut AmqpInput,
        deliveries: Deliveries,
        taken: Result<usize, Refused>,
    ) -> Result<(), Trouble> {
        let gone = taken?;
        input.tally.accepted(deliveries.events.saturating_sub(gone));
        for poison in deliveries.poison {
            let error = format!("nothing can be taken from a message: {}", poison.error);
            let now_us = input.port.now_us();
            input.settings.aside.keep(poison, &self.channel, now_us).await?;
            input.poisoned(&error);
        }
        // What was kept aside is settled: only what is not may be named.
        if let Some(tag) = deliveries.last_tag {
            self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
        }
        self.behind = self.behind.map(|behind| behind.saturating_sub(deliveries.count));
        self.quiet = false;
        Ok(())
    }

    /// Tells when all is read that waited when we came.
    async fn look_whether_caught_up(&mut self, input: &mut AmqpInput) -> Result<(), Trouble> {
        if self.behind == Some(0) && self.wary_until.is_none() {
            self.behind = None;
            input.lane.leave();
            input.tell(InputState::Up, Some(0), None).await?;
        }
        Ok(())
    }

    /// Where more waits than is on the way to us we are behind, and cannot testify before that is read.
    async fn look_how_far_behind(&mut self, input: &mut AmqpInput, nothing_under_way: bool) -> Result<(), Trouble> {
        let waiting = waiting(&self.side, &input.settings.queue).await?;
        let lag_us = input.stamp_us.map_or(0, |stamp_us| input.port.now_us().saturating_sub(stamp_us));
        if self.behind.is_none() && waiting > 2 * u64::from(input.settings.prefetch) {
            self.behind = Some(waiting);
            input.lane.begin();
        }
        // What waited may have gone another way: it was purged, it expired, or somebody else took it.
        let quiet = std::mem::replace(&mut self.quiet, true) && waiting == 0 && nothing_under_way;
        let held = if quiet { 0 } else { waiting + u64::from(input.settings.prefetch) };
        self.behind = self.behind.map(|behind| behind.min(held));
        let error = input.wrong();
        match self.behind {
            Some(_) => input.tell(InputState::CatchingUp, Some(lag_us), error).await,
            None if error.is_some() => input.tell(InputState::Up, Some(0), error).await,
            None => Ok(()),
        }
    }
}

/// Ready when the oldest of what was handed over is durable. Nothing is lost where this is given up while it waits.
async fn durable(handed: &mut VecDeque<Handed>) -> Option<(Deliveries, Result<usize, Refused>)> {
    let taken = match &mut handed.front_mut()?.over {
        Some(over) => over.taken().await,
        None => Ok(0),
    };
    Some((handed.pop_front()?.deliveries, taken))
}

/// Ready when what waits is handed over. Nothing is lost where this is given up while it waits.
async fn handed_over(waits: &mut Option<Waiting>) -> Option<Result<Handed, Refused>> {
    let over = waits.as_mut()?.handed.as_mut().await;
    let deliveries = waits.take()?.deliveries;
    Some(over.map(|over| Handed { over, deliveries }))
}
