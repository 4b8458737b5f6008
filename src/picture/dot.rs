//! The Graphviz source of a stream's picture.

use graphviz_rust::dot_structures::{Attribute, Edge, EdgeTy, Graph, GraphAttributes, Id, Node, NodeId, Stmt, Vertex};
use graphviz_rust::printer::{DotPrinter, PrinterContext};

use super::plan::places;
use super::text::visible;
use crate::board::{EdgeBoard, NodeBoard, StreamBoard, Tone, check_line, status_line};
use crate::outcome::NodeState;

/// The Graphviz source of the same picture.
///
/// Nodes are called `n0`, `n1`, …; their names, like every text from outside, stand in quoted labels.
pub fn dot(stream: &StreamBoard) -> String {
    let places = places(stream);
    let place = |name: &str| places.get(name).copied();
    let mut stmts = vec![
        Stmt::Attribute(plain("rankdir", "LR")),
        Stmt::Attribute(quoted("label", &stream.name)),
        Stmt::Attribute(plain("labelloc", "t")),
        Stmt::Attribute(quoted("fontname", "Helvetica")),
        Stmt::GAttribute(GraphAttributes::Node(vec![
            plain("shape", "box"),
            quoted("style", "rounded"),
            quoted("fontname", "Helvetica"),
        ])),
        Stmt::GAttribute(GraphAttributes::Edge(vec![quoted("fontname", "Helvetica"), plain("fontsize", "11")])),
    ];
    stmts.extend(stream.nodes.iter().enumerate().map(|(index, node)| Stmt::Node(node_stmt(index, node))));
    stmts.extend(stream.edges.iter().filter_map(|edge| {
        let ends = EdgeTy::Pair(Vertex::N(node_id(place(&edge.from)?)), Vertex::N(node_id(place(&edge.to)?)));
        Some(Stmt::Edge(Edge { ty: ends, attributes: edge_attributes(edge) }))
    }));
    let graph = Graph::DiGraph { id: Id::Escaped(quote(&stream.name)), strict: false, stmts };
    graph.print(&mut PrinterContext::default()) + "\n"
}

fn node_id(index: usize) -> NodeId {
    NodeId(Id::Plain(format!("n{index}")), None)
}

fn node_stmt(index: usize, node: &NodeBoard) -> Node {
    let mut attributes = vec![quoted("label", &node.name), quoted("tooltip", node.state.name())];
    match node.state {
        NodeState::Silent => attributes.extend([quoted("color", "#AA0000"), plain("penwidth", "2.5")]),
        NodeState::Waiting => attributes.extend([quoted("color", "#00AAAA"), plain("penwidth", "2")]),
        NodeState::Unobserved => attributes.extend([quoted("color", "#888888"), quoted("style", "rounded,dashed")]),
        NodeState::Observed => {}
    }
    Node::new(node_id(index), attributes)
}

/// Colour and line by tone, text darker than the line, as in our own drawing.
fn edge_attributes(edge: &EdgeBoard) -> Vec<Attribute> {
    let (color, text, width, style) = match Tone::of(edge) {
        Tone::Ok => ("#00AA00", "#006B00", "1.5", "solid"),
        Tone::OkIdle => ("#70BB70", "#3F6B3F", "1.5", "solid"),
        Tone::Warn => ("#AAAA00", "#665E00", "2", "dashed"),
        Tone::Nok => ("#AA0000", "#AA0000", "3.5", "solid"),
        Tone::Grey => ("#888888", "#555555", "1.2", "dotted"),
    };
    let style = if edge.discovered { "dashed" } else { style };
    let mut lines = vec![status_line(edge.status, edge.pass, edge.total)];
    lines.extend(check_line(edge));
    let mut attributes = vec![
        Attribute(Id::Plain("label".to_owned()), Id::Escaped(quote_lines(&lines))),
        quoted("color", color),
        quoted("fontcolor", text),
        plain("penwidth", width),
        plain("style", style),
    ];
    attributes.extend(edge.name.as_deref().map(|name| quoted("tooltip", name)));
    attributes
}

fn plain(name: &str, value: &str) -> Attribute {
    Attribute(Id::Plain(name.to_owned()), Id::Plain(value.to_owned()))
}

fn quoted(name: &str, value: &str) -> Attribute {
    Attribute(Id::Plain(name.to_owned()), Id::Escaped(quote(value)))
}

fn quote(text: &str) -> String {
    quote_lines(&[text])
}

/// Quotes lines of text. A backslash would begin an escape (`\N` is the node's name) and `&` an
/// HTML entity.
fn quote_lines<T: AsRef<str>>(lines: &[T]) -> String {
    let quoted: Vec<String> = lines
        .iter()
        .map(|line| visible(line.as_ref()).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;"))
        .collect();
    format!("\"{}\"", quoted.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::fixtures::{HOSTILE, demo, rename};

    #[test]
    fn the_known_picture_in_dot() {
        let dot = dot(&demo());
        for line in [
            r##"n0 -> n1 [label="OK(pass=3/3 100%)\nCheck(within=10s,ok=3,warn=0,fail=0)" color="#00AA00""##,
            r##"n1 -> n2 [label="WARN(pass=4/5 80%)\nCheck(within=500ms,ok=3,warn=1,fail=2)" color="#AAAA00""##,
            r##"n1 -> n3 [label="NOK(pass=1/4 25%)\nCheck(within=1000ms,ok=3,warn=1,fail=0)" color="#AA0000""##,
        ] {
            assert!(dot.contains(line), "{line}\nis not in\n{dot}");
        }
        assert!(dot.starts_with("digraph \"orders\""), "{dot}");
    }

    #[test]
    fn hostile_names_stay_names() {
        let skeleton = |dot: &str| {
            let graph = graphviz_rust::parse(dot).unwrap();
            let Graph::DiGraph { stmts, .. } = graph else { panic!("not directed") };
            let kind = |stmt: &Stmt| match stmt {
                Stmt::Node(node) => format!("node {}", node.attributes.len()),
                Stmt::Edge(edge) => format!("edge {}", edge.attributes.len()),
                _ => "other".to_owned(),
            };
            stmts.iter().map(kind).collect::<Vec<_>>()
        };
        let benign = skeleton(&dot(&demo()));
        for name in HOSTILE {
            let hostile = dot(&rename(&demo(), name));
            assert_eq!(skeleton(&hostile), benign, "{hostile}");
            assert!(!hostile.chars().any(|c| c.is_control() && c != '\n'), "{hostile:?}");
        }
        assert!(dot(&rename(&demo(), r"\N&amp;")).contains(r#"label="\\N&amp;amp;"#));
    }
}
