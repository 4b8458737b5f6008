//! Boards for tests: the known picture, every state, any graph, hostile names.

use std::sync::Arc;

use crate::board::{
    Board, CheckBoard, EdgeBoard, EdgeCounters, LatencyBoard, NodeBoard, OutcomeEntry, StreamBoard, UnknownSender,
};
use crate::clock::{Moment, SECOND_US};
use crate::event::Token;
use crate::graph::{Check, CheckKind, Threshold, Thresholds};
use crate::outcome::{Freshness, Ledger, NodeState, Outcome, Status};

/// When all this is so: 2026-11-20T12:00:00Z.
pub(crate) const AT: Moment = Moment(1_795_176_000_000_000);

/// Names and tokens that must stay text. Some could not pass the manifest: the writers must not rely on it.
pub(crate) const HOSTILE: [&str; 14] = [
    "</text><script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "\" onload=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "a\r\nb\tc",
    "\u{1b}[31mred\u{7}\u{0}",
    "left\u{202e}thgir\u{2066}\u{200f}",
    "%s%n%x",
    "]]> --> <!-- &amp; &#60; &bogus;",
    r#"\N \" \\ \"#,
    "\u{ffff}\u{fffe}\u{feff}\u{85}\u{2028}",
    "{{ name }} {% if %}",
    "javascript:alert(1)",
    "שלום עולם مرحبا",
];

/// A moment so many seconds before [`AT`].
pub(crate) fn ago(seconds: u64) -> Moment {
    Moment(AT.0 - seconds * SECOND_US)
}

pub(crate) fn node(name: &str) -> NodeBoard {
    NodeBoard {
        name: name.to_owned(),
        state: NodeState::Observed,
        root: false,
        events: 12,
        rate: 3.1,
        last: Some(ago(2)),
        clock_flagged: false,
        unreported: 0,
    }
}

pub(crate) fn check(within: &str, ok: u32, warn: u32, fail: u32) -> CheckBoard {
    let thresholds = Thresholds { ok, warn: Threshold::Count(warn), fail: Threshold::Count(fail), window: None };
    let within_text = within.to_owned();
    let check = Check { kind: CheckKind::Time, within_us: SECOND_US, within_text, thresholds, optional: false };
    CheckBoard::new(&check, SECOND_US)
}

pub(crate) fn edge(from: &str, to: &str, status: Status, pass: u64, total: u64) -> EdgeBoard {
    EdgeBoard {
        from: from.to_owned(),
        to: to.to_owned(),
        name: None,
        status,
        status_since: ago(90),
        held: status,
        held_since: ago(90),
        freshness: Freshness::Live,
        pass,
        total,
        in_flight: 0,
        rate: 3.1,
        last_pass: Some(ago(3)),
        last_fail: None,
        discovered: false,
        latency_ms: Some(LatencyBoard { p50: 1.2, p95: 2.0, p99: 2.4 }),
        check: Some(check("10s", 3, 0, 0)),
        ledger: Ledger { upstream: total, pass, missing: total - pass, ..Ledger::default() },
        recent_fails: Arc::new([]),
        counters: EdgeCounters::default(),
    }
}

pub(crate) fn fail(outcome: Outcome, token: &str, latency_ms: Option<f64>, seconds: u64) -> OutcomeEntry {
    OutcomeEntry { outcome, token: Token::new(token).ok(), latency_ms, at: ago(seconds) }
}

/// A stream of these nodes and edges; roots and status are derived.
pub(crate) fn stream(name: &str, mut nodes: Vec<NodeBoard>, edges: Vec<EdgeBoard>) -> StreamBoard {
    for node in &mut nodes {
        node.root = !edges.iter().any(|edge| edge.to == node.name);
    }
    StreamBoard {
        name: name.to_owned(),
        description: String::new(),
        status: edges.iter().map(|edge| edge.held).max().unwrap_or_default(),
        unobserved: edges.iter().filter(|edge| edge.freshness == Freshness::Unobserved).count(),
        alias_conflicts: 0,
        discovery: None,
        at: AT,
        nodes,
        edges,
    }
}

/// The picture that the product is known by.
pub(crate) fn demo() -> StreamBoard {
    let ok = edge("web-server", "event-processor", Status::Ok, 3, 3);
    let mut warn = edge("event-processor", "database", Status::Warn, 4, 5);
    warn.name = Some("rows written".to_owned());
    warn.check = Some(check("500ms", 3, 1, 2));
    warn.latency_ms = Some(LatencyBoard { p50: 212.0, p95: 640.0, p99: 1_310.0 });
    warn.ledger = Ledger { upstream: 41, pass: 37, late: 3, missing: 0, in_flight: 1, ..Ledger::default() };
    warn.in_flight = 1;
    warn.recent_fails = Arc::new([
        fail(Outcome::Late, "0af7651916cd43dd8448eb211c80319c", Some(731.0), 64),
        fail(Outcome::Late, "4bf92f3577b34da6a3ce929d0e0e4736", Some(1_310.0), 9),
    ]);
    let mut nok = edge("event-processor", "journal", Status::Nok, 1, 4);
    nok.check = Some(check("1000ms", 3, 1, 0));
    nok.held_since = ago(312);
    nok.ledger = Ledger { upstream: 41, pass: 22, missing: 16, in_flight: 3, ..Ledger::default() };
    nok.in_flight = 3;
    nok.recent_fails = Arc::new([
        fail(Outcome::Missing, "order-1007", None, 31),
        fail(Outcome::Missing, "c56a4180-65aa-42ec-a945-5fd21dec0538", None, 17),
        fail(Outcome::Missing, "order-1012", None, 4),
    ]);
    let nodes = ["web-server", "event-processor", "database", "journal"].map(node).to_vec();
    let mut demo = stream("orders", nodes, vec![ok, warn, nok]);
    demo.description = "From the shop's front to its books".to_owned();
    demo
}

/// Every tone, freshness and node state, and every flag.
pub(crate) fn states() -> StreamBoard {
    let mut nodes = ["gate", "silent-one", "never-heard", "waits", "skewed", "skipped", "alone"].map(node).to_vec();
    nodes[1].state = NodeState::Silent;
    nodes[2].state = NodeState::Unobserved;
    nodes[2].last = None;
    nodes[3].state = NodeState::Waiting;
    nodes[4].clock_flagged = true;
    nodes[5].unreported = 1_234;
    let mut edges = vec![
        edge("gate", "silent-one", Status::Ok, 3, 3),
        edge("gate", "never-heard", Status::Unknown, 0, 0),
        edge("gate", "waits", Status::Ok, 3, 3),
        edge("gate", "skewed", Status::Ok, 120, 120),
        edge("waits", "skipped", Status::Unknown, 2, 2),
        edge("skewed", "skipped", Status::Ok, 9, 9),
    ];
    edges[0].freshness = Freshness::Silent;
    edges[1].freshness = Freshness::Unobserved;
    edges[1].latency_ms = None;
    edges[2].freshness = Freshness::Idle;
    edges[3].freshness = Freshness::Blind;
    edges[3].ledger.indeterminate = 12_345;
    edges[4].freshness = Freshness::Starved;
    edges[5].discovered = true;
    edges[5].check = None;
    let mut states = stream("every-state", nodes, edges);
    states.status = Status::Nok;
    states
}

/// A graph by its edges, with statuses that repeat in a fixed order.
pub(crate) fn graph(name: &str, nodes: usize, edges: &[(usize, usize)]) -> StreamBoard {
    const STATUSES: [Status; 7] =
        [Status::Ok, Status::Ok, Status::Warn, Status::Ok, Status::Nok, Status::Ok, Status::Unknown];
    let name_of = |index: usize| match index % 5 {
        0 => format!("service-{index}"),
        1 => format!("db{index}"),
        2 => format!("an-event-processor-with-a-long-name-{index}"),
        3 => format!("Queue {index}"),
        _ => format!("漢字サービス{index}"),
    };
    let nodes = (0..nodes).map(|index| node(&name_of(index))).collect();
    let made = |(index, &(from, to)): (usize, &(usize, usize))| {
        let status = STATUSES[index % STATUSES.len()];
        let (pass, total) = if status == Status::Nok { (1, 4) } else { (3, 3) };
        let mut edge = edge(&name_of(from), &name_of(to), status, pass, total);
        if index % 11 == 3 {
            edge.check = None;
        }
        edge
    };
    stream(name, nodes, edges.iter().enumerate().map(made).collect())
}

/// A layered graph like those that people run: few ways lead far.
pub(crate) fn layered(nodes: usize, mut seed: u64) -> Vec<(usize, usize)> {
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let mut edges = Vec::new();
    for to in 1..nodes {
        let back = 1 + next(to.min(2 + nodes / 6));
        edges.push((to - back, to));
        if next(5) == 0 && to > 2 {
            let second = (next(to), to);
            if !edges.contains(&second) {
                edges.push(second);
            }
        }
    }
    edges
}

/// The same stream with another name for every node, and as description, edge name and token.
pub(crate) fn rename(stream: &StreamBoard, name: &str) -> StreamBoard {
    let mut renamed = stream.clone();
    let place = |old: &str| stream.nodes.iter().position(|node| node.name == old).unwrap_or_default();
    renamed.description = name.to_owned();
    for (index, node) in renamed.nodes.iter_mut().enumerate() {
        node.name = format!("{name}{index}");
    }
    for edge in &mut renamed.edges {
        edge.from = format!("{name}{}", place(&edge.from));
        edge.to = format!("{name}{}", place(&edge.to));
        edge.name = edge.name.is_some().then(|| name.to_owned());
        let clean: String = name.chars().filter(|c| !c.is_control()).collect();
        let renamed = edge.recent_fails.iter().cloned();
        edge.recent_fails = renamed.map(|entry| OutcomeEntry { token: Token::new(&clean).ok(), ..entry }).collect();
    }
    renamed
}

/// A board of these streams.
pub(crate) fn board(streams: Vec<StreamBoard>) -> Board {
    Board {
        at: AT,
        name: "Shop".to_owned(),
        description: "What an order passes through".to_owned(),
        streams: streams.into_iter().map(Arc::new).collect(),
        tokens: 1_024,
        tokens_limit: 4_000_000,
        tokens_evicted: 0,
        unknown_senders: Vec::new(),
        inputs: Vec::new(),
    }
}

/// Some senders that no stream knows.
pub(crate) fn unknown(board: Board) -> Board {
    let sender = |(name, events): (&str, u64)| UnknownSender { name: name.to_owned(), events };
    Board { unknown_senders: [("web-sever", 841), ("evt\u{202e}-processor", 3)].map(sender).to_vec(), ..board }
}
