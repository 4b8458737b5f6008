//! The SVG writer.
//!
//! Every edge is a group `#e{index}`, every node a group `#n{index}`: index in the stream's lists. In a
//! page the picture that flows down stands beside the other, and its ids end in `-down`.
//! What changes from board to board is the group's class and the texts; never a coordinate.

use super::layout::{Drawn, Layout, Placement, Point, Rect, Route};
use super::marks::{every_mark, marks};
use super::plan::{
    Detail, Flow, LABEL_PAD, MARK_GAP, MARK_PX, NAME_COLUMNS, NARROW_NAME_COLUMNS, mono_columns_width, places,
};
use super::text::{escape, shorten, shown, visible};
use super::words::{
    count, fact_line, fact_short, freshness, latency, lost_line, lost_short, node_line, owed_short, share, spoken,
    state_class, tone_class,
};
use crate::board::{EdgeBoard, NodeBoard, StreamBoard, Tone, check_line, status_line};
use crate::clock::Moment;
use crate::outcome::Freshness;

/// The rules for the graph, as they stand in the page's style sheet, too.
const STYLE: &str = include_str!("../../static/graph.css");

/// The content security policy under which a picture that stands alone is to be served: it brings its
/// own style, and needs nothing else.
pub const STANDALONE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What all parts of one picture are drawn with.
struct Pen {
    detail: Detail,
    flow: Flow,
    at: Moment,
    /// What ids end in.
    ending: &'static str,
}

/// Draws a stream. `inline`: for a page that brings the style sheet and the [`marks`]; else it
/// stands alone.
pub fn svg(stream: &StreamBoard, layout: &Layout, flow: Flow, inline: bool) -> String {
    let Drawn { placement, detail } = layout.flowing(flow);
    let (width, height) = (number(placement.width), number(placement.height));
    let label = format!("{}: {}", visible(&stream.name), stream.status);
    let class = if flow == Flow::Down { "down" } else { "right" };
    let mut out = String::with_capacity(2_048 * (1 + stream.edges.len() + stream.nodes.len()));
    if inline {
        let (wide, high) = (number(placement.width / 16.0), number(placement.height / 16.0));
        out += &format!("<svg class=\"graph {class}\" width=\"{wide}rem\" height=\"{high}rem\"");
    } else {
        out += &format!(
            "<svg class=\"graph {class}\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\""
        );
    }
    out += &format!(" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{}\">", escape(&label));
    if !inline {
        out += &format!("<title>{}</title><style>{STYLE}</style>{}", escape(&label), marks());
        out += &format!("<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
    }
    let ending = if inline && flow == Flow::Down { "-down" } else { "" };
    out += &body(stream, placement, &Pen { detail: *detail, flow, at: stream.at, ending });
    out += "</svg>\n";
    out
}

/// In the order of the flow, since it is read and stepped through in this order: every node along the
/// flow and then across it, and behind it the edges that leave it.
fn body(stream: &StreamBoard, placement: &Placement, pen: &Pen) -> String {
    let places = places(stream);
    let mut leaving = vec![String::new(); stream.nodes.len()];
    for (index, (edge, route)) in stream.edges.iter().zip(&placement.routes).enumerate() {
        if let Some(&from) = places.get(edge.from.as_str()) {
            leaving[from] += &draw_edge(index, edge, route, pen);
        }
    }
    let order = |place: &Rect| match (pen.flow, place.centre()) {
        (Flow::Right, Point { x, y }) => (x, y),
        (Flow::Down, Point { x, y }) => (y, x),
    };
    let mut nodes: Vec<_> = stream.nodes.iter().zip(&placement.nodes).zip(leaving).enumerate().collect();
    nodes.sort_by(|(_, ((_, a), _)), (_, ((_, b), _))| {
        let (a, b) = (order(a), order(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    nodes.into_iter().map(|(index, ((node, place), leaving))| draw_node(index, node, place, pen) + &leaving).collect()
}

fn draw_edge(index: usize, edge: &EdgeBoard, route: &Route, pen: &Pen) -> String {
    let mut class = format!("edge {} fresh-{}", tone_class(Tone::of(edge)), edge.freshness.name());
    if edge.discovered {
        class += " discovered";
    }
    let (from, to, title) = (escape(&edge.from), escape(&edge.to), edge_title(edge));
    let (spoken, ending) = (shown(&spoken(edge)), pen.ending);
    let owed = escape(&check_line(edge).unwrap_or_default());
    format!(
        "<g id=\"e{index}{ending}\" class=\"{class}\" data-edge=\"{index}\" data-from=\"{from}\" data-to=\"{to}\" \
         data-owed=\"{owed}\" role=\"img\" aria-label=\"{spoken}\"><title>{title}</title>{}{}</g>\n",
        wire(route, 12.0, pen.flow),
        draw_label(edge, &route.label, pen)
    )
}

/// The line of an edge and its arrow head. The head is a shape of its own and no marker, so that it
/// takes the group's colour in every browser.
pub(super) fn wire(route: &Route, head: f64, flow: Flow) -> String {
    let turned = |point: Point| if flow == Flow::Down { Point { x: point.y, y: point.x } } else { point };
    // In here all flows to the right; what is written is turned back.
    let write = |x: f64, y: f64| {
        let Point { x, y } = turned(Point { x, y });
        format!("{} {}", number(x), number(y))
    };
    let Some(&(first, _)) = route.runs.first() else { return String::new() };
    let mut at = turned(first);
    let mut d = format!("M{}", write(at.x, at.y));
    for (place, &(from, to)) in route.runs.iter().enumerate() {
        let (from, to) = (turned(from), turned(to));
        if at != from {
            // Level at both ends.
            let middle = f64::midpoint(at.x, from.x);
            d += &format!("C{} {} {}", write(middle, at.y), write(middle, from.y), write(from.x, from.y));
        }
        let is_last = place + 1 == route.runs.len();
        at = Point { x: if is_last { to.x - head + 1.0 } else { to.x }, y: to.y };
        d += &format!("{}{}", if flow == Flow::Down { 'V' } else { 'H' }, number(at.x));
    }
    let (x, y, half) = (at.x + head - 1.0, at.y, head * 0.55);
    let arrow = format!("M{}L{}L{}z", write(x, y), write(x - head, y - half), write(x - head, y + half));
    format!("<path class=\"wire\" d=\"{d}\"/><path class=\"head\" d=\"{arrow}\"/>")
}

/// The box on an edge that says how it is.
fn draw_label(edge: &EdgeBoard, place: &Rect, pen: &Pen) -> String {
    let left = place.x + LABEL_PAD;
    let text = |class: &str, x: f64, y: f64, text: &str| {
        format!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>", number(x), number(place.y + y), escape(text))
    };
    let said = status_line(edge.status, edge.pass, edge.total);
    let lost = if edge.ledger.late + edge.ledger.missing > 0 { "lost some" } else { "lost" };
    let first = if pen.detail == Detail::Full { 23.0 } else { 19.0 };
    let beside = left + MARK_PX + MARK_GAP;
    let mut out = draw_box("label", place, 8.0);
    out += &every_mark(left, place.y + first - 12.5, MARK_PX);
    if pen.flow == Flow::Down {
        out += &text("word", beside, first, edge.status.name());
        out += &text("share", left, first + 18.0, share(&said));
    } else {
        out += &text("said", beside, first, &said);
        out += &text("owed", left, first + 17.0, &check_line(edge).unwrap_or_else(|| "no check".to_owned()));
    }
    if pen.detail == Detail::Full {
        out += &text("fact", left, first + 32.0, &fact_line(edge, pen.at));
        out += &text(lost, left, first + 47.0, &lost_line(edge));
    }
    if pen.detail == Detail::Narrow {
        out += &text("owed", left, first + 34.0, &owed_short(edge));
        out += &text("fact", left, first + 49.0, &fact_short(edge));
        out += &text(lost, left, first + 64.0, &lost_short(edge));
    }
    if edge.ledger.indeterminate > 0 {
        let words = format!("{} indeterminate", count(edge.ledger.indeterminate));
        out += &draw_flag("flag-indeterminate", &words, place.centre().x, place.y);
    }
    if edge.freshness == Freshness::Blind {
        out += &draw_flag("flag-blind", "blind", place.centre().x, place.bottom());
    }
    out
}

fn draw_node(index: usize, node: &NodeBoard, place: &Rect, pen: &Pen) -> String {
    let columns = if pen.flow == Flow::Down { NARROW_NAME_COLUMNS } else { NAME_COLUMNS };
    let (name, title) = (shown(&shorten(&visible(&node.name), columns)), node_title(node, pen.at));
    let (Point { x, y }, ending) = (place.centre(), pen.ending);
    let mut class = format!("node {}", state_class(node.state));
    if node.root {
        class += " root";
    }
    let text = |class: &str, y: f64, text: &str| {
        format!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{text}</text>", number(x), number(y))
    };
    let mut out = format!(
        "<g id=\"n{index}{ending}\" class=\"{class}\" data-node=\"{}\" role=\"img\">\
         <title>{title}</title>",
        escape(&node.name)
    );
    out += &draw_box("body", place, 10.0);
    out += &text("name", y - 2.0, &name);
    out += &text("doing", y + 15.0, &escape(&node_line(node)));
    if node.unreported > 0 {
        // Clear of the line above it.
        let y = place.bottom() + 4.0;
        out += &draw_flag("flag-unreported", &format!("{} unreported", count(node.unreported)), x, y);
    }
    if node.clock_flagged {
        out += &draw_flag("flag-clock", "clock ahead", x, place.y);
    }
    out += "</g>\n";
    out
}

/// A small loud note that sits on a box's border, its middle at `x`.
fn draw_flag(class: &str, words: &str, x: f64, y: f64) -> String {
    let width = mono_columns_width(words.chars().count()) + 14.0;
    let left = x - width / 2.0;
    let place = Rect { x: left, y: y - 8.5, width, height: 17.0 };
    format!(
        "<g class=\"flag {class}\">{}<text x=\"{}\" y=\"{}\">{}</text></g>",
        draw_box("pill", &place, 8.5),
        number(left + width / 2.0),
        number(y + 3.8),
        escape(words)
    )
}

pub(super) fn draw_box(class: &str, place: &Rect, radius: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"/>",
        number(place.x),
        number(place.y),
        number(place.width),
        number(place.height)
    )
}

/// What a pointer or a screen reader is told of an edge.
pub(super) fn edge_title(edge: &EdgeBoard) -> String {
    let name = edge.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let mut title = format!("{} → {}{name}: ", edge.from, edge.to);
    title += &status_line(edge.status, edge.pass, edge.total);
    title += &format!(", {} since {}. {}", edge.held, edge.held_since, freshness(edge.freshness));
    if let Some(check) = check_line(edge) {
        title += &format!(" {check}.");
    }
    if let Some(ms) = edge.latency_ms {
        title += &format!(" Latency {}, p95 {}, p99 {}.", latency(ms.p50), latency(ms.p95), latency(ms.p99));
    }
    let ledger = &edge.ledger;
    title += &format!(" {} late, {} missing", ledger.late, ledger.missing);
    if ledger.indeterminate > 0 {
        title += &format!(", {} indeterminate", ledger.indeterminate);
    }
    shown(&(title + "."))
}

/// What a pointer or a screen reader is told of a node.
pub(super) fn node_title(node: &NodeBoard, at: Moment) -> String {
    let mut title = format!("{}: {}, {} events", node.name, node.state.name(), node.events);
    if let Some(last) = node.last {
        title += &format!(", the last {} ago", super::words::age(at, last).replace("now", "0 s"));
    }
    if node.unreported > 0 {
        title += &format!(", {} unreported: seen beyond it, but not by it", node.unreported);
    }
    if node.clock_flagged {
        title += ", its clock is more than 5 minutes ahead";
    }
    shown(&(title + "."))
}

/// A coordinate, with one decimal at most.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests;
