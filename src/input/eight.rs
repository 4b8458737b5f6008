//! Texts and digits, eight bytes at a time.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// How many bytes come before the first quote, backslash or control character, and whether all of
/// them are ASCII. Looks at eight bytes at a time.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> (usize, bool) {
    let (mut length, mut high) = (0, 0);
    while let Some(chunk) = bytes[length..].first_chunk() {
        let word = u64::from_le_bytes(*chunk);
        // A high bit stays where the byte is below 0x20, a quote or a backslash. Borrows can set
        // further bits by mistake, but only above the first one that is right.
        let below = word.wrapping_sub(LOW_BITS * 0x20);
        let quote = (word ^ (LOW_BITS * u64::from(b'"'))).wrapping_sub(LOW_BITS);
        let backslash = (word ^ (LOW_BITS * u64::from(b'\\'))).wrapping_sub(LOW_BITS);
        let special = (below | quote | backslash) & !word & HIGH_BITS;
        if special != 0 {
            let before = (special & special.wrapping_neg()) - 1;
            return (length + (special.trailing_zeros() / 8) as usize, (high | (word & before)) & HIGH_BITS == 0);
        }
        high |= word;
        length += 8;
    }
    let rest = bytes[length..].iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    let (count, rest_high) = rest.fold((0, 0), |(count, high), byte| (count + 1, high | byte));
    (length + count, high & HIGH_BITS == 0 && rest_high < 0x80)
}

/// The number that eight digits write.
#[inline]
pub(super) fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(bytes);
    let digits = word.wrapping_sub(LOW_BITS * u64::from(b'0'));
    // Above 9, a byte gets a high bit by adding 0x76, unless it has it already.
    if (digits | digits.wrapping_add(LOW_BITS * 0x76)) & HIGH_BITS != 0 {
        return None;
    }
    // Pairs, then fours, then all eight; the first digit is the lowest byte.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_string_ends_where_it_ends() {
        for length in 0..40 {
            for special in ["\"", "\\", "\n", "\0", "\u{1f}"] {
                for filler in ["a", "!", " ", "#", "[", "]", "\u{7f}", "ü", "😀"] {
                    let plain = filler.repeat(length);
                    let text = format!("{plain}{special}\"\\\0{plain}");
                    assert_eq!(super::plain(text.as_bytes()), (plain.len(), plain.is_ascii()), "{text:?}");
                }
            }
            assert_eq!(plain("x".repeat(length).as_bytes()), (length, true));
            assert_eq!(plain("\u{80}".repeat(length).as_bytes()), (2 * length, length == 0));
        }
    }

    proptest! {
        #[test]
        fn eight_digits_are_read_at_once(bytes in proptest::array::uniform8(0x2c_u8..0x3f), any in any::<[u8; 8]>()) {
            for bytes in [bytes, any] {
                let digits = bytes.iter().all(u8::is_ascii_digit);
                let expected = digits.then(|| bytes.iter().fold(0, |n, byte| n * 10 + u64::from(byte - b'0')));
                prop_assert_eq!(eight_digits(bytes), expected);
            }
        }
    }
}
