//! From a draft to a placement: columns, and the ways of the edges between them.
//!
//! Everything stands in columns: nodes, labels, and the stops of edges that pass. Within a column
//! an edge runs level; it bends only between two columns, where nothing stands. So no edge can cut
//! a node or a label that is not its own, if within each column all keep their distance: and that
//! is made sure here, whatever the library says.

use std::collections::BTreeMap;

use super::layout::{Placement, Point, Rect, Route};
use super::plan::{Plan, Size};

/// Where the centre of something is to stand, roughly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// Its column: any number that grows from left to right.
    pub(super) column: i64,
    /// Its height.
    pub(super) y: f64,
}

/// What a library says.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// By node.
    pub(super) nodes: Vec<Stop>,
    /// By edge: its stops between its two nodes, one in every column that it passes, and which of
    /// them bears the label.
    pub(super) ways: Vec<(Vec<Stop>, usize)>,
}

/// Left and right side of a column.
#[derive(Clone, Copy, Debug)]
struct Span {
    left: f64,
    right: f64,
}

/// Makes a placement of a draft.
pub(super) fn settle(plan: &Plan, mut draft: Draft) -> Placement {
    keep_apart(plan, &mut draft);
    let spans = spans(plan, &draft);
    let span = |column: i64| spans.get(&column).copied().unwrap_or(Span { left: 0.0, right: 0.0 });
    let centred = |stop: &Stop, size: Size| {
        let Span { left, right } = span(stop.column);
        let (x, y) = (f64::midpoint(left, right) - size.width / 2.0, stop.y - size.height / 2.0);
        Rect { x, y, width: size.width, height: size.height }
    };
    let nodes: Vec<Rect> = draft.nodes.iter().zip(&plan.nodes).map(|(stop, &size)| centred(stop, size)).collect();
    let ports = ports(plan, &draft);
    let route = |(index, edge): (usize, &super::plan::PlannedEdge)| {
        let (stops, label_at) = &draft.ways[index];
        let (leaves, arrives) = ports[index];
        let level = |left, right, y| (Point { x: left, y }, Point { x: right, y });
        let mut runs = vec![level(nodes[edge.from].right(), span(draft.nodes[edge.from].column).right, leaves)];
        runs.extend(stops.iter().map(|stop| level(span(stop.column).left, span(stop.column).right, stop.y)));
        runs.push(level(span(draft.nodes[edge.to].column).left, nodes[edge.to].x, arrives));
        let label = stops
            .get(*label_at)
            .map_or(Rect { x: 0.0, y: 0.0, width: 0.0, height: 0.0 }, |stop| centred(stop, edge.label));
        Route { runs, label }
    };
    let routes: Vec<Route> = plan.edges.iter().enumerate().map(route).collect();
    let lowest = nodes.iter().chain(routes.iter().map(|route| &route.label)).map(Rect::bottom);
    let passing = draft.ways.iter().flat_map(|(stops, _)| stops).map(|stop| stop.y);
    Placement {
        width: spans.values().map(|span| span.right).fold(0.0, f64::max) + plan.spacing.margin,
        height: lowest.chain(passing).fold(0.0, f64::max) + plan.spacing.margin,
        nodes,
        routes,
    }
}

/// One thing in a column.
struct Item {
    y: f64,
    height: f64,
    /// The node, or the edge and which of its stops.
    what: (Option<usize>, usize, usize),
}

/// Pushes what stands too near down, column by column; then moves all below the upper margin.
fn keep_apart(plan: &Plan, draft: &mut Draft) {
    let mut columns: BTreeMap<i64, Vec<Item>> = BTreeMap::new();
    for (node, stop) in draft.nodes.iter().enumerate() {
        let item = Item { y: stop.y, height: plan.nodes[node].height, what: (Some(node), 0, 0) };
        columns.entry(stop.column).or_default().push(item);
    }
    for (edge, (stops, label_at)) in draft.ways.iter().enumerate() {
        for (at, stop) in stops.iter().enumerate() {
            let height = if at == *label_at { plan.edges[edge].label.height } else { 0.0 };
            columns.entry(stop.column).or_default().push(Item { y: stop.y, height, what: (None, edge, at) });
        }
    }
    let mut top = f64::INFINITY;
    for items in columns.values_mut() {
        items.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.what.cmp(&b.what)));
        let mut lower_side = f64::NEG_INFINITY;
        let mut above_passes = false;
        for item in items {
            let passes = item.height == 0.0;
            let distance = if passes || above_passes { plan.spacing.passing } else { plan.spacing.apart };
            item.y = item.y.max(lower_side + distance + item.height / 2.0);
            lower_side = item.y + item.height / 2.0;
            above_passes = passes;
            top = top.min(item.y - item.height / 2.0);
        }
    }
    for item in columns.into_values().flatten() {
        let y = item.y - top + plan.spacing.margin;
        match item.what {
            (Some(node), ..) => draft.nodes[node].y = y,
            (None, edge, at) => draft.ways[edge].0[at].y = y,
        }
    }
}

/// The columns from left to right: each as wide as the widest that stands in it, and the steeper
/// the edges between two must bend, the further they are apart.
fn spans(plan: &Plan, draft: &Draft) -> BTreeMap<i64, Span> {
    let mut widths: BTreeMap<i64, f64> = BTreeMap::new();
    let mut widen = |column: i64, width: f64| {
        let known = widths.entry(column).or_default();
        *known = known.max(width);
    };
    for (stop, size) in draft.nodes.iter().zip(&plan.nodes) {
        widen(stop.column, size.width + 2.0 * plan.spacing.stub);
    }
    for ((stops, label_at), edge) in draft.ways.iter().zip(&plan.edges) {
        for (at, stop) in stops.iter().enumerate() {
            widen(stop.column, if at == *label_at { edge.label.width } else { 0.0 });
        }
    }
    let mut drops: BTreeMap<i64, f64> = BTreeMap::new();
    for ((stops, _), edge) in draft.ways.iter().zip(&plan.edges) {
        let all = || std::iter::once(&draft.nodes[edge.from]).chain(stops).chain([&draft.nodes[edge.to]]);
        for (left, right) in all().zip(all().skip(1)) {
            let drop = drops.entry(left.column).or_default();
            *drop = drop.max((left.y - right.y).abs());
        }
    }
    let (least, most) = plan.spacing.gap;
    let mut x = plan.spacing.margin - plan.spacing.stub;
    let mut place = |(column, width): (i64, f64)| {
        let span = Span { left: x, right: x + width };
        let drop = drops.get(&column).copied().unwrap_or_default();
        x = span.right + (least + 0.25 * drop).min(most);
        (column, span)
    };
    widths.into_iter().map(&mut place).collect()
}

/// By edge: at which heights it leaves and meets its nodes, so that edges at one node neither cross
/// nor cover each other there.
fn ports(plan: &Plan, draft: &Draft) -> Vec<(f64, f64)> {
    let mut ports = vec![(0.0, 0.0); plan.edges.len()];
    let mut leaving: Vec<Vec<(f64, usize)>> = vec![Vec::new(); plan.nodes.len()];
    let mut arriving = leaving.clone();
    for (index, edge) in plan.edges.iter().enumerate() {
        let stops = &draft.ways[index].0;
        let (from, to) = (draft.nodes[edge.from].y, draft.nodes[edge.to].y);
        leaving[edge.from].push((stops.first().map_or(to, |stop| stop.y), index));
        arriving[edge.to].push((stops.last().map_or(from, |stop| stop.y), index));
    }
    for (node, mut edges) in leaving.into_iter().enumerate() {
        for (y, index) in spread(plan, node, draft.nodes[node].y, &mut edges) {
            ports[index].0 = y;
        }
    }
    for (node, mut edges) in arriving.into_iter().enumerate() {
        for (y, index) in spread(plan, node, draft.nodes[node].y, &mut edges) {
            ports[index].1 = y;
        }
    }
    ports
}

/// Spreads edges over one side of a node, in the order of where they go.
fn spread(plan: &Plan, node: usize, centre: f64, edges: &mut [(f64, usize)]) -> Vec<(f64, usize)> {
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let between = (edges.len().max(1) - 1) as f64;
    let room = plan.nodes[node].height - plan.spacing.port;
    let step = if between > 0.0 { plan.spacing.port.min(room / between) } else { 0.0 };
    let port = |(place, &(_, index)): (usize, &(f64, usize))| (centre + (place as f64 - between / 2.0) * step, index);
    edges.iter().enumerate().map(port).collect()
}
