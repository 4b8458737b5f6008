//! Observatory shows where the flow of messages through a distributed system is broken.
//!
//! The data path reads top to bottom:
//!
//! ```text
//! input         bytes -> Event
//! pipeline      the one owner of the core: order, arrival, push-back
//! correlation   (Event, now) -> Outcome       pairs tokens per edge, keeps deadlines
//! health        (Outcome, now) -> Transition  windows, rules, status
//! board         the immutable picture of now  read by page, API and metrics
//! ```
//!
//! `clock`, `event`, `graph` and `outcome` are the vocabulary that all of them speak.
//! `correlation` and `health` are pure: no I/O, no lock, no clock read; `now` is an argument.

pub mod access;
pub mod app;
pub mod board;
pub mod cli;
pub mod clock;
pub mod correlation;
pub mod discovery;
pub mod engine;
pub mod event;
pub mod graph;
pub mod graphviz;
pub mod health;
pub mod init;
pub mod input;
pub mod live;
pub mod load;
pub mod logging;
pub mod manifest;
pub mod metrics;
pub mod outcome;
pub mod page;
pub mod picture;
pub mod pipeline;
pub mod reload;
pub mod service;
pub mod web;
