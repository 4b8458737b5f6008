//! The small picture on the overview: who stands where, and which edge is broken.

use super::layout::{Drawn, Layout};
use super::marks::mark_of;
use super::plan::{Detail, Flow, SMALL_NAME_COLUMNS};
use super::svg::{draw_box, number, wire};
use super::text::{escape, shorten, shown, visible};
use super::words::{state_class, tone_class};
use crate::board::{StreamBoard, Tone};
use crate::outcome::Freshness;

/// Draws a stream in small, without ids and labels, for a page that brings the style sheet and the
/// [`marks`](super::marks()).
pub fn thumbnail(stream: &StreamBoard, layout: &Layout) -> String {
    let Drawn { placement, detail } = &layout.small;
    let (width, height) = (number(placement.width), number(placement.height));
    let (wide, high) = (number(placement.width / 16.0), number(placement.height / 16.0));
    let named = *detail == Detail::Small;
    let mut out = format!(
        "<svg class=\"graph small\" width=\"{wide}rem\" height=\"{high}rem\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{}\">",
        escape(&format!("{} in small", visible(&stream.name)))
    );
    for (edge, route) in stream.edges.iter().zip(&placement.routes) {
        let tone = Tone::of(edge);
        let mut more = if edge.discovered { " discovered" } else { "" }.to_owned();
        if edge.freshness == Freshness::Blind {
            more += " fresh-blind";
        }
        out += &format!("<g class=\"edge {}{more}\">{}", tone_class(tone), wire(route, 6.0, Flow::Right));
        // Marks only where something is wrong: what is well needs no attention here.
        if matches!(tone, Tone::Nok | Tone::Warn) {
            let (middle, size) = (route.label.centre(), if named { 15.0 } else { 12.0 });
            let (x, y) = (number(middle.x - size / 2.0), number(middle.y - size / 2.0));
            let mark = mark_of(tone);
            out += &format!(
                "<circle class=\"hush\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
                number(middle.x),
                number(middle.y),
                size * 0.62
            );
            out += &format!("<use href=\"#mark-{mark}\" x=\"{x}\" y=\"{y}\" width=\"{size}\" height=\"{size}\"/>");
        }
        out += "</g>";
    }
    for (node, place) in stream.nodes.iter().zip(&placement.nodes) {
        let centre = place.centre();
        out += &format!(
            "<g class=\"node {}\"><title>{}</title>{}",
            state_class(node.state),
            shown(&node.name),
            draw_box("body", place, if named { 6.0 } else { 3.0 })
        );
        if named {
            let name = shown(&shorten(&visible(&node.name), SMALL_NAME_COLUMNS));
            let (x, y) = (number(centre.x), number(centre.y + 4.2));
            out += &format!("<text class=\"name\" x=\"{x}\" y=\"{y}\">{name}</text>");
        }
        out += "</g>";
    }
    out += "</svg>";
    out
}
