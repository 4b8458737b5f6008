//! Tokens as 16-byte keys, and the keyed hash by which they are found.

use serde::{Deserialize, Serialize};

use siphasher::sip::SipHasher13;

use super::slab::Slab;
use crate::event::{Packed, Text, Token, Words};

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
    fn hash(self, kind: u8, words: &Words) -> u64 {
        let (low, high) = (words[0] ^ self.seed.0, words[1] ^ self.seed.1 ^ u64::from(kind));
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
        Packed::Hex(words) => hasher.hash(KIND_HEX, words),
        Packed::Uuid(words) => hasher.hash(KIND_UUID, words),
        Packed::Short(words) => hasher.hash(KIND_SHORT, words),
        Packed::Sixteen(words) => hasher.hash(KIND_SIXTEEN, words),
        Packed::Long(text) => hasher.hash_text(text),
    }
}

const KIND_HEX: u8 = 0;
const KIND_UUID: u8 = 1;
const KIND_LONG: u8 = 2;
const KIND_SHORT: u8 = 3;
const KIND_SIXTEEN: u8 = 4;
/// How many bits a kind takes.
pub(super) const KIND_BITS: u32 = 3;

/// A token as the table keeps it: lossless in 16 bytes and a kind below 2^[`KIND_BITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) words: Words,
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
            Packed::Hex(words) => Key { words: *words, kind: KIND_HEX },
            Packed::Uuid(words) => Key { words: *words, kind: KIND_UUID },
            Packed::Short(words) => Key { words: *words, kind: KIND_SHORT },
            Packed::Sixteen(words) => Key { words: *words, kind: KIND_SIXTEEN },
            Packed::Long(text) => {
                let place = self.texts.insert(Some(text.clone()));
                Key { words: [u64::from(place), 0], kind: KIND_LONG }
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
            Packed::Hex(words) => key.kind == KIND_HEX && key.words == *words,
            Packed::Uuid(words) => key.kind == KIND_UUID && key.words == *words,
            Packed::Short(words) => key.kind == KIND_SHORT && key.words == *words,
            Packed::Sixteen(words) => key.kind == KIND_SIXTEEN && key.words == *words,
            Packed::Long(text) => key.kind == KIND_LONG && self.texts[long_place(key)].as_ref() == Some(text),
        }
    }

    /// The token of a key.
    pub(super) fn token(&self, key: Key) -> Token {
        Token(match key.kind {
            KIND_HEX => Packed::Hex(key.words),
            KIND_UUID => Packed::Uuid(key.words),
            KIND_LONG => Packed::Long(self.texts[long_place(key)].clone().unwrap_or_else(|| "".into())),
            KIND_SHORT => Packed::Short(key.words),
            _ => Packed::Sixteen(key.words),
        })
    }

    /// The hash of a key: that of its token.
    #[inline]
    pub(super) fn hash(&self, hasher: KeyHasher, key: Key) -> u64 {
        match self.texts_of(key) {
            Some(text) => hasher.hash_text(text),
            None => hasher.hash(key.kind, &key.words),
        }
    }

    #[inline]
    fn texts_of(&self, key: Key) -> Option<&str> {
        if key.kind == KIND_LONG { self.texts[long_place(key)].as_deref() } else { None }
    }
}

#[inline]
fn long_place(key: Key) -> u32 {
    key.words[0] as u32
}
