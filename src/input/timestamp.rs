//! Timestamps as senders write them: RFC 3339 with an offset, or an integer of microseconds.

use crate::event::{TIMESTAMP_MAX_US, TIMESTAMP_MIN_US};

use super::eight::eight_digits;
use super::refusal::quote;

/// The longest text that is looked at; RFC 3339 with nanoseconds and an offset has 35 bytes.
const TEXT_MAX_BYTES: usize = 64;
const INSTEAD: &str = r#"send microseconds since the Unix epoch as an integer, or "2026-11-20T12:00:00Z""#;

/// Checks an integer of microseconds since the Unix epoch.
#[inline]
pub(super) fn from_integer(value: u64) -> Result<u64, String> {
    if (TIMESTAMP_MIN_US..=TIMESTAMP_MAX_US).contains(&value) { Ok(value) } else { Err(wrong_unit(value)) }
}

/// Reads a text as RFC 3339 with an offset; what is finer than a microsecond is cut off.
#[inline]
pub(super) fn from_text(text: &[u8]) -> Result<u64, String> {
    match common(text) {
        Some(us) if (TIMESTAMP_MIN_US..=TIMESTAMP_MAX_US).contains(&us) => Ok(us),
        _ => uncommon(text),
    }
}

/// The length of `"2026-11-20T12:00:00.123456Z"` with its quotes.
pub(super) const QUOTED_BYTES: usize = 29;

/// Reads timestamps of the commonest shape, most of which are of the same minute as the one before.
#[derive(Debug)]
pub(super) struct Minutes {
    /// The minute of the last one, and its begin.
    text: [u8; 16],
    begin_us: u64,
}

impl Default for Minutes {
    fn default() -> Self {
        Self { text: *b"2000-01-01T00:00", begin_us: TIMESTAMP_MIN_US }
    }
}

impl Minutes {
    /// Reads `"2026-11-20T12:00:00.123456Z"`, with its quotes. `None` says nothing: the text may be good in another shape.
    #[inline]
    pub(super) fn quoted(&mut self, text: &[u8; QUOTED_BYTES]) -> Option<u64> {
        let [b'"', minute @ .., b':', _, _, b'.', _, _, _, _, _, _, b'Z', b'"'] = text else { return None };
        if *minute != self.text {
            self.turn(*minute)?;
        }
        let second = pair(text, 18);
        // Six digits: what stands before them becomes two more.
        let eight = u64::from_le_bytes(*text[20..].first_chunk()?) << 8 & !0xffff | 0x3030;
        let fraction_us = eight_digits(eight.to_le_bytes())?;
        (second < 60).then_some(self.begin_us + second * 1_000_000 + fraction_us)
    }

    /// Reads `2026-11-20T12:00:00.123Z`, without quotes, with any fraction and any offset. `None` says nothing: the text may be
    /// good in another shape.
    #[inline]
    pub(super) fn plain(&mut self, text: &[u8]) -> Option<u64> {
        let (minute, rest) = text.split_first_chunk::<16>()?;
        let [b':', _, _, rest @ ..] = rest else { return None };
        if *minute != self.text {
            self.turn(*minute)?;
        }
        let second = pair(text, 17);
        let (fraction_us, offset) = fraction_us(rest)?;
        let local_us = self.begin_us + second * 1_000_000 + fraction_us;
        let us = local_us.checked_add_signed(-offset_seconds(offset)? * 1_000_000)?;
        (second < 60 && (TIMESTAMP_MIN_US..=TIMESTAMP_MAX_US).contains(&us)).then_some(us)
    }

    #[cold]
    fn turn(&mut self, minute: [u8; 16]) -> Option<()> {
        let mut text = *b"0000-00-00T00:00:00Z";
        text[..16].copy_from_slice(&minute);
        let begin_us = common(&text)?;
        let within = TIMESTAMP_MIN_US..TIMESTAMP_MAX_US - 60_000_000;
        within.contains(&begin_us).then(|| (self.text, self.begin_us) = (minute, begin_us))
    }
}

/// Says what an integer out of range was probably meant to be.
#[cold]
fn wrong_unit(value: u64) -> String {
    let meant = |us: Option<u64>| us.is_some_and(|us| (TIMESTAMP_MIN_US..=TIMESTAMP_MAX_US).contains(&us));
    let unit = if meant(value.checked_mul(1_000_000)) {
        "this looks like seconds"
    } else if meant(value.checked_mul(1_000)) {
        "this looks like milliseconds"
    } else if meant(Some(value / 1_000)) {
        "this looks like nanoseconds"
    } else if value < TIMESTAMP_MIN_US {
        "that is before the year 2000 (this looks like seconds / milliseconds)"
    } else {
        "that is after the year 2142 (this looks like nanoseconds)"
    };
    format!("\"timestamp\" is {value}: {unit}; {INSTEAD}")
}

/// Everything that is not of the common shape, by jiff.
#[cold]
fn uncommon(text: &[u8]) -> Result<u64, String> {
    let text = str::from_utf8(text).unwrap_or_default();
    if text.len() > TEXT_MAX_BYTES {
        return Err(format!("\"timestamp\" is longer than {TEXT_MAX_BYTES} bytes; {INSTEAD}"));
    }
    let Ok(at) = text.parse::<jiff::Timestamp>() else {
        return Err(format!("\"timestamp\" is {}: {}; {INSTEAD}", quote(text), what_is_wrong(text)));
    };
    match u64::try_from(at.as_microsecond()) {
        Ok(us) if us > TIMESTAMP_MAX_US => {
            Err(format!("\"timestamp\" is {}: that is after the year 2142", quote(text)))
        }
        Ok(us) if us >= TIMESTAMP_MIN_US => Ok(us),
        _ => Err(format!("\"timestamp\" is {}: that is before the year 2000", quote(text))),
    }
}

fn what_is_wrong(text: &str) -> &'static str {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        "an integer must stand without quotes"
    } else if text.parse::<jiff::civil::DateTime>().is_ok() {
        "it has no offset from UTC, such as Z or +02:00"
    } else {
        "that is no time of RFC 3339"
    }
}

/// The common shape, `2026-11-20T12:00:00.123456Z`: years 2000 to 2199, up to nine digits of a
/// fraction, `Z` or `+hh:mm`. `None` says nothing: the text may be good in another shape, such as
/// one with a leap second.
#[inline]
fn common(text: &[u8]) -> Option<u64> {
    let (clock, rest) = text.split_first_chunk::<19>()?;
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _] = clock else {
        return None;
    };
    let (century, of_century) = (pair(clock, 0), pair(clock, 2));
    let (year, month, day) = (century * 100 + of_century, pair(clock, 5), pair(clock, 8));
    let (hour, minute, second) = (pair(clock, 11), pair(clock, 14), pair(clock, 17));
    let in_range = (century == 20 || century == 21)
        && of_century < 100
        && (1..=12).contains(&month)
        && (1..=month_days(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let (fraction_us, offset) = fraction_us(rest)?;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let utc = seconds.checked_add_signed(-offset_seconds(offset)?)?;
    Some(utc * 1_000_000 + fraction_us)
}

/// More than any two digits are worth.
const NOT_DIGITS: u64 = 200;

/// The number that two digits write.
#[inline]
fn pair(text: &[u8], at: usize) -> u64 {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { NOT_DIGITS } else { u64::from(tens * 10 + ones) }
}

/// The fraction of a second, and what comes after it.
#[inline]
fn fraction_us(text: &[u8]) -> Option<(u64, &[u8])> {
    let Some((b'.', text)) = text.split_first() else {
        return Some((0, text));
    };
    if let Some((micros, rest)) = text.split_first_chunk::<6>()
        && !rest.first().is_some_and(u8::is_ascii_digit)
        && let (high @ ..100, mid @ ..100, low @ ..100) = (pair(micros, 0), pair(micros, 2), pair(micros, 4))
    {
        return Some((high * 10_000 + mid * 100 + low, rest));
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (fraction, rest) = text.split_at(digits);
    let us = (0..6).fold(0, |us, place| us * 10 + u64::from(fraction.get(place).map_or(0, |digit| digit - b'0')));
    Some((us, rest))
}

/// The offset from UTC, which must end the text.
#[inline]
fn offset_seconds(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (pair(text, 1), pair(text, 4));
            let seconds = (hours * 3_600 + minutes * 60) as i64;
            (hours < 24 && minutes < 60).then_some(if sign == b'+' { seconds } else { -seconds })
        }
        _ => None,
    }
}

#[inline]
fn month_days(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the Unix epoch to a date of the Gregorian calendar from the year 2000 on.
///
/// Years are counted from March, so that the leap day is the last of its year.
#[inline]
fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719,468 days lie between the first of March of the year 0 and the epoch.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_jiff(text: &str) -> Option<i64> {
        text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
    }

    fn agrees(text: &str) {
        let mut minutes = Minutes::default();
        let quoted = format!("\"{text}\"");
        for _ in 0..2 {
            if let Some(us) = quoted.as_bytes().try_into().ok().and_then(|quoted| minutes.quoted(quoted)) {
                assert_eq!(by_jiff(text), Some(us as i64), "{text}");
            }
            if let Some(us) = minutes.plain(text.as_bytes()) {
                assert_eq!(by_jiff(text), Some(us as i64), "{text}");
            }
        }
        if let Some(us) = common(text.as_bytes()) {
            assert_eq!(by_jiff(text), Some(us as i64), "{text}");
        }
    }

    #[test]
    fn the_shapes_that_senders_use() {
        let noon = 1_795_176_000_000_000;
        for (text, us) in [
            ("2026-11-20T12:00:00Z", noon),
            ("2026-11-20T12:00:00.5Z", noon + 500_000),
            ("2026-11-20T12:00:00.123456Z", noon + 123_456),
            ("2026-11-20T12:00:00.123456999Z", noon + 123_456),
            ("2026-11-20T14:00:00+02:00", noon),
            ("2026-11-20T14:00:00.123+02:00", noon + 123_000),
            ("2026-11-20T06:30:00.000001-05:30", noon + 1),
            ("2000-01-01T00:00:00Z", TIMESTAMP_MIN_US),
            ("2024-02-29T23:59:59Z", 1_709_251_199_000_000),
        ] {
            assert_eq!(common(text.as_bytes()), Some(us), "{text}");
            assert_eq!(from_text(text.as_bytes()), Ok(us), "{text}");
            assert_eq!(Minutes::default().plain(text.as_bytes()), Some(us), "{text}");
            assert_eq!(by_jiff(text), Some(us as i64), "{text}");
        }
        // Legal, but not of the common shape.
        assert_eq!(from_text("2026-11-20t12:00:00z".as_bytes()), Ok(noon));
        assert_eq!(from_text("2026-11-20 12:00:00Z".as_bytes()), Ok(noon));
        // A leap second counts as the second before it.
        assert_eq!(from_text("2016-12-31T23:59:60Z".as_bytes()), from_text("2016-12-31T23:59:59Z".as_bytes()));
    }

    #[test]
    fn every_day_of_two_hundred_years_is_that_of_jiff() {
        for year in 2000..2200 {
            for month in 1..=13 {
                for day in 0..=32 {
                    let text = format!("{year}-{month:02}-{day:02}T23:59:59.999999Z");
                    let expected = by_jiff(&text).and_then(|us| u64::try_from(us).ok());
                    assert_eq!(common(text.as_bytes()), expected, "{text}");
                    agrees(&text);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_advice() {
        for (value, advice) in [
            (0, "before the year 2000"),
            (1_700_000_000, "looks like seconds"),
            (1_700_000_000_123, "looks like milliseconds"),
            (TIMESTAMP_MIN_US - 1, "milliseconds"),
            (TIMESTAMP_MAX_US + 1, "nanoseconds"),
            (1_700_000_000_123_456_789, "looks like nanoseconds"),
            (u64::MAX, "nanoseconds"),
        ] {
            let error = from_integer(value).unwrap_err();
            assert!(error.contains(advice) && error.contains("2026-11-20T12:00:00Z"), "{value}: {error}");
        }
        for (text, advice) in [
            ("", "RFC 3339"),
            ("yesterday", "RFC 3339"),
            ("2026-11-20T12:00:00", "no offset"),
            ("2026-11-20", "no offset"),
            ("2026-02-30T12:00:00Z", "RFC 3339"),
            ("2026-11-20T24:00:00Z", "RFC 3339"),
            ("1700000000123456", "without quotes"),
            ("1999-12-31T23:59:59.999999Z", "before the year 2000"),
            ("2000-01-01T00:00:00+00:01", "before the year 2000"),
            ("1969-12-31T23:59:59Z", "before the year 2000"),
            ("2142-09-24T00:00:00Z", "after the year 2142"),
            ("\u{202e}", "\\u{202e}"),
        ] {
            let error = from_text(text.as_bytes()).unwrap_err();
            assert!(error.contains(advice), "{text}: {error}");
        }
        assert!(from_text("2".repeat(1_000_000).as_bytes()).unwrap_err().len() < 200);
    }

    #[test]
    fn the_bounds_are_inclusive() {
        for us in [TIMESTAMP_MIN_US, TIMESTAMP_MAX_US] {
            assert_eq!(from_integer(us), Ok(us));
            let text = jiff::Timestamp::from_microsecond(us as i64).unwrap().to_string();
            assert_eq!(from_text(text.as_bytes()), Ok(us));
        }
    }

    proptest! {
        #[test]
        fn any_moment_reads_as_by_jiff(
            second in 946_684_800_i64..7_000_000_000, nanos in 0..1_000_000_000_i64, digits in 0..=9_usize,
            offset in -86_000..86_000_i32,
        ) {
            let at = jiff::Timestamp::from_nanosecond(i128::from(second) * 1_000_000_000 + i128::from(nanos)).unwrap();
            agrees(&format!("{at:.digits$}"));
            let offset = jiff::tz::Offset::from_seconds(offset / 60 * 60).unwrap();
            let text = format!("{:.digits$}", at.display_with_offset(offset));
            prop_assert!(by_jiff(&text).is_some());
            agrees(&text);
        }

        #[test]
        fn any_text_of_about_that_shape_reads_as_by_jiff(
            text in r"[012][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])",
            place in 0..64_usize, byte in "[0-9:TtZz. +-]",
        ) {
            agrees(&text);
            let mut changed = text.clone();
            let place = place % text.len();
            changed.replace_range(place..=place, &byte);
            agrees(&changed);
            agrees(&text[..place]);
        }
    }
}
