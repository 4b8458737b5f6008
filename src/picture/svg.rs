//! The SVG writer.
//!
//! Every edge is a group `#e{index}`, every node a group `#n{index}`: index in the stream's lists.
//! What changes from board to board is the group's class and the texts; never a coordinate.

use super::layout::{Layout, Placement, Point, Rect, Route};
use super::marks::{every_mark, marks};
use super::plan::{Detail, LABEL_PAD, MARK_GAP, MARK_PX, NAME_COLUMNS, mono_columns_width, places};
use super::text::{escape, shorten, shown, visible};
use super::words::{count, fact_line, freshness, latency, lost_line, node_line, spoken, state_class, tone_class};
use crate::board::{EdgeBoard, NodeBoard, StreamBoard, Tone, check_line, status_line};
use crate::clock::Moment;

/// The rules for the graph, as they stand in the page's style sheet, too.
const STYLE: &str = include_str!("../../static/graph.css");

/// The content security policy under which a picture that stands alone is to be served: it brings its
/// own style, and needs nothing else.
pub const STANDALONE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Draws a stream. `inline`: for a page that brings the style sheet and the [`marks`]; else it
/// stands alone.
pub fn svg(stream: &StreamBoard, layout: &Layout, inline: bool) -> String {
    let placement = &layout.full;
    let (width, height) = (number(placement.width), number(placement.height));
    let label = format!("{}: {}", visible(&stream.name), stream.status);
    let mut out = String::with_capacity(2_048 * (1 + stream.edges.len() + stream.nodes.len()));
    if inline {
        let (wide, high) = (number(placement.width / 16.0), number(placement.height / 16.0));
        out += &format!("<svg class=\"graph\" width=\"{wide}rem\" height=\"{high}rem\"");
    } else {
        out +=
            &format!("<svg class=\"graph\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\"");
    }
    out += &format!(" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{}\">", escape(&label));
    if !inline {
        out += &format!("<title>{}</title><style>{STYLE}</style>{}", escape(&label), marks());
        out += &format!("<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
    }
    out += &body(stream, placement, layout.detail);
    out += "</svg>\n";
    out
}

/// In the order of the flow, since it is read and stepped through in this order: every node from left
/// to right and top to bottom, and behind it the edges that leave it.
fn body(stream: &StreamBoard, placement: &Placement, detail: Detail) -> String {
    let places = places(stream);
    let mut leaving = vec![String::new(); stream.nodes.len()];
    for (index, (edge, route)) in stream.edges.iter().zip(&placement.routes).enumerate() {
        if let Some(&from) = places.get(edge.from.as_str()) {
            leaving[from] += &draw_edge(index, edge, route, detail, stream.at);
        }
    }
    let mut nodes: Vec<_> = stream.nodes.iter().zip(&placement.nodes).zip(leaving).enumerate().collect();
    nodes.sort_by(|(_, ((_, a), _)), (_, ((_, b), _))| a.centre().x.total_cmp(&b.centre().x).then(a.y.total_cmp(&b.y)));
    let drawn =
        nodes.into_iter().map(|(index, ((node, place), leaving))| draw_node(index, node, place, stream.at) + &leaving);
    drawn.collect()
}

fn draw_edge(index: usize, edge: &EdgeBoard, route: &Route, detail: Detail, at: Moment) -> String {
    let mut class = format!("edge {} fresh-{}", tone_class(Tone::of(edge)), edge.freshness.name());
    if edge.discovered {
        class += " discovered";
    }
    let (from, to, title) = (escape(&edge.from), escape(&edge.to), edge_title(edge));
    let spoken = shown(&spoken(edge));
    format!(
        "<g id=\"e{index}\" class=\"{class}\" data-edge=\"{index}\" data-from=\"{from}\" data-to=\"{to}\" role=\"img\" \
         aria-label=\"{spoken}\"><title>{title}</title>{}{}</g>\n",
        wire(route, 12.0),
        draw_label(edge, &route.label, detail, at)
    )
}

/// The line of an edge and its arrow head. The head is a shape of its own and no marker, so that it
/// takes the group's colour in every browser.
pub(super) fn wire(route: &Route, head: f64) -> String {
    let Some(&(first, _)) = route.runs.first() else { return String::new() };
    let mut d = format!("M{} {}", number(first.x), number(first.y));
    let mut at = first;
    for &(left, right) in &route.runs {
        d += &bend(at, left);
        let is_last = route.runs.last().is_some_and(|&(_, last)| last == right);
        at = Point { x: if is_last { right.x - head + 1.0 } else { right.x }, y: right.y };
        d += &format!("H{}", number(at.x));
    }
    let (x, y, half) = (at.x + head - 1.0, at.y, head * 0.55);
    let arrow = format!("M{} {}L{} {}V{}z", number(x), number(y), number(x - head), number(y - half), number(y + half));
    format!("<path class=\"wire\" d=\"{d}\"/><path class=\"head\" d=\"{arrow}\"/>")
}

/// From the end of one run to the start of the next: level at both ends.
fn bend(from: Point, to: Point) -> String {
    if from == to {
        return String::new();
    }
    let middle = number(f64::midpoint(from.x, to.x));
    let (x, y) = (number(to.x), number(to.y));
    format!("C{middle} {} {middle} {y} {x} {y}", number(from.y))
}

/// The box on an edge that says how it is.
fn draw_label(edge: &EdgeBoard, place: &Rect, detail: Detail, at: Moment) -> String {
    let left = place.x + LABEL_PAD;
    let text = |class: &str, x: f64, y: f64, text: &str| {
        format!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>", number(x), number(place.y + y), escape(text))
    };
    let said = status_line(edge.status, edge.pass, edge.total);
    let owed = check_line(edge).unwrap_or_else(|| "no check".to_owned());
    let first = if detail == Detail::Full { 23.0 } else { 19.0 };
    let mut out = draw_box("label", place, 8.0);
    out += &every_mark(left, place.y + first - 12.5, MARK_PX);
    out += &text("said", left + MARK_PX + MARK_GAP, first, &said);
    out += &text("owed", left, first + 17.0, &owed);
    if detail == Detail::Full {
        out += &text("fact", left, first + 32.0, &fact_line(edge, at));
        let lost = edge.ledger.late + edge.ledger.missing > 0;
        out += &text(if lost { "lost some" } else { "lost" }, left, first + 47.0, &lost_line(edge));
    }
    if edge.ledger.indeterminate > 0 {
        let words = format!("{} indeterminate", count(edge.ledger.indeterminate));
        out += &draw_flag("flag-indeterminate", &words, place.right() - 10.0, place.y, true);
    }
    out
}

fn draw_node(index: usize, node: &NodeBoard, place: &Rect, at: Moment) -> String {
    let (name, title) = (shown(&shorten(&visible(&node.name), NAME_COLUMNS)), node_title(node, at));
    let Point { x, y } = place.centre();
    let mut class = format!("node {}", state_class(node.state));
    if node.root {
        class += " root";
    }
    let text = |class: &str, y: f64, text: &str| {
        format!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{text}</text>", number(x), number(y))
    };
    let mut out = format!(
        "<g id=\"n{index}\" class=\"{class}\" data-node=\"{}\" role=\"img\">\
         <title>{title}</title>",
        escape(&node.name)
    );
    out += &draw_box("body", place, 10.0);
    out += &text("name", y - 2.0, &name);
    out += &text("doing", y + 15.0, &escape(&node_line(node)));
    if node.unreported > 0 {
        out +=
            &draw_flag("flag-unreported", &format!("{} unreported", count(node.unreported)), x, place.bottom(), false);
    }
    if node.clock_flagged {
        out += &draw_flag("flag-clock", "clock ahead", x, place.y, false);
    }
    out += "</g>\n";
    out
}

/// A small loud note that sits on a box's border: its right end at `x`, or its middle.
fn draw_flag(class: &str, words: &str, x: f64, y: f64, to_left: bool) -> String {
    let width = mono_columns_width(words.chars().count()) + 14.0;
    let left = if to_left { x - width } else { x - width / 2.0 };
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
