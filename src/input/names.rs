//! The names of the nodes whose events were read just before: the next ones are mostly from the same few.

use crate::graph::NodeId;

/// So many bytes are compared at once; a name and its quote must fit.
const BYTES: usize = 32;
const WORDS: usize = BYTES / 8;
/// How many names are remembered at most; those that fall together in one place replace each other.
const PLACES: usize = 16;

/// A name with the quote after it, in words, the first byte lowest.
#[derive(Clone, Copy, Debug, Default)]
struct Name {
    words: [u64; WORDS],
    /// Which bytes of the words are its own: all bits of each.
    mask: [u64; WORDS],
    length: usize,
    node: Option<NodeId>,
}

/// Names as they stand in JSON, without escapes.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// None at all as long as none is remembered.
    places: Vec<Name>,
}

impl Names {
    /// The length of the name at the start of `bytes`, up to its quote, and its node, where both are remembered.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(usize, NodeId)> {
        let words = words(bytes.first_chunk()?);
        let name = self.places.get(place(words))?;
        let mut differs = 0;
        for ((word, mask), own) in words.iter().zip(name.mask).zip(name.words) {
            differs |= (word & mask) ^ own;
        }
        name.node.filter(|_| differs == 0).map(|node| (name.length, node))
    }

    /// Remembers the node of the name at the start of `bytes`: so many of them, then a quote.
    #[inline(never)]
    pub(super) fn keep(&mut self, bytes: &[u8], length: usize, node: NodeId) {
        let Some(bytes) = bytes.first_chunk().filter(|_| length < BYTES) else { return };
        let mut mask = [0; BYTES];
        mask[..=length].fill(u8::MAX);
        let (found, mask) = (words(bytes), words(&mask));
        let mut own = found;
        for (word, mask) in own.iter_mut().zip(mask) {
            *word &= mask;
        }
        self.places.resize_with(PLACES, Name::default);
        self.places[place(found)] = Name { words: own, mask, length, node: Some(node) };
    }
}

#[inline]
fn words(bytes: &[u8; BYTES]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (word, eight) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*eight);
    }
    words
}

/// Where a name is remembered: by its first eleven bytes. Behind a shorter one stands what comes next in a line of its kind, the
/// same in all but for the token, which begins later.
#[inline]
fn place(words: [u64; WORDS]) -> usize {
    let product = (words[0] ^ (words[1] << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (product >> (u64::BITS - PLACES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The start of a line behind `{"node":"`.
    fn line(name: &str, token: u64) -> Vec<u8> {
        format!("{name}\",\"token\":\"{token:032x}\"}}").into_bytes()
    }

    #[test]
    fn a_name_is_found_whatever_token_follows() {
        for name in ["", "a", "db", "web-server", "event-processor", "ünïcödé", &"x".repeat(31)] {
            let mut names = Names::default();
            assert_eq!(names.find(&line(name, 0)), None);
            names.keep(&line(name, 1), name.len(), NodeId(7));
            assert_eq!(names.find(&line(name, u64::MAX)), Some((name.len(), NodeId(7))), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_taken_for_another(known in "[ab]{0,34}", name in "[ab]{0,34}", cut in 0..80_usize) {
            let mut names = Names::default();
            names.keep(&line(&known, 1), known.len(), NodeId(7));
            let line = line(&name, 2);
            let found = names.find(&line[..cut.min(line.len())]);
            prop_assert!(found.is_none() || known == name && found == Some((name.len(), NodeId(7))));
        }
    }
}
