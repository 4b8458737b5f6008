use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::picture::fixtures::{demo, graph, layered, rename, states};

/// The points of an edge's line, close enough together that nothing slips between.
fn line(route: &Route) -> Vec<Point> {
    let mut points = Vec::new();
    let mut last: Option<Point> = None;
    for &(left, right) in &route.runs {
        if let Some(from) = last {
            points.extend((1..64).map(|step| bend(from, left, f64::from(step) / 64.0)));
        }
        let steps = ((right.x - left.x) / 3.0).ceil().max(1.0) as u32;
        let at = |step| left.x + (right.x - left.x) * f64::from(step) / f64::from(steps);
        points.extend((0..=steps).map(|step| Point { x: at(step), y: left.y }));
        last = Some(right);
    }
    points
}

/// A point of the bend between two runs, as the writer draws it.
fn bend(from: Point, to: Point, part: f64) -> Point {
    let rest = 1.0 - part;
    // The weights of the ends, each with the control point that stands at its height.
    let near = [rest.powi(3), 3.0 * rest.powi(2) * part];
    let far = [part.powi(3), 3.0 * rest * part.powi(2)];
    Point {
        x: near[0] * from.x + (near[1] + far[1]) * f64::midpoint(from.x, to.x) + far[0] * to.x,
        y: (near[0] + near[1]) * from.y + (far[0] + far[1]) * to.y,
    }
}

/// How deep a point must lie in a box to count: a line may touch a side.
const TOUCH: f64 = 0.5;

fn inside(point: Point, place: &Rect) -> bool {
    point.x > place.x + TOUCH
        && point.x < place.right() - TOUCH
        && point.y > place.y + TOUCH
        && point.y < place.bottom() - TOUCH
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

/// Nothing lies over anything else, no edge cuts what is not its own, all lies in the picture.
fn check(plan: &Plan, placement: &Placement, head: f64) -> Result<(), TestCaseError> {
    if plan.flow == Flow::Down {
        return check(&plan.turned(), &placement.clone().turned(), head);
    }
    prop_assert_eq!(placement.nodes.len(), plan.nodes.len());
    prop_assert_eq!(placement.routes.len(), plan.edges.len());
    let labels = placement.routes.iter().map(|route| &route.label);
    let boxes: Vec<&Rect> = placement.nodes.iter().chain(labels).collect();
    for (index, one) in boxes.iter().enumerate() {
        prop_assert!(
            one.x >= 0.0 && one.y >= 0.0 && one.right() <= placement.width && one.bottom() <= placement.height
        );
        for other in &boxes[index + 1..] {
            prop_assert!(!overlap(one, other), "{one:?} lies over {other:?}");
        }
    }
    for (index, (route, edge)) in placement.routes.iter().zip(&plan.edges).enumerate() {
        let points = line(route);
        let (first, last) = (points[0], points[points.len() - 1]);
        prop_assert!((first.x - placement.nodes[edge.from].right()).abs() < 0.01);
        prop_assert!((last.x - placement.nodes[edge.to].x).abs() < 0.01);
        for (point, node) in [(first, edge.from), (last, edge.to)] {
            let node = &placement.nodes[node];
            prop_assert!(point.y >= node.y && point.y <= node.bottom());
        }
        let (from, to) = route.runs[route.runs.len() - 1];
        prop_assert!(to.x - from.x >= head, "the head stands on a level run");
        let bears = |&&(left, right): &&(Point, Point)| {
            left.x <= route.label.x + 0.01
                && right.x >= route.label.right() - 0.01
                && (left.y - route.label.centre().y).abs() < 0.01
        };
        prop_assert!(route.runs.iter().find(bears).is_some(), "the label sits on its edge");
        for (other, place) in boxes.iter().enumerate() {
            if other == placement.nodes.len() + index {
                continue;
            }
            let cut = points.iter().find(|&&point| inside(point, place));
            prop_assert!(cut.is_none(), "edge {index} cuts box {other} at {cut:?}");
        }
    }
    Ok(())
}

/// Every picture that is drawn, and how long its arrow heads are.
const DETAILS: [(Detail, f64); 6] = [
    (Detail::Full, 12.0),
    (Detail::Brief, 12.0),
    (Detail::Narrow, 12.0),
    (Detail::NarrowBrief, 12.0),
    (Detail::Small, 6.0),
    (Detail::Dots, 6.0),
];

fn check_stream(stream: &StreamBoard) -> Result<(), TestCaseError> {
    for (detail, head) in DETAILS {
        let plan = Plan::new(stream, detail);
        let placement = place(&Dagre, &plan);
        check(&plan, &placement, head)?;
        prop_assert_eq!(&placement, &place(&Dagre, &plan), "the same plan in the same way");
    }
    Ok(())
}

/// The nodes of each column, in their order across the flow.
fn columns(plan: &Plan, placement: &Placement) -> Vec<Vec<usize>> {
    let placement = if plan.flow == Flow::Down { placement.clone().turned() } else { placement.clone() };
    let mut columns: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (node, place) in placement.nodes.iter().enumerate() {
        columns.entry((place.centre().x * 8.0).round() as i64).or_default().push(node);
    }
    let mut columns: Vec<Vec<usize>> = columns.into_values().collect();
    for column in &mut columns {
        column.sort_by(|&a, &b| placement.nodes[a].y.total_cmp(&placement.nodes[b].y));
    }
    columns
}

/// The same without one node.
fn leave_out(columns: &mut Vec<Vec<usize>>, node: usize) {
    for column in &mut *columns {
        column.retain(|&other| other != node);
    }
    columns.retain(|column| !column.is_empty());
}

fn sets(columns: &[Vec<usize>]) -> Vec<BTreeSet<usize>> {
    columns.iter().map(|column| column.iter().copied().collect()).collect()
}

/// Any graph whose edges lead from earlier to later nodes.
fn forward(nodes: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    nodes.prop_flat_map(|nodes| {
        let pairs = prop::collection::btree_set((0..nodes, 0..nodes), 0..=nodes * 7 / 4);
        pairs.prop_map(move |pairs| (nodes, pairs.into_iter().filter(|(from, to)| from < to).collect()))
    })
}

#[test]
fn a_leaf_moves_nobody() {
    for (nodes, seeds) in [(4, 20), (10, 20), (30, 10), (300, 2)] {
        for seed in 0..seeds {
            let mut edges = layered(nodes, seed);
            let before = graph("large", nodes, &edges);
            edges.push(((seed as usize * 7 + 3) % nodes, nodes));
            let after = graph("large", nodes + 1, &edges);
            let [before, mut after] = [&before, &after].map(|stream| {
                let plan = Plan::new(stream, Detail::of(stream, Flow::Right));
                columns(&plan, &place(&Dagre, &plan))
            });
            leave_out(&mut after, nodes);
            assert_eq!(before, after, "{nodes} nodes, seed {seed}");
        }
    }
}

/// Any graph without cycles: its nodes named in any order, some of them alone.
fn graphs(nodes: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = StreamBoard> {
    nodes.prop_flat_map(|nodes| {
        let pairs = prop::collection::btree_set((0..nodes, 0..nodes), 0..=nodes * 7 / 4);
        let order = Just((0..nodes).collect::<Vec<usize>>()).prop_shuffle();
        (pairs, order).prop_map(move |(pairs, order)| {
            let forward = pairs.into_iter().filter(|(from, to)| from < to);
            let edges: Vec<_> = forward.map(|(from, to)| (order[from], order[to])).collect();
            graph("any", nodes, &edges)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn nothing_lies_over_anything(stream in graphs(1..=60)) {
        check_stream(&stream)?;
    }

    /// Whoever adds a node at the end of a manifest finds all others where they were.
    #[test]
    fn nodes_keep_their_order_when_one_is_added_at_the_end(
        (nodes, edges) in forward(2..=60),
        from in prop::collection::vec(any::<prop::sample::Index>(), 0..=3),
    ) {
        let mut more = edges.clone();
        more.extend(from.iter().map(|from| (from.index(nodes), nodes)).collect::<BTreeSet<_>>());
        for detail in [Detail::Full, Detail::Brief, Detail::Narrow, Detail::NarrowBrief] {
            let columns = |nodes, edges: &[(usize, usize)]| {
                let plan = Plan::new(&graph("any", nodes, edges), detail);
                columns(&plan, &place(&Dagre, &plan))
            };
            let mut after = columns(nodes + 1, &more);
            leave_out(&mut after, nodes);
            let before = columns(nodes, &edges);
            // A new edge may move what is before it to other columns: these are others, then.
            if sets(&before) == sets(&after) {
                prop_assert_eq!(before, after);
            }
        }
    }
}

#[test]
fn nothing_lies_over_anything_in_the_pictures_that_we_show() {
    for stream in [demo(), states(), rename(&demo(), &"long name ".repeat(12)), rename(&demo(), "漢字")] {
        check_stream(&stream).unwrap();
    }
}

#[test]
fn three_hundred_nodes_keep_their_distance() {
    for seed in 0..3 {
        let stream = graph("large", 300, &layered(300, seed));
        for flow in [Flow::Right, Flow::Down] {
            let plan = Plan::new(&stream, Detail::of(&stream, flow));
            check(&plan, &place(&Dagre, &plan), 12.0).unwrap();
        }
    }
}

#[test]
fn the_known_picture_flows_from_left_to_right() {
    let layout = lay_out(&demo());
    let placement = &layout.flowing(Flow::Right).placement;
    let x = |node: usize| placement.nodes[node].x;
    assert!(x(0) < x(1) && x(1) < x(2));
    assert!((x(2) - x(3)).abs() < 40.0, "two leaves stand in one column");
    assert!(placement.width < 1_340.0, "it fits a laptop: {}", placement.width);
}

#[test]
fn on_a_phone_the_known_picture_flows_from_top_to_bottom() {
    let layout = lay_out(&demo());
    let placement = &layout.flowing(Flow::Down).placement;
    let y = |node: usize| placement.nodes[node].y;
    assert!(y(0) < y(1) && y(1) < y(2));
    assert!((y(2) - y(3)).abs() < 1.0, "two leaves stand in one row");
    assert!(placement.width < 360.0, "it fits a phone: {}", placement.width);
}

#[test]
fn an_empty_stream_has_a_layout() {
    let layout = lay_out(&graph("empty", 0, &[]));
    assert!(layout.flowing(Flow::Down).placement.nodes.is_empty() && layout.width(Flow::Right) >= 0.0);
    check_stream(&graph("alone", 3, &[])).unwrap();
}

/// Graphviz, where it is installed.
struct Dot;

impl Placer for Dot {
    fn place(&self, plan: &Plan) -> Placement {
        let (piped, mut command) = (std::process::Stdio::piped, std::process::Command::new("dot"));
        let mut child = command.arg("-Tjson0").stdin(piped()).stdout(piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let asked = crate::picture::question(plan);
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, asked.as_bytes()).unwrap());
        let answer = child.wait_with_output().unwrap();
        writer.join().unwrap();
        crate::picture::placed(plan, &String::from_utf8(answer.stdout).unwrap()).unwrap()
    }
}

#[test]
fn nothing_lies_over_anything_where_graphviz_lays_out() {
    if std::process::Command::new("dot").arg("-V").output().is_err() {
        return;
    }
    let drawn = (0..6).map(|seed| graph("drawn", 40, &layered(40, seed)));
    for stream in drawn.chain([demo(), states(), graph("alone", 3, &[]), graph("large", 150, &layered(150, 1))]) {
        for flow in [Flow::Right, Flow::Down] {
            let plan = Plan::new(&stream, Detail::of(&stream, flow));
            check(&plan, &place(&Dot, &plan), 12.0).unwrap();
        }
    }
}
