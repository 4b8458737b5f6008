//! The manifest: TOML in, a checked [`System`](crate::graph::System) and [`Settings`] out, or every
//! problem at once.
//!
//! [`load`] reads files ([`Source`]), parses them (`syntax`), and walks their tables (`section`,
//! `item`, `text`) key by key: `top`, `inputs` with `log`, `stream` with `nodes`, `edge`, `check` and
//! `thresholds`. A problem never stops the walk: it goes on the list of the `context`, and `problem`
//! renders it. Which keys there are is said once, in [`TABLES`]. [`Watch`] says when to read again.
//!
//! Secrets: a variable's value is never part of a problem, and a password in a URL is masked (`mask`).

mod access;
mod amqp;
mod check;
mod context;
mod cycle;
mod duration;
mod edge;
mod inputs;
mod item;
mod keys;
mod load;
mod log;
mod mask;
mod nodes;
mod problem;
mod section;
mod settings;
mod size;
mod source;
mod stream;
mod syntax;
mod text;
mod thresholds;
mod top;
mod watch;

pub use context::{Certificates, Environment};
pub use duration::duration_us;
pub use keys::{TABLES, Table};
pub use load::{Text, load, load_in};
pub use problem::{Problem, render};
pub use settings::{
    Access, AccessSettings, InputSettings, LISTEN_DEFAULT, LISTEN_HELP, LayoutBy, Manifest, Settings, TlsFiles,
    check_listen,
};
pub use source::Source;
pub use watch::{Origin, Watch};
