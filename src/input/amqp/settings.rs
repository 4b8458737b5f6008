//! What the manifest says of a queue.

use std::fmt;
use std::path::PathBuf;

use lapin::uri::AMQPUri;

use super::map::Map;

/// The longest silence that a broker may keep, in seconds: a connection that is dead, but not closed, is found
/// within twice this.
const HEARTBEAT_S: u16 = 8;
/// How long a connection may take to come about, in milliseconds.
const CONNECT_MS: u64 = 10_000;

/// Where the broker is, with the password; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(AMQPUri);

impl Url {
    /// Reads `amqp://user:password@host:port/vhost`. The error says what is wrong, and repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut uri: AMQPUri = text.parse()?;
        let query = &mut uri.query;
        query.heartbeat =
            Some(query.heartbeat.filter(|&seconds| seconds > 0).map_or(HEARTBEAT_S, |s| s.min(HEARTBEAT_S)));
        query.connection_timeout = Some(query.connection_timeout.unwrap_or(CONNECT_MS));
        Ok(Self(uri))
    }

    /// For the client alone.
    pub(super) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }

    /// Where it is, without who we are there.
    pub fn place(&self) -> String {
        format!("{}:{}", self.0.authority.host, self.0.authority.port)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.place())
    }
}

/// A queue, and what its messages mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqpSettings {
    /// Where the broker is.
    pub url: Url,
    /// Certificates of those whom we trust, in PEM, beside those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The queue; declared durable where it is not there.
    pub queue: String,
    /// What the queue is bound to; declared durable where it is not there.
    pub exchange: Option<Exchange>,
    /// With which key it is bound.
    pub routing_key: String,
    /// How many messages may be on the way to us at once.
    pub prefetch: u16,
    /// Where the fields of an event stand, where the body is not one of ours.
    pub map: Option<Map>,
    /// What becomes of a message from which nothing can be taken.
    pub aside: Aside,
}

/// An exchange, by its name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// `topic`, `direct`, `fanout`, `headers`, or what plugins of the broker add.
    pub kind: String,
}

/// What becomes of a message from which nothing can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It is rejected: the broker gives it to the queue's own dead-letter exchange, where it has one, else drops it.
    Reject,
    /// A copy is published to this exchange, with the reason in its header `x-observatory-error`. The exchange, and a queue of
    /// the same name bound to it, are declared where they are not there.
    DeadLetter(String),
    /// It is written to this file, a line of JSON each, with the reason.
    Quarantine(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_tells_where_and_never_who() {
        let url = Url::parse("amqp://reporter:s3cret@mq.example:5673/%2f").unwrap();
        assert_eq!(url.place(), "mq.example:5673");
        assert_eq!(format!("{url:?}"), "Url(mq.example:5673)");
        let uri = url.uri();
        assert_eq!((uri.query.heartbeat, uri.vhost.as_str()), (Some(HEARTBEAT_S), "/"));
        for (text, heartbeat_s) in [("?heartbeat=3", 3), ("?heartbeat=600", HEARTBEAT_S), ("?heartbeat=0", HEARTBEAT_S)]
        {
            let url = Url::parse(&format!("amqp://localhost/%2f{text}")).unwrap();
            assert_eq!(url.uri().query.heartbeat, Some(heartbeat_s), "{text}");
        }
        assert!(Url::parse("http://reporter:s3cret@mq").is_err_and(|error| !error.contains("s3cret")));
    }
}
