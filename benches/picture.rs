//! How long does a picture take, beside the bare layout of the same graph?
//!
//! `cargo bench --bench picture [-- NODES]`. A graph of 300 nodes is laid out and drawn as it stands on the page, wide and
//! narrow, and beside it laid out by the library alone, with the same sizes. More than [`CEILING`] times that, in the
//! median of all rounds, fails. What a server does once for a new graph (all three layouts, two pictures) is told as well.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures time and prints it")]

mod common {
    pub(crate) mod random;
}

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::random::Random;
use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir};
use observatory::board::StreamBoard;
use observatory::clock::SECOND_US;
use observatory::engine::Engine;
use observatory::graph::{Check, CheckKind, Edge, NodeId, Stream, StreamNode, System, Threshold, Thresholds};
use observatory::picture::{Dagre, Detail, Flow, Plan, lay_out, place, svg};

/// A picture may take this many times as long as the bare layout.
const CEILING: f64 = 4.0;
const ROUNDS: usize = 15;
const NODES: usize = 300;
const START_US: u64 = 1_700_000_000_000_000;

fn main() -> ExitCode {
    let nodes = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(NODES);
    let stream = stream(nodes);
    println!("{nodes} nodes, {} edges, medians of {ROUNDS} rounds", stream.edges.len());
    let ways = [("wide", Flow::Right, Detail::Brief), ("narrow", Flow::Down, Detail::NarrowBrief)];
    let good = ways.map(|(name, flow, detail)| beside_bare(&stream, name, flow, detail));
    let whole = median((0..ROUNDS).map(|_| timed(|| drawn_whole(&stream))).collect());
    println!("all that a new graph needs, three layouts and two pictures: {whole:.1?}");
    if good.iter().all(|&good| good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures one picture beside the bare layout of the same plan, in turns; whether it is quick enough.
fn beside_bare(stream: &StreamBoard, name: &str, flow: Flow, detail: Detail) -> bool {
    let layout = lay_out(stream);
    let plan = Plan::new(stream, detail);
    let plan = if flow == Flow::Down { plan.turned() } else { plan };
    let (mut bare, mut ours, mut ratios, mut size) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let bare_took = timed(|| lay_out_bare(&plan));
        let ours_took = timed(|| {
            black_box(place(&Dagre, &Plan::new(stream, detail)));
            let picture = svg(stream, &layout, flow, true);
            size = picture.len();
            picture
        });
        ratios.push(ours_took.as_secs_f64() / bare_took.as_secs_f64());
        bare.push(bare_took);
        ours.push(ours_took);
    }
    let ratio = median(ratios);
    println!(
        "{name}: bare layout {:.1?}, laid out and drawn {:.1?} ({} KiB): {ratio:.2} times, ceiling {CEILING}",
        median(bare),
        median(ours),
        size >> 10
    );
    ratio <= CEILING
}

fn drawn_whole(stream: &StreamBoard) -> [String; 2] {
    let layout = lay_out(stream);
    [Flow::Right, Flow::Down].map(|flow| svg(stream, &layout, flow, true))
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    black_box(work());
    began.elapsed()
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("times are numbers"));
    values[values.len() / 2]
}

/// What the library needs for the same graph, and nothing else.
fn lay_out_bare(plan: &Plan) -> Graph<NodeLabel, EdgeLabel, GraphLabel> {
    let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> =
        Graph::new(GraphOptions { directed: true, multigraph: true, compound: false });
    let (nodesep, edgesep, ranksep) = (plan.spacing.apart, plan.spacing.passing, 2.0 * plan.spacing.gap.0);
    graph.set_graph(GraphLabel { rankdir: RankDir::LR, nodesep, edgesep, ranksep, ..GraphLabel::default() });
    graph.set_default_edge_label(EdgeLabel::default);
    for (node, size) in plan.nodes.iter().enumerate() {
        let label = NodeLabel { width: size.width, height: size.height, ..NodeLabel::default() };
        graph.set_node(format!("n{node}"), label);
    }
    for (index, edge) in plan.edges.iter().enumerate() {
        let label = EdgeLabel { width: edge.label.width, height: edge.label.height, ..EdgeLabel::default() };
        graph.set_edge_named(format!("n{}", edge.from), format!("n{}", edge.to), Some(index.to_string()), Some(label));
    }
    dugong::layout(&mut graph).expect("the library lays it out");
    graph
}

/// A layered graph like those that people run: few ways lead far.
fn stream(nodes: usize) -> StreamBoard {
    let mut random = Random(5);
    let mut below = |n: usize| (random.next() % n.max(1) as u64) as usize;
    let mut ways = Vec::new();
    for to in 1..nodes {
        ways.push((to - 1 - below(to.min(2 + nodes / 6)), to));
        if below(5) == 0 && to > 2 {
            let second = (below(to), to);
            if !ways.contains(&second) {
                ways.push(second);
            }
        }
    }
    let node = |id| StreamNode { id: NodeId(id), silence_us: None };
    let stream = Stream {
        name: "large".to_owned(),
        description: String::new(),
        nodes: (0..).take(nodes).map(node).collect(),
        edges: ways.into_iter().map(edge).collect(),
        discover: None,
        horizon_us: 10 * SECOND_US,
    };
    let system = System {
        name: "Bench".to_owned(),
        nodes: (0..nodes).map(|node| format!("service-{node}")).collect(),
        streams: vec![stream],
        ..System::default()
    };
    let board = Engine::new(Arc::new(system), START_US, (1, 2)).board();
    board.streams[0].as_ref().clone()
}

fn edge((from, to): (usize, usize)) -> Edge {
    let thresholds = Thresholds { ok: 3, warn: Threshold::Count(1), fail: Threshold::Count(2), window: None };
    let within_text = "500ms".to_owned();
    let check = Check { kind: CheckKind::Time, within_us: SECOND_US / 2, within_text, thresholds, optional: false };
    Edge {
        name: None,
        from,
        to,
        check: Some(check),
        grace_us: SECOND_US,
        delay_us: 0,
        clock_skew_us: 50_000,
        hold_us: 10 * SECOND_US,
        silence_us: None,
    }
}
