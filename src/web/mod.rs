//! The web server: the HTTP input, the pages, the API, health and metrics.
//!
//! Handlers parse requests and read boards. They never see the core: events go through the
//! pipeline, and what a board does not hold is asked of the owner.

mod answer;
mod api;
mod badge;
mod body;
mod events;
mod health;
mod layouts;
mod live;
mod manifest;
mod openapi;
mod pages;
mod problem;
mod recorder;
mod server;
mod state;

pub use body::Limits;
pub use manifest::{ManifestProblem, ManifestState};
pub use openapi::DESCRIPTION;
pub use server::Bound;
pub use state::State;
