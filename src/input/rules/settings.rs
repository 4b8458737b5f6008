//! What an `[[input.log]]` says of its files.

use std::sync::Arc;

use super::set::RuleSet;

/// The settings of an input of log files, beside those that every input has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// A glob; files that appear later are found.
    pub path: String,
    /// Where a file is read from that was there before us.
    pub start: Start,
    /// How its lines are read.
    pub rules: Arc<RuleSet>,
}

/// Where a file is read from that was there before us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Only what is written from now on.
    #[default]
    End,
    /// All of it.
    Beginning,
}
