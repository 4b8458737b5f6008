//! What all pages have in common: the frame, badges, moments, notices.

use crate::board::{Board, EdgeBoard, StreamBoard, Tone};
use crate::clock::{Moment, SECOND_US};
use crate::outcome::{Freshness, NodeState, Status};
use crate::picture::words::{age, count, status_tone, tone_class};
use crate::picture::{mark_of, text::visible};

use super::PageSettings;

/// What surrounds the content of a page.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) system: String,
    pub(super) refresh_seconds: u64,
    pub(super) at: When,
    pub(super) badge: Badge,
    pub(super) marks: String,
    pub(super) notices: Vec<String>,
}

impl Frame {
    /// A frame whose title says a status and what has it.
    pub(super) fn new(board: &Board, settings: &PageSettings, status: Status, subject: Option<&str>) -> Self {
        let system = visible(&board.name).into_owned();
        let subject = subject.map(|subject| format!("{} · ", visible(subject))).unwrap_or_default();
        Self {
            title: format!("{status} · {subject}{system}"),
            system,
            refresh_seconds: settings.refresh_us.div_ceil(SECOND_US).max(1),
            at: When::new(board.at, board.at),
            badge: Badge::of(status),
            marks: crate::picture::marks(),
            notices: notices(board),
        }
    }
}

/// What concerns the whole system and must not be overlooked.
fn notices(board: &Board) -> Vec<String> {
    let mut notices = Vec::new();
    if board.tokens_evicted > 0 {
        notices.push(format!(
            "{} tokens were forgotten before their time: the limit of {} is reached.",
            count(board.tokens_evicted),
            count(board.tokens_limit as u64)
        ));
    }
    notices
}

/// A status with its mark.
pub(super) struct Badge {
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) word: String,
}

impl Badge {
    pub(super) fn new(tone: Tone, word: String) -> Self {
        Self { class: tone_class(tone), mark: mark_of(tone), word }
    }

    pub(super) fn of(status: Status) -> Self {
        Self::new(status_tone(status), status.name().to_owned())
    }
}

/// A moment, for machines and for people.
pub(super) struct When {
    /// RFC 3339.
    pub(super) datetime: String,
    /// `12:04:31 UTC`.
    pub(super) clock: String,
    /// `12 s ago`.
    pub(super) ago: String,
    /// `12 s`.
    pub(super) age: String,
}

impl When {
    pub(super) fn new(at: Moment, then: Moment) -> Self {
        let datetime = then.to_string();
        let clock = datetime.get(11..19).map(|clock| format!("{clock} UTC")).unwrap_or_default();
        let age = age(at, then);
        let ago = if age == "now" { "just now".to_owned() } else { format!("{age} ago") };
        Self { datetime, clock, ago, age }
    }
}

/// The edges of a stream by tone, worst first; tones that none has are left out.
pub(super) fn tallies(stream: &StreamBoard) -> Vec<Badge> {
    let having = |tones: &[Tone]| stream.edges.iter().filter(|edge| tones.contains(&Tone::of(edge))).count();
    let tones: [(&[Tone], &str); 4] = [
        (&[Tone::Nok], "NOK"),
        (&[Tone::Warn], "WARN"),
        (&[Tone::Ok, Tone::OkIdle], "OK"),
        (&[Tone::Grey], "not known"),
    ];
    let tallied = tones.map(|(tones, word)| (tones[0], having(tones), word));
    let found = tallied.into_iter().filter(|&(_, edges, _)| edges > 0);
    found.map(|(tone, edges, word)| Badge::new(tone, format!("{edges} {word}"))).collect()
}

/// A sum over the edges of a stream.
pub(super) fn sum(stream: &StreamBoard, of: impl Fn(&EdgeBoard) -> u64) -> u64 {
    stream.edges.iter().map(of).sum()
}

/// Since when a stream has had its status, at the latest: the first of the edges that make it so,
/// the last change of all where none stands out. None where silence makes it NOK.
pub(super) fn since(stream: &StreamBoard) -> Option<Moment> {
    let observed = || stream.edges.iter().filter(|edge| edge.freshness != Freshness::Unobserved);
    match stream.status {
        Status::Nok | Status::Warn => {
            observed().filter(|edge| edge.held == stream.status).map(|edge| edge.held_since).min()
        }
        Status::Ok => observed().map(|edge| edge.held_since).max(),
        Status::Unknown => None,
    }
}

/// What of a stream must not be overlooked, in words; empty is good.
pub(super) fn alarms(stream: &StreamBoard) -> Vec<String> {
    let mut alarms = Vec::new();
    let mut say = |n: u64, one: &str, more: &str| match n {
        0 => {}
        1 => alarms.push(format!("1 {one}")),
        _ => alarms.push(format!("{} {more}", count(n))),
    };
    let nodes = |has: fn(&crate::board::NodeBoard) -> bool| stream.nodes.iter().filter(|node| has(node)).count() as u64;
    let edges = |freshness| stream.edges.iter().filter(|edge| edge.freshness == freshness).count() as u64;
    let indeterminate = sum(stream, |edge| edge.ledger.indeterminate);
    say(indeterminate, "request could not be judged (indeterminate)", "requests could not be judged (indeterminate)");
    say(edges(Freshness::Blind), "edge is blind", "edges are blind");
    say(edges(Freshness::Silent), "edge is silent", "edges are silent");
    say(nodes(|node| node.state == NodeState::Silent), "node is silent", "nodes are silent");
    say(nodes(|node| node.clock_flagged), "node's clock runs ahead", "nodes' clocks run ahead");
    say(nodes(|node| node.unreported > 0), "node does not report all it sees", "nodes do not report all they see");
    alarms
}
