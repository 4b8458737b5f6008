//! Durations: a whole number and a unit, `"500ms"`.

use crate::clock::{SECOND_US, duration_text};

/// The longest duration.
pub(super) const DURATION_MAX_US: u64 = 365 * 86_400 * SECOND_US;

/// What is said of a text that is no duration.
pub(super) const DURATION_HELP: &str =
    "write a whole number and a unit in quotes: \"250us\", \"500ms\", \"10s\", \"5m\", \"2h\" or \"1d\"";

/// The units, and what people write for them.
const UNITS: [(u64, &str, &[&str]); 6] = [
    (1, "us", &["µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"]),
    (1_000, "ms", &["msec", "msecs", "millis", "millisecond", "milliseconds"]),
    (SECOND_US, "s", &["sec", "secs", "second", "seconds"]),
    (60 * SECOND_US, "m", &["min", "mins", "minute", "minutes"]),
    (3_600 * SECOND_US, "h", &["hr", "hrs", "hour", "hours"]),
    (86_400 * SECOND_US, "d", &["day", "days"]),
];

/// A duration in microseconds.
pub(super) fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (unit_us, ..) = UNITS.iter().find(|(_, name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*unit_us).filter(|&us| us <= DURATION_MAX_US)
}

/// Reads a duration as a flag says it; the error says what to write instead.
pub fn duration_us(text: &str) -> Result<u64, String> {
    let meant = || guess(text).map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
    parse(text).ok_or_else(|| format!("write a whole number and a unit, like 500ms, 10s or 5m{}", meant()))
}

/// What was meant by a text that is no duration: `"10 sec"` is `10s`, `"1.5s"` is `1500ms`.
pub(super) fn guess(text: &str) -> Option<String> {
    let text = text.to_lowercase().replace(char::is_whitespace, "");
    if !text.is_empty() && text.len() < 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("{text}s"));
    }
    let (mut rest, mut sum_us) = (text.as_str(), 0_u64);
    while !rest.is_empty() && rest.len() < 64 {
        let number_end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|char: char| char.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let (unit_us, ..) = UNITS.iter().find(|(_, name, aliases)| *name == unit || aliases.contains(&unit))?;
        sum_us = sum_us.checked_add(scaled(number, *unit_us)?)?;
        rest = next;
    }
    (sum_us > 0 && sum_us <= DURATION_MAX_US).then(|| duration_text(sum_us))
}

/// A decimal number of units, where that is a whole number of microseconds.
fn scaled(number: &str, unit_us: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction_us = if fraction.is_empty() {
        0
    } else {
        let parts = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let product = fraction.parse::<u64>().ok()?.checked_mul(unit_us)?;
        if !product.is_multiple_of(parts) {
            return None;
        }
        product / parts
    };
    whole.parse::<u64>().ok()?.checked_mul(unit_us)?.checked_add(fraction_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        let read: Vec<_> = ["250us", "500ms", "10s", "5m", "2h", "1d", "0s", "365d"].map(parse).to_vec();
        let day = 86_400 * SECOND_US;
        let meant = [250, 500_000, 10_000_000, 300_000_000, 7_200_000_000, day, 0, 365 * day];
        assert_eq!(read, meant.map(Some));
    }

    #[test]
    fn a_flag_is_told_what_was_meant() {
        assert_eq!(duration_us("5m"), Ok(300_000_000));
        assert!(duration_us("10 sec").is_err_and(|error| error.ends_with("did you mean 10s?")));
    }

    #[test]
    fn all_else_is_refused_and_guessed() {
        for (text, meant) in [
            ("10", Some("10s")),
            ("10 s", Some("10s")),
            ("10sec", Some("10s")),
            ("10S", Some("10s")),
            ("1.5s", Some("1500ms")),
            ("0.5ms", Some("500us")),
            ("1h30m", Some("90m")),
            ("2 minutes", Some("2m")),
            ("5µs", Some("5us")),
            ("0.1us", None),
            ("-5s", None),
            ("", None),
            ("s", None),
            ("soon", None),
            ("366d", None),
            ("99999999999999999999s", None),
            ("1.2.3s", None),
        ] {
            assert_eq!(parse(text), None, "{text}");
            assert_eq!(guess(text).as_deref(), meant, "{text}");
        }
    }
}
