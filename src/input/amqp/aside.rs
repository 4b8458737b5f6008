//! Keeps messages from which nothing can be taken, once each.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicPublishOptions, BasicRejectOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use super::session::Trouble;
use super::settings::Aside;
use crate::clock::Moment;

/// A message from which nothing can be taken, and why.
pub(super) struct Poison {
    pub(super) delivery: Delivery,
    pub(super) error: String,
}

impl Aside {
    /// Gets a channel ready for what will be kept aside.
    pub(super) async fn prepare(&self, channel: &Channel) -> Result<(), Trouble> {
        if matches!(self, Self::DeadLetter(_)) {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        Ok(())
    }

    /// Keeps a message, then settles it with the broker: each by itself, once.
    pub(super) async fn keep(&self, poison: Poison, channel: &Channel, now_us: u64) -> Result<(), Trouble> {
        let tag = poison.delivery.delivery_tag;
        match self {
            Self::Reject => return Ok(channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await?),
            Self::DeadLetter(exchange) => publish(poison, channel, exchange).await?,
            Self::Quarantine(path) => {
                let line = line(&poison, now_us);
                let file = path.clone();
                let written = actix_web::rt::task::spawn_blocking(move || append(&file, &line)).await;
                let written = written.map_err(io::Error::other).flatten();
                written.map_err(|error| Trouble::new(format!("failed to write to {}: {error}", path.display())))?;
            }
        }
        Ok(channel.basic_ack(tag, BasicAckOptions::default()).await?)
    }
}

/// Publishes a copy, and waits until the broker has it.
async fn publish(poison: Poison, channel: &Channel, exchange: &str) -> Result<(), Trouble> {
    let Poison { delivery, error } = poison;
    let mut headers = delivery.properties.headers().clone().unwrap_or_else(FieldTable::default);
    headers.insert("x-observatory-error".into(), AMQPValue::LongString(error.into()));
    let properties = delivery.properties.with_headers(headers).with_delivery_mode(2);
    let key = delivery.routing_key.clone();
    // Somebody else may have declared the exchange without a queue: then it must come back, not vanish.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirm = channel.basic_publish(exchange.into(), key, options, &delivery.data, properties).await?.await?;
    if confirm.is_ack() && confirm.take_message().is_none() {
        return Ok(());
    }
    Err(Trouble::new(format!(
        "the broker keeps nothing that is published to the exchange {exchange:?}: bind a queue to it"
    )))
}

/// A line of the quarantine file: the body as text where it is some, else as bytes.
fn line(poison: &Poison, now_us: u64) -> String {
    let delivery = &poison.delivery;
    let body = match str::from_utf8(&delivery.data) {
        Ok(text) => json!(text),
        Err(_) => json!(delivery.data),
    };
    let line = json!({
        "at": Moment(now_us), "error": poison.error, "exchange": delivery.exchange.as_str(),
        "routing_key": delivery.routing_key.as_str(), "body": body,
    });
    format!("{line}\n")
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_data()
}
