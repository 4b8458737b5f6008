//! What a good manifest comes to.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use super::problem::Problem;
use crate::access::Roster;
use crate::clock::SECOND_US;
use crate::graph::{Input, InputKind, NodeId, System};
use crate::input::amqp::AmqpSettings;
use crate::input::rules::LogSettings;

/// Where the server listens when nobody says: loopback.
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8700);

/// A manifest that is good to run.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What the core needs. The edges' `delay_us` is that of the inputs that name their nodes, as `replay` counts
    /// it; a live engine counts with those that it learns of, too.
    pub system: System,
    /// What the shells need.
    pub settings: Settings,
    /// What is legal, but hardly meant.
    pub warnings: Vec<Problem>,
}

/// `[server]` and the inputs. `None` where the manifest says nothing.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Who may read and report; must be said where `listen` is not loopback.
    pub access: Option<Access>,
    /// Who may, by name, and how they reach us.
    pub entry: AccessSettings,
    /// Where to keep the journal.
    pub data_dir: Option<PathBuf>,
    /// How much of the journal is kept.
    pub journal: JournalSettings,
    /// How often the page asks to be loaded again where the browser runs no script.
    pub refresh_us: u64,
    /// Who lays out the pictures.
    pub layout: LayoutBy,
    /// Whether `POST /events` is served.
    pub http_enabled: bool,
    /// The inputs in force, in the order http, amqp, log.
    pub inputs: Vec<InputSettings>,
}

/// What `[server]` says of those who reach us, beside `access` itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// The keys of programs and the logins of people.
    pub roster: Arc<Roster>,
    /// The server speaks TLS with this certificate; without one it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Origins whose pages may show ours in a frame.
    pub frame_ancestors: Vec<String>,
}

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// How much of the journal is kept: what the two newest snapshots need, and all else within these limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// What its files may take, in bytes.
    pub max_bytes: u64,
    /// How far back it goes, in microseconds.
    pub max_age_us: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { max_bytes: 1 << 30, max_age_us: 7 * 86_400 * SECOND_US }
    }
}

/// What every input may say of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSettings {
    /// How it gets its events.
    pub kind: InputKind,
    /// Its name; its kind where the manifest says none.
    pub name: String,
    /// The nodes whose events it brings; empty where the manifest does not say.
    pub nodes: Vec<String>,
    /// How late it may bring them.
    pub delay_us: u64,
    /// Its queue, where it is one of [`InputKind::Amqp`].
    pub amqp: Option<AmqpSettings>,
    /// Its files and their rules, where it is one of [`InputKind::Log`].
    pub log: Option<LogSettings>,
}

/// Who lays out the pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayoutBy {
    /// We do.
    #[default]
    Builtin,
    /// Graphviz' `dot`, where it is installed.
    Dot,
}

/// Who may read and report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who can reach us.
    Open,
    /// Readers log in, reporters show a key.
    Login,
}

/// The inputs as the core knows them.
pub(super) fn core_inputs(system: &System, inputs: &[InputSettings]) -> Vec<Input> {
    let id = |name: &String| system.nodes.iter().position(|node| node == name).map(|place| NodeId(place as u32));
    let input = |input: &InputSettings| Input {
        kind: input.kind,
        name: input.name.clone(),
        nodes: input.nodes.iter().filter_map(id).collect(),
        delay_us: input.delay_us,
    };
    inputs.iter().map(input).collect()
}

/// Gives every edge the largest delay of the inputs that name one of its two nodes.
pub(super) fn set_delays(system: &mut System, inputs: &[InputSettings]) {
    let delay_of = |name: &String| {
        inputs.iter().filter(|input| input.nodes.contains(name)).map(|input| input.delay_us).max().unwrap_or(0)
    };
    let delays: Vec<u64> = system.nodes.iter().map(delay_of).collect();
    for stream in &mut system.streams {
        for edge in &mut stream.edges {
            let delay = |place: usize| delays[stream.nodes[place].id.0 as usize];
            edge.delay_us = delay(edge.from).max(delay(edge.to));
        }
        if let Some(discover) = &mut stream.discover {
            discover.delay_us = stream.nodes.iter().map(|node| delays[node.id.0 as usize]).max().unwrap_or(0);
        }
    }
}

/// By how much stamps may lie back that say no fraction of a second.
const WHOLE_SECOND_US: u64 = 1_000_000;

/// Adds a second to the clock skew of edges one of whose nodes is brought with stamps of whole seconds. A rule that reads
/// the node off the line brings the nodes that its input names, or any.
pub(super) fn add_clock_skews(system: &mut System, inputs: &[InputSettings]) {
    let mut coarse = vec![false; system.nodes.len()];
    for input in inputs {
        for node in input.log.iter().flat_map(|log| log.rules.whole_seconds()) {
            let brings = |name: &String| match node {
                Some(node) => name == node,
                None => input.nodes.is_empty() || input.nodes.contains(name),
            };
            coarse.iter_mut().zip(&system.nodes).for_each(|(coarse, name)| *coarse |= brings(name));
        }
    }
    for stream in &mut system.streams {
        let is_coarse: Vec<bool> = stream.nodes.iter().map(|node| coarse[node.id.0 as usize]).collect();
        for edge in &mut stream.edges {
            if is_coarse[edge.from] || is_coarse[edge.to] {
                edge.clock_skew_us += WHOLE_SECOND_US;
            }
        }
        if let Some(discover) = &mut stream.discover
            && is_coarse.contains(&true)
        {
            discover.clock_skew_us += WHOLE_SECOND_US;
        }
    }
}

/// Whether the server may listen there: beyond loopback `access` must be said. The error says how.
///
/// For the address that is really used: a flag goes before the manifest.
pub fn check_listen(listen: SocketAddr, access: Option<Access>) -> Result<(), String> {
    if listen.ip().to_canonical().is_loopback() || access.is_some() {
        return Ok(());
    }
    Err(format!("listening on {listen} lets others in, and the manifest does not say who may read and report"))
}

/// What to write where [`check_listen`] refuses.
pub const LISTEN_HELP: &str = "write `access = \"login\"` in [server] to ask for logins and keys, `access = \"open\"` \
                               to let in everybody who can reach it, or listen on 127.0.0.1 alone";
