//! What a rule says, and what can be wrong with it.

use std::ops::Range;

/// A rule as the manifest writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// The node of lines that name none themselves.
    pub node: Option<String>,
    /// Which lines it takes, and where their fields stand.
    pub lines: Lines,
    /// How a timestamp is written: a format of strptime, or the name of a [`Unit`]. RFC 3339 where it is not said.
    pub timestamp: Option<String>,
    /// Where the clocks stood that wrote timestamps without an offset. UTC where it is not said.
    pub timezone: Option<String>,
    /// The unit of durations.
    pub unit: Unit,
}

impl RuleText {
    /// Whether it takes a duration off.
    pub fn has_duration(&self) -> bool {
        match &self.lines {
            Lines::Match(pattern) => pattern.contains("<duration>"),
            Lines::Json(pointers) => pointers.iter().any(|(field, _)| *field == Field::Duration),
        }
    }
}

/// Which lines a rule takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Those that this regular expression matches; its named captures are the fields.
    Match(String),
    /// Those that are JSON and have these fields, each by its JSON pointer.
    Json(Vec<(Field, String)>),
}

/// A field of an event that a line may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The message's token: no event without.
    Token,
    /// When it was seen.
    Timestamp,
    /// Who saw it.
    Node,
    /// How long it had been there: taken off the timestamp.
    Duration,
    /// A second token of the same message.
    Alias,
    /// The node that it came from.
    Parent,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 6] = [Self::Token, Self::Timestamp, Self::Node, Self::Duration, Self::Alias, Self::Parent];

    /// What a capture, or a key of `json`, must be called to fill the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Timestamp => "timestamp",
            Self::Node => "node",
            Self::Duration => "duration",
            Self::Alias => "alias",
            Self::Parent => "parent",
        }
    }

    /// The field of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// What was found for each field, in the order of [`Field::ALL`].
pub(super) type Found<T> = [Option<T>; Field::ALL.len()];

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    #[default]
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
}

impl Unit {
    /// The names of the units, in the order of [`Self::ALL`].
    pub const NAMES: [&str; 3] = ["s", "ms", "us"];
    /// Every unit.
    pub const ALL: [Self; 3] = [Self::Seconds, Self::Millis, Self::Micros];

    /// The unit of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|unit| *unit == name).map(|place| Self::ALL[place])
    }

    /// The unit's name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// How many digits of a decimal number of this unit stand for microseconds.
    pub(super) fn decimals(self) -> usize {
        match self {
            Self::Seconds => 6,
            Self::Millis => 3,
            Self::Micros => 0,
        }
    }
}

/// A key of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKey {
    /// `match`
    Match,
    /// `json`
    Json,
    /// One of the keys of `json`.
    Pointer(Field),
    /// `timestamp`
    Timestamp,
    /// `timezone`
    Timezone,
}

/// Something that is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The key that it is about.
    pub key: RuleKey,
    /// Where in the key's text, in bytes; none where it is about all of it.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to say right there.
    pub label: Option<String>,
    /// What to write instead.
    pub help: String,
}

impl RuleError {
    pub(super) fn new(key: RuleKey, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key, span: None, message: message.into(), label: None, help: help.into() }
    }

    pub(super) fn at(self, span: Range<usize>) -> Self {
        Self { span: Some(span), ..self }
    }

    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }
}
