//! Layout by Graphviz: what `dot` is asked, and how its answer is read. Whoever has `dot` runs it.
//!
//! Ranks, crossings and heights are its work; the columns and the ways of the edges are ours (see
//! [`columns`](super::columns)). It is told sizes, and no name.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::columns::{Draft, Stop, settle};
use super::layout::{Placement, Point};
use super::plan::{Plan, PlannedEdge, Size};

/// Pixels in one of its inches, so that its points are our pixels.
const INCH: f64 = 72.0;
/// Into so many pieces a curve is cut to read it.
const PIECES: u32 = 16;

/// What to ask `dot -Tjson0` for a plan that flows from left to right. Each label is a node between its
/// edge's two nodes, so that it has a place of its own.
pub fn question(plan: &Plan) -> String {
    let Plan { spacing, .. } = plan;
    let mut out = format!(
        "digraph {{\ngraph [rankdir=LR nodesep={:.3} ranksep={:.3}]\n\
         node [shape=box fixedsize=true label=\"\"]\nedge [arrowhead=none]\n",
        spacing.apart / INCH,
        spacing.gap.0 / INCH
    );
    let sized = |id: &str, index: usize, size: &Size| {
        format!("{id}{index} [width={:.3} height={:.3}]\n", size.width / INCH, size.height / INCH)
    };
    out.extend(plan.nodes.iter().enumerate().map(|(index, size)| sized("n", index, size)));
    for (index, PlannedEdge { from, to, label }) in plan.edges.iter().enumerate() {
        out += &sized("e", index, label);
        out += &format!("n{from} -> e{index}\ne{index} -> n{to}\n");
    }
    out + "}\n"
}

/// What is read of its answer.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    objects: Vec<Object>,
    #[serde(default)]
    edges: Vec<Line>,
}

#[derive(Deserialize)]
struct Object {
    name: String,
    pos: String,
}

/// An edge from one object to another, by their places in the list of all.
#[derive(Deserialize)]
struct Line {
    tail: usize,
    head: usize,
    pos: String,
}

/// Reads its answer to the [`question`] for the same plan; the error says what is wrong with it.
pub fn placed(plan: &Plan, answer: &str) -> Result<Placement, String> {
    let answer: Answer =
        serde_json::from_str(answer).map_err(|error| format!("its answer is not understood: {error}"))?;
    draft(plan, &answer).map(|draft| settle(plan, draft)).ok_or_else(|| "its answer is incomplete".to_owned())
}

fn draft(plan: &Plan, answer: &Answer) -> Option<Draft> {
    let mut stops = HashMap::new();
    for Object { name, pos } in &answer.objects {
        let Point { x, y } = point(pos)?;
        stops.insert(name.as_str(), Stop { column: x.round() as i64, y: -y });
    }
    let columns: BTreeSet<i64> = stops.values().map(|stop| stop.column).collect();
    let mut lines = HashMap::new();
    for Line { tail, head, pos } in &answer.edges {
        let ends = (answer.objects.get(*tail)?.name.as_str(), answer.objects.get(*head)?.name.as_str());
        lines.insert(ends, curve(pos)?);
    }
    let way = |(index, edge): (usize, &PlannedEdge)| {
        let (from, label, to) = (format!("n{}", edge.from), format!("e{index}"), format!("n{}", edge.to));
        let passed = |tail: &str, head: &str| -> Option<Vec<Stop>> {
            let (left, right) = (stops.get(tail)?.column, stops.get(head)?.column);
            let line = lines.get(&(tail, head))?;
            let between = (left < right).then(|| columns.range(left + 1..right))?;
            Some(between.map(|&column| Stop { column, y: height_at(line, column as f64) }).collect())
        };
        let mut way = passed(&from, &label)?;
        let label_at = way.len();
        way.push(*stops.get(label.as_str())?);
        way.extend(passed(&label, &to)?);
        Some((way, label_at))
    };
    Some(Draft {
        nodes: (0..plan.nodes.len())
            .map(|node| stops.get(format!("n{node}").as_str()).copied())
            .collect::<Option<_>>()?,
        ways: plan.edges.iter().enumerate().map(way).collect::<Option<_>>()?,
    })
}

/// `x,y`
fn point(text: &str) -> Option<Point> {
    let (x, y) = text.split_once(',')?;
    let (x, y) = (x.parse::<f64>().ok()?, y.parse::<f64>().ok()?);
    (x.is_finite() && y.is_finite()).then_some(Point { x, y })
}

/// Points along a curve, which is told as Bézier pieces that follow each other; downwards, as we have it.
fn curve(text: &str) -> Option<Vec<Point>> {
    let told: Vec<Point> = text.split_whitespace().map(point).collect::<Option<_>>()?;
    let mut points = vec![*told.first()?];
    for ends in told.windows(4).step_by(3) {
        points.extend((1..=PIECES).map(|piece| on_piece(ends, f64::from(piece) / f64::from(PIECES))));
    }
    Some(points.into_iter().map(|point| Point { y: -point.y, ..point }).collect())
}

fn on_piece(ends: &[Point], part: f64) -> Point {
    let rest = 1.0 - part;
    let weights = [rest.powi(3), 3.0 * rest.powi(2) * part, 3.0 * rest * part.powi(2), part.powi(3)];
    let sum = |of: fn(&Point) -> f64| ends.iter().zip(weights).map(|(point, weight)| of(point) * weight).sum();
    Point { x: sum(|point| point.x), y: sum(|point| point.y) }
}

/// How high a line from left to right is there.
fn height_at(line: &[Point], x: f64) -> f64 {
    let after = line.iter().position(|point| point.x >= x).unwrap_or(line.len() - 1);
    let (a, b) = (line[after.saturating_sub(1)], line[after]);
    if b.x > a.x { a.y + (b.y - a.y) * ((x - a.x) / (b.x - a.x)).clamp(0.0, 1.0) } else { b.y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::fixtures::demo;
    use crate::picture::plan::Detail;

    #[test]
    fn a_curve_is_read_where_it_is() {
        let line = curve("0,0 10,0 20,-30 30,-30 40,-30 50,-30 60,-30").unwrap();
        assert_eq!((height_at(&line, 0.0), height_at(&line, 45.0)), (0.0, 30.0));
        assert!((height_at(&line, 15.0) - 15.0).abs() < 0.5);
        assert_eq!(curve("0,0 nonsense").map(|line| line.len()), None);
    }

    #[test]
    fn what_is_no_answer_is_said() {
        let plan = Plan::new(&demo(), Detail::Full);
        assert!(placed(&plan, "Error: syntax").unwrap_err().starts_with("its answer is not understood"));
        assert_eq!(placed(&plan, "{}").unwrap_err(), "its answer is incomplete");
        assert!(question(&plan).contains("n1 -> e2\ne2 -> n3\n"));
    }
}
