//! Decimal numbers of a unit of time: `1700000000.123`, `42`.

use super::text::Unit;

/// Reads a decimal number of a unit as microseconds; what is finer is cut off. `None` where it is none, or far too
/// large.
#[inline]
pub(in crate::input) fn micros(text: &str, unit: Unit) -> Option<u64> {
    let text = text.as_bytes();
    let whole_digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(whole_digits);
    let fraction = match rest.split_first() {
        None => rest,
        // Some countries' programs write a comma.
        Some((b'.' | b',', fraction)) => fraction,
        Some(_) => return None,
    };
    if whole.is_empty() || whole.len() > 19 || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = whole.iter().map(|digit| u64::from(digit - b'0'));
    let whole = digits.fold(0_u64, |number, digit| number.wrapping_mul(10).wrapping_add(digit));
    let places = unit.decimals();
    let digit = |place: usize| fraction.get(place).map_or(0, |digit| u64::from(digit - b'0'));
    let fraction = (0..places).fold(0, |number, place| number * 10 + digit(place));
    whole.checked_mul(10_u64.pow(places as u32))?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_unit() {
        for (text, unit, us) in [
            ("1700000000", Unit::Seconds, Some(1_700_000_000_000_000)),
            ("1700000000.123", Unit::Seconds, Some(1_700_000_000_123_000)),
            ("1700000000.1234569", Unit::Seconds, Some(1_700_000_000_123_456)),
            ("1700000000123", Unit::Millis, Some(1_700_000_000_123_000)),
            ("1700000000123.5", Unit::Millis, Some(1_700_000_000_123_500)),
            ("1700000000123456", Unit::Micros, Some(1_700_000_000_123_456)),
            ("7.9", Unit::Micros, Some(7)),
            ("0,25", Unit::Seconds, Some(250_000)),
            ("3.", Unit::Seconds, Some(3_000_000)),
            ("0", Unit::Seconds, Some(0)),
            (".5", Unit::Seconds, None),
            ("", Unit::Seconds, None),
            ("-1", Unit::Seconds, None),
            ("1e3", Unit::Seconds, None),
            ("0.004, 0.010", Unit::Seconds, None),
            ("18446744073709551615", Unit::Micros, None),
            ("9999999999999999999", Unit::Seconds, None),
        ] {
            assert_eq!(micros(text, unit), us, "{text} {}", unit.name());
        }
    }
}
