//! What an edge demands.

use super::item::{Bounds, Said};
use super::keys;
use super::problem::Finding;
use super::section::Section;
use super::thresholds;
use crate::graph::{Check, CheckKind, CountCheck};

/// The most upstream events in a group of a count check.
const EVERY_MAX: u64 = 65_536;
/// The most downstream events that a group may ask for.
const EXPECT_MAX: u64 = 1_000_000;

/// Reads the check of an edge; none where it has none, or a wrong one.
pub(super) fn read(edge: &Section<'_>) -> Option<Check> {
    let optional = edge.flag("optional").filter(|optional| optional.value);
    let Some(check) = edge.section("check", &keys::CHECK) else {
        if let (Some(optional), None) = (&optional, edge.item("check")) {
            let finding =
                Finding::error(&optional.place, "`optional` needs a time check: an edge without one demands nothing");
            edge.context.report(finding.help("add `check = { within = \"10s\" }`, or take `optional` out"));
        }
        return None;
    };
    let kind = kind(&check);
    if let (Some(CheckKind::Count(_)), Some(optional)) = (kind, &optional) {
        let finding = Finding::error(&optional.place, "`optional` goes with a time check, and this is a count check");
        edge.context.report(finding.help("take `optional` out"));
    }
    let within = if check.require("within", "\"500ms\"") { check.duration("within") } else { None };
    let thresholds = thresholds::read(&check);
    let (kind, within, thresholds) = (kind?, within?, thresholds?);
    Some(Check {
        kind,
        within_us: within.value.us,
        within_text: within.value.text,
        thresholds,
        optional: optional.is_some(),
    })
}

fn kind(check: &Section<'_>) -> Option<CheckKind> {
    let count = match check.item("kind") {
        Some(item) => item.choice(&["time", "count"])?.value == 1,
        None => false,
    };
    if count { count_check(check).map(CheckKind::Count) } else { time_check(check) }
}

fn time_check(check: &Section<'_>) -> Option<CheckKind> {
    let mut good = true;
    for key in ["every", "expect", "same_token"] {
        if let Some(item) = check.item(key) {
            item.wrong(
                format!("`{key}` belongs to a count check"),
                format!("add `kind = \"count\"`, or take `{key}` out"),
            );
            good = false;
        }
    }
    good.then_some(CheckKind::Time)
}

fn count_check(check: &Section<'_>) -> Option<CountCheck> {
    let number = |key, max, example| {
        let bounds = Bounds { range: 1..=max, example };
        if check.require(key, example) { check.whole(key, &bounds) } else { None }
    };
    let every: Option<Said<u64>> = number("every", EVERY_MAX, "5");
    let expect = number("expect", EXPECT_MAX, "2");
    let same_token = check.item("same_token").map_or(Some(false), |item| item.flag().map(|said| said.value));
    let (every, expect, same_token) = (every?, expect?, same_token?);
    if same_token && expect.value > every.value {
        let message =
            format!("with `same_token` a group of {} can never see {} of its tokens", every.value, expect.value);
        let finding = Finding::error(&expect.place, message);
        check.context.report(finding.help(format!("write `expect = {}` or less", every.value)));
        return None;
    }
    Some(CountCheck { every: every.value as u32, expect: expect.value as u32, same_token })
}
