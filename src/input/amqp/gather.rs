//! What has come of a queue already, put together.

use futures_util::{FutureExt, StreamExt};
use lapin::Consumer;
use lapin::message::Delivery;

use super::aside::Poison;
use super::message::{Content, read};
use super::run::AmqpInput;
use super::session::Trouble;
use crate::pipeline::Harvest;

/// The most events that are handed over at once.
const EVENTS_MAX: usize = 4_096;

/// What was read of the queue and is handed over together.
pub(super) struct Gathered {
    pub(super) harvest: Harvest,
    pub(super) deliveries: Deliveries,
    /// From when its last event is, where it says so.
    pub(super) stamp_us: Option<u64>,
}

/// Messages that are settled together.
#[derive(Default)]
pub(super) struct Deliveries {
    pub(super) count: u64,
    /// How many events they carried.
    pub(super) events: usize,
    /// Those from which nothing can be taken.
    pub(super) poison: Vec<Poison>,
    /// The last that is not kept aside.
    pub(super) last_tag: Option<u64>,
}

/// Takes a first delivery, then all that have come already. Nothing is lost where this is given up while it waits.
pub(super) async fn gather(consumer: &mut Consumer, input: &mut AmqpInput) -> Result<Gathered, Trouble> {
    let ended = || Trouble::new("the broker has ended the consumer: the queue is gone, or was moved");
    let first = consumer.next().await.ok_or_else(ended)??;
    let by = input.port.observed();
    let harvest = Harvest { reports: Vec::new(), by, unknown: Vec::new(), positions: Vec::new() };
    let mut gathered = Gathered { harvest, deliveries: Deliveries::default(), stamp_us: None };
    gathered.take(first, input);
    // A quarter of what may be on the way to us, so that the rest comes while this is made durable.
    let deliveries_max = u64::from(input.settings.prefetch / 4).max(1);
    while gathered.deliveries.count < deliveries_max && gathered.harvest.reports.len() < EVENTS_MAX {
        // An error, or the end, comes again when it is asked for the next time.
        let Some(Some(Ok(delivery))) = consumer.next().now_or_never() else { break };
        gathered.take(delivery, input);
    }
    gathered.deliveries.events = gathered.harvest.reports.len() + gathered.harvest.unknown.len();
    input.stamp_us = gathered.stamp_us;
    Ok(gathered)
}

impl Gathered {
    fn take(&mut self, delivery: Delivery, input: &mut AmqpInput) {
        let tag = delivery.delivery_tag;
        self.deliveries.count += 1;
        let system = &self.harvest.by.system;
        let parts = (&delivery.properties, delivery.routing_key.as_str(), delivery.data.as_slice());
        match read(parts, input.settings.map.as_ref(), &self.harvest.by.nodes, system.accept_unknown) {
            Content::Events(parsed) => {
                self.deliveries.last_tag = Some(tag);
                input.count_rejected(&parsed);
                self.stamp_us = parsed.reports.last().map_or(self.stamp_us, |report| report.timestamp_us);
                self.harvest.reports.extend(parsed.reports);
                self.harvest.unknown.extend(parsed.unknown);
            }
            Content::Poison { reason, error } => {
                input.tally.rejected(reason, 1);
                self.deliveries.poison.push(Poison { delivery, error });
            }
        }
    }
}
