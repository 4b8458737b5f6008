//! How the picture and the page say numbers, times and states.

use crate::board::{CheckBoard, EdgeBoard, NodeBoard, Tone};
use crate::clock::{Moment, SECOND_US};
use crate::outcome::{Freshness, NodeState, Status};

/// How long ago, in one unit: `now`, `12 s`, `4 min`, `3 h`, `2 d`.
pub(crate) fn age(at: Moment, since: Moment) -> String {
    let seconds = at.0.saturating_sub(since.0) / SECOND_US;
    match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A count in at most five characters: `999`, `1.2k`, `340k`, `5.6M`.
pub(crate) fn count(n: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match UNITS.into_iter().find(|&(unit, _)| n >= unit) {
        None => n.to_string(),
        Some((unit, name)) if n >= 10 * unit => format!("{}{name}", n / unit),
        // Cut, not rounded: 9,990 is not yet 10k.
        Some((unit, name)) => format!("{}.{}{name}", n / unit, n % unit * 10 / unit),
    }
}

/// A latency in at most six characters: `0.4 ms`, `120 ms`, `3.4 s`, `12 min`.
pub(crate) fn latency(ms: f64) -> String {
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        ..9_950.0 => format!("{:.1} s", ms / 1e3),
        ..99_500.0 => format!("{:.0} s", ms / 1e3),
        ..5_970_000.0 => format!("{:.0} min", ms / 6e4),
        ..3.6e8 => format!("{:.0} h", ms / 3.6e6),
        _ => format!("{:.0} d", ms / 8.64e7),
    }
}

/// A rate a second: `3.1/s`, `1.2k/s`.
pub(crate) fn rate(a_second: f64) -> String {
    match a_second {
        ..0.05 if a_second > 0.0 => format!("{}/min", (a_second * 60.0).ceil()),
        ..9.95 => format!("{a_second:.1}/s"),
        _ => format!("{}/s", count(a_second.round() as u64)),
    }
}

/// The class of a tone, and the name of its mark.
pub(crate) fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Ok => "tone-ok",
        Tone::OkIdle => "tone-ok-idle",
        Tone::Warn => "tone-warn",
        Tone::Nok => "tone-nok",
        Tone::Grey => "tone-grey",
    }
}

/// The tone in which a status that stands alone is shown: a stream's, or the word in a table.
pub(crate) fn status_tone(status: Status) -> Tone {
    match status {
        Status::Ok => Tone::Ok,
        Status::Warn => Tone::Warn,
        Status::Nok => Tone::Nok,
        Status::Unknown => Tone::Grey,
    }
}

/// What a freshness means, in a sentence.
pub(crate) fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Blind => "An input that feeds it is down or catching up: nothing is judged.",
        Freshness::Silent => "No request for longer than it may be silent.",
        Freshness::Unobserved => "No outcome yet.",
        Freshness::Live => "Judged within the last minute.",
        Freshness::Starved => "Gets nothing: an edge on the way to it is broken.",
        Freshness::Idle => "No outcome in the last minute.",
    }
}

/// Why there is nothing fresh, in a few words that fit one line; nothing where there is.
pub(crate) fn freshness_why(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Blind => "its input is down",
        Freshness::Silent => "for too long",
        Freshness::Unobserved => "no outcome yet",
        Freshness::Live => "",
        Freshness::Starved => "broken upstream",
        Freshness::Idle => "for a minute",
    }
}

/// An edge and how it is, as one would say it.
pub(crate) fn spoken(edge: &EdgeBoard) -> String {
    let mut said = format!("{} to {}: {}", edge.from, edge.to, edge.status);
    said += &match edge.total {
        0 => ", nothing judged yet".to_owned(),
        total => format!(", {} of {total} passed", edge.pass),
    };
    if edge.held > edge.status {
        said += &format!(", was {} just now", edge.held);
    }
    if edge.freshness != Freshness::Live {
        said += &format!(", {}", edge.freshness.name());
    }
    said
}

/// The class of a node's state.
pub(crate) fn state_class(state: NodeState) -> &'static str {
    match state {
        NodeState::Silent => "state-silent",
        NodeState::Unobserved => "state-unobserved",
        NodeState::Waiting => "state-waiting",
        NodeState::Observed => "state-observed",
    }
}

/// What a node does, under its name.
pub(crate) fn node_line(node: &NodeBoard) -> String {
    match node.state {
        NodeState::Silent => "silent".to_owned(),
        NodeState::Unobserved => "no event yet".to_owned(),
        NodeState::Waiting => format!("waiting · {}", rate(node.rate)),
        NodeState::Observed => rate(node.rate),
    }
}

/// Third line of an edge's label: freshness, held status and since when, latency.
pub(crate) fn fact_line(edge: &EdgeBoard, at: Moment) -> String {
    let mut line = edge.freshness.name().to_owned();
    if edge.freshness != Freshness::Unobserved {
        line += &format!(" · {} {}", edge.held, age(at, edge.held_since));
    }
    if let Some(latency_ms) = edge.latency_ms {
        line += &format!(" · p95 {}", latency(latency_ms.p95));
    }
    line
}

/// Fourth line of an edge's label: what was lost, what is on its way.
pub(crate) fn lost_line(edge: &EdgeBoard) -> String {
    let ledger = &edge.ledger;
    let mut line = format!("{} late · {} missing", count(ledger.late), count(ledger.missing));
    if edge.in_flight > 0 {
        line += &format!(" · {} in flight", count(edge.in_flight));
    }
    line
}

/// What of a label's first line stands in its brackets: `pass=1/4 25%`.
pub(crate) fn share(said: &str) -> &str {
    said.split_once('(').map_or(said, |(_, rest)| rest.trim_end_matches(')'))
}

/// What an edge owes, in one short line: `within=500ms`, `2 of 5 in 1s`.
pub(crate) fn owed_short(edge: &EdgeBoard) -> String {
    let Some(check) = &edge.check else { return "no check".to_owned() };
    match (check.every, check.expect) {
        (Some(every), Some(expect)) => format!("{expect} of {every} in {}", check.within_text),
        _ => format!("within={}", check.within_text),
    }
}

/// How fresh an edge is where that is not plain, else its latency, in one short line.
pub(crate) fn fact_short(edge: &EdgeBoard) -> String {
    match (edge.freshness, edge.latency_ms) {
        (Freshness::Live, Some(latency_ms)) => format!("p95 {}", latency(latency_ms.p95)),
        (freshness, _) => freshness.name().to_owned(),
    }
}

/// How many never came in time: `16 failed`.
pub(crate) fn lost_short(edge: &EdgeBoard) -> String {
    format!("{} failed", count(edge.ledger.late + edge.ledger.missing))
}

/// What a check owes, in words: `within 500ms`, `2 of 5 within 1s`.
pub(crate) fn owed(check: &CheckBoard) -> String {
    match (check.every, check.expect) {
        (Some(every), Some(expect)) => format!("{expect} for every {every} within {}", check.within_text),
        _ => format!("within {}", check.within_text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_short() {
        let counts = [0, 999, 1_000, 9_999, 10_000, 999_999, 1_250_000, u64::MAX].map(count);
        assert_eq!(counts, ["0", "999", "1.0k", "9.9k", "10k", "999k", "1.2M", "18446744T"]);
        let latencies = [0.04, 9.94, 9.96, 999.6, 9_960.0, 99_600.0, 3.7e8].map(latency);
        assert_eq!(latencies, ["0.0 ms", "9.9 ms", "10 ms", "1.0 s", "10 s", "2 min", "4 d"]);
        assert_eq!([0.0, 0.02, 3.1, 1_234.0].map(rate), ["0.0/s", "2/min", "3.1/s", "1.2k/s"]);
    }

    #[test]
    fn short_lines_say_the_same() {
        assert_eq!(share("NOK(pass=1/4 25%)"), "pass=1/4 25%");
        assert_eq!(share("UNKNOWN(pass=0/0)"), "pass=0/0");
        let demo = crate::picture::fixtures::demo();
        let said = |of: fn(&EdgeBoard) -> String| demo.edges.iter().map(of).collect::<Vec<_>>();
        assert_eq!(said(owed_short), ["within=10s", "within=500ms", "within=1000ms"]);
        assert_eq!(said(fact_short), ["p95 2.0 ms", "p95 640 ms", "p95 2.0 ms"]);
        assert_eq!(said(lost_short), ["0 failed", "3 failed", "16 failed"]);
    }

    #[test]
    fn ages_have_one_unit() {
        let age = |seconds: u64| age(Moment(seconds * SECOND_US), Moment(0));
        assert_eq!([0, 59, 60, 3_599, 7_200, 200_000].map(age), ["now", "59 s", "1 min", "59 min", "2 h", "2 d"]);
    }
}
