//! The web server: the HTTP input, the pages, the API, health and metrics.
//!
//! Handlers parse requests and read boards. They never see the core: events go through the
//! pipeline, and what a board does not hold is asked of the owner.

mod answer;
mod api;
mod badge;
mod body;
mod connection;
mod entrance;
mod events;
mod front;
mod gate;
mod health;
mod layouts;
mod live;
mod login;
mod manifest;
mod openapi;
mod pages;
mod problem;
mod recorder;
mod refused;
mod server;
mod sessions_file;
mod state;
mod tls;

pub use body::Limits;
pub use gate::Gate;
pub use manifest::{ManifestProblem, ManifestState};
pub use openapi::DESCRIPTION;
pub use server::Bound;
pub use sessions_file::SessionsFile;
pub use state::State;
pub use tls::Certificate;
