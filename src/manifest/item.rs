//! One value of the manifest, read as what it has to be; a wrong type says what to write.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::context::Context;
use super::duration::{self, DURATION_HELP};
use super::problem::{Finding, Place, quote};
use super::text::Text;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Item<'d> {
    pub(super) context: &'d Context<'d>,
    pub(super) place: Place,
    pub(super) key: &'d str,
    pub(super) value: &'d DeValue<'d>,
}

/// A value that was read, and where it is said.
#[derive(Clone, Debug)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// The values that a number may have, and an example of one.
#[derive(Clone)]
pub(super) struct Bounds {
    pub(super) range: RangeInclusive<u64>,
    pub(super) example: &'static str,
}

/// A duration as it is used and as it is written.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) us: u64,
    pub(super) text: String,
}

impl<'d> Item<'d> {
    /// Reports that the value has the wrong type.
    pub(super) fn wrong_type(&self, expected: &str, help: impl Into<String>) {
        let message = format!("`{}` must be {expected}, not {}", self.key, kind(self.value));
        self.context.report(Finding::error(&self.place, message).help(help));
    }

    /// Reports that the value will not do.
    pub(super) fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.context.report(Finding::error(&self.place, message).help(help));
    }

    pub(super) fn said<T>(&self, value: T) -> Said<T> {
        Said { value, place: self.place.clone() }
    }

    /// A string. `example` is one as the manifest would write it, without the quotes.
    pub(super) fn text(&self, example: &str) -> Option<Text> {
        match self.value {
            DeValue::String(text) => Text::expand(self.context, text, &self.place),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                let written = self.source();
                self.wrong_type("a string", format!("write it in quotes: `{} = \"{written}\"`", self.key));
                None
            }
            DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong_type("a string", format!("write `{} = {}`", self.key, quote(example)));
                None
            }
        }
    }

    /// A path: where it is relative, to the folder of the file that says it.
    pub(super) fn path(&self, example: &str) -> Option<PathBuf> {
        Some(self.folder().join(self.text(example)?.value))
    }

    /// The folder of the file that says it.
    pub(super) fn folder(&self) -> &'d Path {
        &self.context.files[self.place.file].folder
    }

    /// A duration; `zero` where none at all is allowed.
    pub(super) fn duration(&self, zero: bool) -> Option<Said<Span>> {
        if let DeValue::Integer(number) = self.value {
            let help = match duration::guess(number.as_str()) {
                Some(guess) => format!("write the unit, too, in quotes: `{} = \"{guess}\"`", self.key),
                None => DURATION_HELP.to_owned(),
            };
            self.wrong_type("a duration", help);
            return None;
        }
        let DeValue::String(_) = self.value else {
            self.wrong_type("a duration", DURATION_HELP);
            return None;
        };
        let text = self.text("10s")?;
        match duration::parse(&text.value) {
            Some(0) if !zero => {
                self.wrong(format!("`{}` must be longer than 0", self.key), "write a duration like \"10s\"");
                None
            }
            Some(us) => Some(self.said(Span { us, text: text.value })),
            None => {
                self.no_duration(&text);
                None
            }
        }
    }

    fn no_duration(&self, text: &Text) {
        let long = text.is_plain() && duration::guess(&text.value).is_none() && is_plain_duration(&text.value);
        if long {
            self.wrong(format!("{} is too long", text.shown()), "the longest duration is \"365d\"");
            return;
        }
        let help = match duration::guess(&text.value).filter(|_| text.is_plain()) {
            Some(guess) => format!("write `{} = \"{guess}\"`", self.key),
            None => DURATION_HELP.to_owned(),
        };
        self.wrong(format!("{} is not a duration", text.shown()), help);
    }

    /// A whole number.
    pub(super) fn whole(&self, bounds: &Bounds) -> Option<Said<u64>> {
        let DeValue::Integer(number) = self.value else {
            let quoted = if let DeValue::String(text) = self.value { text.parse::<u64>().ok() } else { None };
            let help = match quoted.filter(|number| bounds.range.contains(number)) {
                Some(number) => format!("write `{} = {number}`, without quotes", self.key),
                None => format!("write `{} = {}`", self.key, bounds.example),
            };
            self.wrong_type("a whole number", help);
            return None;
        };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let Some(value) = value.filter(|value| bounds.range.contains(value)) else {
            let (low, high) = (thousands(*bounds.range.start()), thousands(*bounds.range.end()));
            let message = format!("`{}` must be from {low} to {high}", self.key);
            self.wrong(message, format!("write `{} = {}`", self.key, bounds.example));
            return None;
        };
        Some(self.said(value))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<Said<bool>> {
        if let DeValue::Boolean(flag) = self.value {
            return Some(self.said(*flag));
        }
        self.wrong_type("true or false", format!("write `{0} = true` or `{0} = false`, without quotes", self.key));
        None
    }

    /// One of some words: its index.
    pub(super) fn choice(&self, words: &[&'static str]) -> Option<Said<usize>> {
        let said = |word: &str| format!("`{} = \"{word}\"`", self.key);
        let all = || words.iter().map(|word| said(word)).collect::<Vec<_>>().join(" or ");
        let DeValue::String(_) = self.value else {
            self.wrong_type("a string", format!("write {}", all()));
            return None;
        };
        let text = self.text(words[0])?;
        if let Some(index) = words.iter().position(|word| *word == text.value) {
            return Some(self.said(index));
        }
        let near = self.context.nearest(&text.value, words.iter().copied()).filter(|_| text.is_plain());
        let help = format!("write {}", near.map_or_else(all, said));
        self.wrong(format!("`{}` cannot be {}", self.key, text.shown()), help);
        None
    }

    /// The value as the file writes it, on one line.
    fn source(&self) -> &'d str {
        let text = &self.context.files[self.place.file].text;
        text.get(self.place.span.clone()).unwrap_or("").lines().next().unwrap_or("")
    }
}

/// Digits and a known unit: only too many of them.
fn is_plain_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|char: char| char.is_ascii_digit());
    unit.len() < text.len() && matches!(unit, "us" | "ms" | "s" | "m" | "h" | "d")
}

/// A type by the name that people know it by.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A number with commas: 1,000,000.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
