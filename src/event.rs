//! What components report: a node saw a token at a time.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::graph::{InputId, NodeId};

/// Timestamps before the year 2000 are refused: they are seconds or milliseconds by mistake.
pub const TIMESTAMP_MIN_US: u64 = 946_684_800_000_000;
/// Timestamps from about the year 2142 on are refused: they are nanoseconds by mistake, and
/// what lies below fits the 52 bits in which the correlator keeps them.
pub const TIMESTAMP_MAX_US: u64 = TIMESTAMP_MIN_US + (1 << 52) - 1;
/// How far a timestamp may be ahead of our clock before its arrival replaces it.
pub const AHEAD_MAX_US: u64 = 5 * 60 * 1_000_000;
/// The longest node id, in bytes.
pub const NODE_MAX_BYTES: usize = 128;
/// The longest token, in bytes.
pub const TOKEN_MAX_BYTES: usize = 256;

/// One event as its sender reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who saw the message.
    pub node: NodeId,
    /// Which message.
    pub token: Token,
    /// When, by the sender's clock, in microseconds since the Unix epoch.
    pub timestamp_us: Option<u64>,
    /// The node that the message came from.
    pub parent: Option<NodeId>,
    /// A second token by which the message is known from here on.
    pub alias: Option<Box<Token>>,
}

impl Report {
    /// What becomes of a report that arrives live: without a timestamp, or with one that lies too
    /// far ahead of our clock, its arrival stands for it, by the wall clock, as the others' timestamps are.
    #[inline]
    pub fn arrive(self, input: InputId, arrival_us: u64, wall_us: u64) -> Event {
        let clock_flagged = self.timestamp_us.is_some_and(|stamp| stamp > arrival_us + AHEAD_MAX_US);
        let timestamp_us = self.timestamp_us.filter(|_| !clock_flagged).unwrap_or(wall_us);
        let Self { node, token, parent, alias, .. } = self;
        Event { node, input, clock_flagged, token, timestamp_us, parent, alias }
    }
}

/// One event as the core takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who saw the message.
    pub node: NodeId,
    /// What brought it.
    pub input: InputId,
    /// Whether the sender's timestamp was replaced because it lay too far ahead of our clock.
    pub clock_flagged: bool,
    /// Which message.
    pub token: Token,
    /// When, by the sender's clock, in microseconds since the Unix epoch.
    pub timestamp_us: u64,
    /// The node that the message came from.
    pub parent: Option<NodeId>,
    /// A second token by which the message is known from here on.
    pub alias: Option<Box<Token>>,
}

/// A tracing token: UTF-8, 1 to 256 bytes, no control characters.
///
/// Kept in 24 bytes: hexadecimal trace ids and UUIDs are packed, short tokens stand inline.
/// Every text has exactly one representation, so equal tokens are equal values.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub(crate) Packed);

/// Sixteen bytes, the first in the lowest place: aligned words, which are moved and compared as they are.
pub(crate) type Words = [u64; 2];

/// The representations of a token, each lossless. All are three words, so that a token travels in registers.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u64)]
pub(crate) enum Packed {
    /// 32 lower-case hexadecimal digits.
    Hex(Words),
    /// A lower-case UUID with its four hyphens.
    Uuid(Words),
    /// Up to 15 bytes, padded with zeros; their number is the sixteenth.
    Short(Words),
    /// 16 bytes.
    Sixteen(Words),
    /// Anything else.
    Long(Text),
}

/// A text that is shared by all that name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Text(Arc<str>);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// Why a text is no token or no node id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// No bytes at all.
    Empty,
    /// More bytes than this limit.
    TooLong(usize),
    /// It contains a control character.
    Control,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong(limit) => write!(f, "is longer than {limit} bytes"),
            Self::Control => f.write_str("contains a control character"),
        }
    }
}

/// Checks a token's or node id's text: 1 to `limit` bytes, no control characters.
pub fn check_text(text: &str, limit: usize) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > limit {
        return Err(TextError::TooLong(limit));
    }
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if !plain && text.chars().any(char::is_control) {
        return Err(TextError::Control);
    }
    Ok(())
}

impl Token {
    /// Checks and packs a token.
    #[inline]
    pub fn new(text: &str) -> Result<Self, TextError> {
        Self::trace_id(text.as_bytes()).map_or_else(|| Self::other(text), Ok)
    }

    /// The token that these bytes write, where they are 32 lower-case hexadecimal digits.
    #[expect(clippy::inline_always, reason = "called, it would answer through memory, which costs as much as the rest")]
    #[inline(always)]
    pub(crate) fn trace_id(text: &[u8]) -> Option<Self> {
        Some(Self(Packed::Hex(pack_hex(text.try_into().ok()?)?)))
    }

    /// The trace id that packs to these words.
    #[inline]
    pub(crate) fn of_trace_id(words: Words) -> Self {
        Self(Packed::Hex(words))
    }

    /// Any token but a trace id.
    #[inline(never)]
    fn other(text: &str) -> Result<Self, TextError> {
        if let Ok(digits) = text.as_bytes().try_into()
            && let Some(bytes) = pack_uuid(digits)
        {
            return Ok(Self(Packed::Uuid(bytes)));
        }
        check_text(text, TOKEN_MAX_BYTES)?;
        if let Ok(bytes) = text.as_bytes().try_into() {
            return Ok(Self(Packed::Sixteen(words_of(bytes))));
        }
        if text.len() < 16 {
            let mut bytes = [0; 16];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            bytes[15] = text.len() as u8;
            return Ok(Self(Packed::Short(words_of(bytes))));
        }
        Ok(Self(Packed::Long(text.into())))
    }
}

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Packs 32 lower-case hexadecimal digits, eight at a time; none where one is no such digit.
#[inline]
pub(crate) fn pack_hex(digits: &[u8; 32]) -> Option<Words> {
    // In one number, not piece by piece: a value is slow to read that has just been written in smaller pieces.
    let (mut number, mut invalid) = (0, 0);
    for (place, eight) in digits.as_chunks::<8>().0.iter().enumerate() {
        let (packed, wrong) = pack_eight(u64::from_le_bytes(*eight));
        number |= u128::from(packed) << (32 * place);
        invalid |= wrong;
    }
    (invalid == 0).then_some([number as u64, (number >> 64) as u64])
}

/// Two words of these bytes.
pub(crate) fn words_of(bytes: [u8; 16]) -> Words {
    let number = u128::from_le_bytes(bytes);
    [number as u64, (number >> 64) as u64]
}

/// The bytes of two words.
pub(crate) fn bytes_of(words: &Words) -> [u8; 16] {
    (u128::from(words[0]) | u128::from(words[1]) << 64).to_le_bytes()
}

/// Packs eight digits, the first in the lowest byte; the second number is 0 where all are digits.
#[inline]
fn pack_eight(digits: u64) -> (u32, u64) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // What each digit would be worth: its low four bits, and 9 more for a letter.
    let values = (digits & (ONES * 0x0f)) + ((digits >> 6) & ONES) * 9;
    // Written again, they must be the same digits, each worth less than 16.
    let letters = ((values + ONES * 0x76) >> 7) & ONES;
    let wrong = ((values + ONES * 0x30 + letters * 0x27) ^ digits) | (values & (ONES * 0xf0));
    let pairs = ((values << 4) | (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    ((fours | (fours >> 16)) as u32, wrong)
}

fn pack_uuid(text: &[u8; 36]) -> Option<Words> {
    if HYPHENS.iter().any(|&place| text[place] != b'-') {
        return None;
    }
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    pack_hex(&digits)
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Packed::Hex(words) => {
                for byte in bytes_of(words) {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
            Packed::Uuid(words) => {
                for (place, byte) in bytes_of(words).into_iter().enumerate() {
                    if matches!(place, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
            // Only whole texts are packed, so this is always UTF-8.
            Packed::Short(words) => {
                let bytes = bytes_of(words);
                f.write_str(std::str::from_utf8(&bytes[..usize::from(bytes[15])]).unwrap_or(""))
            }
            Packed::Sixteen(words) => f.write_str(std::str::from_utf8(&bytes_of(words)).unwrap_or("")),
            Packed::Long(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// A text for people; packed where no person reads it.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Packed::deserialize(deserializer).map(Self);
        }
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_was() {
        let long = "x".repeat(256);
        for text in [
            "a",
            "0123456789abcde",
            "0123456789abcdef",
            "0123456789abcdef0",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
            "4bf92f35x77b3-4da6-a3ce-929d0e0e4736",
            "zbf92f35-77b3-4da6-a3ce-929d0e0e4736",
            "ünïcödé-トークン",
            long.as_str(),
        ] {
            assert_eq!(Token::new(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_lower_case_digits_are_packed() {
        for byte in 0..=u8::MAX {
            for place in 0..32 {
                let mut digits = *b"0123456789abcdef9876543210fedcba";
                digits[place] = byte;
                let expected = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(pack_hex(&digits).is_some(), expected, "{byte} at {place}");
                if let Some(bytes) = pack_hex(&digits) {
                    assert_eq!(Token(Packed::Hex(bytes)).to_string().as_bytes(), digits);
                }
            }
        }
        assert!(matches!(Token::new("4bf92f35-77b3-4da6-a3ce-929d0e0e-736").unwrap().0, Packed::Long(_)));
    }

    #[test]
    fn texts_that_differ_are_tokens_that_differ() {
        let hex = Token::new("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        let uuid = Token::new("4bf92f35-77b3-4da6-a3ce-929d0e0e4736").unwrap();
        let upper = Token::new("4BF92F3577B34DA6A3CE929D0E0E4736").unwrap();
        assert_ne!(hex, uuid);
        assert_ne!(hex, upper);
    }

    #[test]
    fn bad_texts_are_refused() {
        assert_eq!(Token::new(""), Err(TextError::Empty));
        assert_eq!(Token::new(&"x".repeat(257)), Err(TextError::TooLong(256)));
        assert_eq!(Token::new("a\nb"), Err(TextError::Control));
        assert_eq!(Token::new("a\u{85}b"), Err(TextError::Control));
        assert_eq!(Token::new(&"\u{1b}".repeat(32)), Err(TextError::Control));
    }
}
