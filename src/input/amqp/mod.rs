//! Events from a queue of a broker that speaks AMQP 0-9-1, such as RabbitMQ.
//!
//! ```text
//! run         one session after the other, until the server stops
//!   -> session   connects, finds or declares the queue, consumes
//!     -> flow       hands over what has come (`gather`), and acknowledges what is durable
//!     -> message    one delivery: its events by the body, or by the manifest's `map` (`map`)
//!     -> aside      keeps a message from which nothing can be taken, once
//! ```
//!
//! A delivery is acknowledged when its events are durable, never before, and never requeued: where we stop
//! in between, the broker delivers it again, and its events are known duplicates.

mod aside;
mod flow;
mod gather;
mod map;
mod message;
mod run;
mod session;
mod settings;
mod tally;

pub use map::{Map, MapError, Source};
pub use message::{Content, read};
pub use run::AmqpInput;
pub use settings::{AmqpSettings, Aside, Exchange, Url};
