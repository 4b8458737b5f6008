//! One connection to a broker, from its beginning to its end.

use std::time::Duration;
use std::{fmt, io};

use lapin::options::{
    BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Consumer, ErrorKind, ExchangeKind, runtime};
use tokio::time::{Instant, timeout};

use super::settings::{AmqpSettings, Aside, Exchange};
use crate::pipeline::Refused;

/// How long anything may take that is asked of the broker before the messages flow.
const PATIENCE: Duration = Duration::from_secs(15);
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

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::new(refused.to_string())
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

/// A session whose messages flow.
pub(super) struct Session {
    connection: Connection,
    pub(super) channel: Channel,
    /// Where the queue is looked at: an error there ends only this channel.
    pub(super) side: Channel,
    pub(super) consumer: Consumer,
    /// How many deliveries are still to come before we have caught up; `None` where we have.
    pub(super) behind: Option<u64>,
    /// Whether nothing has come since we last looked how much the queue holds.
    pub(super) quiet: bool,
    /// Not before this have we caught up.
    pub(super) wary_until: Option<Instant>,
    /// Why nothing is taken any more: what is handed over is still acknowledged.
    pub(super) over: Option<Trouble>,
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
        Ok(Self { connection, channel, side, consumer, behind: Some(behind), quiet: false, wary_until, over: None })
    }

    /// Says goodbye, so that the broker gives what is not acknowledged to the next at once.
    pub(super) async fn close(self) {
        // Whatever it answers, we are gone.
        drop(timeout(Duration::from_secs(2), self.connection.close(200, "the session ends".into())).await);
    }
}

/// How many messages the queue holds that are not on the way to anybody.
pub(super) async fn waiting(channel: &Channel, queue: &str) -> Result<u64, Trouble> {
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
