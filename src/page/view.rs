//! What all pages have in common: the frame, badges, moments, notices.

use crate::board::{Board, EdgeBoard, NodeBoard, StreamBoard, Tone};
use crate::clock::{Moment, SECOND_US};
use crate::outcome::{Freshness, NodeState, Status};
use crate::picture::words::{age, count, status_tone, tone_class};
use crate::picture::{mark_of, text::visible};

use super::PageSettings;
use super::inputs::{InputLine, inputs};

/// What surrounds the content of a page.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) system: String,
    pub(super) refresh_seconds: u64,
    pub(super) at: When,
    pub(super) badge: Badge,
    pub(super) marks: String,
    pub(super) notices: Vec<String>,
    pub(super) inputs: Vec<InputLine>,
    pub(super) login: Option<String>,
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
            inputs: inputs(board),
            login: settings.login.as_deref().map(|login| visible(login).into_owned()),
            notices: settings.notices.iter().map(|notice| visible(notice).into_owned()).chain(notices(board)).collect(),
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

/// That there are senders that no stream knows, in a line.
pub(super) fn unknown_senders(board: &Board) -> Option<String> {
    const NAMED: usize = 3;
    let names = board.unknown_senders.iter().take(NAMED).map(|sender| visible(&sender.name));
    let names = names.collect::<Vec<_>>().join(", ");
    let more = board.unknown_senders.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("Events come from nodes that no stream knows: {names}{more}."))
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

    /// How many are so: quiet where none is.
    pub(super) fn tally(tone: Tone, n: usize, word: &str) -> Self {
        let badge = Self::new(tone, format!("{n} {word}"));
        if n > 0 { badge } else { Self { class: "tone-none", ..badge } }
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
    /// `for 12 s`.
    pub(super) lasting: String,
    /// `12 s`.
    pub(super) during: String,
}

impl When {
    pub(super) fn new(at: Moment, then: Moment) -> Self {
        let datetime = then.to_string();
        let clock = datetime.get(11..19).map(|clock| format!("{clock} UTC")).unwrap_or_default();
        let age = age(at, then);
        let just_now = age == "now";
        let ago = if just_now { "just now".to_owned() } else { format!("{age} ago") };
        let lasting = if just_now { "since just now".to_owned() } else { format!("for {age}") };
        let during = if just_now { "a moment".to_owned() } else { age };
        Self { datetime, clock, ago, lasting, during }
    }
}

/// The edges of a stream by tone, worst first; none of a tone is said, too, so that each has its place.
pub(super) fn tallies(stream: &StreamBoard) -> Vec<Badge> {
    let having = |tones: &[Tone]| stream.edges.iter().filter(|edge| tones.contains(&Tone::of(edge))).count();
    let tones: [(&[Tone], &str); 4] =
        [(&[Tone::Nok], "NOK"), (&[Tone::Warn], "WARN"), (&[Tone::Ok, Tone::OkIdle], "OK"), (&[Tone::Grey], "UNKNOWN")];
    tones.map(|(tones, word)| Badge::tally(tones[0], having(tones), word)).into()
}

/// How many edges have no outcome yet, beside the status: `1 of 5 not observed`.
pub(super) fn unobserved(stream: &StreamBoard) -> Option<String> {
    let (unobserved, all) = (stream.unobserved, stream.edges.len());
    (unobserved > 0).then(|| format!("{unobserved} of {all} not observed"))
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

/// Something that must not be overlooked: a few words, and what they mean.
pub(super) struct Alarm {
    pub(super) words: String,
    pub(super) meaning: &'static str,
}

/// What of a stream must not be overlooked; empty is good.
pub(super) fn alarms(stream: &StreamBoard) -> Vec<Alarm> {
    let nodes = |has: fn(&NodeBoard) -> bool| stream.nodes.iter().filter(|node| has(node)).count() as u64;
    let edges = |freshness| stream.edges.iter().filter(|edge| edge.freshness == freshness).count() as u64;
    let (silent, blind) = (edges(Freshness::Silent), edges(Freshness::Blind));
    let silent_nodes = nodes(|node| node.state == NodeState::Silent);
    let all = [
        (
            sum(stream, |edge| edge.ledger.indeterminate),
            "indeterminate".to_owned(),
            "Requests that could not be judged: we were down or blind, or had no room.",
        ),
        (blind, format!("{} blind", plural(blind, "edge")), "An input that feeds them is down or catching up."),
        (silent, format!("{} silent", plural(silent, "edge")), "No request for longer than they may be silent."),
        (
            silent_nodes,
            format!("{} silent", plural(silent_nodes, "node")),
            "No event for longer than they may be silent.",
        ),
        (
            stream.nodes.iter().map(|node| node.unreported).sum(),
            "unreported".to_owned(),
            "Seen beyond a node that did not report them.",
        ),
        (
            nodes(|node| node.clock_flagged),
            "with a clock ahead".to_owned(),
            "Timestamps more than 5 minutes ahead of ours were replaced by their arrival.",
        ),
    ];
    let real = all.into_iter().filter(|&(n, ..)| n > 0);
    real.map(|(n, words, meaning)| Alarm { words: format!("{} {words}", count(n)), meaning }).collect()
}

/// `edge` or `edges`.
fn plural(n: u64, one: &str) -> String {
    if n == 1 { one.to_owned() } else { format!("{one}s") }
}

/// `1 edge`, `2 edges`.
pub(super) fn counted(n: usize, one: &str) -> String {
    format!("{n} {}", plural(n as u64, one))
}
