//! Layout by dugong, a port of dagre: ranks and heights are its work; the order within a rank (see [`order`](super::order)),
//! the columns and the ways of the edges (see [`columns`](super::columns)) are ours.

use dugong::graphlib::{Graph, GraphOptions};
use dugong::position::bk::position_x_with_layering;
use dugong::{EdgeLabel, GraphLabel, LabelPos, NodeLabel, RankDir};

use super::columns::{Draft, Stop, settle};
use super::layout::{Placement, Placer};
use super::order::Order;
use super::plan::Plan;

/// Places by dugong.
#[derive(Clone, Copy, Debug)]
pub struct Dagre;

impl Placer for Dagre {
    fn place(&self, plan: &Plan) -> Placement {
        settle(plan, draft(plan).map_or_else(|| stacked(plan), |draft| ordered(plan, draft)))
    }
}

/// Runs dugong; `None` where it fails, or says less than was asked.
fn draft(plan: &Plan) -> Option<Draft> {
    let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> =
        Graph::new(GraphOptions { directed: true, multigraph: true, compound: false });
    graph.set_graph(GraphLabel {
        rankdir: RankDir::LR,
        nodesep: plan.spacing.apart,
        edgesep: plan.spacing.passing,
        ranksep: 2.0 * plan.spacing.gap.0,
        ..GraphLabel::default()
    });
    graph.set_default_edge_label(EdgeLabel::default);
    for (index, size) in plan.nodes.iter().enumerate() {
        graph.set_node(id(index), NodeLabel { width: size.width, height: size.height, ..NodeLabel::default() });
    }
    for (index, edge) in plan.edges.iter().enumerate() {
        let label = EdgeLabel {
            width: edge.label.width,
            height: edge.label.height,
            labelpos: LabelPos::C,
            weight: 1.0,
            ..EdgeLabel::default()
        };
        graph.set_edge_named(id(edge.from), id(edge.to), Some(index.to_string()), Some(label));
    }
    dugong::layout(&mut graph).ok()?;

    let node = |index| {
        let label = graph.node(&id(index))?;
        Some(Stop { column: column(label.x?), y: label.y? })
    };
    let way = |(index, edge): (usize, &super::plan::PlannedEdge)| {
        let label = graph.edge(&id(edge.from), &id(edge.to), Some(&index.to_string()))?;
        // The first and the last point are where the edge meets its nodes' boxes.
        let inner = label.points.get(1..label.points.len().checked_sub(1)?)?;
        let stops: Vec<Stop> = inner.iter().map(|point| Stop { column: column(point.x), y: point.y }).collect();
        let label_column = column(label.x?);
        let label_at = stops.iter().position(|stop| stop.column == label_column)?;
        Some((stops, label_at))
    };
    Some(Draft {
        nodes: (0..plan.nodes.len()).map(node).collect::<Option<_>>()?,
        ways: plan.edges.iter().enumerate().map(way).collect::<Option<_>>()?,
    })
}

/// The draft with everything in our order, and the heights that the library finds for that.
fn ordered(plan: &Plan, mut draft: Draft) -> Draft {
    let Some(ours) = Order::of(plan, &draft) else { return draft };
    let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> =
        Graph::new(GraphOptions { directed: true, multigraph: false, compound: false });
    graph.set_graph(GraphLabel { nodesep: plan.spacing.apart, edgesep: plan.spacing.passing, ..GraphLabel::default() });
    graph.set_default_edge_label(EdgeLabel::default);
    let mut set = |thing: usize, dummy: Option<&str>, width: f64| {
        let label = NodeLabel { width, dummy: dummy.map(str::to_owned), ..NodeLabel::default() };
        graph.set_node(id(thing), label);
    };
    for (node, size) in plan.nodes.iter().enumerate() {
        // To the library ranks lie below each other: what is high here is wide there.
        set(node, None, size.height);
    }
    for (edge, (stops, label_at)) in draft.ways.iter().enumerate() {
        for (at, thing) in ours.stops(edge, stops.len()).enumerate() {
            let (dummy, width) =
                if at == *label_at { ("edge-label", plan.edges[edge].label.height) } else { ("edge", 0.0) };
            set(thing, Some(dummy), width);
        }
    }
    for (edge, planned) in plan.edges.iter().enumerate() {
        let stops = ours.stops(edge, draft.ways[edge].0.len());
        let way: Vec<usize> = std::iter::once(planned.from).chain(stops).chain([planned.to]).collect();
        for two in way.windows(2) {
            graph.set_edge_with_label(id(two[0]), id(two[1]), EdgeLabel { weight: 1.0, ..EdgeLabel::default() });
        }
    }
    let ids: Vec<Vec<String>> =
        ours.layers.iter().map(|layer| layer.iter().map(|&thing| id(thing)).collect()).collect();
    for (rank, layer) in ids.iter().enumerate() {
        for (order, id) in layer.iter().enumerate() {
            if let Some(label) = graph.node_mut(id) {
                (label.rank, label.order) = (Some(rank as i32), Some(order));
            }
        }
    }
    let heights = position_x_with_layering(&graph, &ids);
    let height = |thing: usize, was: f64| heights.get(&id(thing)).copied().unwrap_or(was);
    for (node, stop) in draft.nodes.iter_mut().enumerate() {
        stop.y = height(node, stop.y);
    }
    for (edge, (stops, _)) in draft.ways.iter_mut().enumerate() {
        let things = ours.stops(edge, stops.len());
        stops.iter_mut().zip(things).for_each(|(stop, thing)| stop.y = height(thing, stop.y));
    }
    draft
}

/// A node's id. Never a bare number: those the library sorts before others.
fn id(node: usize) -> String {
    format!("n{node}")
}

/// All that stands in one rank has the same x, up to the last bits.
fn column(x: f64) -> i64 {
    (x * 8.0).round() as i64
}

/// A plain draft that needs no library: each node as far right as the longest way to it, in the
/// order of the manifest. Legible, not beautiful.
fn stacked(plan: &Plan) -> Draft {
    let mut ranks = vec![0_i64; plan.nodes.len()];
    // As many rounds as the longest way can have edges; a cycle would never settle.
    for _ in 0..plan.nodes.len() {
        let before = ranks.clone();
        for edge in plan.edges.iter().filter(|edge| edge.from != edge.to) {
            ranks[edge.to] = ranks[edge.to].max(ranks[edge.from] + 2).min(2 * plan.nodes.len() as i64);
        }
        if ranks == before {
            break;
        }
    }
    let nodes = ranks.iter().enumerate().map(|(index, &column)| Stop { column, y: index as f64 }).collect();
    let way = |edge: &super::plan::PlannedEdge| {
        let stops = (ranks[edge.from] + 1..ranks[edge.to]).map(|column| Stop { column, y: edge.to as f64 });
        (stops.collect(), 0)
    };
    Draft { nodes, ways: plan.edges.iter().map(way).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::fixtures::{demo, graph, layered};
    use crate::picture::plan::Detail;

    #[test]
    fn the_library_does_its_part() {
        for seed in 0..20 {
            let stream = graph("drawn", 40, &layered(40, seed));
            assert!(draft(&Plan::new(&stream, Detail::Full)).is_some(), "seed {seed}");
        }
        assert!(draft(&Plan::new(&graph("alone", 2, &[]), Detail::Small)).is_some());
    }

    #[test]
    fn the_plain_draft_has_room_for_everything() {
        let plan = Plan::new(&demo(), Detail::Full);
        let placement = settle(&plan, stacked(&plan));
        assert_eq!(placement.nodes.len(), 4);
        assert!(placement.routes.iter().all(|route| route.runs.len() == 3));
    }
}
