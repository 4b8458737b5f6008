//! The system that the benchmarks observe.

use observatory::clock::SECOND_US;
use observatory::graph::{Check, CheckKind, Edge, NodeId, Stream, StreamNode, System, Threshold, Thresholds};

use super::picture::{EDGES, NODES};

/// One stream through all nodes. `max_tokens`: how many tokens it may remember.
pub(crate) fn system(max_tokens: usize) -> System {
    let node = |id| StreamNode { id: NodeId(id), silence_us: None };
    let stream = Stream {
        name: "intro".to_owned(),
        description: String::new(),
        nodes: (0..).take(NODES.len()).map(node).collect(),
        edges: EDGES.map(|(from, to, within_ms)| edge(from, to, within_ms)).into(),
        horizon_us: 10 * SECOND_US,
        discover: None,
    };
    System {
        name: "Bench".to_owned(),
        nodes: NODES.map(str::to_owned).into(),
        streams: vec![stream],
        max_tokens,
        remember_us: 3_600 * SECOND_US,
        ..System::default()
    }
}

fn edge(from: usize, to: usize, within_ms: u64) -> Edge {
    let (warn, fail) = (Threshold::Count(1), Threshold::Count(2));
    let check = Check {
        kind: CheckKind::Time,
        within_us: within_ms * 1_000,
        within_text: format!("{within_ms}ms"),
        thresholds: Thresholds { ok: 3, warn, fail, window: None },
        optional: false,
    };
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
