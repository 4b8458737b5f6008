//! The tests of behaviour, one file a behaviour, in one binary.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic, in its helpers, too")]

mod badge;
mod browser;
mod clients;
mod commands;
mod demo;
mod dependencies;
#[cfg(test)]
mod discovery;
mod events;
mod graphviz;
mod harness;
mod hostile;
mod lifecycle;
mod live;
mod load;
mod manifest;
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
mod replay;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schedules;
mod scrape;
mod secrets;
mod service;
mod slow;
mod status;
mod tidy;
