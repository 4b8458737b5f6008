//! Numbers as people write them.

use crate::clock::SECOND_US;

const MS: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND_US;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The deadlines that people choose.
const STEPS_US: [u64; 30] = [
    MS,
    2 * MS,
    5 * MS,
    10 * MS,
    20 * MS,
    50 * MS,
    100 * MS,
    200 * MS,
    500 * MS,
    SECOND_US,
    2 * SECOND_US,
    5 * SECOND_US,
    10 * SECOND_US,
    20 * SECOND_US,
    30 * SECOND_US,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
    365 * DAY,
];

/// The first deadline that is no shorter than this; at most a year.
pub(super) fn deadline_us(at_least_us: u64) -> u64 {
    STEPS_US.into_iter().find(|&step_us| step_us >= at_least_us).unwrap_or(365 * DAY)
}

/// A duration in words: `250 us`, `1.2 ms`, `87 ms`, `1.5 s`, `3.0 m`.
pub(super) fn duration(us: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND_US, "s"), (MS, "ms")];
    let Some((unit, name)) = UNITS.into_iter().find(|&(unit, _)| us >= unit) else { return format!("{us} us") };
    let value = us as f64 / unit as f64;
    if value < 10.0 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

/// A count with its thousands apart: `1,204`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things: `1 message`, `1,204 messages`.
pub(super) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A share in percent, rounded down to a tenth.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::duration_text;

    #[test]
    fn deadlines_are_rounded_up_to_what_people_write() {
        let cases = [
            (0, "1ms"),
            (1_000, "1ms"),
            (1_001, "2ms"),
            (87_000, "100ms"),
            (200_000, "200ms"),
            (200_001, "500ms"),
            (500_001, "1s"),
            (7_000_000, "10s"),
            (45_000_000, "1m"),
            (4_000_000_000, "2h"),
            (u64::MAX, "365d"),
        ];
        for (us, text) in cases {
            assert_eq!(duration_text(deadline_us(us)), text, "{us}");
        }
        assert!(STEPS_US.is_sorted());
    }

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([count(7), count(1_204), count(1_000_000)], ["7", "1,204", "1,000,000"]);
        assert_eq!([duration(250), duration(1_234), duration(87_400)], ["250 us", "1.2 ms", "87 ms"]);
        assert_eq!([percent(1_199, 1_200), percent(0, 0)], ["99.9 %", "0.0 %"]);
        assert_eq!([counted(1, "edge"), counted(2, "edge")], ["1 edge", "2 edges"]);
    }
}
