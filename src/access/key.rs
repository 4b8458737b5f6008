//! Keys of programs: 256 random bits, of which only the SHA-256 is kept.

use std::fmt::Write;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use super::Secret;

/// How a key begins, so that people and scanners know one when they see it.
pub const KEY_PREFIX: &str = "obs_";
/// Random bytes of a key.
const RANDOM_BYTES: usize = 32;

/// A SHA-256; compared in constant time.
#[derive(Clone, Copy, Debug)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a text.
    pub fn of(text: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// The system has no random bytes to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

/// Fills an array with random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).or(Err(NoRandomness))?;
    Ok(bytes)
}

/// A new secret of 256 random bits with this beginning.
pub fn new_secret(prefix: &str) -> Result<Secret, NoRandomness> {
    Ok(Secret::new(format!("{prefix}{}", hex(&random::<RANDOM_BYTES>()?))))
}

/// What a program may do with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Report events.
    Report,
    /// Read pages, API and metrics.
    Read,
    /// Both.
    Both,
}

impl May {
    /// Every right, by its name in the manifest.
    pub const NAMES: [&str; 3] = ["report", "read", "both"];

    /// The right of this place in [`Self::NAMES`].
    pub fn at(index: usize) -> Self {
        [Self::Report, Self::Read, Self::Both][index.min(2)]
    }

    /// Whether events may be reported.
    pub fn report(self) -> bool {
        self != Self::Read
    }

    /// Whether all may be read.
    pub fn read(self) -> bool {
        self != Self::Report
    }
}

/// A program's key, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose it is, for people.
    pub name: String,
    /// Of the whole key.
    pub sha256: Digest,
    /// What it is good for.
    pub may: May,
    /// The nodes whose events may be reported with it; `None`: of all.
    pub nodes: Option<Arc<[String]>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        // FIPS 180-4's own example.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = Digest::of("abc");
        assert_eq!(digest.to_hex(), known);
        assert_eq!(Digest::from_hex(&known.to_uppercase()), Some(digest));
        for wrong in ["", &known[1..], &format!("{known}00"), &known.replace('b', "+"), &known.replace('b', "ä")] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
        assert_ne!(Digest::of("abd"), digest);
    }

    #[test]
    fn no_two_keys_are_alike() {
        let (one, other) = (new_secret(KEY_PREFIX).unwrap(), new_secret(KEY_PREFIX).unwrap());
        assert!(one.expose() != other.expose());
        assert_eq!(one.expose().len(), KEY_PREFIX.len() + 64);
    }
}
