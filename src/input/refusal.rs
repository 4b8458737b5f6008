//! What a sender is told when an event is refused: what is wrong, and what to send instead.

use std::fmt::Write;

use super::body::Reason;

/// How much of a sender's text an error repeats, in characters.
const QUOTE_MAX_CHARS: usize = 64;
/// What a good event looks like.
pub(super) const EXAMPLE: &str = r#"{"node": "web-server", "token": "4bf92f35", "timestamp": "2026-11-20T12:00:00Z"}"#;

/// Why one event was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The reason as a label of the metrics.
    pub(super) reason: Reason,
    /// What is wrong, and what to send instead.
    pub(super) error: String,
}

/// Why one event gave no [`Report`](crate::event::Report). It is kept in a box, so that good events
/// do not carry its size along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It is no JSON at all.
    NotJson(String),
    /// It is JSON, but no event that can be taken.
    Refused(Refusal),
    /// It is good, but of a node that no stream knows, and the manifest accepts these.
    Unknown { name: String, timestamp_us: Option<u64> },
}

impl From<Refusal> for Box<Miss> {
    #[cold]
    fn from(refusal: Refusal) -> Self {
        Self::new(Miss::Refused(refusal))
    }
}

impl Refusal {
    #[cold]
    pub(super) fn new(reason: Reason, error: impl Into<String>) -> Self {
        Self { reason, error: error.into() }
    }
}

/// A sender's text in quotes, cut short, with everything escaped that could disturb a terminal or a
/// reader: quotes, control characters, marks that turn the direction of writing.
#[cold]
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (place, char) in text.chars().enumerate() {
        if place >= QUOTE_MAX_CHARS || quoted.len() >= 2 * QUOTE_MAX_CHARS {
            quoted.push('…');
            break;
        }
        // Writing to a string cannot fail.
        write!(quoted, "{}", char.escape_debug()).unwrap_or_default();
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_harmless() {
        assert_eq!(quote("web-server"), r#""web-server""#);
        assert_eq!(quote("ünïcödé トークン"), r#""ünïcödé トークン""#);
        assert_eq!(quote("\"\r\n\u{1b}[31m\u{202e}\u{2066}\u{200b}\u{feff}\u{85}\0").matches('\\').count(), 10);
        assert!(quote(&"x".repeat(10_000)).len() < 80);
        assert!(quote(&"\u{202e}".repeat(10_000)).len() < 150);
    }
}
