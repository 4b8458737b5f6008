//! The tests of behaviour, one file a behaviour, in one binary.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic, in its helpers, too")]

mod access;
mod amqp;
#[cfg(test)]
mod asleep;
mod badge;
mod bodies;
mod browser;
mod clients;
mod commands;
mod crowd;
mod demo;
mod dependencies;
#[cfg(test)]
mod discovery;
mod events;
mod flood;
mod graphviz;
mod harness;
mod hostile;
#[cfg(test)]
mod journal;
mod lifecycle;
mod live;
mod load;
mod logs;
mod manifest;
mod memory;
mod openapi;
#[cfg(test)]
mod oracle;
mod post;
mod problems;
mod pushback;
mod reading;
#[cfg(test)]
mod reload;
mod reloading;
mod renamed;
mod replay;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schedules;
mod scrape;
mod secrets;
mod service;
#[cfg(test)]
mod simulation;
mod slow;
mod status;
#[cfg(test)]
mod tailing;
mod three_inputs;
mod tidy;
mod tls;
mod troubles;
