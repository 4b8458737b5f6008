//! The overview: every stream as a card, worst first.

use std::cmp::Reverse;
use std::sync::Arc;

use askama::Template;

use super::view::{Alarm, Badge, Frame, When, alarms, counted, since, sum, tallies, unobserved};
use super::{PageSettings, rendered};
use crate::board::{Board, StreamBoard, Tone};
use crate::outcome::Status;
use crate::picture::words::{count, status_tone};
use crate::picture::{Layout, text::visible, thumbnail};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    description: String,
    streams: String,
    tallies: Vec<Badge>,
    unknown_senders: Vec<(String, String)>,
    cards: Vec<Card>,
}

struct Card {
    name: String,
    description: String,
    badge: Badge,
    since: Option<When>,
    tallies: Vec<Badge>,
    nodes: usize,
    edges: String,
    unobserved: Option<String>,
    late: String,
    missing: String,
    alarms: Vec<Alarm>,
    graph: String,
}

/// Renders the overview. `layouts`: of the board's streams, in their order.
pub fn overview(board: &Board, layouts: &[Arc<Layout>], settings: &PageSettings) -> String {
    let worst = board.streams.iter().map(|stream| stream.status).max().unwrap_or_default();
    let mut streams: Vec<_> = board.streams.iter().zip(layouts).collect();
    let broken = |stream: &StreamBoard| stream.edges.iter().filter(|edge| Tone::of(edge) == Tone::Nok).count();
    streams.sort_by_key(|(stream, _)| (Reverse(stream.status), Reverse(broken(stream))));
    let unknown = board.unknown_senders.iter().map(|sender| (visible(&sender.name).into_owned(), count(sender.events)));
    rendered(&Overview {
        frame: Frame::new(board, settings, worst, None),
        description: visible(&board.description).into_owned(),
        streams: counted(board.streams.len(), "stream"),
        tallies: by_status(board),
        unknown_senders: unknown.collect(),
        cards: streams.into_iter().map(|(stream, layout)| card(stream, layout)).collect(),
    })
}

/// How many streams have which status, worst first; none is said, too, so that each has its place.
fn by_status(board: &Board) -> Vec<Badge> {
    let having = |status| board.streams.iter().filter(|stream| stream.status == status).count();
    let worst_first = Status::ALL.into_iter().rev();
    worst_first.map(|status| Badge::tally(status_tone(status), having(status), status.name())).collect()
}

fn card(stream: &StreamBoard, layout: &Layout) -> Card {
    let (late, missing) = (sum(stream, |edge| edge.ledger.late), sum(stream, |edge| edge.ledger.missing));
    Card {
        name: stream.name.clone(),
        description: visible(&stream.description).into_owned(),
        badge: Badge::of(stream.status),
        since: since(stream).map(|since| When::new(stream.at, since)),
        tallies: tallies(stream),
        nodes: stream.nodes.len(),
        edges: counted(stream.edges.len(), "edge"),
        unobserved: unobserved(stream),
        late: count(late),
        missing: count(missing),
        alarms: alarms(stream),
        graph: thumbnail(stream, layout),
    }
}
