//! Small random worlds, in which everything happens soon and much of it at once.

use observatory::graph::{
    Check, CheckKind, CountCheck, Edge, NodeId, Stream, StreamNode, System, Threshold, Thresholds, Window,
};

use super::rng::Rng;

/// A system, and the unit of time in which its durations are small whole numbers.
pub(crate) fn world(rng: &mut Rng) -> (System, u64) {
    let unit_us = rng.pick(&[1, 1, 10, 1_000, 7_000, 1_000_000, 30_000_000]);
    let nodes = rng.between(2, 7) as usize;
    let streams = rng.pick(&[1, 1, 1, 2, 2, 3]);
    let streams: Vec<Stream> = (0..streams).map(|index| stream(rng, index, nodes, unit_us)).collect();
    let max_tokens = if rng.percent(30) { rng.between(streams.len() as u64, 6) as usize } else { 4_000 };
    let system = System {
        name: "random".to_owned(),
        nodes: (0..nodes).map(|node| format!("n{node}")).collect(),
        streams,
        max_tokens,
        remember_us: unit_us * rng.pick(&[0, 1, 5, 20, 100, 1_000]),
        ..System::default()
    };
    (system, unit_us)
}

fn stream(rng: &mut Rng, index: usize, nodes: usize, unit_us: u64) -> Stream {
    let mut ids: Vec<u32> = (0..nodes as u32).collect();
    rng.shuffle(&mut ids);
    ids.truncate(rng.between(2, nodes as u64) as usize);
    let silence = |rng: &mut Rng| rng.percent(20).then(|| unit_us * rng.between(1, 30));
    // `order` is a way through the nodes that every edge keeps, so that there is no cycle.
    let mut order: Vec<usize> = (0..ids.len()).collect();
    rng.shuffle(&mut order);
    let density = rng.pick(&[20, 40, 70]);
    let mut edges = Vec::new();
    for later in 1..order.len() {
        let parent = rng.below(later as u64) as usize;
        for earlier in 0..later {
            if earlier == parent || (rng.percent(density) && edges.len() < 9) {
                let silence_us = silence(rng);
                edges.push(edge(rng, (order[earlier], order[later]), unit_us, silence_us));
            }
        }
    }
    rng.shuffle(&mut edges);
    Stream {
        name: format!("s{index}"),
        nodes: ids.into_iter().map(|id| StreamNode { id: NodeId(id), silence_us: silence(rng) }).collect(),
        edges,
        horizon_us: unit_us * rng.between(1, 10),
        ..Stream::default()
    }
}

fn edge(rng: &mut Rng, (from, to): (usize, usize), unit_us: u64, silence_us: Option<u64>) -> Edge {
    let units = |rng: &mut Rng, some: &[u64]| unit_us * rng.pick(some);
    Edge {
        name: None,
        from,
        to,
        check: check(rng, unit_us),
        grace_us: units(rng, &[0, 0, 1, 1, 2, 5]),
        delay_us: units(rng, &[0, 0, 0, 1, 3]),
        clock_skew_us: units(rng, &[0, 0, 1, 2, 5]),
        hold_us: units(rng, &[0, 1, 2, 5, 10, 30]),
        silence_us,
    }
}

fn check(rng: &mut Rng, unit_us: u64) -> Option<Check> {
    let (kind, optional) = match rng.below(100) {
        0..60 => (CheckKind::Time, false),
        60..72 => (CheckKind::Time, true),
        72..84 => return None,
        _ => {
            let (every, same_token) = (rng.between(1, 4) as u32, rng.percent(40));
            let expect = rng.between(1, if same_token { u64::from(every) } else { 4 }) as u32;
            (CheckKind::Count(CountCheck { every, expect, same_token }), false)
        }
    };
    let within_us = unit_us * rng.between(1, 8);
    Some(Check {
        kind,
        within_us,
        within_text: format!("{within_us}us"),
        thresholds: thresholds(rng, unit_us),
        optional,
    })
}

fn thresholds(rng: &mut Rng, unit_us: u64) -> Thresholds {
    let ok = rng.between(1, 4) as u32;
    let window = match rng.below(10) {
        0..5 => None,
        5..7 => Some(Window::Outcomes(rng.between(u64::from(ok), 10) as u32)),
        _ => Some(Window::Time(unit_us * rng.between(1, 20))),
    };
    let threshold = |rng: &mut Rng| {
        if window.is_some() && rng.percent(40) {
            Threshold::Percent(rng.pick(&[1, 10_000, 100_000, 250_000, 333_333, 500_000, 1_000_000]))
        } else {
            Threshold::Count(rng.between(0, 3) as u32)
        }
    };
    let (warn, fail) = (threshold(rng), threshold(rng));
    Thresholds { ok, warn, fail, window }
}
