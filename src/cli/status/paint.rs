//! Colours of a terminal.

use std::borrow::Cow;

use crate::board::Tone;

/// What a piece of text is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Green.
    Ok,
    /// Dark green.
    OkIdle,
    /// Yellow.
    Warn,
    /// Red, bold.
    Nok,
    /// What steps back.
    Faint,
}

impl Ink {
    /// The text in this ink, where colours are wanted.
    pub(super) fn paint(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Ok => "32",
            Self::OkIdle => "38;5;65",
            Self::Warn => "33",
            Self::Nok => "1;31",
            Self::Faint => "2",
        };
        let painted = if colour { Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m")) } else { Cow::Borrowed(text) };
        painted.into_owned()
    }
}

/// The ink of a tone.
pub(super) fn tone_ink(tone: Tone) -> Ink {
    match tone {
        Tone::Ok => Ink::Ok,
        Tone::OkIdle => Ink::OkIdle,
        Tone::Warn => Ink::Warn,
        Tone::Nok => Ink::Nok,
        Tone::Grey => Ink::Faint,
    }
}
