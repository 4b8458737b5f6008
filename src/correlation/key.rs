//! Tokens as 16-byte keys, and the keyed hash by which they are found.

use serde::{Deserialize, Serialize};

use siphasher::sip::SipHasher13;

use super::slab::Slab;
use crate::event::{Packed, Text, Token};

/// The key of the hash. Random live, so that no sender can choose tokens that collide.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyHasher {
    seed: (u64, u64),
}

impl KeyHasher {
    /// A hasher with this key.
    pub fn new(seed: (u64, u64)) -> Self {
        Self { seed }
    }

    /// Of a key in place: the two halves of its product with the secret seed, folded.
    #[inline]
    fn hash(self, kind: u8, bytes: &[u8; 16]) -> u64 {
        let number = u128::from_le_bytes(*bytes);
        let (low, high) = (number as u64 ^ self.seed.0, (number >> 64) as u64 ^ self.seed.1 ^ u64::from(kind));
        let product = u128::from(low) * u128::from(high);
        (product as u64 ^ (product >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn hash_text(self, text: &str) -> u64 {
        SipHasher13::new_with_keys(self.seed.0, self.seed.1).hash(text.as_bytes())
    }
}

/// The hash of a token.
#[inline]
pub fn hash_token(hasher: KeyHasher, token: &Token) -> u64 {
    match &token.0 {
        Packed::Hex(bytes) => hasher.hash(KIND_HEX, bytes),
        Packed::Uuid(bytes) => hasher.hash(KIND_UUID, bytes),
        Packed::Short(len, bytes) => hasher.hash(KIND_SHORT + len, bytes),
        Packed::Long(text) => hasher.hash_text(text),
    }
}

const KIND_HEX: u8 = 0;
const KIND_UUID: u8 = 1;
const KIND_LONG: u8 = 2;
/// Plus the length, 1 to 16.
const KIND_SHORT: u8 = 3;
/// How many bits a kind takes.
pub(super) const KIND_BITS: u32 = 5;

/// A token as the table keeps it: lossless in 16 bytes and a kind below 2^[`KIND_BITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) bytes: [u8; 16],
    pub(super) kind: u8,
}

/// Where the texts of long tokens stand.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LongTexts {
    texts: Slab<Option<Text>>,
}

impl LongTexts {
    pub(super) fn new() -> Self {
        Self { texts: Slab::new() }
    }

    /// The key of a token that will be remembered.
    pub(super) fn keep(&mut self, token: &Token) -> Key {
        match &token.0 {
            Packed::Hex(bytes) => Key { bytes: *bytes, kind: KIND_HEX },
            Packed::Uuid(bytes) => Key { bytes: *bytes, kind: KIND_UUID },
            Packed::Short(len, bytes) => Key { bytes: *bytes, kind: KIND_SHORT + len },
            Packed::Long(text) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&self.texts.insert(Some(text.clone())).to_le_bytes());
                Key { bytes, kind: KIND_LONG }
            }
        }
    }

    /// Lets go of a key.
    pub(super) fn release(&mut self, key: Key) {
        if key.kind == KIND_LONG {
            let place = long_place(key);
            self.texts[place] = None;
            self.texts.remove(place);
        }
    }

    /// Whether the key is this token's.
    #[inline]
    pub(super) fn is(&self, key: Key, token: &Token) -> bool {
        match &token.0 {
            Packed::Hex(bytes) => key.kind == KIND_HEX && key.bytes == *bytes,
            Packed::Uuid(bytes) => key.kind == KIND_UUID && key.bytes == *bytes,
            Packed::Short(len, bytes) => key.kind == KIND_SHORT + len && key.bytes == *bytes,
            Packed::Long(text) => key.kind == KIND_LONG && self.texts[long_place(key)].as_ref() == Some(text),
        }
    }

    /// The token of a key.
    pub(super) fn token(&self, key: Key) -> Token {
        Token(match key.kind {
            KIND_HEX => Packed::Hex(key.bytes),
            KIND_UUID => Packed::Uuid(key.bytes),
            KIND_LONG => Packed::Long(self.texts[long_place(key)].clone().unwrap_or_else(|| "".into())),
            kind => Packed::Short(kind - KIND_SHORT, key.bytes),
        })
    }

    /// The hash of a key: that of its token.
    #[inline]
    pub(super) fn hash(&self, hasher: KeyHasher, key: Key) -> u64 {
        match &self.texts_of(key) {
            Some(text) => hasher.hash_text(text),
            None => hasher.hash(key.kind, &key.bytes),
        }
    }

    #[inline]
    fn texts_of(&self, key: Key) -> Option<&str> {
        if key.kind == KIND_LONG { self.texts[long_place(key)].as_deref() } else { None }
    }
}

#[inline]
fn long_place(key: Key) -> u32 {
    u32::from_le_bytes([key.bytes[0], key.bytes[1], key.bytes[2], key.bytes[3]])
}
