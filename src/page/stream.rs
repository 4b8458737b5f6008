//! One stream's page: its graph, the last lost messages, its edges and nodes in numbers.

use askama::Template;

use super::edges::{EdgeRow, edge_rows};
use super::view::{Alarm, Badge, Frame, When, alarms, counted, since, sum, tallies, unknown_senders, unobserved};
use super::{PageSettings, problem, rendered};
use crate::board::{Board, EdgeBoard, NodeBoard, OutcomeEntry, StreamBoard, Tone};
use crate::outcome::NodeState;
use crate::picture::words::{count, latency, owed, rate, state_class};
use crate::picture::{Flow, Layout, svg, text::visible, thumbnail};

/// How many of the last lost messages are listed.
const LOST_SHOWN: usize = 20;

/// To what part of its size the graph shrinks before its box scrolls: its text stays legible. On a narrow screen
/// the text is small as it is.
const SHRINK: f64 = 0.7;
const SHRINK_NARROW: f64 = 0.84;

#[derive(Template)]
#[template(path = "stream.html")]
struct StreamPage {
    frame: Frame,
    name: String,
    description: String,
    since: Option<When>,
    tallies: Vec<Badge>,
    edge_count: String,
    unobserved: Option<String>,
    late: String,
    missing: String,
    in_flight: String,
    alarms: Vec<Alarm>,
    legend: Vec<(Badge, &'static str)>,
    map: Option<String>,
    pictures: Vec<Picture>,
    lost: Vec<LostRow>,
    edges: Vec<EdgeRow>,
    nodes: Vec<NodeRow>,
}

/// The graph, drawn for a wide or a narrow screen: the style sheet shows the one that suits.
struct Picture {
    flow: &'static str,
    graph: String,
    /// How wide it is at least, in rem.
    strut: String,
}

impl Picture {
    fn new(stream: &StreamBoard, layout: &Layout, flow: Flow) -> Self {
        let (name, shrink) = match flow {
            Flow::Right => ("right", SHRINK),
            Flow::Down => ("down", SHRINK_NARROW),
        };
        let strut = format!("{:.1}", layout.width(flow) / 16.0 * shrink);
        Self { flow: name, graph: svg(stream, layout, flow, true), strut }
    }
}

struct LostRow {
    token: Option<String>,
    outcome: &'static str,
    from: String,
    to: String,
    owed: String,
    took: Option<String>,
    when: When,
}

struct NodeRow {
    name: String,
    class: &'static str,
    state: &'static str,
    events: String,
    rate: String,
    last: Option<When>,
    unreported: Option<String>,
    clock_flagged: bool,
}

/// Renders the page of the stream at an index of the board.
pub fn stream(board: &Board, stream: usize, layout: &Layout, settings: &PageSettings) -> String {
    let Some(stream) = board.streams.get(stream) else {
        let detail = "The manifest names no stream at this address.";
        return problem(404, "No such stream", detail, &settings.notices);
    };
    let mut frame = Frame::new(board, settings, stream.status, Some(&stream.name));
    frame.notices.extend(unknown_senders(board));
    let flows: &[Flow] = if settings.graph { &[Flow::Right, Flow::Down] } else { &[] };
    rendered(&StreamPage {
        frame,
        name: visible(&stream.name).into_owned(),
        description: visible(&stream.description).into_owned(),
        since: since(stream).map(|since| When::new(stream.at, since)),
        tallies: tallies(stream),
        edge_count: counted(stream.edges.len(), "edge"),
        unobserved: unobserved(stream),
        late: count(sum(stream, |edge| edge.ledger.late)),
        missing: count(sum(stream, |edge| edge.ledger.missing)),
        in_flight: count(sum(stream, |edge| edge.in_flight)),
        alarms: alarms(stream),
        legend: legend(),
        map: layout.is_large().then(|| thumbnail(stream, layout)),
        pictures: flows.iter().map(|&flow| Picture::new(stream, layout, flow)).collect(),
        lost: lost(stream),
        edges: edge_rows(stream),
        nodes: stream.nodes.iter().map(|node| node_row(node, stream)).collect(),
    })
}

/// What the marks under the graph mean.
fn legend() -> Vec<(Badge, &'static str)> {
    [
        (Tone::Ok, "OK", "judged within the last minute"),
        (Tone::OkIdle, "OK, idle", "no outcome in the last minute"),
        (Tone::Warn, "WARN", "the warn threshold is reached"),
        (Tone::Nok, "NOK", "the fail threshold is reached, or silent"),
        (Tone::Grey, "UNKNOWN", "not enough is known, or nothing fresh"),
    ]
    .map(|(tone, word, meaning)| (Badge::new(tone, word.to_owned()), meaning))
    .into()
}

/// The last lost messages of all edges, newest first.
fn lost(stream: &StreamBoard) -> Vec<LostRow> {
    let edges = stream.edges.iter();
    let mut fails: Vec<_> = edges.flat_map(|edge| edge.recent_fails.iter().map(move |fail| (edge, fail))).collect();
    fails.sort_by_key(|(_, fail)| std::cmp::Reverse(fail.at));
    fails.truncate(LOST_SHOWN);
    fails.into_iter().map(|(edge, fail)| lost_row(edge, fail, stream)).collect()
}

fn lost_row(edge: &EdgeBoard, fail: &OutcomeEntry, stream: &StreamBoard) -> LostRow {
    LostRow {
        token: fail.token.as_ref().map(|token| visible(&token.to_string()).into_owned()),
        outcome: fail.outcome.name(),
        from: visible(&edge.from).into_owned(),
        to: visible(&edge.to).into_owned(),
        owed: edge.check.as_ref().map(owed).unwrap_or_default(),
        took: fail.latency_ms.map(latency),
        when: When::new(stream.at, fail.at),
    }
}

fn node_row(node: &NodeBoard, stream: &StreamBoard) -> NodeRow {
    NodeRow {
        name: visible(&node.name).into_owned(),
        class: state_class(node.state),
        state: match node.state {
            NodeState::Unobserved => "no event yet",
            state => state.name(),
        },
        events: count(node.events),
        rate: rate(node.rate),
        last: node.last.map(|last| When::new(stream.at, last)),
        unreported: (node.unreported > 0).then(|| count(node.unreported)),
        clock_flagged: node.clock_flagged,
    }
}
