//! What happens in a simulated world: messages on their way, and what goes wrong. All of it from a number.

use std::sync::Arc;

use observatory::graph::{Input, InputKind, NodeId, System};

use crate::journal::node::system;
use crate::schedules::Rng;

pub(super) const MS: u64 = 1_000;
pub(super) const S: u64 = 1_000 * MS;
/// The world's time begins here, which is far enough from the beginning of ours.
pub(super) const BEGIN_US: u64 = 1_790_000_000 * S;
/// In the world's time: how long a fault of one kind comes after another, at least.
const APART_US: u64 = 500 * MS;
const SKEW_US: u64 = 20 * MS;
/// The input that keeps what nobody has read yet.
pub(super) const FILES: &str = "files";

/// How a node's events reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feed {
    /// Its sender posts them, and has them no more when it gives up.
    Http,
    /// They are lines of a file.
    File,
}

/// What a node sees of a message, and says of it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Its place in the world.
    pub(super) node: usize,
    pub(super) at_us: u64,
    /// By the node's clock.
    pub(super) stamp_us: u64,
    /// When it is reported; a node may say nothing.
    pub(super) report_us: Option<u64>,
}

/// One message, by the nodes that it reaches.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) token: String,
    pub(super) seen: Vec<Seen>,
}

/// What goes wrong, or is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `kill -9`: what was written is there.
    Kill { down_us: u64 },
    /// The power goes after so many writes and syncs: of what was not synced, anything may be there.
    Power { after: u64, down_us: u64 },
    /// A clean stop.
    Stop { down_us: u64 },
    /// SIGSTOP, or a suspended machine.
    Freeze { for_us: u64 },
    /// No room on the disk, from a write in the middle of it on.
    Full { for_us: u64 },
    /// The sync after so many fails once.
    SyncFails { after: u64 },
    /// Each write takes this long.
    Slow { for_us: u64, write_us: u64 },
    /// So much waits already that nothing more is taken.
    Crowd { for_us: u64 },
    /// So many messages that nobody else has heard of.
    Flood { messages: u64 },
    /// The machine's clock is set.
    Step { by_us: i64 },
    /// The file cannot be read.
    Unreadable { for_us: u64 },
    /// A manifest with other thresholds.
    Reload,
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    /// The manifest, and another with other thresholds.
    pub(super) systems: [Arc<System>; 2],
    /// By node.
    pub(super) feeds: Vec<Feed>,
    pub(super) messages: Vec<Message>,
    /// When each begins.
    pub(super) faults: Vec<(u64, Fault)>,
    /// When nothing goes wrong any more.
    pub(super) calm_us: u64,
    /// How many tries a sender has, in percent of what it might.
    pub(super) stubborn: u64,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x51_0000_0000);
        let flooded = rng.percent(15);
        let feeds: Vec<Feed> = (0..5).map(|_| if rng.percent(60) { Feed::Http } else { Feed::File }).collect();
        let named = rng.percent(70);
        let manifest = manifest(&mut rng, flooded);
        let other = manifest.replace("warn = 1", "warn = 0").replace("fail = 2", "fail = 1");
        let systems = [manifest, other].map(|text| with_inputs(&text, &feeds, named));
        let length_us = S * rng.between(10, 40);
        let calm_us = BEGIN_US + length_us;
        let messages = messages(&mut rng, &systems[0], length_us);
        let faults = faults(&mut rng, length_us, flooded);
        let stubborn = rng.pick(&[0, 50, 100]);
        Self { seed, systems, feeds, messages, faults, calm_us, stubborn }
    }

    /// The nodes of each edge, by their places in the world, in the order of streams and edges.
    pub(super) fn edges(&self) -> impl Iterator<Item = (usize, usize, usize, usize)> + '_ {
        self.systems[0].streams.iter().enumerate().flat_map(|(stream, spec)| {
            let node = |place: usize| spec.nodes[place].id.0 as usize;
            spec.edges.iter().enumerate().map(move |(edge, ends)| (stream, edge, node(ends.from), node(ends.to)))
        })
    }

    /// The world for people.
    pub(super) fn tell(&self) -> String {
        let mut text = format!("seed {}: {:?}, stubborn {} %\n", self.seed, self.feeds, self.stubborn);
        for input in &self.systems[0].inputs {
            text += &format!("{input:?}\n");
        }
        for stream in &self.systems[0].streams {
            for edge in &stream.edges {
                let within_us = edge.check.as_ref().map(|check| check.within_us / MS);
                text += &format!("{}: {} -> {} within {within_us:?} ms", stream.name, edge.from, edge.to);
                text += &format!(" grace {} ms memory {} ms\n", edge.grace_us / MS, stream.memory_us() / MS);
            }
        }
        text
    }
}

/// A chain of three nodes, and one of two.
fn manifest(rng: &mut Rng, flooded: bool) -> String {
    let grace = rng.pick(&["1s", "1500ms", "2s"]);
    let max_tokens = if flooded { 240 } else { 100_000 };
    let mut check = || {
        let within = rng.pick(&["200ms", "500ms", "1s", "3s"]);
        format!("check = {{ within = \"{within}\", ok = 2, warn = 1, fail = 2, window = 1000 }}")
    };
    let mut text = format!("grace = \"{grace}\"\nhold = \"1s\"\nmax_tokens = {max_tokens}\n");
    for (stream, edges) in [("long", &[("a", "b"), ("b", "c")][..]), ("short", &[("x", "y")])] {
        text += &format!("[[stream]]\nname = \"{stream}\"\n");
        for (from, to) in edges {
            text += &format!("[[stream.edge]]\nfrom = \"{from}\"\nto = \"{to}\"\n{}\n", check());
        }
    }
    text
}

fn with_inputs(manifest: &str, feeds: &[Feed], named: bool) -> Arc<System> {
    let mut system = (*system(manifest)).clone();
    let of = |feed: Feed| {
        let nodes = (0..feeds.len()).filter(|&node| named && feeds[node] == feed);
        nodes.map(|node| NodeId(node as u32)).collect()
    };
    let input = |kind, name: &str, feed| Input { kind, name: name.to_owned(), nodes: of(feed), delay_us: 0 };
    system.inputs = vec![input(InputKind::Http, "http", Feed::Http)];
    if feeds.contains(&Feed::File) {
        system.inputs.push(input(InputKind::Log, FILES, Feed::File));
    }
    Arc::new(system)
}

fn messages(rng: &mut Rng, system: &System, length_us: u64) -> Vec<Message> {
    let clocks: Vec<u64> = system.nodes.iter().map(|_| rng.below(2 * SKEW_US)).collect();
    let (lost, late, silent) = (rng.pick(&[0, 5, 20]), rng.pick(&[0, 5, 20]), rng.pick(&[0, 0, 10]));
    let mut messages = Vec::new();
    for (index, stream) in system.streams.iter().enumerate() {
        for number in 0..rng.between(3, 20) {
            let mut at_us = BEGIN_US + rng.below(length_us);
            let mut seen = Vec::new();
            for (place, node) in stream.nodes.iter().enumerate() {
                let node = node.id.0 as usize;
                if let Some(edge) = stream.edges.iter().find(|edge| edge.to == place) {
                    if rng.percent(lost) {
                        break;
                    }
                    let within_us = edge.check.as_ref().map_or(S, |check| check.within_us);
                    at_us += if rng.percent(late) {
                        within_us * rng.between(115, 300) / 100 + 2 * SKEW_US
                    } else {
                        within_us * rng.below(70) / 100
                    };
                }
                let report_us = Some(at_us + rng.below(20 * MS)).filter(|_| !rng.percent(silent));
                let stamp_us = at_us + clocks[node] - SKEW_US;
                seen.push(Seen { node, at_us, stamp_us, report_us });
            }
            messages.push(Message { token: format!("m{index}-{number}"), seen });
        }
    }
    messages
}

fn faults(rng: &mut Rng, length_us: u64, flooded: bool) -> Vec<(u64, Fault)> {
    let mut faults = Vec::new();
    let mut at_us = BEGIN_US + rng.below(length_us / 2);
    for _ in 0..rng.below(6) {
        let for_us = rng.pick(&[300 * MS, 900 * MS, 1_500 * MS, 3 * S, 8 * S]) + rng.below(200 * MS);
        let down_us = rng.pick(&[0, 10 * MS, S, 10 * S]) + rng.below(S);
        let fault = match rng.below(12) {
            0 | 1 => Fault::Kill { down_us },
            2 | 3 => Fault::Power { after: rng.below(8), down_us },
            4 => Fault::Stop { down_us },
            5 => Fault::Freeze { for_us },
            6 => Fault::Full { for_us },
            7 => Fault::SyncFails { after: rng.below(5) },
            8 => Fault::Slow { for_us, write_us: rng.pick(&[20 * MS, 250 * MS, 3 * S]) },
            9 => Fault::Crowd { for_us },
            10 => Fault::Unreadable { for_us },
            _ if rng.percent(50) => Fault::Step { by_us: rng.pick(&[-3_600, -30, 30, 3_600]) * S.cast_signed() },
            _ => Fault::Reload,
        };
        faults.push((at_us, fault));
        at_us += APART_US + rng.below(length_us / 3);
        if at_us > BEGIN_US + length_us {
            break;
        }
    }
    if flooded {
        faults.push((BEGIN_US + rng.below(length_us), Fault::Flood { messages: rng.between(200, 600) }));
    }
    faults
}
