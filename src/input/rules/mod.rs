//! From a line of a log to an event, by the rules of an `[[input.log]]`: pure, a line in, a [`Line`] out.
//!
//! A [`RuleSet`] is compiled once, when the manifest is read (`set`), from what each rule says (`text`): where
//! the fields of an event stand, by a regular expression (`pattern`, and `plan` where it is a simple one) or by JSON pointers (`json`), and how its
//! time is written (`stamp`, `format`, `decimal`). A [`LineReader`] reads lines by it (`read`).
//!
//! Whoever reads files cuts them into lines, of at most [`LINE_MAX_BYTES`], and counts what comes out.

mod decimal;
mod format;
mod json;
mod near;
mod pattern;
mod plan;
mod read;
mod set;
mod settings;
mod stamp;
mod text;

pub(super) use decimal::micros;
pub use near::Nearness;
pub use read::{LINE_MAX_BYTES, Line, LineReader};
pub use set::RuleSet;
pub use settings::{LogSettings, Start};
pub use text::{Field, Lines, RuleError, RuleKey, RuleText, Unit};
