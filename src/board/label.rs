//! What an edge's label says, and the tone in which it is drawn.

use serde::{Deserialize, Serialize};

use super::EdgeBoard;
use crate::graph::Threshold;
use crate::outcome::{Freshness, Status};

/// The first line of an edge's label: `WARN(pass=4/5 80%)`.
pub fn status_line(status: Status, pass: u64, total: u64) -> String {
    match (pass * 100).checked_div(total) {
        Some(percent) => format!("{status}(pass={pass}/{total} {percent}%)"),
        None => format!("{status}(pass={pass}/{total})"),
    }
}

/// The second line of an edge's label: `Check(within=500ms,ok=3,warn=1,fail=2)`; none without a check.
pub fn check_line(edge: &EdgeBoard) -> Option<String> {
    let check = edge.check.as_ref()?;
    let mut line = String::from("Check(");
    if let (Some(every), Some(expect)) = (check.every, check.expect) {
        line += &format!("every={every},expect={expect},");
    }
    let (warn, fail) = (threshold(check.warn.0), threshold(check.fail.0));
    line += &format!("within={},ok={},warn={warn},fail={fail})", check.within_text, check.ok);
    Some(line)
}

/// A threshold as the manifest writes it: `2` or `0.5%`.
pub(super) fn threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Count(count) => count.to_string(),
        Threshold::Percent(parts) => format!("{}%", f64::from(parts) / 10_000.0),
    }
}

/// The lines of an edge's label: its status, and its check where it has one.
pub fn label_lines(edge: &EdgeBoard) -> impl Iterator<Item = String> {
    [Some(status_line(edge.status, edge.pass, edge.total)), check_line(edge)].into_iter().flatten()
}

/// The tone of an edge: what its colour, line and symbol say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Green: held OK and live.
    Ok,
    /// Pale green: held OK and idle.
    OkIdle,
    /// Held WARN.
    Warn,
    /// Held NOK, or silent.
    Nok,
    /// Nothing to say, or nothing fresh.
    Grey,
}

impl Tone {
    /// The tone of an edge.
    pub fn of(edge: &EdgeBoard) -> Self {
        match (edge.freshness, edge.held) {
            (Freshness::Silent, _) | (_, Status::Nok) => Self::Nok,
            (_, Status::Warn) => Self::Warn,
            (Freshness::Live, Status::Ok) => Self::Ok,
            (Freshness::Idle, Status::Ok) => Self::OkIdle,
            _ => Self::Grey,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_the_known_picture() {
        assert_eq!(status_line(Status::Ok, 3, 3), "OK(pass=3/3 100%)");
        assert_eq!(status_line(Status::Warn, 4, 5), "WARN(pass=4/5 80%)");
        assert_eq!(status_line(Status::Nok, 1, 4), "NOK(pass=1/4 25%)");
        assert_eq!(status_line(Status::Unknown, 2, 2), "UNKNOWN(pass=2/2 100%)");
        assert_eq!(status_line(Status::Unknown, 0, 0), "UNKNOWN(pass=0/0)");
        assert_eq!(status_line(Status::Nok, 2, 3), "NOK(pass=2/3 66%)");
    }
}
