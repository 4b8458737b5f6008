//! One connection to a broker, from its beginning to its end.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;
use std::{fmt, io};

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Consumer, ErrorKind, ExchangeKind, runtime};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::aside::Poison;
use super::message::{Content, read};
use super::run::AmqpInput;
use super::settings::{AmqpSettings, Aside, Exchange};
use crate::event::AHEAD_MAX_US;
use crate::graph::InputState;
use crate::pipeline::{Harvest, News, Refused};

/// How long anything may take that is asked of the broker before the messages flow.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often we look how much the queue holds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The most events that are pushed at once.
const EVENTS_MAX: usize = 4_096;
/// A broker that lost us without noticing gives what it had sent us to nobody for this long.
const UNNOTICED: Duration = Duration::from_secs(20);

/// Why a session ended.
#[derive(Debug)]
pub(super) struct Trouble {
    /// For people, without secrets.
    pub(super) error: String,
    /// The broker may not know yet that the connection is dead.
    pub(super) unnoticed: bool,
}

impl Trouble {
    pub(super) fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), unnoticed: false }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl From<lapin::Error> for Trouble {
    fn from(error: lapin::Error) -> Self {
        let unnoticed = match error.kind() {
            ErrorKind::MissingHeartbeatError => true,
            ErrorKind::IOError(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        };
        Self { error: error.to_string(), unnoticed }
    }
}

/// What was read of the queue and is pushed together.
struct Gathered {
    harvest: Harvest,
    poison: Vec<Poison>,
    /// The last that is not kept aside.
    last_tag: Option<u64>,
    deliveries: u64,
    /// From when its last event is, where it says so.
    stamp_us: Option<u64>,
}

/// A push under way, and what is acknowledged when it is done.
struct Pushing {
    done: Pin<Box<dyn Future<Output = Result<usize, Refused>>>>,
    events: usize,
    poison: Vec<Poison>,
    /// The last that is not kept aside.
    last_tag: Option<u64>,
    deliveries: u64,
}

/// A session whose messages flow.
pub(super) struct Session {
    connection: Connection,
    channel: Channel,
    /// Where the queue is looked at: an error there ends only this channel.
    side: Channel,
    consumer: Consumer,
    /// How many deliveries are still to come before we have caught up; `None` where we have.
    behind: Option<u64>,
    /// Whether nothing has come since we last looked how much the queue holds.
    quiet: bool,
    /// Not before this have we caught up.
    wary_until: Option<Instant>,
}

impl Session {
    /// Connects, finds or declares what the settings name, and begins to consume. `wary`: the broker may hold
    /// messages for a connection of ours that is dead, and that it takes to be alive.
    pub(super) async fn open(settings: &AmqpSettings, name: &str, wary: bool) -> Result<Self, Trouble> {
        let opened = timeout(PATIENCE, Self::try_open(settings, name, wary)).await;
        opened.map_err(|_elapsed| Trouble::new(format!("the broker at {} does not answer", settings.url.place())))?
    }

    async fn try_open(settings: &AmqpSettings, name: &str, wary: bool) -> Result<Self, Trouble> {
        let mut tls = OwnedTLSConfig::default();
        if let Some(file) = &settings.ca_file {
            let pem = std::fs::read_to_string(file);
            tls.cert_chain =
                Some(pem.map_err(|error| Trouble::new(format!("failed to read {}: {error}", file.display())))?);
        }
        let properties = ConnectionProperties::default().with_connection_name(format!("observatory {name}").into());
        let connection =
            Connection::connect_uri_with_config(settings.url.uri(), properties, tls, runtime::default_runtime()?)
                .await?;
        if let Some(exchange) = &settings.exchange {
            declare_exchange(&connection, exchange).await?;
        }
        declare_queue(&connection, &settings.queue).await?;
        let (channel, side) = (connection.create_channel().await?, connection.create_channel().await?);
        if let Some(exchange) = &settings.exchange {
            bind(&channel, &settings.queue, &exchange.name, &settings.routing_key).await?;
        }
        if let Aside::DeadLetter(name) = &settings.aside {
            declare_exchange(&connection, &Exchange { name: name.clone(), kind: "fanout".to_owned() }).await?;
            declare_queue(&connection, name).await?;
            bind(&channel, name, name, "").await?;
        }
        settings.aside.prepare(&channel).await?;
        channel.basic_qos(settings.prefetch, BasicQosOptions::default()).await?;
        let behind = waiting(&side, &settings.queue).await?;
        let options = BasicConsumeOptions::default();
        let consumer =
            channel.basic_consume(settings.queue.as_str().into(), "".into(), options, FieldTable::default()).await?;
        let wary_until = wary.then(|| Instant::now() + UNNOTICED);
        Ok(Self { connection, channel, side, consumer, behind: Some(behind), quiet: false, wary_until })
    }

    /// Takes messages until something goes wrong.
    pub(super) async fn run(&mut self, input: &mut AmqpInput) -> Trouble {
        match self.flow(input).await {
            Ok(never) => match never {},
            Err(trouble) => trouble,
        }
    }

    async fn flow(&mut self, input: &mut AmqpInput) -> Result<Infallible, Trouble> {
        let mut looking = interval(LOOK_EVERY);
        looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looking.reset();
        let mut pushing: Option<Pushing> = None;
        let mut gaps = input.gaps.clone();
        input.lane.begin();
        input.tell(InputState::CatchingUp, Some(0), None).await?;
        loop {
            self.look_whether_caught_up(input, pushing.is_none()).await?;
            let wary_until = self.wary_until.unwrap_or_else(|| Instant::now() + LOOK_EVERY);
            tokio::select! {
                biased;
                Some((pushed, taken)) = durable(&mut pushing), if pushing.is_some() => {
                    self.acknowledge(input, pushed, taken).await?;
                }
                // A new session counts what the queue holds with what was on the way to us. What is handed over is acknowledged
                // first, or it would come again.
                Ok(()) = gaps.changed(), if pushing.is_none() => return Err(Trouble::new("we did not run for a while")),
                gathered = gather(&mut self.consumer, input), if pushing.is_none() => {
                    pushing = Some(self.push(input, gathered?).await);
                }
                _ = looking.tick() => self.look_how_far_behind(input).await?,
                () = sleep_until(wary_until), if self.wary_until.is_some() => self.wary_until = None,
            }
        }
    }

    /// Says goodbye, so that the broker gives what is not acknowledged to the next at once.
    pub(super) async fn close(self) {
        // Whatever it answers, we are gone.
        drop(timeout(Duration::from_secs(2), self.connection.close(200, "the session ends".into())).await);
    }

    async fn push(&mut self, input: &mut AmqpInput, gathered: Gathered) -> Pushing {
        let Gathered { harvest, poison, last_tag, deliveries, stamp_us } = gathered;
        if self.behind.is_some() {
            let now_us = input.port.now_us();
            let stamp_us = stamp_us.unwrap_or(now_us).min(now_us + AHEAD_MAX_US);
            input.lane.reach(stamp_us).await;
        }
        input.stamp_us = stamp_us;
        let (port, events) = (input.port.clone(), harvest.reports.len() + harvest.unknown.len());
        let done = Box::pin(async move { if events == 0 { Ok(0) } else { port.push(harvest).await } });
        Pushing { done, events, poison, last_tag, deliveries }
    }

    /// The events are durable: what carried them may go. What nothing could be taken from is kept aside first.
    async fn acknowledge(
        &mut self,
        input: &mut AmqpInput,
        pushed: Pushing,
        taken: Result<usize, Refused>,
    ) -> Result<(), Trouble> {
        let gone = taken.map_err(|refused| Trouble::new(refused.to_string()))?;
        input.tally.accepted(pushed.events.saturating_sub(gone));
        for poison in pushed.poison {
            let error = format!("nothing can be taken from a message: {}", poison.error);
            let now_us = input.port.now_us();
            input.settings.aside.keep(poison, &self.channel, now_us).await?;
            input.poisoned(&error);
        }
        // What was kept aside is settled: only what is not may be named.
        if let Some(tag) = pushed.last_tag {
            self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
        }
        self.behind = self.behind.map(|behind| behind.saturating_sub(pushed.deliveries));
        self.quiet = false;
        Ok(())
    }

    /// Tells when all is read that waited when we came.
    async fn look_whether_caught_up(&mut self, input: &mut AmqpInput, nothing_under_way: bool) -> Result<(), Trouble> {
        if self.behind == Some(0) && nothing_under_way && self.wary_until.is_none() {
            self.behind = None;
            input.lane.leave();
            input.tell(InputState::Up, Some(0), None).await?;
        }
        Ok(())
    }

    /// Where more waits than is on the way to us we are behind, and cannot testify before that is read.
    async fn look_how_far_behind(&mut self, input: &mut AmqpInput) -> Result<(), Trouble> {
        let waiting = waiting(&self.side, &input.settings.queue).await?;
        let lag_us = input.stamp_us.map_or(0, |stamp_us| input.port.now_us().saturating_sub(stamp_us));
        if self.behind.is_none() && waiting > 2 * u64::from(input.settings.prefetch) {
            self.behind = Some(waiting);
            input.lane.begin();
        }
        // What waited may have gone another way: it was purged, it expired, or somebody else took it.
        let quiet = std::mem::replace(&mut self.quiet, true) && waiting == 0;
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

/// Ready when what is under way is durable. Nothing is lost where this is given up while it waits.
async fn durable(pushing: &mut Option<Pushing>) -> Option<(Pushing, Result<usize, Refused>)> {
    let taken = pushing.as_mut()?.done.as_mut().await;
    Some((pushing.take()?, taken))
}

/// Takes a first delivery, then all that have come already. Nothing is lost where this is given up while it waits.
async fn gather(consumer: &mut Consumer, input: &mut AmqpInput) -> Result<Gathered, Trouble> {
    let ended = || Trouble::new("the broker has ended the consumer: the queue is gone, or was moved");
    let first = consumer.next().await.ok_or_else(ended)??;
    let by = input.port.observed();
    let harvest = Harvest { reports: Vec::new(), by, unknown: Vec::new(), positions: Vec::new() };
    let mut gathered = Gathered { harvest, poison: Vec::new(), last_tag: None, deliveries: 0, stamp_us: None };
    gathered.take(first, input);
    // A quarter of what may be on the way to us, so that the rest comes while this is made durable.
    let deliveries_max = u64::from(input.settings.prefetch / 4).max(1);
    while gathered.deliveries < deliveries_max && gathered.harvest.reports.len() < EVENTS_MAX {
        // An error, or the end, comes again when it is asked for the next time.
        let Some(Some(Ok(delivery))) = consumer.next().now_or_never() else { break };
        gathered.take(delivery, input);
    }
    Ok(gathered)
}

impl Gathered {
    fn take(&mut self, delivery: Delivery, input: &mut AmqpInput) {
        let tag = delivery.delivery_tag;
        self.deliveries += 1;
        let system = &self.harvest.by.system;
        let parts = (&delivery.properties, delivery.routing_key.as_str(), delivery.data.as_slice());
        match read(parts, input.settings.map.as_ref(), &self.harvest.by.nodes, system.accept_unknown) {
            Content::Events(parsed) => {
                self.last_tag = Some(tag);
                input.count_rejected(&parsed);
                self.stamp_us = parsed.reports.last().map_or(self.stamp_us, |report| report.timestamp_us);
                self.harvest.reports.extend(parsed.reports);
                self.harvest.unknown.extend(parsed.unknown);
            }
            Content::Poison { reason, error } => {
                input.tally.rejected(reason, 1);
                self.poison.push(Poison { delivery, error });
            }
        }
    }
}

/// How many messages the queue holds that are not on the way to anybody.
async fn waiting(channel: &Channel, queue: &str) -> Result<u64, Trouble> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(u64::from(found.message_count()))
}

/// Leaves a queue that is there as it is, whatever its kind.
async fn declare_queue(connection: &Connection, queue: &str) -> Result<(), Trouble> {
    // A question after something that there is not ends its channel.
    if waiting(&connection.create_channel().await?, queue).await.is_ok() {
        return Ok(());
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    connection.create_channel().await?.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(())
}

async fn declare_exchange(connection: &Connection, exchange: &Exchange) -> Result<(), Trouble> {
    let declare = async |passive| {
        let options = ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
        let (name, kind) = (exchange.name.as_str().into(), ExchangeKind::Custom(exchange.kind.clone()));
        connection.create_channel().await?.exchange_declare(name, kind, options, FieldTable::default()).await
    };
    match declare(true).await {
        Ok(()) => Ok(()),
        Err(_) => Ok(declare(false).await?),
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Trouble> {
    let options = QueueBindOptions::default();
    Ok(channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await?)
}

impl AmqpInput {
    pub(super) async fn tell(
        &self,
        state: InputState,
        lag_us: Option<u64>,
        error: Option<String>,
    ) -> Result<(), Trouble> {
        let gaps = self.gaps_seen;
        let told = self.port.tell(News { state, lag_us, error }, gaps).await;
        told.map_err(|refused| Trouble::new(refused.to_string()))
    }
}
