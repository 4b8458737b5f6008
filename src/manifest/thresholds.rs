//! `ok`, `warn`, `fail` and `window`: when an edge is OK, WARN and NOK.

use toml::de::DeValue;

use super::duration;
use super::item::{Bounds, Item, Said, kind, thousands};
use super::problem::{Finding, quote};
use super::section::Section;
use crate::graph::{Threshold, Thresholds, WINDOW_OUTCOMES_MAX, Window};

/// Ten-thousandths of a percent in a percent.
const PERCENT: u32 = 10_000;

/// Reads the thresholds of a check; none where one of them is wrong.
pub(super) fn read(check: &Section<'_>) -> Option<Thresholds> {
    let bounds = Bounds { range: 1..=WINDOW_OUTCOMES_MAX as u64, example: "1" };
    let ok = or_default(check.item("ok"), |item| item.whole(&bounds).map(|said| said.value as u32), 1);
    let warn = or_default(check.item("warn"), threshold, Threshold::Count(0));
    let fail = or_default(check.item("fail"), threshold, Threshold::Count(0));
    let window = or_default(check.item("window"), |item| window(item).map(Some), None);
    let (ok, warn, fail, window) = (ok?, warn?, fail?, window?);
    let thresholds = Thresholds { ok, warn, fail, window: window.as_ref().map(|window| window.value) };
    let good = window_fits(check, thresholds, window.as_ref());
    if good {
        warn_of_the_impossible(check, thresholds);
    }
    good.then_some(thresholds)
}

/// The value, the default where it is unsaid, none where it is wrong.
fn or_default<'d, T>(item: Option<Item<'d>>, read: impl Fn(&Item<'d>) -> Option<T>, default: T) -> Option<T> {
    item.map_or(Some(default), |item| read(&item))
}

fn threshold(item: &Item<'_>) -> Option<Threshold> {
    match item.value {
        DeValue::Integer(_) => {
            let bounds = Bounds { range: 0..=WINDOW_OUTCOMES_MAX as u64, example: "1" };
            item.whole(&bounds).map(|said| Threshold::Count(said.value as u32))
        }
        DeValue::String(_) => {
            let text = item.text("1%")?;
            let percent = percent(&text.value);
            if percent.is_none() {
                let message = format!("{} is neither a number of fails nor a share", text.shown());
                item.wrong(message, threshold_help(item.key, if text.is_plain() { &text.value } else { "" }));
            }
            percent.map(Threshold::Percent)
        }
        DeValue::Float(number) => {
            item.wrong_type("a whole number or a share", threshold_help(item.key, number.as_str()));
            None
        }
        _ => {
            item.wrong_type("a whole number or a share", threshold_help(item.key, ""));
            None
        }
    }
}

/// A share in ten-thousandths of a percent: more than 0, at most 100, up to 4 decimals.
fn percent(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
        return None;
    }
    let parts = format!("{decimals:0<4}").parse::<u32>().ok()?;
    let share = whole.parse::<u32>().ok()?.checked_mul(PERCENT)?.checked_add(parts)?;
    (1..=100 * PERCENT).contains(&share).then_some(share)
}

fn threshold_help(key: &str, text: &str) -> String {
    let bare: String = text.chars().filter(|char| !char.is_whitespace() && *char != '%').collect();
    let share = format!("{bare}%");
    match (percent(&share), bare.parse::<u32>(), text.contains('%')) {
        (Some(_), Ok(_), false) => {
            format!("write `{key} = {bare}` for fails, or `{key} = {}` for a share", quote(&share))
        }
        (Some(_), ..) => format!("write `{key} = {}`", quote(&share)),
        _ => format!(
            "write fails like `{key} = 2`, or a share above 0% and up to 100%, with at most 4 decimals, like `{key} = \"0.5%\"`"
        ),
    }
}

fn window(item: &Item<'_>) -> Option<Said<Window>> {
    match item.value {
        DeValue::Integer(_) => {
            let bounds = Bounds { range: 1..=WINDOW_OUTCOMES_MAX as u64, example: "1000" };
            item.whole(&bounds).map(|said| item.said(Window::Outcomes(said.value as u32)))
        }
        DeValue::String(text) if duration::parse(text).is_none() && text.parse::<u32>().is_ok() => {
            let help = format!("write `window = {text}` for outcomes, or `window = \"{text}s\"` for seconds");
            item.wrong(format!("{} is neither a number of outcomes nor a duration", quote(text)), help);
            None
        }
        DeValue::String(_) => item.duration(false).map(|said| item.said(Window::Time(said.value.us))),
        _ => {
            let message = format!("`window` must be a number of outcomes or a duration, not {}", kind(item.value));
            item.wrong(message, "write `window = 1000` or `window = \"5m\"`");
            None
        }
    }
}

fn window_fits(check: &Section<'_>, thresholds: Thresholds, window: Option<&Said<Window>>) -> bool {
    let shares = [("warn", thresholds.warn), ("fail", thresholds.fail)];
    let mut good = true;
    for (key, threshold) in shares {
        if let (Threshold::Percent(_), None, Some(item)) = (threshold, window, check.item(key)) {
            item.wrong(
                format!("`{key}` in percent needs a `window`"),
                "say of how many outcomes, or of what time: `window = 1000` or `window = \"5m\"`",
            );
            good = false;
        }
    }
    match (window, thresholds.window()) {
        (Some(window), Window::Outcomes(outcomes)) if outcomes < thresholds.ok => {
            let message = format!("`window = {outcomes}` is below `ok = {}`: it could never be OK", thresholds.ok);
            let finding = Finding::error(&window.place, message);
            check
                .context
                .report(finding.help(format!("write `window = {}` or more, or a smaller `ok`", thresholds.ok)));
            false
        }
        (None, Window::Outcomes(outcomes)) if outcomes as usize > WINDOW_OUTCOMES_MAX => {
            let most = thousands(WINDOW_OUTCOMES_MAX as u64);
            let message =
                format!("`ok`, `warn` and `fail` together make a window of {} outcomes", thousands(outcomes.into()));
            let finding = Finding::error(&check.place(), message);
            check.context.report(finding.help(format!("a window holds at most {most}: write smaller numbers")));
            false
        }
        _ => good,
    }
}

fn warn_of_the_impossible(check: &Section<'_>, thresholds: Thresholds) {
    let most = window_most(thresholds);
    if let (Threshold::Count(fail), Some(item)) = (thresholds.fail, check.item("fail"))
        && u64::from(fail) > most
    {
        let message =
            format!("`fail = {fail}` can never be reached in a window of {most}: the edge can never show NOK");
        let finding = Finding::warning(&item.place, message);
        check.context.report(finding.help(format!("write `fail = {most}` or less, or a larger `window`")));
    }
    let (Some(warn), false) = (check.item("warn"), thresholds.warn == Threshold::Count(0)) else {
        return;
    };
    if warn_can_show(thresholds) {
        return;
    }
    let written = |key, threshold| match threshold {
        Threshold::Count(count) => format!("{key} = {count}"),
        Threshold::Percent(parts) => format!("{key} = \"{}%\"", f64::from(parts) / f64::from(PERCENT)),
    };
    let (warn_text, fail_text) = (written("warn", thresholds.warn), written("fail", thresholds.fail));
    let finding = Finding::warning(&warn.place, format!("`{warn_text}, {fail_text}` can never show WARN"));
    let finding = match (thresholds.warn, thresholds.fail) {
        (Threshold::Count(count), _) if u64::from(count) > most => {
            finding.help(format!("the window holds {most} outcomes: write a smaller `warn`, or a larger `window`"))
        }
        (Threshold::Count(warn), Threshold::Count(fail)) => finding.help(format!(
            "it is NOK from {} on: write `fail = {}` or more, or take `warn` out",
            if fail <= 1 { "the first fail".to_owned() } else { format!("{fail} fails") },
            warn + 1
        )),
        _ => finding.help("it is NOK before it is WARN: write a larger `fail` or `window`, or take `warn` out"),
    };
    check.context.report(finding);
}

/// The most outcomes that the window can hold.
fn window_most(thresholds: Thresholds) -> u64 {
    match thresholds.window() {
        Window::Outcomes(outcomes) => outcomes.into(),
        Window::Time(_) => WINDOW_OUTCOMES_MAX as u64,
    }
}

/// Whether some number of passes and fails in the window shows WARN.
pub(super) fn warn_can_show(thresholds: Thresholds) -> bool {
    let most = window_most(thresholds);
    let least = u64::from(thresholds.ok);
    let hundred = u64::from(100 * PERCENT);
    // With `f` fails of `n` outcomes: is WARN reached, NOK not, and `n` one that may be judged?
    match (thresholds.warn, thresholds.fail) {
        (Threshold::Count(warn), Threshold::Count(fail)) => warn.max(1) < fail.max(1) && u64::from(warn) <= most,
        (Threshold::Count(warn), Threshold::Percent(fail)) => {
            let f = u64::from(warn.max(1));
            f <= most && f * hundred < u64::from(fail) * most
        }
        (Threshold::Percent(warn), Threshold::Count(fail)) => {
            let f = u64::from(fail.max(1) - 1).min(most);
            f > 0 && u64::from(warn) * f.max(least) <= f * hundred
        }
        (Threshold::Percent(warn), Threshold::Percent(fail)) => {
            const TRIES: u64 = 10_000;
            (1..=most.min(TRIES)).any(|f| {
                let from = (f * hundred / u64::from(fail) + 1).max(least).max(f);
                from <= (f * hundred / u64::from(warn)).min(most)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule of the status, word for word.
    fn is_warn(thresholds: Thresholds, passes: u64, fails: u64) -> bool {
        let share = |parts: u32| fails * 100 * u64::from(PERCENT) >= u64::from(parts) * (passes + fails) && fails > 0;
        let reached = |threshold| match threshold {
            Threshold::Count(count) => fails >= u64::from(count.max(1)),
            Threshold::Percent(parts) => share(parts),
        };
        let shares = [thresholds.warn, thresholds.fail].iter().any(|it| matches!(it, Threshold::Percent(_)));
        let enough = !shares || passes + fails >= u64::from(thresholds.ok);
        enough && reached(thresholds.warn) && !reached(thresholds.fail)
    }

    #[test]
    fn warn_can_show_where_some_window_shows_it() {
        let counts = (0..8).map(Threshold::Count);
        let shares = [1, 5, 10, 20, 25, 33, 50, 51, 75, 100].map(|percent| Threshold::Percent(percent * PERCENT));
        let all: Vec<_> = counts.chain(shares).filter(|threshold| *threshold != Threshold::Count(0)).collect();
        let fails: Vec<_> = all.iter().copied().chain([Threshold::Count(0)]).collect();
        for (&warn, &fail) in all.iter().flat_map(|warn| fails.iter().map(move |fail| (warn, fail))) {
            for window in [1, 2, 3, 6, 10, 21] {
                for ok in [1, 2, window.min(5), window] {
                    let window = Some(Window::Outcomes(window));
                    let thresholds = Thresholds { ok: ok.min(window_size(window)), warn, fail, window };
                    let shown = (0..=window_size(window).into()).any(|passes| {
                        (0..=u64::from(window_size(window)) - passes).any(|fails| is_warn(thresholds, passes, fails))
                    });
                    assert_eq!(warn_can_show(thresholds), shown, "{thresholds:?}");
                }
            }
        }
    }

    fn window_size(window: Option<Window>) -> u32 {
        if let Some(Window::Outcomes(outcomes)) = window { outcomes } else { 0 }
    }
}
