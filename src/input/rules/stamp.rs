//! How a rule's timestamps are written.

use jiff::tz::TimeZone;

use super::decimal;
use super::format::{self, Beside, Format};
use super::text::{RuleError, RuleKey, RuleText, Unit};
use crate::event::{TIMESTAMP_MAX_US, TIMESTAMP_MIN_US};
use crate::input::refusal::quote;
use crate::input::timestamp;

/// A way to read timestamps.
#[derive(Clone, Debug)]
pub(super) enum Stamps {
    /// RFC 3339.
    Rfc3339,
    /// A number of units since the epoch.
    Epoch(Unit),
    /// By a format of strptime.
    Format(Box<Format>),
}

/// The names of the units, which stand where a format would.
const UNITS: &str = "\"s\", \"ms\" or \"us\"";

impl Stamps {
    /// The way that a rule says.
    pub(super) fn new(rule: &RuleText) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let zone = rule.timezone.as_deref().map_or(Ok(TimeZone::UTC), format::zone);
        let zone = zone.unwrap_or_else(|error| {
            errors.push(error);
            TimeZone::UTC
        });
        let stamps = match rule.timestamp.as_deref() {
            None => Self::Rfc3339,
            Some(text) if let Some(unit) = Unit::of(text) => Self::Epoch(unit),
            Some(text) if !text.contains('%') => {
                let help = format!("write a format like \"%Y-%m-%dT%H:%M:%S%.f%:z\", or {UNITS} for a number");
                errors.push(RuleError::new(
                    RuleKey::Timestamp,
                    format!("{} is no format of a time", quote(text)),
                    help,
                ));
                Self::Rfc3339
            }
            Some(text) => match Format::new(text, zone) {
                Ok(format) => Self::Format(Box::new(format)),
                Err(error) => {
                    errors.push(error);
                    Self::Rfc3339
                }
            },
        };
        if errors.is_empty() { Ok(stamps) } else { Err(errors) }
    }

    /// Whether the stamps can say nothing finer than a second. `fraction`: whether what is read may hold one.
    pub(super) fn whole_seconds(&self, fraction: bool) -> bool {
        match self {
            Self::Rfc3339 | Self::Epoch(Unit::Seconds) => !fraction,
            Self::Epoch(_) => false,
            Self::Format(format) => !format.fraction,
        }
    }

    /// Reads a stamp, in microseconds since the epoch; the error says what is wrong with it.
    #[inline]
    pub(super) fn read(&self, text: &str, beside: Beside) -> Result<u64, String> {
        let us = match self {
            Self::Rfc3339 => return timestamp::from_text(text.as_bytes()).map_err(|error| no_rfc3339(text, &error)),
            Self::Epoch(unit) => match decimal::micros(text, *unit) {
                Some(us) => us,
                None => return Err(no_number("timestamp", text, *unit)),
            },
            Self::Format(format) => match format.read(text, beside) {
                Some(us) => u64::try_from(us).unwrap_or(0),
                None => return Err(format!("the timestamp {} is not of the rule's format", quote(text))),
            },
        };
        in_range(us, text)
    }
}

/// Says that a text is no number of a unit.
#[cold]
pub(super) fn no_number(what: &str, text: &str, unit: Unit) -> String {
    format!("the {what} {} is no number of {}", quote(text), unit.name())
}

/// Says why a text is no timestamp of RFC 3339, to who wrote the rule rather than to who wrote the line.
#[cold]
fn no_rfc3339(text: &str, error: &str) -> String {
    if decimal::micros(text, Unit::Seconds).is_some() {
        let instead = "say its unit in the rule, such as `timestamp = \"s\"`";
        return format!("the timestamp {} is a number: {instead}", quote(text));
    }
    let wrong = error.split("; send ").next().unwrap_or_default().replacen("\"timestamp\"", "the timestamp", 1);
    format!("{wrong}; say its format in the rule, such as `timestamp = \"%Y-%m-%d %H:%M:%S%.f\"`")
}

/// A moment that can be meant.
#[inline]
fn in_range(us: u64, text: &str) -> Result<u64, String> {
    match us {
        ..TIMESTAMP_MIN_US => Err(format!("the timestamp {} is before the year 2000", quote(text))),
        TIMESTAMP_MIN_US..=TIMESTAMP_MAX_US => Ok(us),
        _ => Err(format!("the timestamp {} is after the year 2142", quote(text))),
    }
}
