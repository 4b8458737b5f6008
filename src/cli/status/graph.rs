//! Draws the graph of a stream in characters; ascii-dag lays it out.
//!
//! Every edge passes through a node of its own that says its status: so no label can be left out, lie
//! on a line or on another. The first of some ways of drawing that fits the terminal is taken.

use ascii_dag::render::engine::{ColorMode, EdgeStyle, EdgeStyleCtx, NodePaintCtx, NodeRegion};
use ascii_dag::{CellColor, CustomNode, Direction, Graph, LayoutConfig, RenderOptions};
use unicode_width::UnicodeWidthChar;

use super::mark;
use super::model::{Edge, Node, Stream};
use crate::board::Tone;
use crate::cli::text::printable;
use crate::outcome::NodeState;
use crate::picture::text::shorten;

/// The most columns of a node's name.
const NAME_COLUMNS: usize = 24;
/// Larger graphs are for the page.
const EDGES_MAX: usize = 150;
/// Stands for the second column of a wide character; taken out at the end.
const SECOND_COLUMN: char = '\u{e000}';
/// The ids of nodes that say something begin at this, times one more than the index of their ink.
const INK: usize = 1_000_000;
/// The colours, as a terminal knows them.
const INKS: [CellColor; 6] = [
    CellColor::ansi256(2),
    CellColor::ansi256(65),
    CellColor::ansi256(3),
    CellColor::ansi256(1),
    CellColor::ansi256(8),
    CellColor::ansi256(6),
];

/// How much an edge says.
#[derive(Clone, Copy)]
enum Say {
    /// Its number, mark, status and window.
    All,
    /// Its number and mark.
    Mark,
}

/// The graph in at most so many columns; nothing where it does not fit.
pub(super) fn draw(stream: &Stream, columns: usize, colour: bool) -> Option<String> {
    if stream.edges.is_empty() || stream.edges.len() > EDGES_MAX {
        return None;
    }
    let ways = [
        (Direction::LeftRight, Say::All),
        (Direction::LeftRight, Say::Mark),
        (Direction::TopDown, Say::All),
        (Direction::TopDown, Say::Mark),
    ];
    ways.into_iter().find_map(|(direction, say)| draw_so(stream, columns, colour, direction, say))
}

fn draw_so(stream: &Stream, columns: usize, colour: bool, direction: Direction, say: Say) -> Option<String> {
    let names: Vec<_> = stream.nodes.iter().map(|node| cells(&name(node))).collect();
    let words: Vec<_> = (1..).zip(&stream.edges).map(|(number, edge)| cells(&word(number, edge, say))).collect();
    let mut graph = Graph::new();
    for (index, (node, name)) in stream.nodes.iter().zip(&names).enumerate() {
        graph.add_node(id(index, node_ink(node)), text(name));
    }
    let node_id = |name: &str| {
        let index = stream.nodes.iter().position(|node| node.name == name)?;
        Some(id(index, node_ink(&stream.nodes[index])))
    };
    for (index, (edge, word)) in stream.edges.iter().zip(&words).enumerate() {
        let (Some(from), Some(to)) = (node_id(&edge.from), node_id(&edge.to)) else { continue };
        let middle = id(stream.nodes.len() + index, Some(tone_ink(edge.tone)));
        graph.add_node(middle, text(word));
        graph.add_edge(from, middle, None);
        graph.add_edge(middle, to, None);
    }
    let mut config = LayoutConfig::standard();
    config.direction = direction;
    let layout = graph.compute_layout_with_config(&config);
    let mut options = RenderOptions::plain();
    options.plan.edge_style_fn = edge_style;
    let plain = layout.render_string(&options);
    if plain.lines().any(|line| line.trim_end().chars().count() > columns) {
        return None;
    }
    if colour {
        options.emit.color_mode = ColorMode::Ansi256;
    }
    let drawn = if colour { layout.render_string(&options) } else { plain };
    let lines = drawn.lines().map(|line| line.trim_end().replace(SECOND_COLUMN, "") + "\n");
    // Nothing above the first and below the last line that shows something.
    let lines: Vec<_> = lines.collect();
    let first = lines.iter().position(|line| !line.trim().is_empty())?;
    let last = lines.iter().rposition(|line| !line.trim().is_empty())?;
    Some(lines[first..=last].concat())
}

/// A node of one line that shows its payload.
fn text(cells: &str) -> CustomNode<'_> {
    CustomNode { label: cells, width: cells.chars().count(), height: 1, painter: Some(paint), payload: cells }
}

/// One character a cell, as the library counts: what has no width of its own is left out, what is
/// two columns wide takes two cells.
fn cells(text: &str) -> String {
    let mut cells = String::with_capacity(text.len());
    for c in text.chars() {
        match c.width().unwrap_or(0) {
            0 => {}
            1 => cells.push(c),
            _ => cells.extend([c, SECOND_COLUMN]),
        }
    }
    cells
}

fn name(node: &Node) -> String {
    let mark = match node.state {
        NodeState::Silent => "✗ ",
        NodeState::Unobserved => "? ",
        NodeState::Waiting => "… ",
        NodeState::Observed => "",
    };
    format!("[{mark}{}]", shorten(&printable(&node.name), NAME_COLUMNS))
}

fn word(number: usize, edge: &Edge, say: Say) -> String {
    let mark = mark(edge.tone);
    match say {
        Say::All => format!(" {number} {mark} {} {}/{} ", edge.status, edge.pass, edge.total),
        Say::Mark => format!(" {number}{mark} "),
    }
}

/// An id that tells the ink, since the library's painters know nothing else of a node.
fn id(index: usize, ink: Option<usize>) -> usize {
    index + ink.map_or(0, |ink| (ink + 1) * INK)
}

fn ink_of(id: usize) -> CellColor {
    (id / INK).checked_sub(1).map_or(CellColor::DEFAULT, |ink| INKS[ink.min(INKS.len() - 1)])
}

fn tone_ink(tone: Tone) -> usize {
    match tone {
        Tone::Ok => 0,
        Tone::OkIdle => 1,
        Tone::Warn => 2,
        Tone::Nok => 3,
        Tone::Grey => 4,
    }
}

fn node_ink(node: &Node) -> Option<usize> {
    match node.state {
        NodeState::Silent => Some(3),
        NodeState::Unobserved => Some(4),
        NodeState::Waiting => Some(5),
        NodeState::Observed => None,
    }
}

fn paint(region: &mut NodeRegion<'_, '_>, node: NodePaintCtx<'_>) {
    for (x, c) in node.payload.chars().enumerate() {
        region.set_colored(x, 0, c, ink_of(node.node_id));
    }
}

/// Both halves of an edge are drawn in the ink of what it says.
fn edge_style(edge: EdgeStyleCtx<'_>) -> EdgeStyle {
    let says = edge.from_id % INK > edge.to_id % INK;
    let style = EdgeStyle { color: ink_of(if says { edge.from_id } else { edge.to_id }), ..EdgeStyle::default() };
    if says { style } else { EdgeStyle { marker_end: ascii_dag::MarkerShape::None, ..style } }
}
